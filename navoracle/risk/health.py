"""The health of a component by its last updates. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from navoracle.domain.errors import ErrorSeverity
from navoracle.domain.units import WAD, Rounding, Wad, mul_div

WINDOW: Final = 100
"""Updates that count."""


class HealthStatus(Enum):
    """Whether a component does its work."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Update:
    """One update of a component.

    Attributes:
        errors: what went wrong, in order.
        succeeded: whether it did its work in the end, at a retry perhaps.
    """

    errors: tuple[ErrorSeverity, ...]
    succeeded: bool


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """A component's health over its last `WINDOW` updates.

    Attributes:
        error_rate: errors / max(updates, 1) (Wad), rounded up.
    """

    status: HealthStatus
    updates: int
    errors: int
    error_rate: Wad


def health_of(updates: Sequence[Update], max_error_rate: Wad) -> ComponentHealth:
    """Judge a component.

    No error among the last 100 updates: healthy. Errors, and the last update or its retry succeeded: degraded.
    Unhealthy: the last update had a critical error or failed with all of its retries, or the error rate is above the
    limit (at the limit is within it).

    Args:
        updates: oldest first; only the last 100 count.
        max_error_rate: errors by update (Wad).
    """
    counted = updates[-WINDOW:]
    errors, divisor = sum(len(update.errors) for update in counted), max(len(counted), 1)
    return ComponentHealth(
        status=_status(counted, errors, divisor, max_error_rate),
        updates=len(counted),
        errors=errors,
        error_rate=Wad(mul_div(errors, WAD, divisor, Rounding.UP)),
    )


def _status(counted: Sequence[Update], errors: int, divisor: int, max_error_rate: Wad) -> HealthStatus:
    if errors * WAD > max_error_rate * divisor:
        return HealthStatus.UNHEALTHY
    if counted and (not counted[-1].succeeded or ErrorSeverity.CRITICAL in counted[-1].errors):
        return HealthStatus.UNHEALTHY
    return HealthStatus.DEGRADED if errors else HealthStatus.HEALTHY
