"""What a frame does to breakers: pure transitions from what was found for a fund, or estimated for an asset.

A fund's breaker opens when its second frame disagrees with the first, when it is insolvent (until a reset), and when
large changes come again and again; an asset's when market and protocol rate are too far apart to believe either, and
when its sources have no majority frame after frame. Both close as `Breaker` says: after a cool-down, with frames that
agree. The frame that ends a cool-down does not count as one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from navoracle.domain.breaker import Breaker, BreakerPolicy, BreakerState
from navoracle.domain.frame import FundFrame, NavStatus
from navoracle.domain.guards.breaker_checks import ASSET_BREAKER
from navoracle.domain.prices import PriceEstimate, PriceStatus
from navoracle.domain.units import Timestamp, Wad, exceeds_bps
from navoracle.domain.verdicts import Outcome, Verdict

DISAGREED: Final = "second_frame_disagrees"
INSOLVENT: Final = "insolvent"
REPEATED_CHANGE: Final = "repeated_change"
NATIVE_HALT: Final = "native_halt"
NO_MAJORITY: Final = "no_majority"


def is_large_change(found: FundFrame) -> bool:
    """Whether the frame asked for a second one because of the change since the confirmed value."""
    return any(verdict.check == "change" and verdict.outcome is Outcome.VERIFY for verdict in found.verdicts)


def fund_after_frame(
    breaker: Breaker, found: FundFrame, at: Timestamp, policy: BreakerPolicy, *, large_changes: int
) -> Breaker:
    """The fund's breaker after a frame.

    Args:
        at: when the frame was made, by the keeper's clock.
        large_changes: slots with a large change within the policy's window, this frame's included, since the breaker
            was last closed.
    """
    if found.status is NavStatus.INSOLVENT:
        return breaker.open(INSOLVENT, at, needs_reset=True)
    if found.reason == DISAGREED:
        return breaker.open(DISAGREED, at)
    if breaker.state is BreakerState.CLOSED:
        repeated = is_large_change(found) and large_changes >= policy.large_changes
        return breaker.open(REPEATED_CHANGE, at) if repeated else breaker
    if breaker.state is BreakerState.OPEN:
        return breaker.cool_down(at, policy)
    return _fund_on_trial(breaker, found, at, policy)


def _fund_on_trial(breaker: Breaker, found: FundFrame, at: Timestamp, policy: BreakerPolicy) -> Breaker:
    """A half-open breaker after a frame: a doubt opens it, a frame that says nothing of the value leaves it."""
    for verdict in found.verdicts:
        if verdict.outcome is Outcome.VERIFY and verdict.check != "change":
            return breaker.open(verdict.check, at)
    if found.valuation is None or found.agrees is None or any(map(_stops, found.verdicts)):
        return breaker
    within = not is_large_change(found) if found.distance is None else found.distance.within
    return breaker.record_agreement(agrees=found.agrees, within_bounds=within, at=at, policy=policy)


def _stops(verdict: Verdict) -> bool:
    """Whether it halts for another reason than a breaker."""
    return (
        verdict.outcome is Outcome.HALT and verdict.check != "breaker" and not verdict.check.startswith(ASSET_BREAKER)
    )


def asset_after_frame(
    breaker: Breaker,
    estimates: Sequence[PriceEstimate],
    previous: Wad | None,
    at: Timestamp,
    policy: BreakerPolicy,
    *,
    no_majority: int,
) -> Breaker:
    """The asset's breaker after a frame.

    Args:
        estimates: the asset's estimates in the frame, one for each side.
        previous: its last live price before the frame (Wad); None before the first.
        no_majority: frames in a row, this one included, in which its sources had no majority.
    """
    if any(estimate.reason == NATIVE_HALT for estimate in estimates):
        return breaker.open(NATIVE_HALT, at)
    if no_majority >= policy.no_majority_frames:
        return breaker.open(NO_MAJORITY, at)
    if breaker.state is BreakerState.OPEN:
        return breaker.cool_down(at, policy)
    if breaker.state is BreakerState.CLOSED or previous is None or not estimates:
        return breaker
    if any(estimate.status is not PriceStatus.LIVE for estimate in estimates):
        return breaker
    agrees = all(
        estimate.price is not None and not exceeds_bps(abs(estimate.price - previous), previous, policy.agreement_bps)
        for estimate in estimates
    )
    within = not any(estimate.native_alarm and estimate.native_gap_bps is not None for estimate in estimates)
    return breaker.record_agreement(agrees=agrees, within_bounds=within, at=at, policy=policy)
