"""The observer: what the service tells reaches events, metrics and alerts, and nothing it is told ever raises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from navoracle.chain.node_state import NodeEvent, NodeState
from navoracle.composition.observers import ServiceObserver
from navoracle.composition.service_events import Part
from navoracle.domain.breaker import Breaker, BreakerState
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import (
    ChainError,
    HealthFactorCritical,
    LeaseLost,
    RiskAlertFailed,
    RiskCalculationFailed,
    RiskError,
    StoreError,
)
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp, to_wad
from navoracle.lane_port import LaneEvent
from navoracle.storage import SqlStore
from navoracle.store_port import (
    BreakerSubject,
    Event,
    RequestRow,
    RequestState,
    Severity,
    SlotOutcome,
    SlotState,
    Urgency,
)
from navoracle.telemetry.alerts import Alerts
from navoracle.telemetry.components import component_of
from navoracle.telemetry.metrics import Metrics
from navoracle.testing import FixedClock
from tests.unit.addresses import address
from tests.unit.storage.builders import (
    NOW,
    batch_of,
    empty_sqlite_store,
    frame_of,
    fund_frame,
    post_of,
    prepare,
    record,
)
from tests.unit.storage.test_requests import FIRST

LIMIT = 7_200
DOWN = StoreError("disk full", advice="Free some space.")


class Silent:
    """Tells nobody."""

    targets: tuple[()] = ()


class Here:
    """An observer over a real store, with its alerts and metrics."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.clock = FixedClock(NOW)
        self.metrics = Metrics("test", self.clock.now, process=False)
        self.alerts = Alerts(store, Silent(), now=self.clock.now, metrics=self.metrics)  # type: ignore[arg-type]
        self.broken = False
        self.observer = ServiceObserver(store, self.metrics, self.alerts, self.journal, self.clock, nav_age_limit=LIMIT)

    def journal(self, event: Event) -> None:
        if self.broken:
            raise DOWN
        self.store.append_event(event)

    def open(self) -> set[tuple[str, str]]:
        """The alerts that are open, by rule and subject."""
        return {(row.rule, row.subject) for row in self.alerts.open_alerts()}

    def events(self, kind: str) -> list[Event]:
        return [row.event for row in self.store.events(kind=kind)]

    def ends(self, state: SlotState, reason: str | None = None, *, at: int = NOW) -> None:
        outcome = SlotOutcome(state, reason, None, None)
        self.observer.slot_ended("cash", Timestamp(at), Cadence.HOURLY, outcome, None)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as store:
        yield Here(store)


def served(age: int, *, held: bool = False) -> ConfirmedNav:
    return ConfirmedNav(to_wad("1"), to_wad("1"), Timestamp(NOW - age), held=held, block_number=1, frame=None)


def test_slot__posted__is_an_event_without_advice(here: Here) -> None:
    here.ends(SlotState.POSTED)
    (event,) = here.events("slot_posted")
    assert (event.fund, event.severity, event.advice) == ("cash", Severity.INFO, "")
    assert here.open() == set()


@pytest.mark.parametrize("state", [SlotState.HELD, SlotState.SKIPPED, SlotState.FAILED, SlotState.MISSED])
def test_slot__any_other_end__warns_with_advice(here: Here, state: SlotState) -> None:
    here.ends(state, "why")
    (event,) = here.events(f"slot_{state.value}")
    assert event.severity is Severity.WARNING
    assert event.advice
    assert event.data["reason"] == "why"


def test_slot__still_claimed__is_no_end(here: Here) -> None:
    here.ends(SlotState.CLAIMED, "not settled yet")
    assert here.store.events() == ()


def test_slots__two_failures_in_a_row__raise_the_alert_that_a_post_ends(here: Here) -> None:
    here.ends(SlotState.FAILED, "why")
    assert here.open() == set()
    here.ends(SlotState.FAILED, "why", at=NOW + 3_600)
    assert here.open() == {("PostFailing", "cash")}
    here.ends(SlotState.POSTED, at=NOW + 7_200)
    assert here.open() == set()


def test_slot__missed__raises_its_alert(here: Here) -> None:
    here.ends(SlotState.MISSED, "no keeper ran")
    assert here.open() == {("NavMissedSlot", "cash")}


def test_nav__older_than_its_limit__is_stale_until_it_is_younger(here: Here) -> None:
    here.observer.confirmed("cash", served(LIMIT))
    assert here.open() == set()
    here.observer.confirmed("cash", served(LIMIT + 1))
    assert here.open() == {("NavStale", "cash")}
    here.observer.confirmed("cash", served(10))
    assert here.open() == set()


def test_nav__held_by_the_registry__raises_its_alert_until_it_is_free(here: Here) -> None:
    here.observer.confirmed("cash", served(10, held=True))
    assert here.open() == {("FundHeld", "cash")}
    here.observer.confirmed("cash", served(10))
    assert here.open() == set()


