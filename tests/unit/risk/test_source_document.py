"""The samples, thresholds and tests of the risk monitor's source document, with the corrected values.

Where its figures contradict its formulas the formulas win: the sample's health factor is 1.0655 and its move to
liquidation 6.14 %, its loan and its delta are at WARNING, and the worst venue counts for the overall status.
"""

from __future__ import annotations

import pytest

from navoracle.domain.errors import ErrorSeverity, HealthFactorCritical, RiskAlertFailed, RiskCalculationFailed
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.policy import RISKS_OF, RiskKind, RiskMode
from navoracle.domain.units import WAD, Rounding, format_wad, mul_div, to_wad
from navoracle.risk.assess import assess
from navoracle.risk.delta import judge_delta
from navoracle.risk.handling import Handling, Reaction, handling_of
from navoracle.risk.lending import lending_risk
from navoracle.risk.margin import margin_risk
from navoracle.risk.simulate import exchange_liquidation, lending_drop
from tests.unit.risk.builders import (
    AAVE,
    BINANCE,
    BYBIT,
    OKX,
    TERMS,
    account,
    delta,
    exposure,
    facts,
    fund,
    lending,
    levered,
    loan,
    margin,
    names,
    policy,
)

SAMPLE = loan("107.44", "95.796")
VENUES = {
    BINANCE: account("24992.50", exposure("-9.4", "28299.47")),
    BYBIT: account("24985.30", exposure("-9.4", "28277.38")),
    OKX: account("24980.15", exposure("-9.4", "28267.89")),
}


# ---- Output: risk metrics, "AAVE Risk"


def test_aave_sample__ltv__is_debt_over_collateral() -> None:
    assert SAMPLE.loan_to_value is not None
    assert format_wad(SAMPLE.loan_to_value, 3) == "0.891"  # the sample rounds to 0.892
    assert SAMPLE.loan_to_value == mul_div(to_wad("95.796"), WAD, to_wad("107.44"), Rounding.UP)


def test_aave_sample__health_factor__is_threshold_times_collateral_over_debt() -> None:
    assert SAMPLE.health_factor == 95 * to_wad("107.44") * 10**16 // to_wad("95.796")
    assert SAMPLE.health_factor is not None
    assert format_wad(SAMPLE.health_factor, 4) == "1.0654"


def test_aave_sample__move_to_liquidation__is_one_less_the_inverse_of_the_health_factor() -> None:
    assert SAMPLE.move_to_liquidation is not None
    assert format_wad(SAMPLE.move_to_liquidation * 100, 2) == "6.14"


def test_aave_sample__max_ltv_and_liquidation_threshold__are_two_settings() -> None:
    ltv = SAMPLE.loan_to_value
    assert ltv is not None
    assert SAMPLE.buffer_to_max_ltv == to_wad("0.93") - ltv
    assert format_wad(to_wad("0.93") - ltv, 3) == "0.038"
    assert SAMPLE.buffer_to_liquidation == to_wad("0.95") - ltv


def test_aave_sample__status__is_warning_because_thresholds_decide() -> None:
    found = lending_risk(lending(), SAMPLE)
    assert found.status is RiskStatus.WARNING
    assert found.target_ltv == to_wad("0.91")
    assert found.account.liquidation_bonus == to_wad("0.01")


@pytest.mark.parametrize(
    ("debt", "status"),
    [
        ("85", RiskStatus.SAFE),
        ("85.000000000000000001", RiskStatus.WARNING),
        ("90", RiskStatus.WARNING),
        ("90.000000000000000001", RiskStatus.CRITICAL),
    ],
)
def test_aave_thresholds__at_a_limit__is_within_it(debt: str, status: RiskStatus) -> None:
    assert lending_risk(lending(), loan("100", debt)).status is status


# ---- Output: risk metrics, "CEX Margin Risk"


@pytest.mark.parametrize(
    ("watch", "ratio", "buffer"), [(BINANCE, "0.883", "0.783"), (BYBIT, "0.883", "0.783"), (OKX, "0.883", "0.783")]
)
def test_margin_sample__each_venue__has_ratio_and_buffer(watch: str, ratio: str, buffer: str) -> None:
    found = margin_risk(margin(watch), VENUES[watch])
    assert found.margin_ratio is not None
    assert found.buffer_to_liquidation is not None
    assert format_wad(found.margin_ratio, 3) == ratio
    assert format_wad(found.buffer_to_liquidation, 3) == buffer
    assert found.status is RiskStatus.SAFE


def test_margin_sample__binance__has_the_documents_required_and_free_margin() -> None:
    found = margin_risk(margin(), VENUES[BINANCE])
    assert format_wad(found.required_margin, 2) == "4244.92"
    assert format_wad(found.free_margin, 2) == "20747.57"  # the sample rounds to 20747.58
    assert found.maintenance_margin == to_wad("0.10")


