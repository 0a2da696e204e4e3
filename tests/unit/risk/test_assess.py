"""From readings to a report: what is not known is never safe, and bad data is a failure and no exception."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.failures import Failure
from navoracle.domain.positions import Component
from navoracle.domain.prices import unavailable
from navoracle.domain.risk.levels import Ceiling, Floor, RiskStatus
from navoracle.domain.risk.margin_account import PerpetualExposure
from navoracle.domain.risk.policy import FundingTerms, FundLimits, RiskMode, Shock
from navoracle.domain.units import Wad, to_wad
from navoracle.risk.assess import assess
from navoracle.risk.handling import errors_of
from tests.unit.domain.funds import decayed, holding, prices, value
from tests.unit.risk.builders import (
    AAVE,
    BINANCE,
    BYBIT,
    NO_LIMITS,
    account,
    codes,
    delta,
    exposure,
    facts,
    fund,
    lending,
    lending_only,
    levered,
    loan,
    margin,
    names,
    policy,
)

SAFE_LOAN = levered("100", "80")
AT: dict[str, Any] = {"weETH": "3000", "WETH": "3000", "USDT": "1"}
HEDGED = {BINANCE: account("20000", exposure("-20", "60000"))}
"""What balances 100 weETH pledged for 80 WETH."""


def test_assess__everything_read_and_within_limits__is_safe_without_alerts() -> None:
    report = assess(facts(policy(), fund(*SAFE_LOAN, **AT), accounts=HEDGED, **AT))
    assert (report.status, report.alerts, report.failures) == (RiskStatus.SAFE, (), ())
    assert report.delta is not None
    assert report.delta.net_delta == 0


# ---- what could not be read


def test_assess__loan_not_read__is_warning_with_an_alert_and_its_own_failure() -> None:
    failure = Failure(AAVE, "call_reverted", "the pool reverts", "Look at the pool.")
    report = assess(facts(lending_only(lending(terms=None)), failures=[failure]))
    assert (report.status, report.lending, report.failures) == (RiskStatus.WARNING, (), (failure,))
    assert [(alert.name, alert.status) for alert in report.alerts] == [("AAVE_UNREAD", RiskStatus.WARNING)]
    assert report.alerts[0].message == "AAVE: the pool reverts"
    assert report.alerts[0].advice == "Look at the pool."


def test_assess__venue_not_read__makes_delta_and_leverage_unknown_instead_of_unhedged() -> None:
    limits = FundLimits(to_wad("3"), to_wad("3"), None, to_wad("1"), to_wad("0.8"))
    failure = Failure(BINANCE, "source_down", "no answer", "Wait.")
    report = assess(facts(policy(limits=limits), fund(*SAFE_LOAN, **AT), failures=[failure], **AT))
    assert (report.delta, report.limits, report.margin) == (None, (), ())
    assert codes(report.failures) == [
        (BINANCE, "source_down"),
        ("delta", "RISK-001"),
        ("leverage", "RISK-001"),
        ("exposure", "RISK-001"),
        ("funding_cost", "RISK-001"),
    ]
    assert names(report) == [
        "BINANCE_UNREAD", "DELTA_UNREAD", "FUNDING_COST_UNREAD", "MAX_EXPOSURE_UNREAD", "MAX_LEVERAGE_UNREAD",
    ]  # fmt: skip


def test_assess__one_failure_beside_a_critical_loan__does_not_hide_it() -> None:
    failure = Failure(BINANCE, "source_down", "no answer", "Wait.")
    report = assess(facts(policy(), fund(*levered("100", "91"), **AT), failures=[failure], **AT))
    assert report.status is RiskStatus.CRITICAL
    assert names(report)[0] == "AAVE_LTV_CRITICAL"


def test_assess__fund_not_valued__still_judges_accounts_elsewhere() -> None:
    of = policy(lending=(lending(terms=None),))
    report = assess(facts(of, None, loans={AAVE: loan("100", "91")}, accounts=HEDGED, **AT))
    assert [report.lending[0].status, report.margin[0].status] == [RiskStatus.CRITICAL, RiskStatus.SAFE]
    assert codes(report.failures) == [("delta", "RISK-001")]


def test_assess__fund_not_valued__knows_nothing_of_a_loan_by_its_positions() -> None:
    report = assess(facts(lending_only()))
    assert (report.status, report.lending) == (RiskStatus.WARNING, ())
    assert codes(report.failures) == [(AAVE, "RISK-001")]


def test_assess__reading_missing_without_a_failure__is_a_failure() -> None:
    of = policy(mode=RiskMode.BTC_BASIS, lending=())
    report = assess(facts(of, fund(*SAFE_LOAN, **AT), **AT))
    assert (BINANCE, "RISK-001") in codes(report.failures)
    assert report.status is RiskStatus.WARNING


def test_assess__failure_of_something_that_nobody_watches__is_told_as_an_alert_that_failed() -> None:
    stranger = Failure("beta.risk.aave", "call_reverted", "no", "Look.")
    report = assess(facts(policy(), fund(*SAFE_LOAN, **AT), accounts=HEDGED, failures=[stranger], **AT))
    assert codes(report.failures) == [("beta.risk.aave", "call_reverted"), ("beta.risk.aave", "RISK-003")]
    assert report.status is RiskStatus.WARNING


def test_assess__perpetual_of_an_unknown_asset__counts_for_the_margin_and_makes_delta_unknown() -> None:
    accounts = {BINANCE: account("10", exposure("-1", "100", asset=None, symbol="X/USDT:USDT"))}
    report = assess(facts(policy(), fund(*SAFE_LOAN, **AT), accounts=accounts, **AT))
    assert report.margin[0].status is RiskStatus.CRITICAL
    assert report.delta is None
    assert codes(report.failures) == [("delta", "RISK-001")]
    assert "X/USDT:USDT" in report.failures[0].message


def test_assess__unit_without_a_price__makes_delta_unknown() -> None:
    given = facts(policy(), fund(*SAFE_LOAN, **AT), accounts=HEDGED, **AT)
    estimates = {**given.estimates, ("WETH", "asset"): unavailable("WETH", "no_quorum")}
    report = assess(replace(given, estimates=estimates))
    assert report.delta is None
    assert "WETH has no price (no_quorum)" in report.failures[0].message


# ---- loans


def test_loan__health_factor_limits__have_an_alert_of_their_own() -> None:
    floor = Floor(warning=to_wad("1.2"), critical=to_wad("1.05"), urgent=to_wad("1.1"))
    limits = lending(health_factor=floor, ltv=Ceiling(to_wad("0.97"), to_wad("0.99")))
    expected = {"79": None, "80": "WARNING", "87": "URGENT", "91": "CRITICAL"}
    for debt, level in expected.items():
        report = assess(facts(lending_only(limits), fund(*levered("100", debt), **AT), **AT))
        assert names(report) == ([] if level is None else [f"AAVE_HEALTH_FACTOR_{level}"]), debt


def test_loan__liquidatable__is_critical_whatever_the_limits() -> None:
    limits = lending(ltv=Ceiling(to_wad("2"), to_wad("3")))
    report = assess(facts(lending_only(limits), fund(*levered("100", "95.000000000000000001"), **AT), **AT))
    assert names(report) == ["AAVE_HEALTH_FACTOR_CRITICAL"]
    assert [error.code for error in errors_of(report)] == ["RISK-002"]


def test_loan__debt_against_nothing__is_critical_by_both() -> None:
    report = assess(facts(lending_only(), fund(*levered("0", "1"), **AT), **AT))
    assert report.lending[0].account.loan_to_value is None
    assert names(report) == ["AAVE_HEALTH_FACTOR_CRITICAL", "AAVE_LTV_CRITICAL"]
    assert "its collateral is worth nothing" in report.alerts[1].message


def test_loan__no_debt__is_safe_without_collateral_too() -> None:
    for collateral in ("0", "5"):
        report = assess(facts(lending_only(), fund(*levered(collateral, "0"), **AT), **AT))
        assert (report.status, report.lending[0].account.health_factor) == (RiskStatus.SAFE, None)


def test_loan__positions__are_taken_by_reader_and_no_others() -> None:
    others = (
        holding("alpha.pledged2", Component.COLLATERAL, "weETH", "1000"),
        holding("alpha.cash", Component.CASH, "USDT", "1000"),
        holding("alpha.pledged/weETH-queued", Component.COLLATERAL, "weETH", "5", epoch=3),
    )
    report = assess(facts(lending_only(), fund(*SAFE_LOAN, *others, **AT), **AT))
    found = report.lending[0].account
    assert (found.collateral, found.debt) == (to_wad("315000"), to_wad("240000"))


def test_loan__prices_past_their_time__count_with_the_haircut_against_the_fund() -> None:
    estimates = {**decayed("weETH", "3000", age=600), **prices(WETH="3000")}
    valuation = value(levered("100", "85"), estimates, shares="1")
    found = assess(facts(lending_only(), valuation)).lending[0]
    assert found.account.collateral == to_wad("294000")
    assert found.status is RiskStatus.WARNING
    owing = value(levered("100", "80"), {**prices(weETH="3000"), **decayed("WETH", "2940", age=600)}, shares="1")
    assert assess(facts(lending_only(), owing)).lending[0].account.debt == to_wad("240000")  # 2,940 / 0.98


# ---- delta


def test_delta__queued_deposits_and_other_assets__do_not_count() -> None:
    positions = (
        *SAFE_LOAN,
        holding("alpha.silo", Component.CASH, "WETH", "50", epoch=1),
        holding("alpha.cash", Component.CASH, "USDT", "50000"),
    )
    report = assess(facts(policy(), fund(*positions, **AT), accounts=HEDGED, **AT))
    assert report.delta is not None
    assert report.delta.net_delta == 0


def test_delta__assets_at_other_prices__count_by_their_price_in_the_unit() -> None:
    at: dict[str, Any] = {"weETH": "3300", "WETH": "3000", "USDT": "1"}
    accounts = {BINANCE: account("20000", exposure("-10", "33000", asset="weETH"))}
    report = assess(facts(policy(), fund(*levered("100", "80"), **at), accounts=accounts, **at))
    assert report.delta is not None
    assert report.delta.net_delta == to_wad("19")  # 110 - 80 - 11
    assert report.delta.equity == to_wad("30")


def test_delta__perpetual_of_another_asset__does_not_count() -> None:
    at = {**AT, "WBTC": "60000"}
    both = (exposure("-20", "60000"), exposure("-1", "60000", asset="WBTC", symbol="BTC/USDT:USDT"))
    accounts = {BINANCE: account("50000", *both)}
    report = assess(facts(policy(), fund(*SAFE_LOAN, **AT), accounts=accounts, **at))
    assert report.delta is not None
    assert report.delta.net_delta == 0


def test_delta__haircut__is_no_drift() -> None:
    estimates = {**decayed("weETH", "3000", age=600), **decayed("WETH", "3000", age=600), **prices(USDT="1")}
    valuation = value(levered("100", "80"), estimates, shares="1")
    given = facts(policy(delta=delta(target=to_wad("20"))), valuation, accounts={BINANCE: account("1")})
    report = assess(replace(given, estimates=estimates))
    assert report.delta is not None
    assert (report.delta.net_delta, report.delta.drift) == (to_wad("20"), 0)


def test_delta__no_equity__is_critical_unless_there_is_no_drift() -> None:
    owing = holding("alpha.owed", Component.DEBT, "USDT", "100000")
    for target, status in (("20", RiskStatus.SAFE), ("0", RiskStatus.CRITICAL)):
        of = policy(delta=delta(target=to_wad(target)))
        report = assess(facts(of, fund(*SAFE_LOAN, owing, **AT), accounts={BINANCE: account("1")}, **AT))
        assert report.delta is not None
        assert (report.delta.drift_part, report.delta.status) == (None, status)


# ---- limits of the fund


def test_leverage__owned_and_notionals_over_nav() -> None:
    limits = FundLimits(to_wad("6"), None, None, None, to_wad("0.8"))
    report = assess(facts(policy(limits=limits), fund(*SAFE_LOAN, **AT), accounts=HEDGED, **AT))
    assert report.limits[0].value == to_wad("6")  # (300,000 + 60,000) / 60,000
    assert report.limits[0].status is RiskStatus.WARNING
    assert "MAX_LEVERAGE_WARNING" in names(report)


def test_exposure__worst_asset_net_of_debts_and_perpetuals__in_either_direction() -> None:
    limits = FundLimits(None, to_wad("0.5"), None, None, to_wad("0.8"))
    report = assess(facts(policy(limits=limits), fund(*SAFE_LOAN, **AT), accounts=HEDGED, **AT))
    found = report.limits[0]
    assert (found.subject, found.value) == ("WETH", to_wad("5"))  # |-80 - 20| x 3,000; weETH is 300,000 as well
    assert "MAX_EXPOSURE_CRITICAL" in names(report)


def test_exposure__several_assets__is_the_largest_in_either_direction() -> None:
    limits = FundLimits(None, to_wad("9"), None, None, to_wad("0.8"))
    for debt, subject in (("20", "weETH"), ("250", "WETH")):
        cash = holding("alpha.cash", Component.CASH, "USDT", "510000")
        positions = (*levered("100", debt), *((cash,) if debt == "250" else ()))
        report = assess(facts(lending_only(limits=limits), fund(*positions, **AT), **AT))
        found = report.limits[0]
        nav = 300_000 - int(debt) * 3_000 + (510_000 if debt == "250" else 0)
        size = 300_000 if subject == "weETH" else int(debt) * 3_000
        assert (found.subject, found.value) == (subject, -(-size * 10**18 // nav))


def test_exposure__unit_of_account__is_none() -> None:
    limits = FundLimits(None, to_wad("0.5"), None, None, to_wad("0.8"))
    cash = holding("alpha.cash", Component.CASH, "USD", "1000")
    report = assess(facts(lending_only(limits=limits), fund(cash, USD="1")))
    assert (report.limits[0].subject, report.limits[0].value) == ("", 0)


@pytest.mark.parametrize(
    ("drawdown", "status"), [("0.16", RiskStatus.SAFE), ("0.17", RiskStatus.WARNING), ("0.21", RiskStatus.CRITICAL)]
)
def test_drawdown__of_the_gate__is_judged(drawdown: str, status: RiskStatus) -> None:
    limits = FundLimits(None, None, to_wad("0.2"), None, to_wad("0.8"))
    report = assess(facts(lending_only(limits=limits), fund(*SAFE_LOAN, **AT), drawdown=to_wad(drawdown), **AT))
    assert report.limits[0].status is status


def test_drawdown__not_known__is_a_failure() -> None:
    limits = FundLimits(None, None, to_wad("0.2"), None, to_wad("0.8"))
    report = assess(facts(lending_only(limits=limits), fund(*SAFE_LOAN, **AT), **AT))
    assert codes(report.failures) == [("drawdown", "RISK-001")]
    assert names(report) == ["MAX_DRAWDOWN_UNREAD"]


@pytest.mark.parametrize(("size", "cost"), [("20", "6570"), ("-20", "-6570")])
def test_funding__net_long_pays_the_rate_three_times_a_day__and_a_short_receives_it(size: str, cost: str) -> None:
    limits = FundLimits(None, None, None, to_wad("0.1"), to_wad("0.8"))
    terms = FundingTerms(to_wad("0.0001"), 8 * 3_600)
    of = policy(limits=limits, margin=(margin(funding=terms),))
    accounts = {BINANCE: account("20000", exposure(size, "60000"))}
    report = assess(facts(of, fund(*SAFE_LOAN, **AT), accounts=accounts, **AT))
    assert report.margin[0].funding_per_year == to_wad(cost)
    assert report.limits[0].value == to_wad(cost) * 10**18 // to_wad("60000")
    assert ("FUNDING_COST_CRITICAL" in names(report)) is (size == "20")


@pytest.mark.parametrize("owed", ["60000", "60001"])
def test_limits__nav_that_is_not_positive__are_critical_without_a_figure(owed: str) -> None:
    limits = FundLimits(to_wad("6"), to_wad("6"), None, None, to_wad("0.8"))
    owing = holding("alpha.owed", Component.DEBT, "USDT", owed)
    report = assess(facts(lending_only(limits=limits), fund(*SAFE_LOAN, owing, **AT), **AT))
    assert [(found.value, found.status) for found in report.limits] == [(None, RiskStatus.CRITICAL)] * 2


# ---- margin


def test_margin__declared_contracts__are_marked_at_the_frames_prices() -> None:
    at: dict[str, Any] = {"weETH": "3000", "WETH": "3000", "USDT": "0.5"}
    accounts = {BINANCE: account("20000", exposure("-20"))}
    report = assess(facts(policy(), fund(*SAFE_LOAN, **at), accounts=accounts, **at))
    assert report.margin[0].exposure == to_wad("120000")


def test_margin__required_margin__is_rounded_up_and_what_is_free_follows() -> None:
    of = policy(mode=RiskMode.BTC_BASIS, lending=())
    held = account("1", exposure("1", "0.000000000000000001"))
    found = assess(facts(of, fund(**AT), accounts={BINANCE: held}, **AT)).margin[0]
    assert (found.required_margin, found.free_margin) == (1, 10**18 - 1)


def test_margin__owed_balance_without_exposure__is_critical() -> None:
    of = policy(mode=RiskMode.BTC_BASIS, lending=())
    report = assess(facts(of, fund(**AT), accounts={BINANCE: account("-1")}, **AT))
    assert report.margin[0].status is RiskStatus.CRITICAL
    assert "is owed" in report.alerts[-1].message


def test_margin__below_maintenance_with_lower_limits__is_critical() -> None:
    ratio = Floor(warning=to_wad("0.05"), critical=to_wad("0.01"))
    of = policy(mode=RiskMode.BTC_BASIS, lending=(), margin=(margin(ratio=ratio),))
    report = assess(facts(of, fund(**AT), accounts={BINANCE: account("9", exposure("1", "100"))}, **AT))
    assert report.margin[0].status is RiskStatus.CRITICAL


def test_report__order_of_venues__changes_nothing_but_their_order() -> None:
    both = (margin(), margin(BYBIT, "BYBIT"))
    accounts = {**HEDGED, BYBIT: account("1", exposure("-1", "100"))}
    one, other = (
        assess(facts(policy(margin=venues), fund(*SAFE_LOAN, **AT), accounts=accounts, **AT))
        for venues in (both, both[::-1])
    )
    assert one.margin == other.margin[::-1]
    assert (one.status, one.alerts, one.delta) == (other.status, other.alerts, other.delta)


# ---- records


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": RiskMode.PURE_LENDING},
        {"lending": ()},
        {"margin": ()},
        {"delta": None},
        {"mode": RiskMode.BTC_BASIS},
    ],
)
def test_policy__limits_that_do_not_fit_the_mode__are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(DomainError, match="do not fit its mode"):
        policy(**changes)


def test_records__that_contradict_themselves__are_refused() -> None:
    with pytest.raises(DomainError, match="neither a notional nor an asset"):
        PerpetualExposure("X", None, Wad(1), None)
    for fall in (0, 10**18, -1):
        with pytest.raises(OutOfRange, match="lies outside"):
            Shock("x", ("WETH",), (Wad(fall),))
    with pytest.raises(OutOfRange, match="every 0 seconds"):
        FundingTerms(Wad(1), 0)
    assert NO_LIMITS.max_leverage is None
