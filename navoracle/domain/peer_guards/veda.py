"""Veda's accountant: the bounds on a new exchange rate, and the delay.

Source: `_beforeUpdateExchangeRate` of `src/base/Roles/AccountantWithRateProviders.sol` (boring-vault). A breach does
not revert: the rate is stored, the fees are skipped and the accountant pauses, also for a rate in bounds that comes
too early. The comparison is with the rate that was stored last, be it good or bad.
"""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.answers import at_least, fall_of_at_most, rise_of_at_most
from navoracle.domain.units import BPS, Rounding, Timestamp, mul_div


@dataclass(frozen=True, slots=True)
class VedaBounds:
    """What `accountantState()` says of the guard.

    Attributes:
        exchange_rate: the rate stored last, in units of the base asset per share.
        upper_bps: the highest next rate, in bps of that (10_000 and more).
        lower_bps: the lowest next rate, in bps of that (10_000 and less).
        last_update: when it was stored.
        delay: seconds that must pass after it.
    """

    exchange_rate: int
    upper_bps: int
    lower_bps: int
    last_update: Timestamp
    delay: int

    @property
    def highest(self) -> int:
        """The highest rate that does not pause, rounded down."""
        return mul_div(self.exchange_rate, self.upper_bps, BPS, Rounding.DOWN)

    @property
    def lowest(self) -> int:
        """The lowest rate that does not pause, rounded down."""
        return mul_div(self.exchange_rate, self.lower_bps, BPS, Rounding.DOWN)


def guards(bounds: VedaBounds, new_rate: int, now: Timestamp) -> tuple[GuardUse, GuardUse, GuardUse]:
    """The upper bound, the lower bound (both inclusive) and the delay, for this rate in a block of this time.

    The bounds are told as changes of the stored rate, in units of the base asset.
    """
    change = new_rate - bounds.exchange_rate
    return (
        rise_of_at_most("upper_bound", change, bounds.highest - bounds.exchange_rate, "raw"),
        fall_of_at_most("lower_bound", change, bounds.lowest - bounds.exchange_rate, "raw"),
        at_least("minimum_delay", now - bounds.last_update, bounds.delay, "seconds"),
    )
