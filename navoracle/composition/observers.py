"""Who listens to the service: every event goes to the store, the event files, the log, the metrics and the alerts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from navoracle.composition.risk_observer import MonitorObserver
from navoracle.composition.service_events import (
    Part,
    defect_event,
    emergency_event,
    failure_event,
    initialization_event,
    is_fine,
    said_of,
    slot_event,
)
from navoracle.domain.breaker import Breaker, BreakerState
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import LeaseLost, NavoracleError, RequestRefused, SignerFailed, StoreError
from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.domain.guards.distance import sentence
from navoracle.domain.units import Timestamp
from navoracle.keeper.advice import advice_for
from navoracle.keeper.emergency_path import hold_by_hand
from navoracle.ports import Clock
from navoracle.store_port import (
    BreakerSubject,
    Event,
    RequestRow,
    RequestState,
    Severity,
    SlotOutcome,
    SlotRow,
    SlotState,
    Store,
)
from navoracle.telemetry.alerts import Alerts, RuleName
from navoracle.telemetry.metrics import Metrics

DISTANCE_ALARM_BPS: Final = 8_000
"""Part of the contract's band that a post uses, in bps, from which an operator is told."""

FAILURES_IN_A_ROW: Final = 2

_CONTRACT_CHANGES: Final = frozenset({"unknown_code", "no_contract", "paused", "not_poster", "poster_has_other_roles"})
"""Refusals of a preflight that say that the contract is no longer what it was."""


