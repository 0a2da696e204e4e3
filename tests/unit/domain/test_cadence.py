"""Cadence: hours, quarters, and emergencies that are spaced but never lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.cadence import (
    EMERGENCY_INTERVAL,
    HOUR,
    QUARTER,
    Cadence,
    CadencePolicy,
    CadenceState,
    ScheduledSlot,
    next_slot,
    observe_volatility,
    oracle_move_exceeds,
    request_emergency,
    slots_due,
    take_emergencies,
    trade_exceeds,
)
from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.units import WAD, Bps, Timestamp, Wad, to_wad

POLICY = CadencePolicy()
MIDNIGHT = 1_699_920_000
DAY = 24 * HOUR
CALM = {"BTC": "0.3"}
WILD = {"BTC": "0.9"}


def at(offset: int) -> Timestamp:
    return Timestamp(MIDNIGHT + offset)


def look(
    state: CadenceState,
    offset: int,
    volatilities: dict[str, str],
    weights: dict[str, int] | None = None,
    policy: CadencePolicy = POLICY,
) -> CadenceState:
    weighted = {"BTC": 5_000, "ETH": 5_000} if weights is None else weights
    return observe_volatility(
        state,
        at(offset),
        {asset: to_wad(volatility) for asset, volatility in volatilities.items()},
        {asset: Bps(weight) for asset, weight in weighted.items()},
        policy,
    )


def due(state: CadenceState, since: int, until: int) -> list[tuple[int, Cadence]]:
    return [(slot.time - MIDNIGHT, slot.cadence) for slot in slots_due(state, at(since), at(until))]


def test_cadence__values__are_lower_case_names() -> None:
    assert [cadence.value for cadence in Cadence] == ["hourly", "high_volatility", "emergency"]


def test_slots__calm__are_the_full_hours() -> None:
    assert due(CadenceState(), -1, 2 * HOUR) == [(n * HOUR, Cadence.HOURLY) for n in range(3)]


def test_slots__interval__excludes_its_start_and_includes_its_end() -> None:
    assert due(CadenceState(), 0, HOUR - 1) == []
    assert due(CadenceState(), 0, HOUR) == [(HOUR, Cadence.HOURLY)]
    assert due(CadenceState(), HOUR, HOUR) == []
    assert due(CadenceState(), HOUR, 0) == []


def test_slots__in_two_steps_or_one__are_the_same() -> None:
    state = look(CadenceState(), 100, WILD)
    assert due(state, 0, 1_000) + due(state, 1_000, 9_000) == due(state, 0, 9_000)


def test_slots__volatile__are_the_quarters_from_then_on() -> None:
    state = look(CadenceState(), QUARTER + 1, WILD)
    assert due(state, -1, HOUR) == [
        (0, Cadence.HOURLY),
        (2 * QUARTER, Cadence.HIGH_VOLATILITY),
        (3 * QUARTER, Cadence.HIGH_VOLATILITY),
        (HOUR, Cadence.HIGH_VOLATILITY),
    ]


def test_slots__volatile_seen_on_the_quarter__begin_with_it() -> None:
    state = look(CadenceState(), QUARTER, WILD)
    assert due(state, 1, 2 * QUARTER - 1) == [(QUARTER, Cadence.HIGH_VOLATILITY)]


@pytest.mark.parametrize(
    ("volatility", "weight", "volatile"),
    [
        ("0.8", 5_000, False),
        ("0.800000000000000001", 5_000, True),
        ("0.9", 500, False),
        ("0.9", 501, True),
        ("0.9", 0, False),
        ("9", 25_000, True),
    ],
)
def test_volatility__around_its_limits__counts_only_beyond_both(volatility: str, weight: int, volatile: bool) -> None:
    state = look(CadenceState(), 0, {"BTC": volatility}, {"BTC": weight})
    assert (state.mode_at(at(0)) is Cadence.HIGH_VOLATILITY) is volatile


def test_volatility__back_to_normal__goes_on_for_24_hours() -> None:
    state = look(look(CadenceState(), 0, WILD), 600, CALM)
    assert state.mode_at(at(600 + DAY - 1)) is Cadence.HIGH_VOLATILITY
    assert state.mode_at(at(600 + DAY)) is Cadence.HOURLY
    assert due(state, DAY - QUARTER, DAY + HOUR) == [
        (DAY, Cadence.HIGH_VOLATILITY),
        (DAY + HOUR, Cadence.HOURLY),
    ]


def test_volatility__further_calm_looks__do_not_prolong_it() -> None:
    state = look(look(look(CadenceState(), 0, WILD), 600, CALM), 7_200, CALM)
    assert state.high_until == at(600 + DAY)


def test_volatility__volatile_again_within_the_24_hours__is_one_period() -> None:
    state = look(look(look(CadenceState(), 0, WILD), 600, CALM), 7_200, WILD)
    assert (state.high_since, state.high_until) == (at(0), None)
    assert look(state, 9_000, CALM).high_until == at(9_000 + DAY)


def test_volatility__volatile_again_after_the_24_hours__is_a_new_period() -> None:
    state = look(look(look(CadenceState(), 0, WILD), 600, CALM), 2 * DAY, WILD)
    assert (state.high_since, state.high_until) == (at(2 * DAY), None)


def test_volatility__never_calm__goes_on_without_end() -> None:
    state = look(CadenceState(), 0, WILD)
    assert state.mode_at(at(30 * DAY)) is Cadence.HIGH_VOLATILITY


def test_volatility__one_of_two_assets_calm__goes_on() -> None:
    state = look(CadenceState(), 0, {"BTC": "0.9", "ETH": "1.2"})
    state = look(state, 600, {"BTC": "0.1", "ETH": "1.1"})
    assert (state.volatile, state.high_until) == (("ETH",), None)


def test_volatility__unknown_this_time__is_not_calm() -> None:
    state = look(look(CadenceState(), 0, WILD), 600, {})
    assert (state.volatile, state.high_until) == (("BTC",), None)
    assert look(CadenceState(), 0, {}).volatile == ()


def test_volatility__asset_sold__no_longer_counts() -> None:
    state = look(look(CadenceState(), 0, WILD), 600, {}, {"BTC": 0})
    assert (state.volatile, state.high_until) == ((), at(600 + DAY))


def test_volatility__asset_without_weight__raises() -> None:
    with pytest.raises(DomainError, match="no weight in NAV for BTC"):
        look(CadenceState(), 0, WILD, {"ETH": 1})


def test_volatility__policy__decides() -> None:
    policy = CadencePolicy(volatility_limit=to_wad("0.2"), weight_limit=Bps(0), calm_period=60)
    state = look(CadenceState(), 0, CALM, {"BTC": 1}, policy)
    assert state.volatile == ("BTC",)
    assert look(state, 100, {"BTC": "0.2"}, {"BTC": 1}, policy).high_until == at(160)


@pytest.mark.parametrize("limit", ["volatility_limit", "weight_limit", "calm_period"])
def test_policy__negative__raises(limit: str) -> None:
    with pytest.raises(OutOfRange):
        replace(POLICY, **{limit: -1})  # type: ignore[arg-type]


def test_emergency__first__is_due_at_once() -> None:
    slots, state = take_emergencies(request_emergency(CadenceState(), "fund", "trade", at(7)), at(7))
    assert slots == (ScheduledSlot(at(7), Cadence.EMERGENCY, "fund", ("trade",)),)
    assert state.pending == ()
    assert take_emergencies(state, at(DAY)) == ((), state)


def test_emergency__before_its_time__is_not_taken() -> None:
    state = request_emergency(CadenceState(), "fund", "trade", at(7))
    assert take_emergencies(state, at(6)) == ((), state)


def test_emergency__within_the_minute__is_due_at_its_end_with_all_reasons() -> None:
    _, state = take_emergencies(request_emergency(CadenceState(), "fund", "trade", at(0)), at(0))
    for offset, reason in ((1, "oracle"), (20, "guardian"), (30, "oracle")):
        state = request_emergency(state, "fund", reason, at(offset))
    assert take_emergencies(state, at(EMERGENCY_INTERVAL - 1))[0] == ()
    slots, state = take_emergencies(state, at(EMERGENCY_INTERVAL))
    assert slots == (ScheduledSlot(at(60), Cadence.EMERGENCY, "fund", ("oracle", "guardian")),)


def test_emergency__after_the_minute__is_due_at_once() -> None:
    _, state = take_emergencies(request_emergency(CadenceState(), "fund", "trade", at(0)), at(0))
    slots, _ = take_emergencies(request_emergency(state, "fund", "oracle", at(61)), at(61))
    assert slots[0].time == at(61)


def test_emergency__taken_late__keeps_its_time_and_spaces_from_when_it_was_taken() -> None:
    slots, state = take_emergencies(request_emergency(CadenceState(), "fund", "trade", at(0)), at(50))
    assert slots[0].time == at(0)
    assert request_emergency(state, "fund", "oracle", at(70)).pending[0].due_at == at(110)


def test_emergency__two_funds__do_not_wait_for_each_other() -> None:
    _, state = take_emergencies(request_emergency(CadenceState(), "one", "trade", at(0)), at(0))
    state = request_emergency(request_emergency(state, "one", "again", at(10)), "other", "trade", at(10))
    slots, state = take_emergencies(state, at(10))
    assert [slot.fund for slot in slots] == ["other"]
    assert [emergency.fund for emergency in state.pending] == ["one"]


def test_emergency__asked_for_again_with_an_earlier_time__moves_forward() -> None:
    state = request_emergency(CadenceState(), "fund", "late", at(100))
    state = request_emergency(state, "fund", "early", at(50))
    assert (state.pending[0].requested_at, state.pending[0].due_at) == (at(50), at(50))


def test_emergency__several_due__are_in_order_of_time_then_fund() -> None:
    state = CadenceState()
    for fund, offset in (("c", 1), ("b", 2), ("a", 2)):
        state = request_emergency(state, fund, "trade", at(offset))
    assert [slot.fund for slot in take_emergencies(state, at(5))[0]] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("price", "exceeds"),
    [(105 * WAD, False), (105 * WAD + 1, True), (95 * WAD, False), (95 * WAD - 1, True)],
)
def test_oracle_move__around_five_percent__is_strict_in_both_directions(price: int, exceeds: bool) -> None:
    assert oracle_move_exceeds(Wad(price), Wad(100 * WAD)) is exceeds


def test_oracle_move__nothing_posted__raises() -> None:
    assert not oracle_move_exceeds(Wad(1), Wad(1))
    with pytest.raises(DomainError, match="price at the last post"):
        oracle_move_exceeds(Wad(1), Wad(0))


@pytest.mark.parametrize(("trade", "exceeds"), [(100 * WAD, False), (100 * WAD + 1, True), (-100 * WAD - 1, True)])
def test_trade__around_ten_percent_of_nav__is_strict(trade: int, exceeds: bool) -> None:
    assert trade_exceeds(Wad(trade), Wad(1_000 * WAD)) is exceeds


def test_trade__nav_not_positive__any_trade_exceeds() -> None:
    assert trade_exceeds(Wad(1), Wad(-5))
    assert not trade_exceeds(Wad(0), Wad(0))


def test_next_slot__without_an_emergency__is_the_next_of_the_grid() -> None:
    for now, due_at in ((0, HOUR), (1, HOUR), (HOUR - 1, HOUR), (HOUR, 2 * HOUR)):
        assert next_slot(CadenceState(), "alpha", at(now)) == ScheduledSlot(at(due_at), Cadence.HOURLY)
    volatile = CadenceState(high_since=at(0))
    assert next_slot(volatile, "alpha", at(1)) == ScheduledSlot(at(QUARTER), Cadence.HIGH_VOLATILITY)


def test_next_slot__emergency_that_is_asked_for__comes_first_for_its_fund_alone() -> None:
    state = request_emergency(CadenceState(), "alpha", "it moved", at(5))
    asked = next_slot(state, "alpha", at(5))
    assert asked == ScheduledSlot(at(5), Cadence.EMERGENCY, "alpha", ("it moved",))
    assert next_slot(state, "beta", at(5)).cadence is Cadence.HOURLY
