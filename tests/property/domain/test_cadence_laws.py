"""Laws of the cadence and of the breaker, over any sequence of events."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.breaker import Breaker, BreakerPolicy, BreakerState, Role
from navoracle.domain.cadence import (
    EMERGENCY_INTERVAL,
    HOUR,
    QUARTER,
    Cadence,
    CadencePolicy,
    CadenceState,
    observe_volatility,
    request_emergency,
    slots_due,
    take_emergencies,
)
from navoracle.domain.errors import GuardRefused
from navoracle.domain.units import WAD, Bps, Timestamp, Wad

START = 1_699_920_000
gaps = st.integers(0, 90)
emergencies = st.lists(
    st.one_of(
        st.tuples(st.just("request"), gaps, st.sampled_from(["one", "two"]), st.sampled_from(["trade", "oracle"])),
        st.tuples(st.just("take"), gaps, st.just(""), st.just("")),
    ),
    max_size=40,
)


@given(emergencies)
def test_emergencies__any_requests__are_spaced_and_never_lost(events: list[tuple[str, int, str, str]]) -> None:
    state, now = CadenceState(), START
    waiting: dict[str, dict[str, int]] = defaultdict(dict)
    times: dict[str, list[int]] = defaultdict(list)
    for kind, gap, fund, reason in [*events, ("take", EMERGENCY_INTERVAL, "", "")]:
        now += gap
        if kind == "request":
            state = request_emergency(state, fund, reason, Timestamp(now))
            waiting[fund].setdefault(reason, now)
            continue
        slots, state = take_emergencies(state, Timestamp(now))
        for slot in slots:
            assert slot.fund is not None
            assert set(slot.reasons) == set(waiting.pop(slot.fund))
            assert slot.time <= now
            times[slot.fund].append(slot.time)
    assert not state.pending
    assert not any(waiting.values())
    for taken in times.values():
        assert all(later - earlier >= EMERGENCY_INTERVAL for earlier, later in pairwise(taken))


looks = st.lists(st.tuples(st.integers(0, 40 * HOUR), st.integers(0, 2 * WAD)), max_size=10)


@given(looks, st.integers(0, 300 * HOUR), st.integers(0, 48 * HOUR), st.integers(0, 48 * HOUR))
def test_slots__any_history__are_on_the_quarter_with_every_hour_and_split_anywhere(
    history: list[tuple[int, int]], since: int, first: int, second: int
) -> None:
    state, now = CadenceState(), START
    for gap, volatility in history:
        now += gap
        state = observe_volatility(state, Timestamp(now), {"A": Wad(volatility)}, {"A": Bps(5_000)}, CadencePolicy())
    bounds = [Timestamp(START + offset) for offset in (since, since + first, since + first + second)]
    slots = slots_due(state, bounds[0], bounds[2])
    assert slots == slots_due(state, bounds[0], bounds[1]) + slots_due(state, bounds[1], bounds[2])
    assert all(slot.time % QUARTER == 0 and bounds[0] < slot.time <= bounds[2] for slot in slots)
    hours = set(range(bounds[0] // HOUR * HOUR + HOUR, bounds[2] + 1, HOUR))
    assert hours <= {slot.time for slot in slots}
    assert all(slot.cadence is Cadence.HIGH_VOLATILITY for slot in slots if slot.time % HOUR)


@given(looks)
def test_high_volatility__any_history__lasts_24_hours_after_the_return_to_normal(
    history: list[tuple[int, int]],
) -> None:
    policy = CadencePolicy()
    state, now, wild, calm_at = CadenceState(), START, False, None
    for gap, volatility in history:
        now += gap
        state = observe_volatility(state, Timestamp(now), {"A": Wad(volatility)}, {"A": Bps(5_000)}, policy)
        if volatility > policy.volatility_limit:
            wild, calm_at = True, None
        elif wild:
            wild, calm_at = False, now
        expected = wild or (calm_at is not None and now < calm_at + 24 * HOUR)
        assert (state.mode_at(Timestamp(now)) is Cadence.HIGH_VOLATILITY) is expected


acts = st.lists(
    st.tuples(
        st.sampled_from(["open", "stop", "cool", "agree", "disagree", "out", "guardian", "risk"]), st.integers(0, 900)
    ),
    max_size=30,
)


@given(acts)
def test_breaker__any_events__closes_only_by_risk_or_by_cool_down_and_agreement(acts: list[tuple[str, int]]) -> None:
    policy = BreakerPolicy(cool_down=600, agreements=2)
    breaker, now, stopped, agreed = Breaker(), START, False, 0
    for act, gap in acts:
        now += gap
        at, before = Timestamp(now), breaker
        if act in ("open", "stop"):
            stopped = stopped or act == "stop"
            breaker = breaker.open(act, at, by=Role.GUARDIAN if act == "stop" else Role.KEEPER)
        elif act == "cool":
            breaker = breaker.cool_down(at, policy)
        elif act in ("agree", "disagree", "out"):
            breaker = breaker.record_agreement(
                agrees=act != "disagree", within_bounds=act != "out", at=at, policy=policy
            )
        elif act == "guardian":
            try:
                breaker = breaker.reset(Role.GUARDIAN, at)
            except GuardRefused:
                assert breaker == before
            else:
                raise AssertionError("a guardian reset a breaker")
        else:
            breaker, stopped = breaker.reset(Role.RISK, at), False
        half_open = before.state is BreakerState.HALF_OPEN
        agreed = agreed + 1 if half_open and act == "agree" else agreed if half_open and act == "cool" else 0
        if before.state is not BreakerState.CLOSED and breaker.state is BreakerState.CLOSED:
            assert act == "risk" or (agreed == policy.agreements and not stopped)
        if before.state is BreakerState.OPEN and breaker.state is BreakerState.HALF_OPEN:
            assert before.since is not None
            assert now - before.since >= policy.cool_down
            assert not stopped
        assert breaker.allows_posting is (not breaker.reasons)
