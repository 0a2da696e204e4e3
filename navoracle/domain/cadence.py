"""When a fund is valued: a state machine without a clock of its own.

HOURLY at :00. HIGH_VOLATILITY on every quarter while an asset that matters is volatile, and for 24 hours after the
first look that found all of them calm again. EMERGENCY at once, but at most one a minute per fund: what is asked for
within that minute is due at its end, with all reasons, and is never lost. All times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.units import WAD, Bps, Timestamp, Wad, exceeds_bps

HOUR: Final = 3_600
QUARTER: Final = 900
EMERGENCY_INTERVAL: Final = 60
"""Seconds between two EMERGENCY slots of a fund."""


class Cadence(Enum):
    """Why a slot is there."""

    HOURLY = "hourly"
    HIGH_VOLATILITY = "high_volatility"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class CadencePolicy:
    """When volatility counts.

    Attributes:
        volatility_limit: annualized volatility (Wad) above which an asset is volatile.
        weight_limit: weight in NAV (Bps) above which an asset matters.
        calm_period: seconds that HIGH_VOLATILITY goes on after the return to normal.

    Raises:
        OutOfRange: a limit is negative.
    """

    volatility_limit: Wad = Wad(8 * WAD // 10)
    weight_limit: Bps = Bps(500)
    calm_period: int = 24 * HOUR

    def __post_init__(self) -> None:
        for name, value in (
            ("volatility_limit", self.volatility_limit),
            ("weight_limit", self.weight_limit),
            ("calm_period", self.calm_period),
        ):
            if value < 0:
                raise OutOfRange(f"{name} is {value}", advice=f"Set {name} to 0 or more.")


@dataclass(frozen=True, slots=True)
class ScheduledSlot:
    """A time at which funds are valued. An EMERGENCY slot names its fund and the reasons; the others are for all."""

    time: Timestamp
    cadence: Cadence
    fund: str | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PendingEmergency:
    """An emergency that is not yet a slot: due at `due_at`, for every reason given since it was first asked for."""

    fund: str
    reasons: tuple[str, ...]
    requested_at: Timestamp
    due_at: Timestamp


@dataclass(frozen=True, slots=True)
class CadenceState:
    """Where the cadence stands; start with `CadenceState()`.

    Attributes:
        volatile: assets last seen volatile, sorted.
        high_since: when the current or last period of high volatility began; None before the first.
        high_until: when it ends; None while an asset is volatile.
        pending: emergencies that are not yet slots, sorted by fund, one per fund.
        last_emergencies: (fund, when its last EMERGENCY slot was taken), sorted by fund.
    """

    volatile: tuple[str, ...] = ()
    high_since: Timestamp | None = None
    high_until: Timestamp | None = None
    pending: tuple[PendingEmergency, ...] = ()
    last_emergencies: tuple[tuple[str, Timestamp], ...] = ()

    def mode_at(self, time: Timestamp) -> Cadence:
        """The regular cadence at a time: HIGH_VOLATILITY from its beginning up to, not including, its end."""
        if self.high_since is None or time < self.high_since:
            return Cadence.HOURLY
        if self.high_until is not None and time >= self.high_until:
            return Cadence.HOURLY
        return Cadence.HIGH_VOLATILITY


def observe_volatility(
    state: CadenceState,
    now: Timestamp,
    volatilities: Mapping[str, Wad],
    weights: Mapping[str, Bps],
    policy: CadencePolicy,
) -> CadenceState:
    """Return the state after a look at the assets' annualized volatilities (Wad) and weights in NAV (Bps).

    An asset is volatile when its volatility is above the limit and its weight is above its own limit, both strictly.
    An asset of unknown volatility stays what it was, because silence is not calm; one that was sold has the weight 0.

    Raises:
        DomainError: an asset has a volatility but no weight.
    """
    unweighted = sorted(set(volatilities) - set(weights))
    if unweighted:
        raise DomainError(
            f"no weight in NAV for {', '.join(unweighted)}", advice="Give every observed asset a weight, 0 if not held."
        )
    volatile = {asset for asset, volatility in volatilities.items() if volatility > policy.volatility_limit}
    volatile |= set(state.volatile) - set(volatilities)
    volatile = {asset for asset in volatile if asset not in weights or weights[asset] > policy.weight_limit}
    if volatile:
        ongoing = state.mode_at(now) is Cadence.HIGH_VOLATILITY
        since = state.high_since if ongoing else now
        return replace(state, volatile=tuple(sorted(volatile)), high_since=since, high_until=None)
    if state.volatile:
        return replace(state, volatile=(), high_until=Timestamp(now + policy.calm_period))
    return state


def slots_due(state: CadenceState, since: Timestamp, until: Timestamp) -> tuple[ScheduledSlot, ...]:
    """Return the regular slots after `since` up to and including `until`, in order of time.

    One slot a time: on the full hour of a volatile period it is a HIGH_VOLATILITY slot.
    """
    slots = []
    for moment in range(since // QUARTER * QUARTER + QUARTER, until + 1, QUARTER):
        time = Timestamp(moment)
        cadence = state.mode_at(time)
        if cadence is Cadence.HIGH_VOLATILITY or time % HOUR == 0:
            slots.append(ScheduledSlot(time, cadence))
    return tuple(slots)


def next_slot(state: CadenceState, fund: str, now: Timestamp) -> ScheduledSlot:
    """Return the fund's next slot after `now` as things stand: an emergency that is asked for, or the regular one.

    A change of the cadence, or an emergency that is not asked for yet, can bring an earlier one.
    """
    regular = slots_due(state, now, Timestamp(now + HOUR))[0]
    pending = next((each for each in state.pending if each.fund == fund and each.due_at <= regular.time), None)
    if pending is None:
        return regular
    return ScheduledSlot(pending.due_at, Cadence.EMERGENCY, fund, pending.reasons)


def request_emergency(state: CadenceState, fund: str, reason: str, at: Timestamp) -> CadenceState:
    """Return the state in which `fund` has an EMERGENCY slot coming, for `reason` and any asked for before.

    Due at once, or 60 seconds after the fund's last one. A request that is already pending keeps its time, and moves
    to the earlier time when asked for again with an earlier one.
    """
    last = dict(state.last_emergencies).get(fund)
    due_at = at if last is None else max(at, Timestamp(last + EMERGENCY_INTERVAL))
    pending = {emergency.fund: emergency for emergency in state.pending}
    known = pending.get(fund)
    if known is None:
        pending[fund] = PendingEmergency(fund, (reason,), at, due_at)
    else:
        pending[fund] = PendingEmergency(
            fund,
            known.reasons if reason in known.reasons else (*known.reasons, reason),
            min(known.requested_at, at),
            min(known.due_at, due_at),
        )
    return replace(state, pending=tuple(pending[name] for name in sorted(pending)))


def take_emergencies(state: CadenceState, now: Timestamp) -> tuple[tuple[ScheduledSlot, ...], CadenceState]:
    """Return the EMERGENCY slots due at `now`, in order of time and fund, and the state without them.

    A slot's time is the time at which it was due, however late it is taken; the next minute counts from `now`.
    """
    due = sorted((e for e in state.pending if e.due_at <= now), key=lambda e: (e.due_at, e.fund))
    slots = tuple(ScheduledSlot(e.due_at, Cadence.EMERGENCY, e.fund, e.reasons) for e in due)
    taken = dict(state.last_emergencies) | {e.fund: now for e in due}
    rest = tuple(e for e in state.pending if e.due_at > now)
    return slots, replace(state, pending=rest, last_emergencies=tuple(sorted(taken.items())))


def oracle_move_exceeds(price_now: Wad, price_at_last_post: Wad, limit_bps: Bps = Bps(500)) -> bool:
    """Return whether a price moved by more than `limit_bps` since the last post; exact, in either direction.

    Raises:
        DomainError: the price at the last post is not positive.
    """
    if price_at_last_post <= 0:
        raise DomainError(
            f"price at the last post is {price_at_last_post}", advice="Compare only with a price that was posted."
        )
    return exceeds_bps(abs(price_now - price_at_last_post), price_at_last_post, limit_bps)


def trade_exceeds(trade_value: Wad, nav: Wad, limit_bps: Bps = Bps(1_000)) -> bool:
    """Return whether a trade is worth more than `limit_bps` of NAV; exact. Any trade is, when NAV is not positive."""
    return exceeds_bps(abs(trade_value), max(0, nav), limit_bps)
