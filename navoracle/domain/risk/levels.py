"""How bad a figure is, by the limits that an operator has set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from navoracle.domain.errors import OutOfRange
from navoracle.domain.units import WAD, Wad


class RiskStatus(Enum):
    """From no limit crossed to the last one before harm.

    `rank` is 0 for SAFE and rises with what it asks of people; a plain attribute, because every fund asks for it often.
    """

    rank: int

    SAFE = "safe"
    WARNING = "warning"
    URGENT = "urgent"
    CRITICAL = "critical"


for _rank, _status in enumerate(RiskStatus):
    _status.rank = _rank


def worst(statuses: Iterable[RiskStatus]) -> RiskStatus:
    """The worst of all; SAFE of none."""
    return max(statuses, key=lambda status: status.rank, default=RiskStatus.SAFE)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Limits (Wad) of a ratio that must not rise above them; a ratio that is equal to a limit is within it.

    `urgent` None means that there is no such level.

    Raises:
        OutOfRange: the limits are negative or do not rise.
    """

    warning: Wad
    critical: Wad
    urgent: Wad | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.warning <= (self.critical if self.urgent is None else self.urgent) <= self.critical:
            raise OutOfRange(
                f"limits of {self.warning}, {self.urgent} and {self.critical} do not rise",
                advice="State warning <= urgent <= critical.",
            )

    def status(self, numerator: int, denominator: int = WAD) -> RiskStatus:
        """The status of numerator / denominator, compared exactly; the denominator is positive."""
        scaled = numerator * WAD
        if scaled > self.critical * denominator:
            return RiskStatus.CRITICAL
        if self.urgent is not None and scaled > self.urgent * denominator:
            return RiskStatus.URGENT
        return RiskStatus.WARNING if scaled > self.warning * denominator else RiskStatus.SAFE


@dataclass(frozen=True, slots=True)
class Floor:
    """Limits (Wad) of a ratio that must not fall below them; a ratio that is equal to a limit is within it.

    `urgent` None means that there is no such level.

    Raises:
        OutOfRange: the limits are negative or do not fall.
    """

    warning: Wad
    critical: Wad
    urgent: Wad | None = None

    def __post_init__(self) -> None:
        if not self.warning >= (self.critical if self.urgent is None else self.urgent) >= self.critical >= 0:
            raise OutOfRange(
                f"limits of {self.warning}, {self.urgent} and {self.critical} do not fall",
                advice="State warning >= urgent >= critical.",
            )

    def status(self, numerator: int, denominator: int = WAD) -> RiskStatus:
        """The status of numerator / denominator, compared exactly; the denominator is positive."""
        scaled = numerator * WAD
        if scaled < self.critical * denominator:
            return RiskStatus.CRITICAL
        if self.urgent is not None and scaled < self.urgent * denominator:
            return RiskStatus.URGENT
        return RiskStatus.WARNING if scaled < self.warning * denominator else RiskStatus.SAFE