def test_margin_sample__worst_venue__is_the_lowest_ratio() -> None:
    limits = (margin(), margin(BYBIT, "BYBIT"), margin(OKX, "OKX"))
    report = assess(facts(policy(margin=limits, mode=RiskMode.BTC_BASIS, lending=()), accounts=VENUES, WETH="3000"))
    lowest = min(found.margin_ratio for found in report.margin if found.margin_ratio is not None)
    assert report.worst_margin_ratio == lowest == report.margin[0].margin_ratio


@pytest.mark.parametrize(
    ("balance", "status"),
    [
        ("20", RiskStatus.SAFE),
        ("19.999999999999999999", RiskStatus.WARNING),
        ("12", RiskStatus.WARNING),
        ("11.999999999999999999", RiskStatus.CRITICAL),
    ],
)
def test_margin_thresholds__at_a_limit__is_within_it(balance: str, status: RiskStatus) -> None:
    assert margin_risk(margin(), account(balance, exposure("1", "100"))).status is status


def test_margin__no_exposure__is_safe_and_all_of_the_balance_is_free() -> None:
    found = margin_risk(margin(), account("5000"))
    assert (found.margin_ratio, found.buffer_to_liquidation) == (None, None)
    assert (found.required_margin, found.free_margin) == (0, to_wad("5000"))
    assert found.status is RiskStatus.SAFE


def test_margin_overall__worst_venue__counts_where_the_document_reads_what_nothing_writes() -> None:
    low = {BINANCE: account("24992.50", exposure("-9.4", "28299.47")), BYBIT: account("1", exposure("-1", "100"))}
    limits = (margin(), margin(BYBIT, "BYBIT"))
    report = assess(facts(policy(mode=RiskMode.BTC_BASIS, lending=(), margin=limits), accounts=low, WETH="3000"))
    assert [found.status for found in report.margin] == [RiskStatus.SAFE, RiskStatus.CRITICAL]
    assert report.status is RiskStatus.CRITICAL


# ---- Output: risk metrics, "Net Delta Risk"


def test_delta_sample__three_percent_of_equity__is_warning_at_sixty_percent_of_the_limit() -> None:
    found = judge_delta(delta(), to_wad("-5.118"), to_wad("170"))
    assert found.drift == to_wad("-5.118")
    assert found.drift_part is not None
    assert format_wad(found.drift_part * 100, 2) == "3.01"
    assert found.status is RiskStatus.WARNING


@pytest.mark.parametrize(
    ("net", "status"),
    [
        ("3", RiskStatus.SAFE),
        ("3.000000000000000001", RiskStatus.WARNING),
        ("-3.000000000000000001", RiskStatus.WARNING),
        ("5", RiskStatus.WARNING),
        ("-5.000000000000000001", RiskStatus.CRITICAL),
    ],
)
def test_delta_thresholds__at_a_limit__is_within_it(net: str, status: RiskStatus) -> None:
    assert judge_delta(delta(), to_wad(net), to_wad("100")).status is status


def test_delta__target__is_what_drift_is_measured_from() -> None:
    assert judge_delta(delta(target=to_wad("-50")), to_wad("-50"), to_wad("100")).status is RiskStatus.SAFE
    assert judge_delta(delta(target=to_wad("-50")), to_wad("0"), to_wad("100")).status is RiskStatus.CRITICAL


# ---- Core functions


def test_overall_status__all_risks__is_the_worst() -> None:
    valuation = fund(*levered("107.44", "95.796"), weETH="3000", WETH="3000")
    accounts = {BINANCE: account("50000", exposure("-11.644", "34932"))}
    report = assess(facts(policy(), valuation, accounts=accounts, WETH="3000", weETH="3000", USDT="1"))
    assert [report.lending[0].status, report.margin[0].status] == [RiskStatus.WARNING, RiskStatus.SAFE]
    assert report.delta is not None
    assert report.delta.status is RiskStatus.SAFE
    assert report.status is RiskStatus.WARNING
    assert (names(report), report.failures) == (["AAVE_LTV_WARNING"], ())


def test_alerts__each_risk_at_its_worst__have_the_documents_names() -> None:
    valuation = fund(*levered("100", "91"), weETH="3000", WETH="3000")
    accounts = {BINANCE: account("1", exposure("-1", "100"))}
    report = assess(facts(policy(), valuation, accounts=accounts, WETH="3000", weETH="3000", USDT="1"))
    assert names(report) == ["AAVE_LTV_CRITICAL", "BINANCE_MARGIN_CRITICAL", "DELTA_DRIFT_CRITICAL"]
    report = assess(
        facts(
            policy(),
            fund(*levered("100", "89"), weETH="3000", WETH="3000"),
            accounts={BINANCE: account("19", exposure("-10.6", "100"))},
            WETH="3000",
            weETH="3000",
            USDT="1",
        )
    )
    assert names(report) == ["AAVE_LTV_WARNING", "BINANCE_MARGIN_WARNING", "DELTA_DRIFT_WARNING"]


# ---- Simulations


def test_simulate_liquidation__docstring_example__repays_100_seizes_101_loses_1() -> None:
    found = lending_drop(loan("210", "200"), TERMS, to_wad("0.05"))
    assert found is not None
    assert (found.repaid, found.seized, found.lost) == (to_wad("100"), to_wad("101"), to_wad("1"))
    assert (found.after.collateral, found.after.debt) == (to_wad("98.5"), to_wad("100"))
    assert found.before.health_factor == 95 * to_wad("199.5") * 10**16 // to_wad("200")
    assert found.trigger == "the health factor falls to 0.947, below 1"


