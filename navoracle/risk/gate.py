"""From a valued fund and its peaks to the decision of its NAV gate, and to the peaks that are kept of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from navoracle.domain.frame import GuardDistance, NavStatus
from navoracle.domain.risk.gates import GateDecision, GateWarning, PeakState, Veto
from navoracle.domain.units import Wad
from navoracle.risk.inputs import GateInput
from navoracle.risk.nav_health import nav_health
from navoracle.risk.peaks import fall_below, peaks_after, untouched

SOUND: Final = frozenset({NavStatus.LIVE, NavStatus.VERIFIED})
"""Statuses of a frame that may move a peak, and whose NAV is history to rebuild one from."""


def decide(facts: GateInput) -> GateDecision:
    """Hold a NAV against its peaks and limits.

    A fall is vetoed only beyond its limit (equal is within it), only of a healthy NAV and only from a fresh peak. A NAV
    that is not fresh is vetoed or warned of, as the policy says; one with a fallback price is warned of.
    """
    policy, valuation = facts.policy, facts.valuation
    health = nav_health(facts)
    shares = None if valuation is None else valuation.shares
    peaks = peaks_after(policy, facts.prior, health, facts.confirmed, shares=shares, now=facts.now)
    drawdown = fall_below(peaks.peak, health.price_per_share)
    daily_loss = fall_below(peaks.daily_peak, health.price_per_share)
    vetoes: list[Veto] = []
    if health.healthy and peaks.condition == "fresh":
        if _beyond(drawdown, policy.max_drawdown):
            vetoes.append("nav_drawdown_limit")
        if _beyond(daily_loss, policy.max_day_loss):
            vetoes.append("day_loss_limit")
    warnings: list[GateWarning] = []
    if not health.fresh and policy.on_stale == "fail_closed":
        vetoes.append("nav_stale")
    elif not health.fresh:
        warnings.append("nav_stale")
    elif not health.sources_ok:
        warnings.append("sources_failed")
    if peaks.is_stale:
        warnings.append("drawdown_stale")
    return GateDecision(
        health=health,
        peaks=peaks.state,
        peak_state=peaks.condition,
        peak=peaks.peak,
        daily_peak=peaks.daily_peak,
        drawdown=drawdown,
        daily_loss=daily_loss,
        vetoes=tuple(vetoes),
        warnings=tuple(warnings),
        stops=policy.stops if vetoes else (),
    )


def kept(
    decision: GateDecision,
    before: PeakState | None,
    status: NavStatus,
    reason: str | None,
    distance: GuardDistance | None = None,
) -> PeakState | None:
    """The peaks to keep of a recorded frame; None where those that are kept stay as they are.

    A LIVE or VERIFIED frame moves them. One that its own gate halted, and one beyond the contract's band, was held
    against them but raises neither: no depositor had that price. The day begins with it, unless the price rose beyond
    the band: then with the next frame. Of a peak that was rebuilt in such a frame nothing is kept, so it is rebuilt
    again. A doubtful, estimated or otherwise halted frame leaves no trace: its NAV may be wrong.

    Args:
        before: what the decision started from.
        status, reason: what the guards made of the frame.
        distance: of its price from the contract's band; None where that is not known, and then it counts as within.
    """
    found = decision.peaks
    if found is None or found == before:
        return None
    is_sound = status in SOUND
    is_beyond = distance is not None and not distance.within
    if is_sound and not is_beyond:
        return found
    if not is_sound and (status is not NavStatus.HALTED or reason not in decision.vetoes):
        return None
    if before is None or decision.peak_state != "fresh":
        return None
    if is_beyond and distance is not None and distance.step > 0:
        return replace(before, updated_at=found.updated_at)
    return untouched(before, found)


def _beyond(fall: Wad | None, limit: Wad | None) -> bool:
    return fall is not None and limit is not None and fall > limit
