"""What is told of the risk monitor: events with their grounds, gauges without guesses, and the rule of each alert."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from navoracle.composition.risk_events import MOST_SAFE_FUNDS
from navoracle.domain.errors import ErrorSeverity
from navoracle.domain.frame import NavFrame
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.policy import RiskMode
from navoracle.domain.risk.report import RiskAlert, RiskReport
from navoracle.domain.units import Timestamp, to_wad
from navoracle.keeper.risk_looks import Trigger
from navoracle.risk.assess import assess
from navoracle.risk.health import HealthRule
from navoracle.risk.monitor import RiskMonitor
from navoracle.storage import SqlStore
from navoracle.store_port import Severity
from navoracle.telemetry.alerts import RULES, RuleName
from navoracle.telemetry.alerts.risk_rules import RISK_RULES, fund_of, rule_of, subject_of, told_status
from navoracle.telemetry.components import component_of
from tests.unit.composition.test_observers import Here
from tests.unit.domain.builders import NOW as GATE_NOW
from tests.unit.risk.builders import AAVE, BINANCE, account, delta, exposure, facts, margin, policy
from tests.unit.risk.frames import FUND, frame, gate, report, together, unread
from tests.unit.risk.gate_builders import HOUR, history, peaks, prior
from tests.unit.storage.builders import NOW, empty_sqlite_store


class Told(Here):
    """An observer that hears of a monitor."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store)
        self.monitor = RiskMonitor(history_limit=10, rule=HealthRule(to_wad("0.1"), max_age=600), started=NOW)

    def sees(self, found: NavFrame, trigger: Trigger = "look") -> None:
        seen = self.monitor.observe(found)
        health = self.monitor.update(seen.own_errors, succeeded=not seen.failed, at=NOW)
        self.observer.risk_observed(seen, health, trigger, 0.0421)

    def gauge(self, name: str, /, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"navoracle_{name}", labels)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Told]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as store:
        yield Told(store)


# ---- events


