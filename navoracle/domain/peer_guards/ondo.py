"""Ondo's price setters: a change in bps and 23 hours, or a change beside that of a reference fund.

Source: `contracts/rwaOracles/RWAOracleRateCheck.sol` and `RWAOracleExternalComparisonCheck.sol` (usdy). A breach
reverts. Prices have 18 decimals. The first contract rounds the change up: 1 % exactly passes and a unit more does not.
The second one truncates it toward zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.answers import at_least, at_most, truncated
from navoracle.domain.units import BPS, Rounding, Timestamp, mul_div

MIN_SECONDS: Final = 82_800
MAX_CHANGE_BPS: Final = 100
MAX_ABSOLUTE_BPS: Final = 200
MAX_DIFFERENCE_BPS: Final = 74
MAX_REFERENCE_AGE: Final = 90_000


@dataclass(frozen=True, slots=True)
class ReferenceRound:
    """A round of the reference feed: its id, answer and time."""

    round_id: int
    answer: int
    updated_at: Timestamp


def change_bps(previous: int, price: int) -> int:
    """Return |price - previous| in bps of the previous price, rounded up.

    Raises:
        DomainError: the previous price is not positive.
    """
    return mul_div(abs(price - previous), BPS, previous, Rounding.UP)


def truncated_change_bps(previous: int, price: int) -> int:
    """Return price - previous in bps of the previous price, signed, rounded toward zero.

    Raises:
        DomainError: the previous price is zero.
    """
    return truncated((price - previous) * BPS, previous)


def guards(previous: int, set_at: Timestamp, price: int, now: Timestamp) -> tuple[GuardUse, GuardUse, GuardUse]:
    """Change, wait and sign of a price that is set in a block of time `now` after one that was set at `set_at`."""
    return (
        at_most("change", change_bps(previous, price), MAX_CHANGE_BPS, "bps"),
        _wait(set_at, now),
        _positive(price),
    )


def comparison_guards(
    previous: int,
    set_at: Timestamp,
    price: int,
    *,
    last_reference: ReferenceRound,
    reference: ReferenceRound,
    now: Timestamp,
) -> tuple[GuardUse, ...]:
    """The guards of the contract that compares with a reference feed.

    A reference that moved by more than both limits together is ignored by the contract, and so is not among them.
    """
    change = truncated_change_bps(previous, price)
    moved = truncated_change_bps(last_reference.answer, reference.answer)
    found = [
        at_most("change", abs(change), MAX_ABSOLUTE_BPS, "bps"),
        _wait(set_at, now),
        _positive(price),
        at_most("reference_age", now - reference.updated_at, MAX_REFERENCE_AGE, "seconds"),
        # Another round, not a newer one: the contract compares for equality.
        at_least("new_reference_round", int(reference.round_id != last_reference.round_id), 1, "raw"),
    ]
    if abs(moved) <= MAX_ABSOLUTE_BPS + MAX_DIFFERENCE_BPS:
        found.append(at_most("difference_to_reference", abs(change - moved), MAX_DIFFERENCE_BPS, "bps"))
    return tuple(found)


def _wait(set_at: Timestamp, now: Timestamp) -> GuardUse:
    return at_least("update_window", now - set_at, MIN_SECONDS, "seconds")


def _positive(price: int) -> GuardUse:
    return at_least("positive_price", price, 1, "raw")
