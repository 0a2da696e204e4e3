"""Mellow's oracle: two bands, each absolute and relative, and the timeout between reports.

Source: `_handleReport` and `_validatePrice` of `src/oracles/Oracle.sol` (flexible-vaults). Prices are inverted
(`navoracle.domain.conversions`). Beyond the wide band the whole batch reverts with `InvalidPrice`; beyond the narrow
one, at an asset's first report, and after a report that nobody has accepted, the price is stored as suspicious and the
vault is not told.
"""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.answers import at_least, at_most
from navoracle.domain.units import WAD, Rounding, Timestamp, mul_div


@dataclass(frozen=True, slots=True)
class MellowLimits:
    """`securityParams()`: absolute deviations in the price's own scale, relative ones 1e18 = 100 %, timeout in s."""

    max_absolute: int
    suspicious_absolute: int
    max_relative: int
    suspicious_relative: int
    timeout: int


@dataclass(frozen=True, slots=True)
class MellowReport:
    """`getReport(asset)`: the inverted price stored last, its time (0: there is none) and whether it is suspicious."""

    price: int
    timestamp: Timestamp
    suspicious: bool


@dataclass(frozen=True, slots=True)
class MellowOutcome:
    """What a report would meet.

    Attributes:
        timeout: None when the timeout does not apply: no report yet, or the last one is suspicious.
        wide: the absolute and the relative limit beyond which the batch reverts; None at the first report.
        narrow: those beyond which the price is stored as suspicious; None at the first report.
        suspicious: whether it would be stored as suspicious, as far as it is stored.
    """

    timeout: GuardUse | None
    wide: tuple[GuardUse, GuardUse] | None
    narrow: tuple[GuardUse, GuardUse] | None
    suspicious: bool

    @property
    def stored(self) -> bool:
        """Whether the report would not revert."""
        on_time = self.timeout is None or self.timeout.passes
        return on_time and (self.wide is None or all(guard.passes for guard in self.wide))

    @property
    def told(self) -> bool:
        """Whether the vault would be told the price at once: stored, and not suspicious."""
        return self.stored and not self.suspicious


def relative_deviation(previous: int, price: int) -> int:
    """Return |price - previous| x 1e18 / previous, rounded down (1e18 = 100 %).

    Raises:
        DomainError: the previous price is not positive.
    """
    return mul_div(abs(price - previous), WAD, previous, Rounding.DOWN)


def outcome(limits: MellowLimits, last: MellowReport, price: int, now: Timestamp) -> MellowOutcome:
    """What the oracle would do with this inverted price in a block of this time; all limits are inclusive."""
    timeout = None
    if last.timestamp != 0 and not last.suspicious:
        timeout = at_least("timeout", now - last.timestamp, limits.timeout, "seconds")
    if last.price == 0:
        return MellowOutcome(timeout, None, None, suspicious=True)
    wide = _band("max", last.price, price, limits.max_absolute, limits.max_relative)
    narrow = _band("suspicious", last.price, price, limits.suspicious_absolute, limits.suspicious_relative)
    suspicious = last.suspicious or not all(guard.passes for guard in narrow)
    return MellowOutcome(timeout, wide, narrow, suspicious)


def _band(name: str, previous: int, price: int, absolute: int, relative: int) -> tuple[GuardUse, GuardUse]:
    return (
        at_most(f"{name}_absolute_deviation", abs(price - previous), absolute, "raw"),
        at_most(f"{name}_relative_deviation", relative_deviation(previous, price), relative, "wad"),
    )
