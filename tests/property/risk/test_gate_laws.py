"""Laws of the NAV gate, over any course of NAVs, ages, prices that fail, dividends and nights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.flows import Distribution
from navoracle.domain.frame import NavStatus
from navoracle.domain.positions import Component, Holding, HoldingAtCost, Position
from navoracle.domain.risk.gates import DAY, GateDecision, GatePrior, NavPoint, PeakState
from navoracle.domain.units import WAD, RawAmount, Timestamp, Wad
from navoracle.risk.gate import decide, kept
from navoracle.risk.inputs import GateInput
from navoracle.risk.nav_health import asset_lines
from tests.unit.domain.builders import NOW, live
from tests.unit.domain.funds import prices, value
from tests.unit.risk.gate_builders import HOUR, facts, policy

PRICES = prices(USD="1", BTC="41999.123456789", ETH="2000.5")
navs = st.integers(0, 10**24)
statuses = st.sampled_from([(status, None) for status in NavStatus] + [(NavStatus.HALTED, "breaker")])


def worth(nav: int, shares: int = WAD) -> Any:
    """A fund whose NAV is so many wei, and its price per share with one share too."""
    cash = Holding("f.cash", Component.CASH, "USD", RawAmount(nav, 18))
    return value([cash], PRICES, shares=str(shares // WAD))


@dataclass(frozen=True)
class Step:
    """One frame: how long after the last one, its NAV, whether it is fresh, its dividend, what the guards say."""

    after: int
    nav: int
    is_late: bool
    dividend: int
    status: NavStatus
    reason: str | None


@st.composite
def step(draw: st.DrawFn) -> Step:
    status, reason = draw(st.just((NavStatus.LIVE, None)) | statuses)
    return Step(
        after=draw(st.integers(1, 6 * HOUR) | st.integers(DAY, 3 * DAY)),
        nav=draw(navs),
        is_late=draw(st.booleans()),
        dividend=draw(st.just(0) | st.integers(1, 10**21)),
        status=status,
        reason=reason,
    )


@dataclass(frozen=True)
class Seen:
    """One frame as the gate saw it."""

    facts: GateInput
    found: GateDecision
    after: PeakState | None

    @property
    def before(self) -> PeakState | None:
        return self.facts.prior.peaks


def lived(steps: Sequence[Step], **changes: Any) -> list[Seen]:
    """A fund's life from one frame to the next, each of which starts from what was kept of the last."""
    seen: list[Seen] = []
    now, state, paid = int(NOW), None, list[Distribution]()
    for place, each in enumerate(steps):
        now += each.after
        if each.dividend:
            paid.append(Distribution(Timestamp(now - 1), Wad(each.dividend)))
        looked_at = facts(
            now=now,
            valuation=worth(each.nav),
            balances_at=Timestamp(now - 901 * each.is_late),
            prior=GatePrior(state, None, (), tuple(paid), is_first=place == 0),
            policy=policy(**changes),
        )
        found = decide(looked_at)
        status, reason = each.status, each.reason
        if status is NavStatus.LIVE and found.vetoes and "posting" in found.stops:
            status, reason = NavStatus.HALTED, found.vetoes[0]
        keeps = kept(found, state, status, reason)
        state = state if keeps is None else keeps
        seen.append(Seen(looked_at, found, state))
    return seen


def net(price: int, at: int, paid: Sequence[Distribution]) -> int:
    return price - sum(each.per_share for each in paid if each.at > at)


@given(st.lists(step(), max_size=12))
def test_peak__while_it_is_fresh__falls_by_distributions_alone(steps: Sequence[Step]) -> None:
    for seen in lived(steps):
        before, after, paid = seen.before, seen.after, seen.facts.prior.distributions
        if before is None or after is None or seen.found.peak_state != "fresh":
            continue
        assert net(after.peak, after.peak_at, paid) >= net(before.peak, before.peak_at, paid)
        if before.day == after.day:
            assert net(after.daily_peak, after.daily_peak_at, paid) >= net(
                before.daily_peak, before.daily_peak_at, paid
            )


