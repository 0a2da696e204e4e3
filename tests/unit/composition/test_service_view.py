"""What the web service shows of risk: the monitor's own health, and each fund's status, alerts, gate and peaks."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from navoracle.composition.observers import ServiceObserver
from navoracle.composition.service_view import KeeperView
from navoracle.composition.system import System
from navoracle.domain.errors import ErrorSeverity
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.units import Timestamp, to_wad
from navoracle.risk.health import HealthRule
from navoracle.risk.monitor import RiskMonitor
from navoracle.storage import SqlStore
from navoracle.telemetry.alerts import Alerts
from navoracle.telemetry.events import EventLog
from navoracle.telemetry.metrics import Metrics
from navoracle.testing import FixedClock
from tests.unit.composition.test_observers import Silent
from tests.unit.risk.builders import AAVE
from tests.unit.risk.frames import FUND, frame, gate, report, together, unread
from tests.unit.storage.builders import NOW, empty_sqlite_store


def view_of(path: Path, monitor: RiskMonitor | None) -> KeeperView:
    """A keeper without chains whose funds are posted nowhere."""
    store, clock = SqlStore.open(empty_sqlite_store(path / "keeper.db")), FixedClock(NOW)
    metrics = Metrics("test", clock.now, process=False)
    alerts = Alerts(store, cast("Any", Silent()), now=clock.now)
    observer = ServiceObserver(store, metrics, alerts, store.append_event, clock, nav_age_limit=7_200)
    fund = SimpleNamespace(chain=None, target=None)
    system = SimpleNamespace(
        chains={}, posters={}, ports=SimpleNamespace(outboxes={}), subject=SimpleNamespace(funds={FUND: fund})
    )
    log = EventLog(path / "events", store, now=clock.now)
    return KeeperView(
        cast("System", system), store, observer, log, clock, nav_age_limit=7_200, live=True, monitor=monitor
    )


@pytest.fixture
def monitor() -> RiskMonitor:
    return RiskMonitor(history_limit=10, rule=HealthRule(to_wad("0.1"), max_age=600), started=Timestamp(NOW - 30))


def test_status__watched_fund__has_status_alerts_gate_and_peaks(tmp_path: Path, monitor: RiskMonitor) -> None:
    monitor.observe(frame(report("91"), decision=gate("890")))
    monitor.update([ErrorSeverity.LOW], succeeded=True, at=Timestamp(NOW - 7))
    document: Any = json.loads(json.dumps(view_of(tmp_path, monitor).status()))
    assert document["risk_monitor"] == {
        "status": "degraded", "updates": 1, "errors": 1, "error_rate": str(to_wad("1")), "age": 7,
    }  # fmt: skip
    risk = document["funds"][FUND]["risk"]
    assert (risk["status"], risk["valued_at"], risk["frame"]) == ("critical", NOW, "at 0")
    assert [(alert["name"], alert["watch"]) for alert in risk["alerts"]] == [
        ("AAVE_LTV_CRITICAL", AAVE),
        ("AAVE_HEALTH_FACTOR_WARNING", AAVE),
    ]
    assert risk["gate"]["vetoes"] == ["nav_drawdown_limit", "day_loss_limit"]
    assert (risk["gate"]["peak"], risk["gate"]["daily_peak"]) == (str(to_wad("1000")), str(to_wad("1000")))
    assert risk["gate"]["drawdown"] == str(to_wad("0.11"))
    assert risk["gate"]["stops"] == ["posting", "settlements", "deposits"]


def test_status__account_that_cannot_be_read__still_shows_the_alerts_that_stand(
    tmp_path: Path, monitor: RiskMonitor
) -> None:
    monitor.observe(frame(report("91")))
    monitor.observe(frame(unread(), at=60))
    document: Any = view_of(tmp_path, monitor).status()
    assert document["funds"][FUND]["risk"]["status"] == "warning"
    assert "AAVE_LTV_CRITICAL" in [alert["name"] for alert in document["funds"][FUND]["risk"]["alerts"]]


def test_status__not_seen_yet_and_not_watched__is_null(tmp_path: Path, monitor: RiskMonitor) -> None:
    seen: Any = view_of(tmp_path, monitor).status()
    assert seen["funds"][FUND]["risk"] is None
    (tmp_path / "other").mkdir()
    unwatched: Any = view_of(tmp_path / "other", None).status()
    assert (unwatched["risk_monitor"], unwatched["funds"][FUND]["risk"]) == (None, None)


def test_components__of_a_keeper__are_its_monitor_with_its_health(tmp_path: Path, monitor: RiskMonitor) -> None:
    view = view_of(tmp_path, monitor)
    assert [(part.name, part.status, part.ok, part.advice) for part in view.components()] == [
        ("risk monitor", "healthy", True, "")
    ]
    monitor.update([ErrorSeverity.HIGH] * 4, succeeded=False, at=NOW)
    (part,) = view.components()
    assert (part.status, part.ok) == ("unhealthy", False)
    assert part.detail == "unhealthy: 1 of the last 1 looks had an error"
    assert part.advice


def test_components__no_look_has_ended_for_too_long__are_unhealthy_and_say_so(tmp_path: Path) -> None:
    late = RiskMonitor(history_limit=10, rule=HealthRule(to_wad("1"), max_age=600), started=Timestamp(NOW - 601))
    (part,) = view_of(tmp_path, late).components()
    assert (part.ok, part.detail) == (False, "unhealthy: no look at risk has ended for 601 s")
    assert "job_failed" in part.advice


def test_components__without_a_monitor__are_none(tmp_path: Path) -> None:
    view = view_of(tmp_path, None)
    assert (view.components(), view.risks()) == ((), ())


def test_risks__fund_with_a_critical_loan__are_critical_while_the_monitor_is_healthy(
    tmp_path: Path, monitor: RiskMonitor
) -> None:
    view = view_of(tmp_path, monitor)
    assert view.risks() == ()
    seen = monitor.observe(together(frame(report("94")), frame(report("80"), fund="other"), frame(None, fund="plain")))
    monitor.update(seen.own_errors, succeeded=True, at=NOW)
    found = {risk.fund: risk for risk in view.risks()}
    assert {fund: risk.status for fund, risk in found.items()} == {FUND: RiskStatus.CRITICAL, "other": RiskStatus.SAFE}
    assert (found[FUND].valued_at, found["other"].alerts) == (NOW, ())
    assert any(alert.startswith("AAVE_HEALTH_FACTOR_CRITICAL: ") for alert in found[FUND].alerts)
    assert [part.status for part in view.components()] == ["healthy"]


def test_risks__fund_with_a_gate_alone__says_nothing_of_risk(tmp_path: Path, monitor: RiskMonitor) -> None:
    monitor.observe(frame(decision=gate("890")))
    assert view_of(tmp_path, monitor).risks() == ()