class ServiceObserver(MonitorObserver):
    """Implements `keeper.observer.Observer`, and listens to lanes and nodes.

    Args:
        journal: stores an event, writes it to the event files and says it in the log.
        nav_age_limit: seconds above which a NAV on chain is stale.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        alerts: Alerts,
        journal: Callable[[Event], object],
        clock: Clock,
        *,
        nav_age_limit: int,
    ) -> None:
        super().__init__(store, metrics, alerts, journal, clock, nav_age_limit=nav_age_limit)
        self._log = structlog.get_logger("navoracle.keeper")
        self._failures: dict[str, int] = {}
        self.last_beat: Timestamp = clock.now()
        self.last_slots: dict[str, tuple[Timestamp, Cadence, SlotOutcome]] = {}
        self.troubles: dict[str, NavoracleError] = {}

    # ---- the loop

    def started(self, configuration: str, said: str, *, live: bool, version: str) -> None:
        """The service begins; people are told when it was configured otherwise the last time.

        Args:
            configuration: its hash.
            said: what the service says of itself.
        """
        try:
            before = self._store.events(kind="started", limit=1)
        except StoreError as error:
            self._store_failed(error)
            before = ()
        if before and before[0].event.data.get("configuration") not in (None, configuration):
            self._alerts.raise_("ConfigChanged", "", "the keeper was started with another configuration than before")
        self.record(
            "started",
            None,
            Severity.INFO,
            said,
            "",
            {"live": live, "version": version, "configuration": configuration},
        )

    def initialized(self, parts: Iterable[Part], configuration: str, *, version: str) -> None:
        """The parts of the service begin."""
        for part in parts:
            self.keep(initialization_event(part, version=version, configuration=configuration, at=self._clock.now()))

    def stopped(self) -> None:
        """The service ends in order."""
        self.record("stopped", None, Severity.INFO, "the keeper stopped", "", {})

    def beat(self) -> None:
        """The loop moves."""
        self.last_beat = self._clock.now()
        self._metrics.beat()

    def job(self, name: str, result: str) -> None:
        """A scheduled job was executed, failed, missed or skipped."""
        self._metrics.scheduler_event(name, result)
        if result in ("missed", "failed"):
            self.record(
                f"job_{result}",
                None,
                Severity.WARNING,
                f"the job {name} {'came too late to be run' if result == 'missed' else 'ended by an error'}",
                "The machine was suspended or overloaded; slots that fell due meanwhile are recorded as missed."
                if result == "missed"
                else "This is a defect: keep the log and report it.",
                {"job": name},
            )

    def cycle(self, kind: str, *, ok: bool, seconds: float) -> None:
        """A frame was run."""
        self._metrics.observe_cycle(kind, "success" if ok else "failure", seconds)
        if ok and kind == "slot":
            self._alerts.clear("NoSuccessfulCycle", "")

    def framed(self, frame: NavFrame) -> None:
        """What a frame found."""
        self._metrics.observe_frame(frame)
        down = {failure.reader for failure in frame.failures}
        for failure in frame.failures:
            self._alerts.raise_("SourceDown", failure.reader, failure.message, advice=failure.advice)
        for quote in frame.quotes:
            if quote.source not in down:
                self._alerts.clear("SourceDown", quote.source)
        for found in frame.funds:
            self._fund_alerts(found)

    def _fund_alerts(self, found: FundFrame) -> None:
        rules: dict[NavStatus, RuleName] = {
            NavStatus.HALTED: "FundHalted",
            NavStatus.SUSPICIOUS: "Suspicious",
            NavStatus.INSOLVENT: "Insolvent",
        }
        for status, rule in rules.items():
            if found.status is status:
                self._alerts.raise_(rule, found.fund, found.reason or status.value, advice=advice_for(found) or None)
            else:
                self._alerts.clear(rule, found.fund)
        if found.distance is None:
            return
        used = found.distance.used_bps
        self._metrics.observe_guard_distance(found.fund, found.distance.binds, used)
        if used > DISTANCE_ALARM_BPS:
            self._alerts.raise_("DeviationNearGuard", found.fund, sentence(found.distance))
        else:
            self._alerts.clear("DeviationNearGuard", found.fund)

    # ---- slots

    def slot_ended(
        self, fund: str, slot_time: Timestamp, cadence: Cadence, outcome: SlotOutcome, found: NavFrame | None
    ) -> None:
        """A slot ended."""
        if outcome.state is SlotState.CLAIMED:
            return
        self.last_slots[fund] = (slot_time, cadence, outcome)
        for row in self._store_rows(fund, slot_time):
            self._metrics.observe_slot(row)
        self.keep(slot_event(fund, slot_time, cadence, outcome, found, self._clock.now()))
        self._slot_alerts(fund, outcome, said_of(outcome), fine=is_fine(outcome))

    def _slot_alerts(self, fund: str, outcome: SlotOutcome, said: str, *, fine: bool) -> None:
        if (outcome.reason or "").removeprefix("preflight:") in _CONTRACT_CHANGES:
            self._alerts.raise_("ContractChanged", fund, said)
        elif outcome.post is not None:
            self._alerts.clear("ContractChanged", fund)
        if outcome.state is SlotState.MISSED:
            self._alerts.raise_("NavMissedSlot", fund, said)
        if fine:
            self._failures.pop(fund, None)
            self._alerts.clear("PostFailing", fund)
        elif outcome.state is SlotState.FAILED:
            self._failures[fund] = self._failures.get(fund, 0) + 1
            if self._failures[fund] >= FAILURES_IN_A_ROW:
                self._alerts.raise_("PostFailing", fund, f"{self._failures[fund]} slots in a row: {said}")

    def _store_rows(self, fund: str, slot_time: Timestamp) -> list[SlotRow]:
        try:
            return [row for row in self._store.slots(fund=fund, since=slot_time) if row.slot_time == slot_time]
        except StoreError as error:
            self._store_failed(error)
            return []

    def emergency_asked(self, fund: str, cause: str, reason: str) -> None:
        """An EMERGENCY slot was asked for."""
        self._metrics.observe_emergency(fund, cause)
        self._asked.setdefault(fund, time.monotonic())
        self._alerts.raise_("EmergencyUsed", fund, reason)
        self.keep(emergency_event(fund, cause, reason, self._clock.now()))

    def breaker_changed(self, subject: BreakerSubject, before: Breaker, after: Breaker) -> None:
        """A breaker took another state, or another reason."""
        name = f"{subject.kind}:{subject.name}"
        if after.state is BreakerState.CLOSED:
            self._alerts.clear("BreakerOpen", name)
        else:
            self._alerts.raise_("BreakerOpen", name, "; ".join(after.reasons), advice=after.advice)

    def breakers(self, known: Mapping[BreakerSubject, Breaker]) -> None:
        """Every breaker that is not closed."""
        self._metrics.observe_breakers(known)
        for subject, breaker in known.items():
            self._alerts.raise_(
                "BreakerOpen", f"{subject.kind}:{subject.name}", "; ".join(breaker.reasons), advice=breaker.advice
            )

    # ---- people

    def request_ended(self, row: RequestRow) -> None:
        """A signed request was acted upon, or could not be."""
        self._metrics.observe_request(row.record.action, row.state.value)
        self.record(
            "request_ended",
            row.record.fund,
            Severity.INFO if row.state is RequestState.DONE else Severity.WARNING,
            f"request {row.record.action} of {row.record.role} {row.record.signer}: {row.result}",
            hold_by_hand(row.record.fund) if row.state is RequestState.PARTLY_DONE else "",
            {"request": row.record.id, "action": row.record.action, "signer": row.record.signer},
        )

    def request_refused(self, action: str, refusal: RequestRefused) -> None:
        """A signed request was refused; the desk has recorded it."""
        self._metrics.observe_request(action, refusal.reason)
        self._alerts.raise_("RequestRefused", action, refusal.message, advice=refusal.advice)

    # ---- failures

    def failed(self, what: str, error: NavoracleError) -> None:
        """Something failed that ends nothing by itself."""
        new = what not in self.troubles or self.troubles[what].message != error.message
        self.troubles[what] = error
        rule = self._rule_of(error)
        if rule is not None:
            self._alerts.raise_(rule, what if rule != "StoreFailing" else "", error.message, advice=error.advice)
        if isinstance(error, StoreError) and not isinstance(error, LeaseLost):
            self._metrics.store_failed()
        if new:
            self.keep(failure_event(what, error, self._clock.now()))

    @staticmethod
    def _rule_of(error: NavoracleError) -> RuleName | None:
        if isinstance(error, LeaseLost):
            return "LeaseLost"
        if isinstance(error, StoreError):
            return "StoreFailing"
        return "SignerFailing" if isinstance(error, SignerFailed) else None

    def crashed(self, what: str, error: BaseException) -> None:
        """A defect: its traceback goes to the log, and the slot stays claimed until it is recovered."""
        self._log.error(
            "defect",
            what=what,
            exc_info=(type(error), error, error.__traceback__),
            advice="This is a defect: keep the log and report it. The slot is recovered when its lease runs out.",
        )
        self.keep(defect_event(what, error, self._clock.now()))

    def recovered(self, what: str) -> None:
        """What failed before works again."""
        error = self.troubles.pop(what, None)
        rule = None if error is None else self._rule_of(error)
        if rule is not None:
            self._alerts.clear(rule, what if rule != "StoreFailing" else "")
        self.record("recovered", None, Severity.INFO, f"{what} works again", "", {"what": what})