def test_breaker__opens_and_closes__raises_and_clears_its_alert(here: Here) -> None:
    subject, was = BreakerSubject("fund", "cash"), Breaker()
    is_open = was.open("insolvent", Timestamp(NOW))
    here.observer.breaker_changed(subject, was, is_open)
    assert here.open() == {("BreakerOpen", "fund:cash")}
    here.observer.breaker_changed(subject, is_open, replace(Breaker(), since=Timestamp(NOW)))
    assert is_open.state is BreakerState.OPEN
    assert here.open() == set()


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("fee_cap", "FeeCap"),
        ("fee_budget", "FeeBudget"),
        ("key_used_elsewhere", "KeyUsedElsewhere"),
        ("deep_reorganization", "DeepReorganization"),
        ("no_funds", "SignerBalanceCritical"),
    ],
)
def test_lane_event__that_people_must_know__raises_its_alert(here: Here, kind: str, rule: str) -> None:
    event = LaneEvent(kind, "home", address(1), Severity.CRITICAL, "message", "advice")
    here.observer.lane_event(event)
    assert {found for found, _ in here.open()} == {rule}
    assert here.events(f"transaction_{kind}")[0].advice == "advice"


@pytest.mark.parametrize(
    ("state", "severity"),
    [
        (RequestState.DONE, Severity.INFO),
        (RequestState.PARTLY_DONE, Severity.WARNING),
        (RequestState.REFUSED, Severity.WARNING),
    ],
)
def test_request__however_it_ended__is_told_and_counted_by_its_state(
    here: Here, state: RequestState, severity: Severity
) -> None:
    row = RequestRow(replace(FIRST, fund="cash", action="hold"), state, NOW, NOW, "what came of it")
    here.observer.request_ended(row)
    (event,) = here.events("request_ended")
    assert (event.fund, event.severity) == ("cash", severity)
    assert event.message.endswith(": what came of it")
    assert ("emergency hold cash --send" in event.advice) is (state is RequestState.PARTLY_DONE)
    labels = {"action": "hold", "result": state.value}
    assert here.metrics.registry.get_sample_value("navoracle_requests_total", labels) == 1


def test_lane_event__mined__ends_the_trouble_with_fees(here: Here) -> None:
    here.observer.lane_event(LaneEvent("fee_cap", "home", address(1), Severity.WARNING, "m", "a"))
    here.observer.lane_event(LaneEvent("mined", "home", address(1), Severity.INFO, "m"))
    assert here.open() == set()


def test_node__disputed_and_alive_again__raises_and_clears_its_alert(here: Here) -> None:
    bad = NodeEvent("home", "node", NodeState.ALIVE, NodeState.DISPUTED, "lies", "advice")
    here.observer.node_event(bad)
    assert here.open() == {("RpcDisagreement", "home:node")}
    here.observer.node_event(replace(bad, was=NodeState.DISPUTED, state=NodeState.ALIVE, detail=""))
    assert here.open() == set()
    assert [event.severity for event in here.events("node_state")] == [Severity.INFO, Severity.WARNING]


def test_clock__behind_the_chain__raises_its_alert(here: Here) -> None:
    here.observer.skew("home", 500)
    assert here.open() == set()
    here.observer.skew("home", -121)
    assert here.open() == {("ClockSkew", "home")}


def test_failure__again_and_again__is_one_event_until_it_recovers(here: Here) -> None:
    error = ChainError("node down", advice="Check it.")
    for _ in range(3):
        here.observer.failed("sample", error)
    (event,) = here.events("error")
    assert event.severity is Severity.WARNING
    assert event.data == {
        "component": "chain", "what": "sample", "error_code": "chain", "error_message": "node down",
        "error_severity": "HIGH",
    }  # fmt: skip
    assert set(here.observer.troubles) == {"sample"}
    here.observer.recovered("sample")
    assert here.observer.troubles == {}
    here.observer.failed("sample", error)
    assert len(here.events("error")) == 2


@pytest.mark.parametrize(
    ("error", "rule", "subject"),
    [
        (DOWN, "StoreFailing", ""),
        (LeaseLost("gone", advice="Another keeper has it."), "LeaseLost", "slot 1"),
    ],
)
def test_failure__of_the_store__raises_its_alert_until_it_works(
    here: Here, error: StoreError, rule: str, subject: str
) -> None:
    here.observer.failed("slot 1", error)
    assert here.open() == {(rule, subject)}
    here.observer.recovered("slot 1")
    assert here.open() == set()


def test_anything__while_the_store_fails__raises_nothing_and_is_told(here: Here) -> None:
    here.broken = True
    here.ends(SlotState.POSTED)
    here.observer.emergency_asked("cash", "trade", "a trade")
    here.observer.crashed("slot", ValueError("defect"))
    here.observer.stopped()
    assert ("StoreFailing", "") in here.open()