def test_event__of_every_frame__says_what_the_monitor_saw_and_how_long_it_took(here: Told) -> None:
    here.sees(frame(report("86"), decision=gate("950")), "slot")
    (event,) = here.events("state_update")
    assert event.data == {
        "trigger_source": "slot",
        "frame": "at 0",
        "valued_at": NOW,
        "funds": {
            FUND: {
                "status": "warning",
                "ltv_ratio": {AAVE: str(to_wad("0.86"))},
                "health_factor": {AAVE: str(95 * 10**18 // 86)},
                "margin_ratio": {},
                "delta_drift": None,
                "drawdown": str(to_wad("0.05")),
                "vetoes": [],
            }
        },
        "safe_funds": 0,
        "health": "healthy",
        "error_rate": "0",
        "processing_time_ms": 42,
    }
    assert component_of(event.kind, event.data) == "risk"
    json.dumps(event.data)


def test_event__many_funds_within_their_limits__describes_some_and_counts_all(here: Told) -> None:
    names = [f"fund-{number:03}" for number in range(MOST_SAFE_FUNDS + 30)]
    here.sees(together(*(frame(report("80"), fund=name) for name in names), frame(report("91"), fund="zeta")))
    (event,) = here.events("state_update")
    assert event.data["safe_funds"] == len(names)
    told = event.data["funds"]
    assert isinstance(told, dict)
    assert (len(told), "zeta" in told) == (MOST_SAFE_FUNDS + 1, True)


def test_events__alert_raised_and_over__are_one_each_with_advice(here: Told) -> None:
    for at, debt in enumerate(("91", "91", "80")):
        here.sees(frame(report(debt), at=60 * at))
    raised = {str(event.data["alert"]): event for event in here.events("risk_alert")}
    assert set(raised) == {"AAVE_LTV_CRITICAL", "AAVE_HEALTH_FACTOR_WARNING"}
    critical = raised["AAVE_LTV_CRITICAL"]
    assert (critical.fund, critical.severity) == (FUND, Severity.CRITICAL)
    assert critical.message.startswith("AAVE_LTV_CRITICAL: AAVE: loan-to-value 91.00 %")
    assert critical.advice == "Repay debt or add collateral."
    assert critical.data == {"alert": "AAVE_LTV_CRITICAL", "watch": AAVE, "status": "critical", "frame": "at 0"}
    assert raised["AAVE_HEALTH_FACTOR_WARNING"].severity is Severity.WARNING
    assert {str(event.data["alert"]) for event in here.events("risk_alert_over")} == set(raised)


def test_events__critical_health_factor__are_an_error_and_one_of_its_own(here: Told) -> None:
    here.sees(frame(report("94")))
    (error,) = here.events("error")
    assert (error.data["component"], error.data["error_code"]) == ("risk", "RISK-002")
    assert error.data["error_severity"] == "CRITICAL"
    (own,) = here.events("risk_health_factor_critical")
    assert (own.fund, own.severity, own.advice) == (FUND, Severity.CRITICAL, "Repay debt or add collateral now.")


def test_events__account_that_cannot_be_read__are_an_error_and_one_of_its_own(here: Told) -> None:
    here.sees(frame(unread()))
    (error,) = here.events("error")
    assert (error.data["error_code"], error.data["error_severity"]) == ("RISK-001", "HIGH")
    (own,) = here.events("risk_calculation_failed")
    assert (own.fund, own.severity) == (FUND, Severity.WARNING)


def test_events__error_that_lasts__is_told_once_and_again_when_it_comes_back(here: Told) -> None:
    for at, found in enumerate((unread(), unread(), report("80"), unread())):
        here.sees(frame(found, at=60 * at))
    assert len(here.events("risk_calculation_failed")) == 2


def test_events__veto_begins_and_ends__have_the_grounds_of_the_decision(here: Told) -> None:
    for at, nav in enumerate(("890", "960")):
        here.sees(frame(decision=gate(nav), at=60 * at))
    drawdown, day = sorted(here.events("nav_gate_vetoed"), key=lambda event: str(event.data["veto"]), reverse=True)
    assert (drawdown.data["veto"], day.data["veto"]) == ("nav_drawdown_limit", "day_loss_limit")
    assert drawdown.severity is Severity.CRITICAL
    assert drawdown.message == (
        "nav_drawdown_limit: drawdown 11.0000 %, day's loss 11.0000 %; stops posting, settlements, deposits"
    )
    grounds = drawdown.data
    assert set(grounds) >= {"nav_health", "peak_state", "drawdown", "daily_loss", "assets", "stops", "vetoes"}
    assert (grounds["drawdown"], grounds["peak_state"]) == (str(to_wad("0.11")), "fresh")
    assert grounds["assets"] == [
        {
            "asset": "USD",
            "amount": str(to_wad("890")),
            "mark_price": str(to_wad("1")),
            "value": str(to_wad("890")),
            "included": True,
        }
    ]
    assert len(here.events("nav_gate_cleared")) == 2


def test_events__peak_set_anew__is_told(here: Told) -> None:
    stale = prior(peaks(age=50 * HOUR), points=history("990", "1010", "1000"))
    here.sees(frame(decision=gate("1000", prior=stale)))
    (event,) = here.events("nav_gate_peak_healed")
    assert (event.fund, event.data["peak_state"], event.data["peak"]) == (
        FUND,
        "healed_from_history",
        str(to_wad("1010")),
    )


# ---- gauges


def test_gauges__what_is_known__are_ratios_by_fund_and_watch(here: Told) -> None:
    here.sees(frame(report("86"), decision=gate("890")))
    assert here.gauge("aave_ltv_ratio", fund=FUND, watch=AAVE) == pytest.approx(0.86)
    assert here.gauge("aave_health_factor", fund=FUND, watch=AAVE) == pytest.approx(95 / 86)
    assert here.gauge("risk_status", fund=FUND, status="warning") == 1
    assert here.gauge("risk_status", fund=FUND, status="safe") == 0
    assert here.gauge("drawdown_ratio", fund=FUND) == pytest.approx(0.11)
    assert here.gauge("daily_loss_ratio", fund=FUND) == pytest.approx(0.11)
    assert here.gauge("gate_blocked", fund=FUND, gate="nav_drawdown_limit") == 1
    assert here.gauge("gate_blocked", fund=FUND, gate="nav_stale") == 0
    assert here.gauge("gate_stops", fund=FUND, stop="posting") == 1
    assert here.gauge("risk_health") == 1
    assert here.gauge("risk_error_ratio") == 0


def test_gauges__what_is_not_known__are_absent_and_not_zero(here: Told) -> None:
    here.sees(frame(report("80")))
    assert here.gauge("drawdown_ratio", fund=FUND) is None
    assert here.gauge("delta_ratio", fund=FUND) is None
    here.sees(frame(unread(), decision=gate("1000", valuation=None, confirmed=None), at=60))
    assert here.gauge("aave_ltv_ratio", fund=FUND, watch=AAVE) is None
    assert here.gauge("aave_health_factor", fund=FUND, watch=AAVE) is None
    here.sees(frame(report("80"), at=120))
    assert here.gauge("aave_ltv_ratio", fund=FUND, watch=AAVE) == pytest.approx(0.8)


def test_gauges__loan_without_debt_and_account_without_exposure__have_no_ratio(here: Told) -> None:
    here.sees(frame(assessed(BINANCE, "50"), at=0))
    assert here.gauge("cex_margin_ratio", fund=FUND, venue=BINANCE) == pytest.approx(0.5)
    here.sees(frame(assessed(BINANCE, "50", flat=True), at=60))
    assert here.gauge("cex_margin_ratio", fund=FUND, venue=BINANCE) is None
    here.sees(frame(report("0"), at=120))
    assert here.gauge("aave_health_factor", fund=FUND, watch=AAVE) is None
    assert here.gauge("aave_ltv_ratio", fund=FUND, watch=AAVE) == 0


def test_gauges__standing_alerts__are_counted_by_the_rule_that_tells_of_them(here: Told) -> None:
    here.sees(frame(report("94")))
    assert here.gauge("risk_alerts", fund=FUND, rule="HealthFactorLow") == 1
    assert here.gauge("risk_alerts", fund=FUND, rule="LoanToValueHigh") == 1
    assert here.gauge("risk_alerts", fund=FUND, rule="MarginLow") == 0
    here.sees(frame(unread(), at=60))
    assert here.gauge("risk_alerts", fund=FUND, rule="HealthFactorLow") == 1
    assert here.gauge("risk_alerts", fund=FUND, rule="RiskUnread") == 1
    here.sees(frame(report("80"), at=120))
    assert here.gauge("risk_alerts", fund=FUND, rule="HealthFactorLow") == 0


def test_gauges__fund_with_a_gate_alone__says_nothing_of_risk(here: Told) -> None:
    here.sees(frame(decision=gate("1000")))
    assert here.gauge("risk_alerts", fund=FUND, rule="HealthFactorLow") is None
    assert here.gauge("risk_status", fund=FUND, status="safe") is None


# ---- alerts


def assessed(watch: str, balance: str, *, flat: bool = False) -> RiskReport:
    """An account with so much margin against an exposure of 100, or of nothing."""
    of = policy(mode=RiskMode.BTC_BASIS, lending=(), margin=(margin(watch),), delta=delta())
    held = account(balance) if flat else account(balance, exposure("-1", "100"))
    return assess(facts(of, accounts={watch: held}))


def alert(name: str, status: RiskStatus) -> RiskAlert:
    return RiskAlert(name, "watch", status, "message", "advice")


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("AAVE_HEALTH_FACTOR_CRITICAL", "HealthFactorLow"),
        ("AAVE_HEALTH_FACTOR_URGENT", "HealthFactorLow"),
        ("AAVE_LTV_CRITICAL", "LoanToValueHigh"),
        ("BINANCE_MARGIN_URGENT", "MarginLow"),
        ("DELTA_DRIFT_CRITICAL", "DeltaDrift"),
        ("MAX_DRAWDOWN_CRITICAL", "DrawdownBreach"),
        ("MAX_LEVERAGE_CRITICAL", "RiskLimitExceeded"),
        ("MAX_EXPOSURE_CRITICAL", "RiskLimitExceeded"),
        ("FUNDING_COST_CRITICAL", "RiskLimitExceeded"),
        ("AAVE_LTV_WARNING", "RiskWarning"),
        ("DELTA_DRIFT_WARNING", "RiskWarning"),
        ("AAVE_UNREAD", "RiskUnread"),
        ("DELTA_UNREAD", "RiskUnread"),
        ("MAX_DRAWDOWN_UNREAD", "RiskUnread"),
    ],
)
def test_rule__of_each_alert__is_by_its_name_and_a_warning_wakes_nobody(name: str, rule: RuleName) -> None:
    words = {"CRITICAL": RiskStatus.CRITICAL, "URGENT": RiskStatus.URGENT}
    status = words.get(name.rpartition("_")[2], RiskStatus.WARNING)
    assert rule_of(alert(name, status)) == rule
    assert rule in RISK_RULES
    assert told_status(name) is status
    if rule not in ("RiskWarning", "RiskUnread"):
        assert RULES[rule].severity is Severity.CRITICAL


