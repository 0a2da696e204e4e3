"""Every document says what the frame found, field by field, under the names that tools read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from navoracle.domain.bridge import NavBridge
from navoracle.domain.failures import Failure
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.flows import VaultFlows
from navoracle.domain.frame import NavStatus
from navoracle.domain.nav import Breakdown
from navoracle.domain.prices import PriceStatus
from navoracle.domain.units import WAD, Timestamp, Wad, to_wad
from navoracle.domain.vault import VaultState
from navoracle.state_files.external import External, ExternalPart
from navoracle.state_files.facts import MonitorHealth, NavPoint, RiskPoint, StressLine
from navoracle.state_files.price_ranges import PriceRange
from tests.unit.state_files.builders import (
    FUND,
    NOW,
    SERVED,
    VIEW,
    documents,
    estimate,
    frame,
    gate,
    part,
    report,
    valuation,
    wad,
)

NO_FLOWS = VaultFlows(*6 * [Wad(0)])
NAMES = ("nav_state", "nav", "synced_state", "risk", "kpis", "positions")


def test_header__of_every_document__names_the_frame_and_the_time_of_its_figures() -> None:
    for name, document in documents().items():
        assert (document["format"], document["fund"], document["unit"]) == (1, FUND, "USD"), name
        assert (document["frame"], document["source"], document["status"]) == ("f00d", "slot", "live"), name
        assert (document["updated_at"], document["age_s"]) == (NOW, 5), name
    assert tuple(documents()) == NAMES


def test_nav_state__of_a_frame__equals_it_field_by_field() -> None:
    found, value = documents()["nav_state"], valuation()
    assert wad(found["total_equity"]) == wad(found["nav"]) == value.after.nav
    assert wad(found["nav_before"]) == value.before.nav != value.after.nav
    assert wad(found["price_per_share"]) == value.price_per_share
    assert wad(found["shares"]) == value.shares
    assert wad(found["undecayed_nav"]) == value.undecayed_nav
    assert found["confidence_bps"] == value.confidence
    assert (found["slot_time"], found["cadence"], found["nav_source"]) == (NOW - NOW % 3_600, "hourly", "frame")


def test_nav_state__of_a_gate__has_peaks_and_falls_as_fractions_and_in_equity() -> None:
    found, decided, shares = documents()["nav_state"], gate(), 10_000
    assert wad(found["drawdown_pct"]) == decided.drawdown
    assert wad(found["daily_loss_pct"]) == decided.daily_loss
    assert wad(found["peak_price_per_share"]) == decided.peak
    assert wad(found["daily_peak_price_per_share"]) == decided.daily_peak
    assert found["peak_state"] == "fresh"
    assert wad(found["peak_equity"]) == to_wad("2.5") * shares
    assert wad(found["drawdown_abs"]) == to_wad("0.4") * shares
    assert wad(found["daily_peak_equity"]) == to_wad("2.2") * shares
    assert wad(found["daily_loss_abs"]) == to_wad("0.1") * shares


def test_nav_state__of_what_the_chain_serves__has_it_with_the_difference_to_the_wei() -> None:
    served, value = documents()["nav_state"]["confirmed"], valuation()
    assert wad(served["nav"]) == SERVED.nav
    assert wad(served["price_per_share"]) == SERVED.price_per_share
    assert (served["valuation_time"], served["age_s"], served["block_number"]) == (NOW - 3_600, 3_605, 7)
    assert (served["held"], served["live"]) == (False, True)
    assert wad(served["nav_difference"]) == value.after.nav - to_wad("21000")
    assert wad(served["price_per_share_difference"]) == value.price_per_share - SERVED.price_per_share


def test_nav_state__series__has_every_point_and_says_why_a_figure_is_missing() -> None:
    points = (
        NavPoint(Timestamp(NOW - 7), None, None, "halted", "dead", "slot"),
        NavPoint(NOW, to_wad("2"), to_wad("1.5"), "live", "f00d", "look"),
    )
    found = documents(series=points)["nav_state"]
    assert found["series"] == [
        {"t": NOW - 7, "nav": None, "price_per_share": None, "status": "halted", "frame": "dead", "source": "slot"},
        {"t": NOW, "nav": "2", "price_per_share": "1.5", "status": "live", "frame": "f00d", "source": "look"},
    ]
    assert found["unknown"]["/series/*/nav"] == found["unknown"]["/series/*/price_per_share"] == "not_valued"
    assert "/series/*/frame" not in found["unknown"]


def test_nav_state__without_a_gate__knows_no_peak_and_never_says_zero() -> None:
    found = documents(part=part(gate=None))["nav_state"]
    for name in ("peak_equity", "peak_price_per_share", "drawdown_pct", "drawdown_abs", "daily_loss_pct"):
        assert found[name] is None
        assert found["unknown"][f"/{name}"] == "no_gate"
    assert found["peak_state"] == "unknown"


def test_nav_state__of_a_frame_without_a_valuation__has_what_the_chain_serves_with_its_own_age() -> None:
    halted = part(status=NavStatus.HALTED, reason="no_price", valuation=None)
    found = documents(part=halted)["nav_state"]
    assert (found["status"], found["reason"], found["nav_source"]) == ("halted", "no_price", "confirmed")
    assert wad(found["total_equity"]) == SERVED.nav
    assert (found["updated_at"], found["age_s"]) == (NOW - 3_600, 3_605)
    assert found["shares"] is None
    assert found["unknown"]["/shares"] == "no_price"


def test_nav_state__of_nothing_that_is_known__is_null_with_the_reason() -> None:
    halted = part(status=NavStatus.HALTED, reason="no_price", valuation=None)
    found = documents(part=halted, confirmed=None)["nav_state"]
    assert found["total_equity"] is None
    assert found["confirmed"] is None
    assert (found["unknown"]["/total_equity"], found["unknown"]["/confirmed"]) == ("no_price", "not_served")
    assert found["nav_source"] == "unknown"


def test_documents__seeded_from_what_the_chain_serves__say_so_and_know_nothing_else() -> None:
    point = NavPoint(SERVED.valuation_time, SERVED.nav, SERVED.price_per_share, "confirmed", None, "confirmed")
    found = documents(frame=None, part=None, source="confirmed", series=(point,))
    for document in found.values():
        assert (document["frame"], document["source"], document["status"]) == (None, "confirmed", "confirmed")
        assert document["unknown"]["/frame"] == "no_frame"
        assert document["updated_at"] == SERVED.valuation_time
    assert wad(found["nav_state"]["total_equity"]) == wad(found["synced_state"]["nav"]["nav"]) == SERVED.nav
    assert found["nav_state"]["series"][0]["source"] == "confirmed"
    assert found["positions"]["positions"] is None
    assert found["kpis"]["risk"]["dd_state"] == "unknown"
    assert found["nav"]["fx"]["fallback"] is True


def test_overrides__of_this_fund__are_mirrored_into_nav_state_and_synced_state() -> None:
    said = {
        "funds.alpha.gate.max_drawdown": {"value": "0.2", "instead_of": None, "expires_at": None},
        "funds.alphabet.gate.max_drawdown": {"value": "0.3", "instead_of": "0.1", "expires_at": None},
    }
    found = documents(overrides=said)
    own = {"funds.alpha.gate.max_drawdown": {"value": "0.2", "instead_of": None, "expires_at": None}}
    assert found["nav_state"]["overrides"] == found["synced_state"]["overrides"] == own


# ---- nav.json


def test_nav__components_and_fees__equal_the_valuation() -> None:
    found, value = documents()["nav"], valuation()
    for name, breakdown in (("before", value.before), ("after", value.after)):
        components = found["components"][name]
        for field in Breakdown._fields:
            assert wad(components[field]) == getattr(breakdown, field), field
        assert (wad(components["gross"]), wad(components["nav"])) == (breakdown.gross, breakdown.nav)
    for name in ("management", "performance", "withdrawal", "total"):
        assert wad(found["fees"][name]) == getattr(value.fees, name)
    assert value.fees.management > 0


def test_nav__mark_and_clock_of_fees__are_those_of_the_vault_that_keeps_them() -> None:
    without = documents()["nav"]
    assert (without["fees"]["high_water_mark"], without["fees"]["accrued_since"]) == (None, None)
    assert without["unknown"]["/fees/high_water_mark"] == without["unknown"]["/fees/accrued_since"] == "no_vault"

    kept = FeeState(to_wad("1.25"), Timestamp(NOW - 60))
    read = documents(part=part(vault=VaultState(FeeTerms(), kept, NO_FLOWS)))["nav"]
    assert (wad(read["fees"]["high_water_mark"]), read["fees"]["accrued_since"]) == (to_wad("1.25"), NOW - 60)

    new = documents(part=part(vault=VaultState(FeeTerms(), FeeState(), NO_FLOWS)))["nav"]
    assert (new["fees"]["high_water_mark"], new["fees"]["accrued_since"]) == (None, None)
    assert new["unknown"]["/fees/high_water_mark"] == new["unknown"]["/fees/accrued_since"] == "not_begun"


def test_nav__asset_breakdown__has_what_is_held_by_asset() -> None:
    found = documents()["nav"]["nav_detail"]["asset_breakdown"]
    rows = [row for row in valuation().positions if not row.component.is_liability]
    assert set(found) == {"USDC", "ETH", "WBTC"}
    for asset, entry in found.items():
        assert entry["usd"] == entry["value"]
        assert wad(entry["usd"]) == sum(row.value for row in rows if row.asset == asset)
    assert found["USDC"]["amount"] == "1250.123456"
    assert found["WBTC"] == {"amount": "0.5", "usd": "21000", "value": "21000", "price": "42000"}
    # 2 at cost, of whose loss the mark price tells, and what 10 have earned in a day at 5 %, in units.
    assert found["ETH"]["price"] == "2000.5"
    assert wad(found["ETH"]["amount"]) == to_wad("2") + valuation().positions[4].value * WAD // to_wad("2000.5")


def test_nav__prices__are_those_that_it_was_valued_at() -> None:
    found = documents()["nav"]
    assert found["mark_prices"] == {"USDC": "0.999", "ETH": "2000.5", "WBTC": "42000"}
    assert found["prices"]["WBTC"] == {
        "price": "42000", "status": "live", "confidence_bps": 9_000, "as_of": NOW - 10, "age_s": 15, "reason": "",
    }  # fmt: skip
    assert "USDC debt" in found["prices"]


def test_nav__of_a_gate__has_mode_freshness_and_lines() -> None:
    found, health = documents()["nav"], gate().health
    assert (found["nav_mode"], found["sources_ok"]) == ("enhanced", True)
    assert found["freshness"] == {"fresh": True, "balances_age_s": 12, "marks_age_s": 10, "cache_age_s": None}
    assert found["unknown"]["/freshness/cache_age_s"] == "no_fallback"
    (line,) = found["assets"]
    assert (line["asset"], line["included"]) == ("ETH", True)
    assert (wad(line["amount"]), wad(line["mark_price"]), wad(line["value"])) == (
        health.assets[0].amount,
        health.assets[0].mark_price,
        health.assets[0].value,
    )


def test_nav__without_a_gate__is_of_everything_and_its_health_is_unknown() -> None:
    found = documents(part=part(gate=None))["nav"]
    assert (found["nav_mode"], found["sources_ok"], found["assets"]) == ("standard", None, [])
    assert found["freshness"] == {"fresh": None, "balances_age_s": None, "marks_age_s": None, "cache_age_s": None}
    for name in ("fresh", "balances_age_s", "marks_age_s", "cache_age_s"):
        assert found["unknown"][f"/freshness/{name}"] == "no_gate"


def test_aum__slices__are_exchanges_as_wholes_and_everything_else_by_asset() -> None:
    found = documents()["nav"]["aum"]
    labels = [(piece["kind"], piece["label"]) for piece in found["slices"]]
    assert labels == [("exchange", "binance"), ("asset", "ETH"), ("asset", "USDC")]
    assert set(found["offexchange"]) == {"ETH", "USDC"}
    assert set(found["assets"]) == {"ETH", "USDC", "WBTC"}
    assert [piece["label"] for piece in found["by_venue"]] == ["binance", "vault desk", "wallet", "declared"]
    assert [piece["label"] for piece in found["by_chain"]] == ["off_chain", "main"]
    assert set(found["liabilities"]) == {"USDC"}
    assert found["liabilities"]["USDC"]["amount"] == "5000"


def test_aum__totals__are_assets_less_what_is_owed_and_fees() -> None:
    found, value = documents()["nav"]["aum"], valuation()
    assets = sum(row.value for row in value.positions if not row.component.is_liability)
    assert wad(found["total_usd"]) == assets
    assert wad(found["liabilities_usd"]) == value.before.debt
    assert wad(found["total_usd"]) - wad(found["liabilities_usd"]) - wad(found["fees_usd"]) == value.after.nav
    assert wad(found["nav_usd"]) == value.after.nav


def test_fx__of_a_live_price__is_its_inverse_with_its_age() -> None:
    found = documents()["nav"]["fx"]
    assert found["usd_zar"] == found["rate"]
    assert wad(found["usd_zar"]) == WAD * WAD // to_wad("0.055")
    assert (found["currency"], found["source"], found["fallback"], found["reason"]) == ("ZAR", "live", False, "")
    assert (found["as_of"], found["age_s"]) == (NOW - 10, 15)


def test_fx__of_a_price_past_its_time__is_the_last_valid_one_without_its_haircut() -> None:
    whole = frame()
    old = replace(estimate("ZAR", "0.05", age=900, status=PriceStatus.ESTIMATED), undecayed_price=to_wad("0.0625"))
    found = documents(frame=replace(whole, estimates={**whole.estimates, ("ZAR", "asset"): old}))["nav"]["fx"]
    assert (found["usd_zar"], found["source"], found["fallback"], found["age_s"]) == ("16", "last_valid", False, 905)
    assert found["reason"] == "no_quorum"


def test_fx__without_a_price__is_the_marked_fallback_with_the_reason() -> None:
    found = documents(frame=frame(ZAR=None))["nav"]
    assert (found["fx"]["usd_zar"], found["fx"]["fallback"], found["fx"]["source"]) == ("18", True, "fallback")
    assert found["fx"]["reason"] == "no_quorum"
    assert found["fx"]["as_of"] is None
    assert found["unknown"]["/fx/as_of"] == "no_quorum"
    assert wad(found["aum"]["total_reporting"]) == wad(found["aum"]["total_usd"]) * 18


def test_fx__without_price_and_fallback__is_null_with_the_reason_and_no_amount_is_told() -> None:
    assert VIEW.reporting is not None
    view = replace(VIEW, reporting=replace(VIEW.reporting, fallback=None))
    found = documents(view=view, frame=frame(ZAR=None))["nav"]
    assert found["fx"]["usd_zar"] is None
    assert found["unknown"]["/fx/usd_zar"] == "no_quorum"
    assert found["aum"]["total_reporting"] is None
    assert all(piece["reporting"] is None for piece in found["aum"]["slices"])
    assert found["unknown"]["/aum/slices/*/reporting"] == "no_quorum"


def test_fx__without_a_reporting_currency__is_null() -> None:
    found = documents(view=replace(VIEW, reporting=None))["nav"]
    assert found["fx"] is None
    assert found["unknown"]["/fx"] == "no_reporting_currency"


# ---- synced_state.json


def test_synced_state__diagnostics__are_the_gates_own() -> None:
    found, decided = documents()["synced_state"], gate()
    section = found["gate"]
    assert section["configured"] is True
    assert section["vetoes"] == ["nav_drawdown_limit"]
    assert section["warnings"] == ["sources_failed"]
    assert section["stops"] == ["posting", "deposits"]
    diagnostics = section["diagnostics"]
    assert set(diagnostics) == {"nav_health", "peak_state", "drawdown", "daily_loss", "assets"}
    assert wad(diagnostics["nav_health"]["nav"]) == decided.health.nav
    assert wad(diagnostics["nav_health"]["price_per_share"]) == decided.health.price_per_share
    assert diagnostics["nav_health"]["measure"] == decided.health.measure
    assert diagnostics["nav_health"]["freshness"]["fresh"] is True
    assert (wad(diagnostics["drawdown"]["value"]), wad(diagnostics["drawdown"]["limit"])) == (
        to_wad("0.16"),
        to_wad("0.1"),
    )
    assert wad(diagnostics["daily_loss"]["limit"]) == to_wad("0.05")
    assert decided.peaks is not None
    for peaks in (found["peak_state"], diagnostics["peak_state"]):
        assert (peaks["peak_at"], peaks["daily_peak_at"]) == (decided.peaks.peak_at, decided.peaks.daily_peak_at)
        assert peaks["peak_updated_at"] == NOW
        assert wad(peaks["peak_price_per_share"]) == decided.peak
    assert found["positions_count"] == len(valuation().positions)


def test_synced_state__baseline__is_the_frames_nav_or_what_the_chain_serves() -> None:
    assert documents()["synced_state"]["nav"] == {
        "nav": documents()["nav_state"]["nav"],
        "total_equity": documents()["nav_state"]["nav"],
        "price_per_share": documents()["nav_state"]["price_per_share"],
        "source": "frame",
        "ts": NOW,
    }
    halted = part(status=NavStatus.HALTED, reason="no_price", valuation=None)
    served = documents(part=halted)["synced_state"]["nav"]
    assert (served["nav"], served["source"], served["ts"]) == ("21000", "confirmed", NOW - 3_600)


# ---- risk.json


def test_risk__of_a_report__equals_it() -> None:
    found, said = documents()["risk"], report()
    assert (found["configured"], found["risk_status"], found["is_complete"]) == (True, "critical", True)
    (loan,), account = found["lending"], said.lending[0].account
    assert (loan["collateral"], loan["debt"]) == ("107.44", "95.796")
    for name, amount in {
        "ltv": account.loan_to_value,
        "target_ltv": said.lending[0].target_ltv,
        "max_ltv": account.max_ltv,
        "liquidation_threshold": account.liquidation_threshold,
        "liquidation_bonus": account.liquidation_bonus,
        "health_factor": account.health_factor,
        "buffer_to_max_ltv": account.buffer_to_max_ltv,
        "buffer_to_liquidation": account.buffer_to_liquidation,
        "move_to_liquidation": account.move_to_liquidation,
    }.items():
        assert wad(loan[name]) == amount, name
    assert (loan["status"], loan["ltv_status"], loan["health_factor_status"]) == ("warning", "warning", "safe")
    (venue,) = found["margin"]
    assert (venue["balance"], venue["exposure"], venue["margin_ratio"]) == ("1000", "0", None)
    assert found["unknown"]["/margin/0/margin_ratio"] == "no_exposure"
    assert found["unknown"]["/margin/0/funding_per_year"] == "not_counted"
    assert (found["delta"]["net_delta"], found["delta"]["drift_pct"]) == ("2", None)
    assert found["unknown"]["/delta/drift_pct"] == "no_equity"
    assert found["limits"][0]["value"] is None
    assert found["unknown"]["/limits/0/value"] == "no_nav"
    assert found["alerts"][0]["name"] == "AAVE_LTV_WARNING"
    assert found["worst_margin_ratio"] is None


def test_risk__stress_and_history__are_told_as_given() -> None:
    lines = (
        StressLine("crash", ("ETH",), to_wad("0.2"), to_wad("80"), to_wad("0.8"), to_wad("-0.2"), ("x",), Wad(1), ()),
        StressLine("crash", ("ETH",), to_wad("0.5"), None, None, None, (), Wad(0), ("a price is missing",)),
    )
    history = (RiskPoint(NOW, "warning", ("AAVE_LTV_WARNING",), "f00d"),)
    found = documents(stress=lines, risk_history=history)["risk"]
    assert found["stress"][0] == {
        "name": "crash", "assets": ["ETH"], "fall": "0.2", "nav": "80", "nav_per_share": "0.8", "change_pct": "-0.2",
        "liquidated": ["x"], "cost": "0.000000000000000001", "failures": [],
    }  # fmt: skip
    assert found["stress"][1]["nav"] is None
    assert found["unknown"]["/stress/1/nav"] == "a price is missing"
    assert found["history"] == [{"t": NOW, "status": "warning", "alerts": ["AAVE_LTV_WARNING"], "frame": "f00d"}]


def test_risk__of_a_fund_without_a_monitor__is_unknown() -> None:
    found = documents(part=part(risk=None))["risk"]
    assert (found["configured"], found["risk_status"], found["is_complete"]) == (False, "unknown", None)
    assert (found["health"], found["unknown"]["/error_rate"]) == ("unknown", "no_monitor_runs")
    assert (found["lending"], found["alerts"]) == ([], [])
    assert found["unknown"]["/delta"] == found["unknown"]["/stress"] == "no_risk_monitor"


def test_risk__of_the_monitor__has_its_health_and_what_could_not_be_read() -> None:
    unread = replace(report(), failures=(Failure("alpha.risk.aave", "read", "no answer", "Look."),))
    found = documents(part=part(risk=unread), monitor=MonitorHealth("degraded", 20, 1, to_wad("0.05")))["risk"]
    assert (found["is_complete"], found["health"], found["error_rate"]) == (False, "degraded", "0.05")
    assert found["failures"] == [
        {"reader": "alpha.risk.aave", "code": "read", "message": "no answer", "advice": "Look."}
    ]


# ---- kpis.json


def test_kpis__risk__has_the_names_that_dashboards_read() -> None:
    found = documents()["kpis"]
    assert {"nav", "risk", "router", "symbols"} <= set(found)
    assert {"dd_state", "drawdown_pct", "atr_ratio", "atr_regime", "fee_pnl_ratio"} <= set(found["risk"])
    assert {"maker_fill_rate", "fallback_ratio", "slip_q50_bps"} <= set(found["router"])
    assert {"dd_state", "dd_today_pct", "atr_ratio", "atr_regime"} <= set(found["symbols"]["ETH"])
    assert wad(found["risk"]["drawdown_pct"]) == gate().drawdown
    assert (found["risk"]["dd_state"], found["risk"]["status"]) == ("breached", "critical")


@pytest.mark.parametrize(
    ("drawdown", "state"),
    [("0.06", "normal"), ("0.060000000000000001", "caution"), ("0.1", "caution"), ("0.100000000000000001", "breached")],
)
def test_kpis__drawdown_state__goes_by_the_gates_limit_of_ten_percent(drawdown: str, state: str) -> None:
    assert documents(part=part(gate=gate(drawdown=drawdown)))["kpis"]["risk"]["dd_state"] == state


def test_kpis__drawdown_from_a_stale_peak__is_no_state() -> None:
    stale = replace(gate(), peak_state="stale")
    assert documents(part=part(gate=stale))["kpis"]["risk"]["dd_state"] == "unknown"


def test_kpis__without_telemetry__are_unknown_and_never_zero() -> None:
    found = documents()["kpis"]
    assert found["router"] == {
        "state": "unknown", "maker_fill_rate": None, "fallback_ratio": None, "slip_q50_bps": None, "more": {},
    }  # fmt: skip
    assert found["unknown"]["/router/maker_fill_rate"] == "not_configured"
    assert found["telemetry"]["router"] == {
        "state": "unknown", "reason": "not_configured", "updated_at": None, "age_s": None,
    }  # fmt: skip
    assert found["symbols"]["ETH"]["atr_regime"] == "unknown"
    assert found["unknown"]["/symbols/ETH/atr_ratio"] == "no_prices"


def test_kpis__telemetry__fills_what_the_keeper_does_not_know_and_replaces_nothing() -> None:
    told = External(
        router=ExternalPart("", Timestamp(NOW), {"maker_fill_rate": "0.83", "orders": "12"}),
        symbols=ExternalPart(
            "", NOW, {"ETH": {"dd_state": "normal", "atr_ratio": "9", "atr_regime": "hot"}, "XAUT": {"atr_ratio": "2"}}
        ),
        execution=ExternalPart("", NOW, {"fee_pnl_ratio": "0.1", "venue": "x"}),
    )
    known = {"ETH": PriceRange(None, None, to_wad("0.06"), "too few")}
    found = documents(external=told, ranges=known)["kpis"]
    assert found["router"]["state"] == "known"
    assert found["router"]["maker_fill_rate"] == "0.83"
    assert found["router"]["fallback_ratio"] is None
    assert found["unknown"]["/router/fallback_ratio"] == "not_stated"
    assert found["router"]["more"] == {"orders": "12"}
    eth = found["symbols"]["ETH"]
    # A fall of 6 % today is beyond the limit of 5 %, whatever telemetry says of it.
    assert (eth["dd_state"], eth["dd_today_pct"], eth["atr_ratio"], eth["atr_regime"], eth["source"]) == (
        "breached", "0.06", "9", "hot", "both",
    )  # fmt: skip
    assert "/symbols/ETH/atr_ratio" not in found["unknown"]
    assert (found["symbols"]["XAUT"]["source"], found["symbols"]["XAUT"]["atr_ratio"]) == ("external", "2")
    assert found["risk"]["fee_pnl_ratio"] == "0.1"
    assert found["execution"] == {"fee_pnl_ratio": "0.1", "venue": "x"}
    assert found["telemetry"]["router"] == {"state": "known", "reason": "", "updated_at": NOW, "age_s": 5}


def ranges(**ratios: str) -> dict[str, PriceRange]:
    return {asset: PriceRange(to_wad("0.01"), to_wad(ratio), Wad(0)) for asset, ratio in ratios.items()}


def test_kpis__range_of_the_fund__is_the_mean_weighted_by_value() -> None:
    known = ranges(USDC="1", ETH="2", WBTC="0.25")
    found = documents(ranges=known)["kpis"]["risk"]
    weights: dict[str, int] = {}
    for row in valuation().positions:
        weights[row.asset] = weights.get(row.asset, 0) + abs(row.value)
    expected = sum(weights[asset] * ratio for asset, ratio in {"USDC": WAD, "ETH": 2 * WAD, "WBTC": WAD // 4}.items())
    assert wad(found["atr_ratio"]) == expected // sum(weights.values())
    assert found["atr_regime"] == "normal"


def test_kpis__range_of_the_fund__is_unknown_when_one_asset_is() -> None:
    found = documents(ranges=ranges(USDC="1", ETH="2"))["kpis"]
    assert (found["risk"]["atr_ratio"], found["risk"]["atr_regime"]) == (None, "unknown")
    assert found["unknown"]["/risk/atr_ratio"] == "WBTC: no_prices"


def bridge(price: str, fees: str, unexplained: str | None = "0") -> NavBridge:
    rest = None if unexplained is None else to_wad(unexplained)
    return NavBridge(Wad(0), Wad(0), to_wad(price), to_wad("5"), to_wad(fees), rest, rest, Wad(0), Wad(1), None, ())


def test_kpis__fees_over_profit__is_by_the_bridge_rounded_up() -> None:
    assert documents(part=part(bridge=bridge("25", "-10")))["kpis"]["risk"]["fee_pnl_ratio"] == ("0.333333333333333334")


@pytest.mark.parametrize(
    ("found", "why"),
    [(bridge("-5", "-10"), "no_profit"), (bridge("25", "-10", None), "flows_not_known"), (None, "no_bridge")],
)
def test_kpis__fees_without_a_profit_or_a_bridge__are_no_ratio(found: Any, why: str) -> None:
    kpis = documents(part=part(bridge=found))["kpis"]
    assert kpis["risk"]["fee_pnl_ratio"] is None
    assert kpis["unknown"]["/risk/fee_pnl_ratio"] == why


# ---- positions.json


def test_positions__every_row__has_its_place_and_equals_the_valuation() -> None:
    found, value = documents()["positions"]["positions"], valuation()
    assert len(found) == len(value.positions)
    for entry, row in zip(found, value.positions, strict=True):
        sign = -1 if row.component.is_liability else 1
        assert (entry["position"], entry["symbol"], entry["component"]) == (
            row.position, row.asset, row.component.value,
        )  # fmt: skip
        assert (wad(entry["price"]), wad(entry["notional"])) == (row.price, row.value)
        assert (wad(entry["value"]), wad(entry["undecayed"])) == (sign * row.value, sign * row.undecayed)
        assert (entry["confidence_bps"], entry["epoch"]) == (row.confidence, row.epoch)
        assert entry["side"] == ("debt" if row.component.is_liability else "asset")
    assert sum(wad(entry["value"]) for entry in found) == value.after.nav + value.fees.total
    places = {entry["position"]: (entry["venue"], entry["chain"], entry["at_exchange"]) for entry in found}
    assert places["alpha.margin/BTC"] == ("binance", None, True)
    assert places["alpha.loan"] == ("aave_v3", "base", False)


def test_positions__carried_at_cost__have_entry_price_and_gain_once() -> None:
    found = documents()["positions"]
    cost, gain = (entry for entry in found["positions"] if entry["position"] == "alpha.cost")
    assert (cost["entry_price"], cost["pnl"], cost["notional"]) == ("2100", "-199", "4200")
    assert (gain["entry_price"], gain["pnl"], gain["notional"], gain["price"]) == (None, None, "-199", "2000.5")
    assert found["unknown"]["/positions/*/pnl"] == "no_entry_price"


def test_text__of_failures_and_reasons__has_no_secrets() -> None:
    secret = "https://user:hunter2@node.example/v2/0123456789abcdef"
    shaky = replace(report(), alerts=(replace(report().alerts[0], message=f"asked {secret}"),))
    found = documents(part=part(status=NavStatus.HALTED, reason=f"asked {secret}", risk=shaky))
    assert "hunter2" not in str(found)
    assert "0123456789abcdef" not in str(found)
    assert "asked" in found["risk"]["alerts"][0]["message"]