def test_error__whose_code_is_lighter__is_of_its_component_and_medium(here: Here) -> None:
    here.observer.failed("slot 1", LeaseLost("gone", advice="Another keeper has it."))
    (event,) = here.events("error")
    assert (event.data["component"], event.data["error_severity"]) == ("store", "MEDIUM")


@pytest.mark.parametrize(
    ("error", "said", "severity"),
    [
        (RiskCalculationFailed("no price", advice="Restore it."), "HIGH", Severity.WARNING),
        (HealthFactorCritical("1.01", advice="Repay."), "CRITICAL", Severity.CRITICAL),
        (RiskAlertFailed("no channel", advice="Look."), "MEDIUM", Severity.WARNING),
    ],
)
def test_error__of_a_risk__has_its_own_severity_and_component(
    here: Here, error: RiskError, said: str, severity: Severity
) -> None:
    here.observer.failed("risk monitor", error)
    (event,) = here.events("error")
    assert (event.data["error_code"], event.data["error_severity"], event.severity) == (error.code, said, severity)
    assert component_of(event.kind, event.data) == "risk"


def test_defect__with_a_secret_in_its_message__is_a_critical_error_with_a_redacted_trace(here: Here) -> None:
    secret = "0x" + "5e" * 32
    try:
        raise ValueError(f"the private key {secret} is wrong")
    except ValueError as error:
        here.observer.crashed("slot", error)
    (event,) = here.events("error")
    assert event.severity is Severity.CRITICAL
    assert (event.data["error_code"], event.data["error_severity"]) == ("defect", "CRITICAL")
    trace = str(event.data["stack_trace"])
    assert trace.startswith("Traceback")
    assert "ValueError: the private key" in trace
    assert secret not in str(event)


def test_start__of_its_parts__is_an_event_in_the_file_of_each_component(here: Here) -> None:
    parts = [Part("keeper", "keeper"), Part("prices", "sampler"), Part("risk", "risk monitor")]
    here.observer.initialized(parts, "cafe", version="1.2.3")
    events = here.events("component_initialization")[::-1]
    assert [component_of(event.kind, event.data) for event in events] == ["keeper", "prices", "risk"]
    assert events[1].data == {
        "component": "prices", "part": "sampler", "code_version": "1.2.3", "config_hash": "cafe",
    }  # fmt: skip


def test_job__that_came_too_late__is_an_event_and_one_that_ran_is_none(here: Here) -> None:
    here.observer.job("slots", "executed")
    here.observer.job("slots", "missed")
    (event,) = (row.event for row in here.store.events())
    assert (event.kind, event.data["job"]) == ("job_missed", "slots")
    assert 'navoracle_scheduler_jobs_total{result="missed",task="slots"} 1.0' in here.metrics.render().decode()


def test_start__with_another_configuration_than_before__is_told(here: Here) -> None:
    here.observer.started("aaaa", "begun", live=True, version="1")
    here.observer.started("aaaa", "begun", live=True, version="1")
    assert here.open() == set()
    here.observer.started("bbbb", "begun", live=True, version="1")
    assert here.open() == {("ConfigChanged", "")}


@pytest.mark.parametrize("reason", ["unknown_code", "paused", "not_poster"])
def test_slot__refused_because_the_contract_changed__raises_its_alert(here: Here, reason: str) -> None:
    here.ends(SlotState.SKIPPED, f"preflight:{reason}")
    assert here.open() == {("ContractChanged", "cash")}
    here.observer.slot_ended("cash", Timestamp(NOW), Cadence.HOURLY, SlotOutcome(SlotState.POSTED, None, None, 1), None)
    assert here.open() == set()


def test_breakers__that_are_open__are_raised_at_every_look_and_shown(here: Here) -> None:
    subject = BreakerSubject("asset", "USDC")
    here.observer.breakers({subject: Breaker().open("native_halt", Timestamp(NOW))})
    assert here.open() == {("BreakerOpen", "asset:USDC")}
    assert 'navoracle_breaker_open{kind="asset",name="USDC"} 1.0' in here.metrics.render().decode()


def test_emergency__broadcast__is_measured_from_the_moment_it_was_asked_for(here: Here) -> None:
    frame = record(here.store, frame_of("frame", fund_frame("cash", None)))
    post = prepare(here.store, frame.id, batch_of(post_of("cash", 1)), urgency=Urgency.EMERGENCY)
    here.observer.emergency_asked("cash", "trade", "a trade")
    here.observer.lane_event(LaneEvent("sent", "home", address(1), Severity.INFO, "m", transaction=post.transaction))
    assert "navoracle_emergency_broadcast_seconds_count 1.0" in here.metrics.render().decode()