def test_rules__of_the_monitor__are_rules() -> None:
    assert set(get_args(RuleName)) >= RISK_RULES


def test_subject__of_an_alert__names_its_fund() -> None:
    assert fund_of(subject_of(FUND, alert("AAVE_LTV_CRITICAL", RiskStatus.CRITICAL))) == FUND
    assert fund_of(FUND) is None


def test_alerts__raised_and_over__follow_what_stands(here: Told) -> None:
    here.sees(frame(report("86")))
    assert here.open() == {("RiskWarning", f"{FUND}:AAVE_LTV_WARNING:{AAVE}")}
    here.sees(frame(report("94"), at=60))
    low = ("HealthFactorLow", f"{FUND}:AAVE_HEALTH_FACTOR_CRITICAL:{AAVE}")
    high = ("LoanToValueHigh", f"{FUND}:AAVE_LTV_CRITICAL:{AAVE}")
    assert here.open() == {low, high}  # the monitor that tells of a critical loan is well
    assert here.gauge("risk_health") == 1
    here.sees(frame(unread(), at=120))
    unhealthy = ("RiskMonitorUnhealthy", "")
    assert here.open() == {low, high, unhealthy, ("RiskUnread", f"{FUND}:AAVE_UNREAD:{AAVE}")}
    here.sees(frame(report("80"), at=180))
    assert here.open() == set()