@given(st.lists(step(), max_size=12))
def test_drawdown_and_daily_loss__of_any_course__lie_between_nothing_and_all(steps: Sequence[Step]) -> None:
    for seen in lived(steps):
        for fall in (seen.found.drawdown, seen.found.daily_loss):
            assert fall is None or 0 <= fall <= WAD
        if seen.found.peak is not None and seen.found.daily_peak is not None:
            assert seen.found.peak >= seen.found.daily_peak


@given(st.lists(step(), max_size=12), st.sampled_from(["fail_closed", "fail_open"]))
def test_fail_closed__vetoes_if_and_only_if_the_nav_is_not_fresh(steps: Sequence[Step], on_stale: str) -> None:
    for seen in lived(steps, on_stale=on_stale):
        stale = not seen.found.health.fresh
        assert ("nav_stale" in seen.found.vetoes) == (stale and on_stale == "fail_closed")
        assert ("nav_stale" in seen.found.warnings) == (stale and on_stale == "fail_open")


@given(st.lists(step(), max_size=12))
def test_fall__vetoed__is_of_a_healthy_nav_and_a_fresh_peak_and_beyond_its_limit(steps: Sequence[Step]) -> None:
    for seen in lived(steps):
        found, limits = seen.found, seen.facts.policy
        judged = found.health.healthy and found.peak_state == "fresh"
        for name, fall, limit in (
            ("nav_drawdown_limit", found.drawdown, limits.max_drawdown),
            ("day_loss_limit", found.daily_loss, limits.max_day_loss),
        ):
            beyond = fall is not None and limit is not None and fall > limit
            assert (name in found.vetoes) == (judged and beyond)
        assert bool(found.stops) == bool(found.vetoes)


@given(st.lists(step(), max_size=12))
def test_peak__of_a_frame_that_is_not_sound__is_raised_by_nothing(steps: Sequence[Step]) -> None:
    for seen in lived(steps):
        before, after = seen.before, seen.after
        if not seen.found.health.healthy:
            assert after == before
        if before is not None and after is not None and "nav_drawdown_limit" in seen.found.vetoes:
            assert (after.peak, after.peak_at) == (before.peak, before.peak_at)


@given(st.lists(step(), min_size=1, max_size=12))
def test_daily_peak__kept_of_a_frame__is_of_that_frames_day(steps: Sequence[Step]) -> None:
    for seen in lived(steps):
        after = seen.after
        if after is not None and after != seen.before:
            assert after.day <= seen.facts.now < after.day + DAY
            assert after.updated_at == seen.facts.now


@given(navs, navs, st.integers(1, 10**18))
def test_drawdown__nav_lower__is_no_smaller(one: int, other: int, more: int) -> None:
    start = PeakState("*", Wad(10**24), NOW, Wad(10**24), NOW, NOW)
    low, high = sorted((one, other))
    falls = [
        decide(facts(now=NOW + 1, valuation=worth(nav), prior=GatePrior(start, None, (), (), is_first=False))).drawdown
        for nav in (low, high, high + more)
    ]
    assert falls[0] is not None
    assert falls[1] is not None
    assert falls[2] is not None
    assert falls[0] >= falls[1] >= falls[2]


@given(st.lists(st.tuples(navs, st.integers(0, 5 * DAY)), min_size=3, max_size=4), navs)
def test_healing__whatever_the_order_of_points__finds_the_highest(points: list[tuple[int, int]], nav: int) -> None:
    old = PeakState("*", Wad(1), NOW, Wad(1), NOW, Timestamp(NOW - 3 * DAY))
    found = set()
    for order in permutations(NavPoint(Timestamp(NOW - age), Wad(price + 1), "p") for price, age in points):
        peaks = decide(
            facts(valuation=worth(nav + 1), prior=GatePrior(old, None, tuple(order), (), is_first=False))
        ).peaks
        assert peaks is not None
        assert peaks.peak == max(nav, *(price for price, _ in points)) + 1
        found.add(peaks)
    assert len(found) == 1


