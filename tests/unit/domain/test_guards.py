"""The keeper's guards: each at its limit and one beyond."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.fees import FeesPayable
from navoracle.domain.frame import NavStatus, RateGap
from navoracle.domain.guards import GuardInput, judge, unpriced_is_immaterial
from navoracle.domain.positions import Component
from navoracle.domain.prices import unavailable
from navoracle.domain.prior import FundPrior
from navoracle.domain.units import Bps, Timestamp, Wad, to_wad
from navoracle.domain.verdicts import Outcome
from tests.unit.domain.builders import NOW, live
from tests.unit.domain.funds import decayed, holding, prices
from tests.unit.domain.guard_facts import (
    CASH,
    DEBT,
    MILLION,
    POLICY,
    at_price,
    confirmed,
    facts,
    fund,
    gone,
    haircut,
    outcome,
    status,
    verdict,
)


def test_judge__calm_fund__is_live_and_every_check_passes() -> None:
    found, reason, verdicts = judge(facts())
    assert (found, reason) == (NavStatus.LIVE, None)
    assert {verdict.check: verdict.outcome for verdict in verdicts} == dict.fromkeys(
        [
            "interval",
            "block_age",
            "block_forward",
            "components",
            "share_price",
            "positions",
            "mixed_age",
            "baseline_age",
            "change",
        ],
        Outcome.PASS,
    )


def test_judge__first_post__is_live_with_a_warning_that_nothing_is_confirmed() -> None:
    first = facts(prior=FundPrior())
    assert status(first) == (NavStatus.LIVE, None)
    assert outcome("change", first) is Outcome.WARN
    assert outcome("interval", first) is None


@pytest.mark.parametrize(
    ("age", "expected"), [(60, Outcome.PASS), (59, Outcome.HALT), (0, Outcome.HALT), (-5, Outcome.HALT)]
)
def test_interval__seconds_since_the_confirmed_valuation__at_least_the_minimum(age: int, expected: Outcome) -> None:
    recent = facts(prior=FundPrior(confirmed=confirmed(age=age)))
    assert outcome("interval", recent) is expected
    if expected is Outcome.HALT:
        assert status(recent) == (NavStatus.HALTED, "interval")


@pytest.mark.parametrize(("age", "expected"), [(1, Outcome.PASS), (0, Outcome.HALT)])
def test_interval__limit_of_zero__still_demands_a_later_valuation(age: int, expected: Outcome) -> None:
    limits = replace(POLICY, min_interval=0)
    assert outcome("interval", facts(prior=FundPrior(confirmed=confirmed(age=age)), policy=limits)) is expected


@pytest.mark.parametrize(("age", "expected"), [(900, Outcome.PASS), (901, Outcome.HALT)])
def test_block_age__seconds_behind_the_clock__at_most_the_limit(age: int, expected: Outcome) -> None:
    assert outcome("block_age", facts(clock=Timestamp(NOW + age))) is expected


def test_block_age__no_home_chain__is_not_checked() -> None:
    assert outcome("block_age", facts(home=None, clock=Timestamp(NOW + 10**6))) is None


@pytest.mark.parametrize("change", ["before", "after", "rows", "fees"])
def test_components__that_do_not_add_up_by_a_wei__halt(change: str) -> None:
    sound = fund()
    broken = {
        "before": sound._replace(before=sound.before._replace(cash=Wad(sound.before.cash + 1))),
        "after": sound._replace(after=sound.after._replace(debt=Wad(1))),
        "rows": sound._replace(positions=()),
        "fees": sound._replace(fees=FeesPayable(Wad(1), Wad(0), Wad(0))),
    }[change]
    assert status(facts(broken)) == (NavStatus.HALTED, "components")


@pytest.mark.parametrize("error", [-1, 1])
def test_share_price__a_wei_off_the_nav__halts(error: int) -> None:
    sound = fund()
    broken = sound._replace(price_per_share=Wad(sound.price_per_share + error))
    assert status(facts(broken)) == (NavStatus.HALTED, "share_price")


def test_share_price__rounded_down__passes() -> None:
    thirds = fund([holding("f.cash", CASH, "USD", "10")], shares="3")
    assert thirds.price_per_share == 3_333_333_333_333_333_333
    assert outcome("share_price", facts(thirds)) is Outcome.PASS


@pytest.mark.parametrize(("cash", "shares"), [("0", "1"), ("0.000000000000000001", "2")])
def test_share_price__zero_with_shares_outstanding__halts(cash: str, shares: str) -> None:
    worthless = fund([holding("f.cash", CASH, "USD", cash)], shares=shares)
    assert worthless.price_per_share == 0
    assert status(facts(worthless)) == (NavStatus.HALTED, "share_price")


@pytest.mark.parametrize(("price", "expected"), [(10**18, Outcome.PASS), (10**18 + 1, Outcome.HALT), (0, Outcome.HALT)])
def test_share_price__no_shares__is_exactly_one(price: int, expected: Outcome) -> None:
    unsold = fund(shares="0")._replace(price_per_share=Wad(price))
    assert outcome("share_price", facts(unsold)) is expected


@pytest.mark.parametrize("position", ["f.pools", "f.pools/3", "a/b.cash", "a/b.cash/7"])
def test_positions__one_of_a_configured_reader_is_gone__asks_for_a_second_frame(position: str) -> None:
    missing = gone(position)
    assert status(missing) == (NavStatus.SUSPICIOUS, "positions")
    found = verdict("positions", missing)
    assert found is not None
    assert position in found.detail


@pytest.mark.parametrize("position", ["f.cash", "f.removed", "f.removed/1"])
def test_positions__still_there_or_of_a_removed_reader__pass(position: str) -> None:
    assert outcome("positions", gone(position)) is Outcome.PASS


def test_positions__unpriced_but_immaterial__is_not_gone() -> None:
    assert status(replace(gone("f.pools"), immaterial=("f.pools",))) == (NavStatus.LIVE, None)


@pytest.mark.parametrize(("age", "expected"), [(3_600, Outcome.PASS), (3_601, Outcome.HALT)])
def test_mixed_age__oldest_reading__at_most_the_limit(age: int, expected: Outcome) -> None:
    estimates = [live("1", asset="USD"), live("1", asset="OLD", age=age)]
    assert outcome("mixed_age", facts(estimates=estimates)) is expected


def test_mixed_age__no_reading_has_a_time__is_not_checked() -> None:
    assert outcome("mixed_age", facts(estimates=[unavailable("X", "no_quotes")])) is None


@pytest.mark.parametrize(("nav", "expected"), [(900, Outcome.WARN), (899, Outcome.HALT), (1_000, None)])
def test_haircut__moves_nav__at_most_the_limit(nav: int, expected: Outcome | None) -> None:
    assert outcome("haircut", facts(haircut(1_000, nav))) is expected


def test_haircut__one_wei_beyond_the_limit__halts() -> None:
    at_limit = haircut(1_000, 900)
    over = at_limit._replace(undecayed_nav=Wad(at_limit.undecayed_nav + 1))
    under = at_limit._replace(undecayed_nav=Wad(at_limit.undecayed_nav - 1))
    # 100 of 1,000 is exactly ten percent; a wei more of haircut is more than that, a wei less is less.
    assert (outcome("haircut", facts(at_limit)), outcome("haircut", facts(under))) == (Outcome.WARN, Outcome.WARN)
    assert status(facts(over)) == (NavStatus.HALTED, "haircut")


def test_haircut__undecayed_nav_not_positive__halts() -> None:
    nothing = haircut(0, 5)
    assert outcome("haircut", facts(nothing)) is Outcome.HALT


def test_haircut__levered_fund_on_fallback_prices__halts_though_each_price_is_within_the_limit() -> None:
    levered = fund(
        [holding("f.c", Component.COLLATERAL, "X", "1000"), holding("f.d", DEBT, "X", "800")],
        decayed("X", "1", age=900),
        shares="200",
    )
    assert status(facts(levered)) == (NavStatus.HALTED, "haircut")


def test_native_rates__alarm_on_a_used_price__warns_and_posts() -> None:
    alarmed = facts(estimates=[replace(live("1", asset="sUSD"), native_alarm=True)])
    found = verdict("native_rate", alarmed)
    assert found is not None
    assert (found.outcome, "sUSD" in found.detail) == (Outcome.WARN, True)
    assert status(alarmed) == (NavStatus.LIVE, None)


@pytest.mark.parametrize(("sure", "warned"), [(0, True), (4_999, True), (5_000, False)])
def test_confidence__price_less_than_half_sure__warns_and_posts(sure: int, warned: bool) -> None:
    doubtful = facts(estimates=[replace(live("1", asset="PT"), confidence=Bps(sure))])
    found = verdict("confidence", doubtful)
    assert (found is not None) is warned
    if found is not None:
        assert (found.outcome, f"PT ({sure // 100}.{sure % 100:02d} %)" in found.detail) == (Outcome.WARN, True)
    assert status(doubtful) == (NavStatus.LIVE, None)


def rate_gap(asset_value: int, debt_value: int, lower: int, higher: int) -> GuardInput:
    positions = [
        MILLION,
        holding("f.pt", Component.COLLATERAL, "PT", str(asset_value)),
        holding("f.owed", DEBT, "PT", str(debt_value)),
    ]
    valued = fund(positions, prices(USD="1", PT="1"), shares=str(1_000_000 + asset_value - debt_value))
    return facts(valued, rate_gaps=[RateGap("PT", Wad(lower), Wad(higher))])


def test_rate_gap__worth_exactly_the_limit__passes_and_more_asks_for_a_second_frame() -> None:
    # 50 bps of a NAV of 2,000,000 are 10,000: one percent of a million of PT.
    exact = rate_gap(1_000_000, 0, 100, 101)
    assert outcome("rate_gap", exact) is Outcome.PASS
    over = replace(exact, rate_gaps=[RateGap("PT", to_wad("1"), Wad(to_wad("1.01") + 1))])
    assert status(over) == (NavStatus.SUSPICIOUS, "rate_gap")


def test_rate_gap__is_measured_in_nav_not_in_price() -> None:
    assert outcome("rate_gap", rate_gap(100, 0, 100, 150)) is Outcome.PASS
    # Long and short of the same gap do not cancel: both legs are exposed to it.
    assert outcome("rate_gap", rate_gap(1_000_000, 900_000, 100, 101)) is Outcome.VERIFY


def test_rate_gap__of_a_debt__is_counted_against_the_higher_rate() -> None:
    # 10,000 of debt valued at the rate of 2 would be 5,000 at the rate of 1: 5,000 is 50.5 bps of 990,000.
    assert outcome("rate_gap", rate_gap(0, 10_000, 1, 2)) is Outcome.VERIFY
    assert outcome("rate_gap", rate_gap(0, 9_900, 1, 2)) is Outcome.PASS


def test_rate_gap__of_an_asset_that_is_not_held__passes() -> None:
    assert outcome("rate_gap", facts(rate_gaps=[RateGap("PT", Wad(1), Wad(9))])) is Outcome.PASS
    assert outcome("rate_gap", facts()) is None


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("1.05", None),
        ("0.95", None),
        (10**18 * 105 // 100 + 1, Outcome.VERIFY),
        (10**18 * 95 // 100 - 1, Outcome.VERIFY),
    ],
)
def test_time_weighted__gap_from_the_average__either_way_at_most_the_limit(
    price: int | str, expected: Outcome | None
) -> None:
    moved = facts(estimates=[live(price, asset="USD")], averages={"USD": to_wad("1")})
    assert outcome("time_weighted", moved) is expected


def test_time_weighted__no_average_or_a_fallback_price__is_not_checked() -> None:
    far = live("9", asset="USD")
    fallback = decayed("USD", "9", age=900)["USD", "asset"]
    assert outcome("time_weighted", facts(estimates=[far], averages={"USD": None})) is None
    assert outcome("time_weighted", facts(estimates=[far], averages={})) is None
    assert outcome("time_weighted", facts(estimates=[fallback], averages={"USD": to_wad("1")})) is None


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("1.3", Outcome.PASS),
        ("0.7", Outcome.PASS),
        (13 * 10**17 + 1, Outcome.VERIFY),
        (7 * 10**17 - 1, Outcome.VERIFY),
    ],
)
def test_change__of_the_share_price__thirty_percent_passes_and_a_wei_more_does_not(
    price: int | str, expected: Outcome
) -> None:
    changed = facts(at_price(price))
    assert outcome("change", changed) is expected
    if expected is Outcome.VERIFY:
        assert status(changed) == (NavStatus.SUSPICIOUS, "change")


def test_change__declared_distribution__is_added_back() -> None:
    paid = facts(at_price("0.6"))
    assert outcome("change", paid) is Outcome.VERIFY
    declared = FundPrior(confirmed=confirmed(), distributions_per_share=to_wad("0.1"))
    assert outcome("change", replace(paid, prior=declared)) is Outcome.PASS
    short = FundPrior(confirmed=confirmed(), distributions_per_share=Wad(to_wad("0.1") - 1))
    assert outcome("change", replace(paid, prior=short)) is Outcome.VERIFY


def test_change__deposit_that_doubles_the_nav__is_no_change_of_the_share_price() -> None:
    doubled = fund([holding("f.cash", CASH, "USD", "2000000")], shares="2000000")
    assert status(facts(doubled)) == (NavStatus.LIVE, None)


def test_change__confirmed_share_price_of_zero__asks_for_a_second_frame() -> None:
    assert outcome("change", facts(prior=FundPrior(confirmed=confirmed(0)))) is Outcome.VERIFY


@pytest.mark.parametrize(("last", "expected"), [(99, True), (100, False), (101, False), (0, True)])
def test_immaterial__last_value_under_one_basis_point_of_nav__counts_as_zero(last: int, expected: bool) -> None:
    assert unpriced_is_immaterial(CASH, Wad(last), Wad(1_000_000), Bps(1)) is expected


@pytest.mark.parametrize("component", list(Component))
def test_immaterial__anything_owed__never_is(component: Component) -> None:
    assert unpriced_is_immaterial(component, Wad(0), Wad(10**6), Bps(1)) is not component.is_liability


@pytest.mark.parametrize("nav", [0, -1])
def test_immaterial__unknown_value_or_no_nav__never_is(nav: int) -> None:
    assert not unpriced_is_immaterial(CASH, None, Wad(10**30), Bps(1))
    assert not unpriced_is_immaterial(CASH, Wad(0), Wad(nav), Bps(1))
