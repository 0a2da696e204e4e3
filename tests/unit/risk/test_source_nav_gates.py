"""Every sentence of the source document on NAV, peaks and gates that says what happens, as a test.

Where the document names what was its own (a ticker, a file of JSON), the test holds what became of it here.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.flows import Distribution
from navoracle.domain.frame import GuardDistance, NavStatus
from navoracle.domain.guards import forecast
from navoracle.domain.positions import Component
from navoracle.domain.prior import PostBounds
from navoracle.domain.risk.gates import DAY, PeakState
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.risk.gate import decide, kept
from tests.unit.domain.builders import NOW, live
from tests.unit.domain.funds import decayed, holding, prices, value
from tests.unit.risk.gate_builders import (
    HOUR,
    MIDNIGHT,
    facts,
    history,
    net,
    peaks,
    policy,
    prior,
    served,
    unvalued,
    worth,
)

CASH, COLLATERAL, DEBT = Component.CASH, Component.COLLATERAL, Component.DEBT
LATE = Timestamp(NOW - 901)


# ---- "Risk gating examples"


def test_nav__stale_and_fail_closed__is_vetoed() -> None:
    found = decide(facts(balances_at=LATE))
    assert (found.vetoes, found.warnings) == (("nav_stale",), ())
    assert found.stops == ("posting", "settlements", "deposits")


def test_nav__stale_and_fail_open__is_warned_of() -> None:
    found = decide(facts(balances_at=LATE, policy=policy(on_stale="fail_open")))
    assert (found.vetoes, found.warnings, found.stops) == ((), ("nav_stale",), ())


def test_peak__stale_but_nav_fresh__warns_and_skips_the_drawdown_veto() -> None:
    found = decide(facts("800", peak=peaks("1000", age=DAY + 1)))
    assert (found.vetoes, found.warnings) == ((), ("drawdown_stale",))


def test_drawdown__peak_1000_nav_800_limit_10_percent__is_20_percent_and_vetoed() -> None:
    found = decide(facts("800", policy=policy(max_day_loss=None)))
    assert found.drawdown == to_wad("0.2")
    assert found.vetoes == ("nav_drawdown_limit",)


def test_daily_loss__daily_peak_900_nav_810_limit_5_percent__is_10_percent_and_vetoed() -> None:
    found = decide(facts("810", peak=peaks("900", "900"), policy=policy(max_drawdown=None)))
    assert found.daily_loss == to_wad("0.1")
    assert found.vetoes == ("day_loss_limit",)


def test_drawdown_and_daily_loss__both_beyond__are_both_vetoed_in_order() -> None:
    assert decide(facts("800")).vetoes == ("nav_drawdown_limit", "day_loss_limit")


@pytest.mark.parametrize(("nav", "vetoed"), [("900", False), ("899.999999999999999999", True)])
def test_drawdown__exactly_at_the_limit__is_within_it(nav: str, vetoed: bool) -> None:
    found = decide(facts(nav, policy=policy(max_day_loss=None)))
    assert bool(found.vetoes) is vetoed


@pytest.mark.parametrize(("nav", "vetoed"), [("950", False), ("949.999999999999999999", True)])
def test_daily_loss__exactly_at_the_limit__is_within_it(nav: str, vetoed: bool) -> None:
    assert bool(decide(facts(nav)).vetoes) is vetoed


def test_drawdown__that_does_not_divide__rounds_up() -> None:
    found = decide(facts("2", peak=peaks("3")))
    assert found.drawdown == to_wad("0.333333333333333334")


def test_drawdown__no_limits__is_told_and_never_vetoed() -> None:
    found = decide(facts("1", policy=policy(max_drawdown=None, max_day_loss=None)))
    assert (found.drawdown, found.vetoes) == (to_wad("0.999"), ())


# ---- "Peak-state logic"


def test_peak__reset_at_start_on_a_test_network__is_the_current_nav() -> None:
    found = decide(facts("700", policy=policy(reset_peak_at_start=True), prior=prior(peaks(), is_first=True)))
    assert (found.peak_state, net(found.peaks)) == ("reset", (to_wad("700"), to_wad("700")))
    assert (found.drawdown, found.daily_loss, found.vetoes, found.warnings) == (0, 0, (), ())


@pytest.mark.parametrize(
    ("reset", "is_first"), [(True, False), (False, True)], ids=["second frame of the process", "not a test network"]
)
def test_peak__reset_is_not_due__stays(reset: bool, is_first: bool) -> None:
    found = decide(facts("700", policy=policy(reset_peak_at_start=reset), prior=prior(peaks(), is_first=is_first)))
    assert (found.peak_state, net(found.peaks)) == ("fresh", (to_wad("1000"), to_wad("1000")))


@pytest.mark.parametrize(("age", "state"), [(DAY, "fresh"), (DAY + 1, "healed_from_history")])
def test_peak__older_than_peak_stale_seconds__is_rebuilt_from_the_history(age: int, state: str) -> None:
    points = history("700", "860", "850")
    found = decide(facts("800", prior=prior(peaks("1000", age=age), points=points)))
    assert found.peak_state == state
    assert found.peak == (to_wad("1000") if state == "fresh" else to_wad("860"))


def test_peak__stale_with_a_history_of_two_days__takes_the_daily_one_from_todays_points() -> None:
    points = (*history("900", "890", until=MIDNIGHT - 1), *history("820", until=MIDNIGHT))
    found = decide(facts("800", prior=prior(peaks("1000", age=DAY + 1), points=points)))
    assert net(found.peaks) == (to_wad("900"), to_wad("820"))
    assert (found.drawdown, found.daily_loss) == (Wad(111_111_111_111_111_112), Wad(24_390_243_902_439_025))
    assert found.vetoes == ()


def test_peak__stale_with_a_nav_above_its_history__is_the_nav() -> None:
    found = decide(facts("950", prior=prior(peaks("1000", age=DAY + 1), points=history("700", "860", "850"))))
    assert net(found.peaks) == (to_wad("950"), to_wad("950"))


def test_peak__stale_with_too_few_samples__falls_back_to_the_confirmed_nav() -> None:
    start = prior(peaks("1000", age=DAY + 1), points=history("2000", "2000"))
    found = decide(facts("800", prior=start, confirmed=served("840")))
    assert (found.peak_state, net(found.peaks)) == ("healed_from_confirmed", (to_wad("840"), to_wad("840")))
    assert "drawdown_stale" in found.warnings


def test_peak__confirmed_yesterday__is_no_peak_of_today() -> None:
    start = prior(peaks("1000", age=DAY + 1))
    found = decide(facts("800", prior=start, confirmed=served("840", age=NOW - MIDNIGHT + 1)))
    assert net(found.peaks) == (to_wad("840"), to_wad("800"))


def test_peak__stale_with_nothing_to_rebuild_from__starts_anew_with_this_nav() -> None:
    found = decide(facts("800", prior=prior(peaks("1000", age=DAY + 1))))
    assert (found.peak_state, net(found.peaks)) == ("new", (to_wad("800"), to_wad("800")))
    assert found.warnings == ("drawdown_stale",)


def test_peak__healed__is_ground_for_a_veto_from_the_next_frame_on() -> None:
    first = decide(facts("700", prior=prior(peaks("1000", age=DAY + 1), points=history("900", "900", "900"))))
    assert (first.drawdown is not None and first.drawdown > to_wad("0.1"), first.vetoes) == (True, ())
    assert first.peaks is not None
    second = decide(facts("700", now=NOW + HOUR, prior=prior(first.peaks)))
    assert (second.peak_state, second.vetoes) == ("fresh", ("nav_drawdown_limit", "day_loss_limit"))


def test_peak__fresh__retains_peak_and_daily_values() -> None:
    found = decide(facts("880", peak=peaks("950", "900")))
    assert net(found.peaks) == (to_wad("950"), to_wad("900"))
    assert found.peaks is not None
    assert found.peaks.updated_at == NOW
    assert (found.drawdown, found.daily_loss) == (Wad(73_684_210_526_315_790), Wad(22_222_222_222_222_223))


def test_peak__nav_above_it__rises_to_the_nav() -> None:
    found = decide(facts("1001", peak=peaks("1000", "990")))
    assert net(found.peaks) == (to_wad("1001"), to_wad("1001"))
    assert (found.drawdown, found.daily_loss) == (0, 0)


def test_peak__nav_between_the_days_and_the_whole__raises_the_days_alone() -> None:
    assert net(decide(facts("995", peak=peaks("1000", "990"))).peaks) == (to_wad("1000"), to_wad("995"))


def test_daily_peak__midnight_passes__starts_with_the_new_days_nav() -> None:
    midnight = MIDNIGHT + DAY
    before = decide(facts("960", now=midnight - 1, peak=replace(peaks("1000"), updated_at=Timestamp(midnight - HOUR))))
    assert (before.daily_loss, net(before.peaks)) == (to_wad("0.04"), (to_wad("1000"), to_wad("1000")))
    assert before.peaks is not None
    after = decide(facts("960", now=midnight, prior=prior(before.peaks)))
    assert (after.daily_loss, net(after.peaks)) == (0, (to_wad("1000"), to_wad("960")))
    assert after.peaks is not None
    assert (after.peaks.day, after.peaks.daily_peak_at) == (midnight, midnight)


def test_peak__dividend_since__is_no_loss() -> None:
    paid = (Distribution(Timestamp(NOW - HOUR), to_wad("200")),)
    found = decide(facts("800", prior=prior(peaks("1000"), paid=paid)))
    assert (found.drawdown, found.daily_loss, found.peak, found.vetoes) == (0, 0, to_wad("800"), ())


def test_peak__dividend_declared_after_the_gate_had_halted__counts_all_the_same() -> None:
    halted = decide(facts("800", now=NOW))
    assert halted.vetoes
    paid = (Distribution(Timestamp(NOW - 60), to_wad("200")),)  # before that frame, told after it
    state = kept(halted, peaks(), NavStatus.HALTED, "nav_drawdown_limit")
    assert decide(facts("800", now=NOW + HOUR, prior=prior(state, paid=paid))).vetoes == ()


@pytest.mark.parametrize(("age", "drawdown"), [(10 * DAY + 1, "0.2"), (10 * DAY, "0.2"), (10 * DAY - 1, "0")])
def test_peak__dividend_before_it_was_reached__is_in_it_already(age: int, drawdown: str) -> None:
    paid = (Distribution(Timestamp(NOW - age), to_wad("200")),)
    assert decide(facts("800", prior=prior(peaks("1000"), paid=paid))).drawdown == to_wad(drawdown)


def test_peak__rebuilt_over_a_dividend__takes_it_off_the_points_before_it() -> None:
    points = history("1000", "800", "790", until=NOW - HOUR)
    paid = (Distribution(Timestamp(NOW - 2 * HOUR - 1), to_wad("200")),)
    found = decide(facts("790", prior=prior(peaks("1", age=DAY + 1), points=points, paid=paid)))
    assert (found.peak, found.drawdown) == (to_wad("800"), to_wad("0.0125"))


# ---- "NAV engine"


def included(nav_of: str, **changes: object) -> tuple[Wad | None, str]:
    positions = (
        holding("f.usdt", CASH, "USDT", "1000"),
        holding("f.btc", COLLATERAL, "BTC", "0.5", 8),
        holding("f.doge", COLLATERAL, "DOGE", "10000"),
        holding("f.debt", DEBT, "DOGE", "1000"),
    )
    estimates = prices(USDT="1", BTC="40000", DOGE="0.1")
    found = decide(facts(valuation=value(positions, estimates, shares="1"), policy=policy(**changes)))
    return found.health.nav, found.health.nav_mode


def test_nav__asset_inclusion_list__leaves_other_holdings_out_and_counts_what_is_owed() -> None:
    assert included("all") == (to_wad("21900"), "standard")
    assert included("listed", include_assets=("USDT", "BTC")) == (to_wad("20900"), "enhanced")
    assert included("cash", include_assets=("USDT",)) == (to_wad("900"), "enhanced")


def test_nav__mark_prices__convert_exchange_balances_that_are_not_cash() -> None:
    positions = (holding("f.binance/USDT", CASH, "USDT", "1000"), holding("f.binance/BTC", COLLATERAL, "BTC", "0.5", 8))
    valuation = value(positions, prices(USDT="1", BTC="40000"), shares="1")
    at_exchange = frozenset({"f.binance"})
    with_marks = decide(facts(valuation=valuation, at_exchange=at_exchange)).health
    without = decide(facts(valuation=valuation, at_exchange=at_exchange, policy=policy(use_mark_price=False))).health
    assert (with_marks.nav, without.nav) == (to_wad("21000"), to_wad("1000"))
    assert (with_marks.nav_mode, without.nav_mode) == ("standard", "enhanced")


def test_nav__stablecoin__is_at_its_oracle_price_and_not_at_par() -> None:
    valuation = value([holding("f.usdt", CASH, "USDT", "1000")], prices(USDT="0.97"), shares="1")
    assert decide(facts(valuation=valuation)).health.nav == to_wad("970")


def test_snapshot__has_assets_mark_prices_mode_and_freshness() -> None:
    positions = (holding("f.usdt", CASH, "USDT", "1000"), holding("f.btc", COLLATERAL, "BTC", "0.5", 8))
    estimates = (live("40000", asset="BTC", age=120), live("1", asset="USDT", age=60))
    valuation = value(positions, prices(USDT="1", BTC="40000"), shares="1")
    health = decide(facts(valuation=valuation, estimates=estimates, balances_at=Timestamp(NOW - 30))).health
    assert [(line.asset, line.amount, line.mark_price, line.value, line.included) for line in health.assets] == [
        ("BTC", to_wad("0.5"), to_wad("40000"), to_wad("20000"), True),
        ("USDT", to_wad("1000"), to_wad("1"), to_wad("1000"), True),
    ]
    assert (health.balances_age, health.marks_age, health.cache_age) == (30, 120, None)
    assert (health.sources_ok, health.fresh, health.nav_mode) == (True, True, "standard")


@pytest.mark.parametrize(
    ("name", "limit", "age"),
    [("max_balance_age", 900, "balances"), ("max_mark_age", HOUR, "marks"), ("max_cache_age", 900, "cache")],
)
def test_freshness__each_age_at_and_beyond_its_limit__is_the_policys(name: str, limit: int, age: str) -> None:
    def fresh(seconds: int) -> bool:
        estimates = [live("1", asset="USD")]
        if age == "marks":
            estimates = [live("1", asset="USD"), live("2", asset="ETH", age=seconds)]
        if age == "cache":
            estimates += [decayed("ETH", "2", age=seconds)["ETH", "asset"]]
        balances = Timestamp(NOW - seconds) if age == "balances" else NOW
        return decide(facts(estimates=estimates, balances_at=balances, policy=policy(**{name: limit}))).health.fresh

    assert fresh(limit)
    assert not fresh(limit + 1)


def test_freshness__is_by_the_keepers_clock_and_not_by_a_block_that_stands_still() -> None:
    assert not decide(facts(balances_at=NOW, clock=Timestamp(NOW + 901))).health.fresh


# ---- "Risk gates"


def test_nav__with_a_fallback_price__is_fresh_and_vetoes_no_fall() -> None:
    estimates = decayed("ETH", "1000", age=600)
    valuation = value([holding("f.eth", COLLATERAL, "ETH", "0.8")], estimates, shares="1")
    found = decide(facts(valuation=valuation, estimates=list(estimates.values())))
    assert (found.health.fresh, found.health.sources_ok) == (True, False)
    assert found.drawdown is not None
    assert found.drawdown > to_wad("0.2")
    assert (found.vetoes, found.warnings) == ((), ("sources_failed",))
    assert found.peaks == peaks()


def test_nav__not_fresh__moves_no_peak() -> None:
    for nav in ("500", "2000"):
        found = decide(facts(nav, balances_at=LATE))
        assert (found.peaks, found.vetoes) == (peaks(), ("nav_stale",))


def test_nav__and_peak_both_stale__are_told_apart_and_the_peak_is_kept() -> None:
    old = peaks("1000", age=DAY + 1)
    found = decide(facts("500", peak=old, balances_at=LATE, policy=policy(on_stale="fail_open")))
    assert (found.peak_state, found.peaks, found.vetoes) == ("stale", old, ())
    assert found.warnings == ("nav_stale", "drawdown_stale")


def test_diagnostics__of_a_veto__carry_everything() -> None:
    found = decide(facts("800"))
    assert found.health.nav == to_wad("800")
    assert found.health.price_per_share == to_wad("800")
    assert [line.asset for line in found.health.assets] == ["USD"]
    assert (found.peak_state, found.peak, found.daily_peak) == ("fresh", to_wad("1000"), to_wad("1000"))
    assert (found.drawdown, found.daily_loss) == (to_wad("0.2"), to_wad("0.2"))


@pytest.mark.parametrize("stops", [(), ("deposits",), ("settlements", "deposits")])
def test_stops__of_a_veto__are_the_policys_and_of_no_veto_none(stops: tuple[str, ...]) -> None:
    assert decide(facts("800", policy=policy(stops=stops))).stops == stops
    assert decide(facts("1000", policy=policy(stops=stops))).stops == ()


# ---- "State baseline"


def test_cold_start__no_valuation_and_a_confirmed_nav__is_the_confirmed_one_and_not_fresh() -> None:
    found = decide(unvalued(confirmed=served("960"), policy=policy(on_stale="fail_open")))
    health = found.health
    assert (health.nav, health.price_per_share, health.nav_mode) == (to_wad("960"), to_wad("960"), "confirmed")
    assert (health.fresh, health.sources_ok, health.assets) == (False, False, ())
    assert (found.drawdown, found.peaks) == (to_wad("0.04"), peaks())


def test_cold_start__nothing_at_all__knows_nothing_and_says_so() -> None:
    found = decide(unvalued(prior=prior()))
    assert (found.health.nav, found.peaks, found.peak_state) == (None, None, "unknown")
    assert (found.drawdown, found.daily_loss, found.vetoes) == (None, None, ("nav_stale",))


def test_cold_start__first_valuation_of_a_fund__is_its_peak() -> None:
    found = decide(facts("1000", prior=prior()))
    assert (found.peak_state, net(found.peaks)) == ("new", (to_wad("1000"), to_wad("1000")))
    assert (found.vetoes, found.warnings) == ((), ())


def test_cold_start__gate_added_to_a_fund_with_a_history__begins_with_its_highest() -> None:
    found = decide(facts("1000", prior=prior(points=history("1100", "1050", "1020"))))
    assert (found.peak_state, found.peak) == ("healed_from_history", to_wad("1100"))


# ---- what the document leaves open


def test_peak__of_another_measure__is_rebuilt_without_the_nav_of_everything() -> None:
    found = decide(
        facts("700", policy=policy(include_assets=("USD",)), prior=prior(peaks("1000")), confirmed=served("1000"))
    )
    assert (found.peak_state, net(found.peaks)) == ("new", (to_wad("700"), to_wad("700")))
    assert found.vetoes == ()
    assert found.peaks is not None
    assert found.peaks.measure == "USD"


def test_peak__of_another_measure_and_nav_not_fresh__is_kept_and_not_held_against() -> None:
    found = decide(facts("700", policy=policy(include_assets=("USD",)), balances_at=LATE))
    assert (found.peak_state, found.peaks, found.peak, found.drawdown) == ("stale", peaks(), None, None)


def test_peak__fund_without_shares__starts_anew() -> None:
    found = decide(facts(valuation=worth("0", shares="0"), peak=peaks("1.5")))
    assert (found.peak_state, net(found.peaks)) == ("new", (to_wad("1"), to_wad("1")))
    assert found.vetoes == ()


@pytest.mark.parametrize("nav", ["0", "-50"])
def test_drawdown__nothing_left__is_all_of_it_and_vetoed(nav: str) -> None:
    owed = [holding("f.debt", DEBT, "USD", "50")] if nav == "-50" else []
    valuation = value(owed, prices(USD="1"), shares="1")
    found = decide(facts(valuation=valuation))
    assert (found.drawdown, found.daily_loss) == (to_wad("1"), to_wad("1"))
    assert found.vetoes == ("nav_drawdown_limit", "day_loss_limit")
    assert found.peaks == peaks()


# ---- which frames' peaks are kept


def up() -> PeakState:
    found = decide(facts("1200", peak=peaks("1000", "990"))).peaks
    assert found is not None
    return found


@pytest.mark.parametrize("status", [NavStatus.LIVE, NavStatus.VERIFIED])
def test_kept__sound_frame__moves_the_peaks(status: NavStatus) -> None:
    before = peaks("1000", "990")
    assert kept(decide(facts("1200", peak=before)), before, status, None) == up()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (NavStatus.SUSPICIOUS, "change"),
        (NavStatus.SUSPICIOUS, "second_frame_disagrees"),
        (NavStatus.ESTIMATED, None),
        (NavStatus.HALTED, "breaker"),
        (NavStatus.HALTED, "nav_drawdown_limit"),  # not this frame's veto
        (NavStatus.INSOLVENT, "insolvent"),
    ],
)
def test_kept__doubtful_estimated_or_halted_frame__raises_no_peak(status: NavStatus, reason: str | None) -> None:
    before = peaks("1000", "990")
    assert kept(decide(facts("1200", peak=before)), before, status, reason) is None


def test_kept__halted_by_its_own_gate__is_seen_and_raises_nothing() -> None:
    before = peaks("1000", "700")
    found = decide(facts("800", peak=before))
    assert found.peaks is not None
    assert found.peaks.daily_peak == to_wad("800")
    state = kept(found, before, NavStatus.HALTED, "nav_drawdown_limit")
    assert state == replace(before, updated_at=NOW)


def test_kept__halted_by_its_own_gate_after_midnight__rolls_the_day_over() -> None:
    before = peaks("1000")
    midnight = Timestamp(MIDNIGHT + DAY)
    state = kept(decide(facts("800", now=midnight, peak=before)), before, NavStatus.HALTED, "nav_drawdown_limit")
    assert state == replace(before, daily_peak=to_wad("800"), daily_peak_at=midnight, updated_at=midnight)


def test_kept__stale_nav__leaves_no_trace() -> None:
    assert kept(decide(facts("800", balances_at=LATE)), peaks(), NavStatus.HALTED, "nav_stale") is None


# ---- fees


def test_nav__fees_payable__always_count_whatever_is_included() -> None:
    year = FeeState(to_wad("1"), Timestamp(NOW - 365 * DAY))
    terms = FeeTerms(management_rate=to_wad("0.02"))
    positions = (holding("f.usd", CASH, "USD", "1000"), holding("f.eth", COLLATERAL, "ETH", "1"))
    valuation = value(positions, prices(USD="1", ETH="1000"), shares="1", terms=terms, state=year)
    assert valuation.fees.total == to_wad("40")
    everything, dollars = (
        decide(facts(valuation=valuation, policy=policy(include_assets=assets))).health for assets in (None, ("USD",))
    )
    assert (everything.nav, everything.price_per_share) == (valuation.before.nav, valuation.price_per_share)
    assert dollars.nav == to_wad("960")


def band(price: str) -> GuardDistance | None:
    """How far a price is from a contract that serves 1,000 and takes steps of 10 %."""
    bounds = PostBounds(1_000, 1_000, 1_000)
    return forecast(replace(served("1000"), bounds=bounds, day_drift=0), to_wad(price), NOW)


@pytest.mark.parametrize(("nav", "is_raised"), [("1100", True), ("1100.1", False), ("1400", False)])
def test_kept__rise_that_the_contract_would_hold__is_seen_and_raises_nothing(nav: str, is_raised: bool) -> None:
    before = peaks("1000", "990")
    found = decide(facts(nav, peak=before))
    state = kept(found, before, NavStatus.VERIFIED, None, band(nav))
    assert state == (found.peaks if is_raised else replace(before, updated_at=NOW))


def test_kept__rise_that_the_contract_would_hold_after_midnight__leaves_the_day_to_the_next_frame() -> None:
    before, midnight = peaks("1000"), Timestamp(MIDNIGHT + DAY)
    found = decide(facts("1400", now=midnight, peak=before))
    state = kept(found, before, NavStatus.VERIFIED, None, band("1400"))
    assert state == replace(before, updated_at=midnight)
    later = decide(facts("1000", now=midnight + 60, peak=state))
    assert (later.daily_peak, later.daily_loss) == (to_wad("1000"), 0)


def test_kept__fall_that_the_contract_would_hold__begins_the_day_below_the_old_peak() -> None:
    before, midnight = peaks("1000"), Timestamp(MIDNIGHT + DAY)
    found = decide(facts("850", now=midnight, peak=before, policy=policy(max_drawdown=None, max_day_loss=None)))
    state = kept(found, before, NavStatus.VERIFIED, None, band("850"))
    assert found.drawdown == to_wad("0.15")
    assert state == replace(before, daily_peak=to_wad("850"), daily_peak_at=midnight, updated_at=midnight)


def test_kept__no_or_stale_peak_and_a_price_that_the_contract_would_hold__keeps_nothing() -> None:
    for before in (None, peaks("1000", age=DAY + 1)):
        found = decide(facts("1400", prior=prior(before)))
        assert kept(found, before, NavStatus.VERIFIED, None, None) == found.peaks
        assert kept(found, before, NavStatus.VERIFIED, None, band("1400")) is None
