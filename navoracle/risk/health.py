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

MIN_UPDATES: Final = 20
"""Updates before which a rate says nothing: one error in the first nine would be more than one in ten."""


class HealthStatus(Enum):
    """Whether a component does its work."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class HealthRule:
    """When a component is unhealthy.

    Attributes:
        max_error_rate: updates with an error by updates (Wad); at the limit is within it.
        max_age: seconds since its last update, or since its start; at the limit is within it.
        min_updates: updates from which on the error rate is judged.
    """

    max_error_rate: Wad
    max_age: int
    min_updates: int = MIN_UPDATES


@dataclass(frozen=True, slots=True)
class Update:
    """One update of a component.

    Attributes:
        errors: what went wrong with the component's own work, in order.
        succeeded: whether it did its work in the end, at a retry perhaps.
    """

    errors: tuple[ErrorSeverity, ...]
    succeeded: bool

    @property
    def is_clean(self) -> bool:
        """Whether it did its work at once."""
        return self.succeeded and not self.errors


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """A component's health over its last `WINDOW` updates.

    Attributes:
        errors: updates that had an error, those that succeeded at a retry included.
        error_rate: errors / max(updates, 1) (Wad), rounded up.
        age: seconds since the last update, or since the start where there was none.
        is_fresh: whether that is within the rule's limit.
    """

    status: HealthStatus
    updates: int
    errors: int
    error_rate: Wad
    age: int
    is_fresh: bool


def health_of(updates: Sequence[Update], rule: HealthRule, *, age: int) -> ComponentHealth:
    """Judge a component.

    No error among the last 100 updates: healthy. Errors, and the last update or its retry succeeded: degraded.
    Unhealthy: the last update had a critical error or failed with all of its retries, it is too old, or the error
    rate of at least `rule.min_updates` updates is above its limit.

    Args:
        updates: oldest first; only the last 100 count.
        age: seconds since the last of them, or since the start.
    """
    counted = updates[-WINDOW:]
    errors, divisor = sum(not update.is_clean for update in counted), max(len(counted), 1)
    return ComponentHealth(
        status=_status(counted, errors, rule, age),
        updates=len(counted),
        errors=errors,
        error_rate=Wad(mul_div(errors, WAD, divisor, Rounding.UP)),
        age=age,
        is_fresh=age <= rule.max_age,
    )


def _status(counted: Sequence[Update], errors: int, rule: HealthRule, age: int) -> HealthStatus:
    if age > rule.max_age:
        return HealthStatus.UNHEALTHY
    if len(counted) >= rule.min_updates and errors * WAD > rule.max_error_rate * len(counted):
        return HealthStatus.UNHEALTHY
    if counted and (not counted[-1].succeeded or ErrorSeverity.CRITICAL in counted[-1].errors):
        return HealthStatus.UNHEALTHY
    return HealthStatus.DEGRADED if errors else HealthStatus.HEALTHY