amounts = st.integers(0, 10**30)
components = st.sampled_from([Component.CASH, Component.COLLATERAL, Component.DEBT, Component.ACCRUED_INCOME])


@st.composite
def position(draw: st.DrawFn) -> Position:
    name = draw(st.sampled_from(["f.a", "f.x/BTC", "f.x/ETH", "f.b"])) + str(draw(st.integers(0, 999)))
    asset, epoch = draw(st.sampled_from(["BTC", "ETH", "USD"])), draw(st.sampled_from([None, None, 3]))
    amount = RawAmount(draw(amounts), draw(st.integers(0, 36)))
    component = draw(components)
    if component in (Component.CASH, Component.COLLATERAL) and draw(st.booleans()):
        return HoldingAtCost(name, component, asset, amount, Wad(draw(st.integers(0, 10**23))), epoch)
    return Holding(name, component, asset, amount, epoch)


@given(
    st.lists(position(), max_size=8, unique_by=lambda each: each.id),
    st.sampled_from([None, ("BTC",), ("BTC", "USD"), ("DOGE",)]),
    st.booleans(),
)
def test_lines__that_count__add_up_to_the_gates_nav_and_all_to_the_funds(
    positions: list[Position], include: tuple[str, ...] | None, use_mark_price: bool
) -> None:
    valuation = value(positions, PRICES, shares="1")
    limits = policy(include_assets=include, use_mark_price=use_mark_price)
    looked_at = facts(valuation=valuation, policy=limits, at_exchange=frozenset({"f.x"}))
    health = decide(looked_at).health
    assert health.nav == sum(line.value for line in health.assets if line.included) - valuation.fees.total
    everything = asset_lines(valuation, limits, frozenset({"f.x"}))
    assert sum(line.value for line in everything) - valuation.fees.total == valuation.before.nav
    assert len({(line.asset, line.included) for line in everything}) == len(everything)
    if include is None and use_mark_price:
        assert (health.nav, health.price_per_share) == (valuation.before.nav, valuation.price_per_share)
        assert all(line.included for line in everything)
    assert all(line.value >= 0 for line in everything if not line.included)


@given(amounts, st.integers(0, 36), st.booleans())
def test_lines__plain_holding__states_its_own_amount(units: int, decimals: int, owed: bool) -> None:
    component = Component.DEBT if owed else Component.COLLATERAL
    (line,) = asset_lines(
        value([Holding("f.a", component, "BTC", RawAmount(units, decimals))], PRICES, shares="1"), policy(), frozenset()
    )
    exact = units * WAD
    assert line.amount == (-exact if owed else exact) // 10**decimals
    assert line.mark_price == PRICES["BTC", "asset"].price


@given(st.integers(0, 10**24), st.integers(0, 10**23))
def test_lines__holding_at_cost__is_one_amount_at_the_market(units: int, entry: int) -> None:
    held = HoldingAtCost("f.a", Component.COLLATERAL, "BTC", RawAmount(units, 18), Wad(entry))
    (line,) = asset_lines(value([held], PRICES, shares="1"), policy(), frozenset())
    assert (line.amount, line.mark_price) == (units, PRICES["BTC", "asset"].price)


@given(st.integers(0, 2 * DAY), st.integers(0, 2 * DAY))
def test_freshness__readings_older__are_never_fresher(age: int, more: int) -> None:
    def fresh(seconds: int) -> bool:
        return decide(facts(estimates=[live("1", asset="USD", age=seconds)])).health.fresh

    assert fresh(age) or not fresh(age + more)


@given(st.lists(step(), min_size=1, max_size=8))
def test_decision__of_the_same_facts__is_the_same(steps: Sequence[Step]) -> None:
    for seen in lived(steps):
        assert decide(replace(seen.facts)) == seen.found
