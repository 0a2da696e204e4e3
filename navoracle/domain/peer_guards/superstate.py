"""Superstate's oracle: an absolute bound on the NAV per share, and times that only move forward.

Source: `_addCheckpoint` of `src/oracle/SuperstateOracle.sol` (onchain-redemptions). A breach reverts. NAV per share
has 6 decimals. `effective_at` must not lie before the block that the transaction lands in: sign with a margin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.answers import at_least, fall_of_at_most, rise_of_at_most
from navoracle.domain.units import Timestamp

DECIMALS: Final = 6
EXPIRY: Final = 5 * 86_400
"""Seconds after `effective_at` for which the latest checkpoint gives a price."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A NAV per share (6 decimals), the time that it is of, and the time from which it counts."""

    timestamp: Timestamp
    effective_at: Timestamp
    nav_per_share: int


def guards(
    latest: Checkpoint, new: Checkpoint, *, max_delta: int, count: int, override: bool, now: Timestamp
) -> tuple[GuardUse, ...]:
    """Highest and lowest NAV per share (inclusive) and the order of the times, in a block of time `now`.

    Args:
        max_delta: `maximumAcceptablePriceDelta()`. Above the latest NAV the contract's subtraction underflows and every
            checkpoint reverts, which `lowest_nav` then says.
        count: checkpoints so far; a pending one is protected from the third on.
        override: whether the call replaces a pending checkpoint.
    """
    change = new.nav_per_share - latest.nav_per_share
    fall = fall_of_at_most("lowest_nav", change, -max_delta, "raw")
    if max_delta > latest.nav_per_share:
        fall = replace(fall, passes=False)
    found = [
        rise_of_at_most("highest_nav", change, max_delta, "raw"),
        fall,
        at_least("timestamp_before_block", now - new.timestamp, 1, "seconds"),
        at_least("effective_from_block", new.effective_at - now, 0, "seconds"),
        at_least("timestamp_after_latest", new.timestamp - latest.timestamp, 1, "seconds"),
        at_least("effective_after_latest", new.effective_at - latest.effective_at, 1, "seconds"),
    ]
    if count > 1 and not override:
        found.append(at_least("none_pending", now - latest.effective_at, 0, "seconds"))
    return tuple(found)