def test_alerts__that_stand__say_the_newest_figure(here: Told) -> None:
    here.sees(frame(report("86")))
    here.sees(frame(report("87"), at=60))
    (row,) = here.alerts.open_alerts()
    assert "87.00 %" in row.message


def test_alerts__over_while_no_keeper_ran__end_with_the_first_frame_of_the_next(here: Told) -> None:
    here.sees(together(frame(report("91")), frame(report("86"), fund="beta")))
    again = Told(here.store)
    assert ("LoanToValueHigh", f"{FUND}:AAVE_LTV_CRITICAL:{AAVE}") in again.open()
    again.sees(frame(report("80"), at=600))
    assert again.open() == {("RiskWarning", f"beta:AAVE_LTV_WARNING:{AAVE}")}


def test_alerts__of_another_rule_about_the_fund__are_left_alone(here: Told) -> None:
    here.alerts.raise_("FundHalted", FUND, "halted")
    here.alerts.raise_("SourceDown", f"{FUND}:x", "a source whose name looks like it")
    here.sees(frame(report("80")))
    assert {rule for rule, _ in here.open()} == {"FundHalted", "SourceDown"}


def test_alerts__gate_that_vetoes__say_what_fell_and_what_is_stopped(here: Told) -> None:
    here.sees(frame(decision=gate("890")))
    assert here.open() == {("DrawdownBreach", FUND), ("GateBlocking", FUND)}
    rows = {row.rule: row.message for row in here.alerts.open_alerts()}
    assert rows["GateBlocking"] == "nav_drawdown_limit, day_loss_limit stops posting, settlements, deposits"
    here.sees(frame(decision=gate("1000"), at=60))
    assert here.open() == set()


def test_alerts__stale_nav_that_is_vetoed__block_and_are_no_drawdown(here: Told) -> None:
    here.sees(frame(decision=gate("1000", balances_at=Timestamp(GATE_NOW - 2_000))))
    assert here.open() == {("GateBlocking", FUND)}
    (event,) = here.events("nav_gate_vetoed")
    assert event.message.startswith("nav_stale: drawdown 0.0000 %, day's loss 0.0000 %, the NAV is not fresh")


def test_alerts__look_that_fails_as_a_whole__say_that_the_monitor_is_unhealthy_until_one_succeeds(here: Told) -> None:
    for _ in range(20):
        here.sees(frame(report("80")))
    here.observer.risk_unseen(here.monitor.update([ErrorSeverity.HIGH], succeeded=False, at=NOW))
    assert here.open() == {("RiskMonitorUnhealthy", "")}
    assert here.gauge("risk_health") == 0
    here.sees(frame(report("80"), at=60))
    assert here.open() == set()
    assert here.gauge("risk_health") == 0.5


def test_alerts__no_look_has_ended_for_too_long__say_since_when_the_monitor_is_unhealthy(here: Told) -> None:
    here.sees(frame(report("80")))
    here.observer.risk_unseen(here.monitor.health(Timestamp(NOW + 700)))
    (row,) = here.alerts.open_alerts()
    assert (row.rule, row.message) == ("RiskMonitorUnhealthy", "no look at risk has ended for 700 s")


def test_anything__while_the_store_fails__raises_nothing(here: Told) -> None:
    here.broken = True
    here.sees(frame(report("94"), decision=gate("890")))
    assert ("StoreFailing", "") in here.open()
