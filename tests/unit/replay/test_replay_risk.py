"""What a replay keeps of its monitor: each change once, with its time, and each reading as a row."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from navoracle.domain.errors import UsageError
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import to_wad
from navoracle.keeper.plan import FundPlan, RiskPlan
from navoracle.keeper.risk_looks import Trigger
from navoracle.replay.risk import ReplayRisk, RiskTable, risk_json
from navoracle.risk.health import HealthRule
from navoracle.risk.monitor import RiskMonitor
from navoracle.store_port import Event
from navoracle.testing import FixedClock
from tests.unit.keeper.world import funds
from tests.unit.risk.builders import AAVE
from tests.unit.risk.frames import FUND, POLICY, frame, gate, report, unread
from tests.unit.storage.builders import NOW

SAFE, WARNS, CRITICAL = report("80"), report("86"), report("91")


class Heard:
    """A monitor and its replay's ear."""

    def __init__(self, table: RiskTable | None = None) -> None:
        self.events: list[Event] = []
        self.monitor = RiskMonitor(history_limit=10, rule=HealthRule(to_wad("0.5"), max_age=600), started=NOW)
        clock = FixedClock(NOW)
        record = self.events.append
        self.risk = ReplayRisk(record, clock) if table is None else ReplayRisk(record, clock, table.hear)

    def see(self, at: int, found: RiskReport | None, nav: str | None = None, trigger: Trigger = "look") -> None:
        decision = None if nav is None else gate(nav)
        seen = self.monitor.observe(frame(found, decision=decision, at=at))
        self.risk.risk_observed(seen, self.monitor.update((), succeeded=True, at=NOW), trigger, 0.1)


def test_changes__status_that_stays__is_told_once() -> None:
    heard = Heard()
    for at, found in enumerate((SAFE, SAFE, WARNS, WARNS, CRITICAL, SAFE)):
        heard.see(at, found)
    told = risk_json(heard.risk)[FUND]
    assert told["readings"] == 6
    assert [(change["time"] - NOW, change["status"]) for change in told["statuses"]] == [
        (0, "safe"), (2, "warning"), (4, "critical"), (5, "safe"),
    ]  # fmt: skip
    assert told["first"]["statuses"] == {"safe": NOW, "warning": NOW + 2, "critical": NOW + 4}


def test_changes__alerts_and_vetoes__are_told_when_they_begin_and_end() -> None:
    heard = Heard()
    for at, (found, nav) in enumerate(((SAFE, "1000"), (WARNS, "890"), (SAFE, "1000"), (WARNS, "890"))):
        heard.see(at, found, nav)
    told = risk_json(heard.risk)[FUND]
    assert [(change["time"] - NOW, change["raised"]) for change in told["alerts"]] == [(1, True), (2, False), (3, True)]
    assert {change["alert"] for change in told["alerts"]} == {WARNS.alerts[0].name}
    assert told["first"]["alerts"] == {WARNS.alerts[0].name: NOW + 1}
    drawdown = [change for change in told["vetoes"] if change["veto"] == "nav_drawdown_limit"]
    assert [(change["time"] - NOW, change["raised"]) for change in drawdown] == [(1, True), (2, False), (3, True)]
    assert "drawdown 11.0000 %" in drawdown[0]["message"]


def test_events__are_those_of_the_service() -> None:
    heard = Heard()
    heard.see(0, CRITICAL, "890")
    kinds = [event.kind for event in heard.events]
    assert kinds[0] == "state_update"
    assert {"risk_alert", "nav_gate_vetoed"} <= set(kinds)


def test_look_that_failed__leaves_its_health_and_no_reading() -> None:
    heard = Heard()
    heard.risk.risk_unseen(heard.monitor.health(NOW))
    assert heard.risk.health == heard.monitor.health(NOW)
    assert risk_json(heard.risk) == {}


def plan() -> FundPlan:
    (first, *_) = funds().values()
    fields = {name: getattr(first, name) for name in FundPlan.__slots__}
    return FundPlan(**{**fields, "fund": FUND, "risk": RiskPlan(POLICY, (), ())})


def rows_of(table: RiskTable, path: Path) -> list[dict[str, str]]:
    table.write(path)
    with path.open() as file:
        return list(csv.DictReader(file))


def test_table__reading__is_a_row_of_exact_decimals(tmp_path: Path) -> None:
    table = RiskTable([plan()])
    heard = Heard(table)
    heard.see(0, WARNS, "890", "retry")
    (row,) = rows_of(table, tmp_path / "risk.csv")
    assert (row["time"], row["fund"], row["trigger"], row["risk_status"]) == (str(NOW), FUND, "retry", "warning")
    assert row["alerts"].split() == [alert.name for alert in WARNS.alerts]
    assert to_wad(row["drawdown"]) == to_wad("0.11")
    assert row["vetoes"].split() == ["nav_drawdown_limit", "day_loss_limit"]
    account = WARNS.lending[0].account
    assert to_wad(row[f"{AAVE}.debt"]) * 10**account.base_decimals == account.debt * 10**18
    assert to_wad(row[f"{AAVE}.loan_to_value"]) == account.loan_to_value
    assert to_wad(row[f"{AAVE}.health_factor"]) == account.health_factor


def test_table__what_is_not_known__is_empty_and_not_zero(tmp_path: Path) -> None:
    table = RiskTable([plan()])
    heard = Heard(table)
    heard.see(0, unread())
    (row,) = rows_of(table, tmp_path / "risk.csv")
    assert row["risk_status"] == "warning"
    assert {row[name] for name in ("peak", "drawdown", "vetoes", f"{AAVE}.debt", f"{AAVE}.loan_to_value")} == {""}


def test_table__folder_that_is_not_there__is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        RiskTable([]).write(tmp_path / "nowhere" / "risk.csv")