def test_simulate_liquidation__sample_after_a_drop_within_its_move__is_safe() -> None:
    assert lending_drop(SAMPLE, TERMS, to_wad("0.0613")) is None
    assert lending_drop(SAMPLE, TERMS, to_wad("0.0615")) is not None


def test_simulate_liquidation__health_factor_of_exactly_one__is_safe() -> None:
    assert lending_drop(loan("200", "171"), TERMS, to_wad("0.1")) is None
    assert lending_drop(loan("200", "171.000000000000000001"), TERMS, to_wad("0.1")) is not None


def test_simulate_liquidation__drop__is_of_collateral_against_debt() -> None:
    found = lending_drop(SAMPLE, TERMS, to_wad("0.1"))
    assert found is not None
    assert (found.before.collateral, found.before.debt) == (to_wad("96.696"), to_wad("95.796"))


def test_simulate_cex_liquidation__below_the_maintenance_margin__loses_all_margin() -> None:
    found = exchange_liquidation(account("2799", exposure("-10", "28000")), to_wad("0.10"))
    assert found is not None
    assert (found.margin_lost, found.remaining_balance) == (to_wad("2799"), 0)
    assert (found.venue, found.asset) == ("binance", "USDT")


@pytest.mark.parametrize("balance", ["2800", "5000"])
def test_simulate_cex_liquidation__at_the_maintenance_margin_or_above__is_safe(balance: str) -> None:
    assert exchange_liquidation(account(balance, exposure("-10", "28000")), to_wad("0.10")) is None


def test_simulate_cex_liquidation__no_exposure__is_safe() -> None:
    assert exchange_liquidation(account("1"), to_wad("0.10")) is None


# ---- Testing


def test_aave_ltv_calculation__as_in_the_document() -> None:
    valuation = fund(*levered("107.44", "95.796"), weETH="1", WETH="1")
    report = assess(facts(policy(), valuation, weETH="1", WETH="1"))
    found = report.lending[0].account
    assert found.loan_to_value is not None
    assert found.health_factor is not None
    assert abs(found.loan_to_value - to_wad("95.796") * WAD // to_wad("107.44")) <= to_wad("0.001")
    assert abs(found.health_factor - to_wad("102.068") * WAD // to_wad("95.796")) <= to_wad("0.001")


def test_margin_ratio_warning__as_in_the_document() -> None:
    found = margin_risk(margin(), account("5000", exposure("-10", "28000")))
    assert found.margin_ratio is not None
    assert found.margin_ratio < to_wad("0.20")
    assert found.status is RiskStatus.WARNING


# ---- Modes


def test_modes__each__has_the_risks_that_matter() -> None:
    assert {
        RiskMode.PURE_LENDING: {RiskKind.LENDING},
        RiskMode.BTC_BASIS: {RiskKind.MARGIN, RiskKind.DELTA},
        RiskMode.ETH_LEVERAGED: {RiskKind.LENDING},
        RiskMode.USDT_MARKET_NEUTRAL: {RiskKind.LENDING, RiskKind.MARGIN, RiskKind.DELTA},
    } == RISKS_OF


@pytest.mark.parametrize("mode", [RiskMode.PURE_LENDING, RiskMode.ETH_LEVERAGED])
def test_modes__without_hedge__report_loans_alone(mode: RiskMode) -> None:
    report = assess(facts(policy(mode=mode, margin=(), delta=None), loans={}, weETH="1", WETH="1"))
    assert (report.margin, report.delta, report.worst_margin_ratio) == ((), None, None)
    assert [failure.reader for failure in report.failures] == [AAVE]


# ---- Errors


@pytest.mark.parametrize(
    ("kind", "code", "severity"),
    [
        (RiskCalculationFailed, "RISK-001", ErrorSeverity.HIGH),
        (HealthFactorCritical, "RISK-002", ErrorSeverity.CRITICAL),
        (RiskAlertFailed, "RISK-003", ErrorSeverity.MEDIUM),
    ],
)
def test_error_codes__each__has_the_documents_severity(
    kind: type[RiskCalculationFailed], code: str, severity: ErrorSeverity
) -> None:
    assert (kind.code, kind.severity) == (code, severity)


@pytest.mark.parametrize(
    ("severity", "reaction", "waits"),
    [
        (ErrorSeverity.CRITICAL, Reaction.EMERGENCY, ()),
        (ErrorSeverity.HIGH, Reaction.RETRY, (1, 2, 4)),
        (ErrorSeverity.MEDIUM, Reaction.DEGRADE, ()),
        (ErrorSeverity.LOW, Reaction.LOG, ()),
    ],
)
def test_error_propagation__each_severity__has_its_handling(
    severity: ErrorSeverity, reaction: Reaction, waits: tuple[int, ...]
) -> None:
    assert handling_of(severity) == Handling(reaction, waits)
