"""Peaks of the price per share: held against, raised, rolled over at midnight, rebuilt when nobody looked for long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from navoracle.domain.flows import Distribution
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.risk.gates import (
    EVERYTHING,
    GatePolicy,
    GatePrior,
    NavHealth,
    PeakCondition,
    PeakState,
    day_of,
)
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, mul_div

_HEALED: Final[frozenset[PeakCondition]] = frozenset({"healed_from_history", "healed_from_confirmed"})


@dataclass(frozen=True, slots=True)
class Peaks:
    """The peaks after a frame, how they were come by, and what a NAV is held against: less what was distributed since.

    `daily_peak` is None too where the peak is of another day. `is_stale`: what was kept is not to be believed, or what
    is there now was rebuilt in this frame.
    """

    state: PeakState | None
    condition: PeakCondition
    peak: Wad | None
    daily_peak: Wad | None
    is_stale: bool


@dataclass(frozen=True, slots=True)
class _Reached:
    """A price per share (Wad) and when it was reached."""

    price: Wad
    at: Timestamp


def peaks_after(
    policy: GatePolicy,
    prior: GatePrior,
    health: NavHealth,
    confirmed: ConfirmedNav | None,
    *,
    shares: Wad | None,
    now: Timestamp,
) -> Peaks:
    """The peaks after a frame.

    Only a healthy NAV above zero moves them. A fund without shares starts anew, for nobody has had its peak. Fresh: the
    peak is the higher of itself less distributions and the NAV, and so is the day's; a new UTC day starts with this
    NAV. Missing, stale or of another measure: rebuilt.

    Args:
        shares: outstanding (Wad); None where the fund was not valued.
    """
    known, price = prior.peaks, health.price_per_share
    is_other = known is not None and known.measure != policy.measure
    is_stale = known is not None and (is_other or now - known.updated_at > policy.peak_stale_seconds)
    if not health.healthy or price is None or price <= 0:
        condition: PeakCondition = "unknown" if known is None else "stale" if is_stale else "fresh"
        return _peaks(None if is_other else known, condition, prior, now, keeps=known)
    here = _Reached(price, now)
    if (policy.reset_peak_at_start and prior.is_first) or shares == 0:
        condition = "new" if shares == 0 else "reset"
        return _peaks(_state(policy, here, here, now), condition, prior, now)
    if known is None or is_stale:
        return _rebuilt(policy, prior, here, confirmed)
    paid = prior.distributions
    peak = _highest((_Reached(known.peak, known.peak_at), here), paid)
    daily = here
    if known.day == day_of(now):
        daily = _highest((_Reached(known.daily_peak, known.daily_peak_at), here), paid)
    state = _state(policy, peak, daily, Timestamp(max(known.updated_at, now)))
    return _peaks(state, "fresh", prior, now)


def untouched(before: PeakState, after: PeakState) -> PeakState:
    """The peaks of a frame that must not raise them: they were held against, and a new day began with its NAV."""
    held = replace(after, peak=before.peak, peak_at=before.peak_at)
    if before.day != after.day:
        return held
    return replace(held, daily_peak=before.daily_peak, daily_peak_at=before.daily_peak_at)


def fall_below(peak: Wad | None, price: Wad | None) -> Wad | None:
    """(peak - price) / peak (Wad), rounded up; zero above the peak and one below zero. None where one is not known."""
    if peak is None or price is None or peak <= 0:
        return None
    return Wad(min(WAD, max(0, mul_div(peak - price, WAD, peak, Rounding.UP))))


def _rebuilt(policy: GatePolicy, prior: GatePrior, here: _Reached, confirmed: ConfirmedNav | None) -> Peaks:
    """From the history where there is enough of it, else from what the contract serves, else anew with this NAV."""
    now, paid = here.at, prior.distributions
    past = [_Reached(point.price_per_share, point.time) for point in prior.history if point.time <= now]
    condition: PeakCondition = "healed_from_history"
    if len(past) < policy.min_history:
        past, condition = [], "new"
        # What a contract serves is the NAV of everything: no peak of a part of it.
        if confirmed is not None and policy.measure == EVERYTHING and confirmed.valuation_time <= now:
            past, condition = [_Reached(confirmed.price_per_share, confirmed.valuation_time)], "healed_from_confirmed"
    peak = _highest((*past, here), paid)
    daily = _highest((*(point for point in past if day_of(point.at) == day_of(now)), here), paid)
    return _peaks(_state(policy, peak, daily, now), condition, prior, now, rebuilt=prior.peaks is not None)


def _state(policy: GatePolicy, peak: _Reached, daily: _Reached, updated_at: Timestamp) -> PeakState:
    return PeakState(policy.measure, peak.price, peak.at, daily.price, daily.at, updated_at)


def _peaks(
    state: PeakState | None,
    condition: PeakCondition,
    prior: GatePrior,
    now: Timestamp,
    *,
    keeps: PeakState | None = None,
    rebuilt: bool = False,
) -> Peaks:
    """A state with what a NAV is held against.

    Args:
        keeps: what stays as it was where nothing can be held against it.
        rebuilt: whether it takes the place of one that is not believed.
    """
    if state is None:
        return Peaks(keeps, condition, None, None, is_stale=condition == "stale")
    paid = prior.distributions
    daily = _net(_Reached(state.daily_peak, state.daily_peak_at), paid) if state.day == day_of(now) else None
    is_stale = condition == "stale" or condition in _HEALED or (condition == "new" and rebuilt)
    return Peaks(state, condition, _net(_Reached(state.peak, state.peak_at), paid), daily, is_stale)


def _highest(reached: Sequence[_Reached], paid: Iterable[Distribution]) -> _Reached:
    """The highest less what was distributed since; of equal ones the newest."""
    declared = tuple(paid)
    return max(reached, key=lambda each: (_net(each, declared), each.at))


def _net(reached: _Reached, paid: Iterable[Distribution]) -> Wad:
    return Wad(reached.price - sum(each.per_share for each in paid if each.at > reached.at))
