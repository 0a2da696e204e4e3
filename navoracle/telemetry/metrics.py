"""What the keeper counts and shows to Prometheus: plain methods that the service calls as things happen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Final, Protocol

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from navoracle.domain.breaker import Breaker, BreakerState
from navoracle.domain.frame import NavFrame, NavStatus
from navoracle.domain.prices import PriceStatus
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import BPS, WAD, Timestamp
from navoracle.domain.verdicts import Outcome
from navoracle.lane_port import LaneEvent, LaneStatus
from navoracle.risk.health import ComponentHealth
from navoracle.risk.monitor import Observation
from navoracle.store_port import BreakerSubject, SlotRow, SlotState, TransactionRow, TransactionState
from navoracle.telemetry.components import LANE_KINDS
from navoracle.telemetry.metric_families import Families
from navoracle.telemetry.risk_metrics import HEALTH_LEVELS, show_risk

_BREAKERS: Final = {BreakerState.OPEN: 1.0, BreakerState.HALF_OPEN: 0.5}
_LANE_ENDS: Final = frozenset({"confirmed", "replaced", "failed", "expired"})


class NodeView(Protocol):
    """A node as `chain.node.NodeSnapshot` shows it."""

    @property
    def name(self) -> str:
        """Its URL without what may be secret."""

    @property
    def operator(self) -> str:
        """Who runs it."""

    @property
    def head(self) -> int | None:
        """Its newest block's number."""

    @property
    def errors(self) -> int:
        """How often it failed."""

    @property
    def is_alive(self) -> bool:
        """Whether it may be read."""


class NodeChange(Protocol):
    """A node that changed its state, as `chain.node_state.NodeEvent` tells it."""

    @property
    def chain(self) -> str:
        """The chain."""

    @property
    def node(self) -> str:
        """The node's name."""

    @property
    def state(self) -> Enum:
        """Its new state."""


class Metrics:
    """All metrics of one keeper, in a registry of its own.

    Args:
        version: of navoracle.
        now: Unix seconds of the keeper's clock; ages are counted when they are asked for, so that they grow even while
            the keeper stands still.
        configuration: the hash of the configuration that it runs.
        process: whether memory, processor time and open files of the process are shown too.
    """

    content_type: Final = CONTENT_TYPE_LATEST

    def __init__(
        self, version: str, now: Callable[[], float], *, configuration: str = "", process: bool = True
    ) -> None:
        self.registry = CollectorRegistry()
        self.families = Families(self.registry)
        self._now = now
        self._served: dict[str, ConfirmedNav] = {}
        self._checks: dict[str, set[str]] = {}
        self._endpoints: dict[str, set[str]] = {}
        self.families.build.info({"version": version, "configuration": configuration})
        self.families.event_log.set(1)
        self.families.state_files.set(1)
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)

    def render(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def announce(self, funds: Iterable[str], chains: Iterable[str]) -> None:
        """Let counters begin at 0: what appears with 1 is no increase to Prometheus, and no rule would see it."""
        for fund in funds:
            for state in SlotState:
                if state is not SlotState.CLAIMED:
                    self.families.slots.labels(fund, state.value)
        for chain in chains:
            self.families.tx_bumps.labels(chain)
            for kind in LANE_KINDS:
                self.families.tx_events.labels(chain, kind)
            for end in _LANE_ENDS:
                self.families.transactions.labels(chain, end)

    # ---- funds

    def observe_frame(self, frame: NavFrame) -> None:
        """What a frame found: share prices, statuses, checks, and the age of its sources."""
        seen = self.families
        for found in frame.funds:
            for status in NavStatus:
                seen.frame_status.labels(found.fund, status.value).set(found.status is status)
            stops = {each.check for each in found.verdicts if each.outcome in (Outcome.HALT, Outcome.VERIFY)}
            known = self._checks.setdefault(found.fund, set())
            known |= {each.check for each in found.verdicts}
            for check in known:  # one that says nothing any more stops nothing
                seen.guard_blocked.labels(found.fund, check).set(check in stops)
            if found.valuation is not None:
                seen.frame_per_share.labels(found.fund).set(found.valuation.price_per_share / WAD)
                seen.frame_confidence.labels(found.fund).set(found.valuation.confidence / BPS)
        for quote in frame.quotes:
            told = quote.observed_at if quote.published_at is None else quote.published_at
            self._age(seen.source_age.labels(quote.source), told)
        for failure in frame.failures:
            seen.source_failures.labels(failure.reader, failure.code).inc()
        for (asset, side), estimate in frame.estimates.items():
            for price_status in PriceStatus:
                seen.price_status.labels(asset, side, price_status.value).set(estimate.status is price_status)

    def observe_confirmed(self, fund: str, confirmed: ConfirmedNav, *, age_limit: int | None = None) -> None:
        """What the contract serves for a fund; `age_limit` (seconds) is that of its health."""
        seen = self.families
        before = self._served.get(fund)
        if before is not None and confirmed.valuation_time > before.valuation_time and before.price_per_share > 0:
            step = (confirmed.price_per_share - before.price_per_share) / before.price_per_share
            seen.post_deviation.labels(fund).set(step)
        self._served[fund] = confirmed
        seen.nav_per_share.labels(fund).set(confirmed.price_per_share / WAD)
        if confirmed.nav is not None:
            seen.nav_value.labels(fund).set(confirmed.nav / WAD)
        seen.fund_held.labels(fund).set(confirmed.held)
        self._age(seen.nav_age.labels(fund), confirmed.valuation_time)
        if age_limit is not None:
            seen.nav_age_limit.labels(fund).set(age_limit)

    def observe_guard_distance(self, fund: str, bound: str, used_bps: int) -> None:
        """How much of the contract's band ("up", "down", "day") a post uses, in bps of the band: 8_300 is 83 %."""
        self.families.guard_distance.labels(fund, bound).set(used_bps / BPS)

    def observe_slot(self, slot: SlotRow) -> None:
        """A slot that has ended."""
        self.families.slots.labels(slot.fund, slot.state.value).inc()
        if slot.state is SlotState.POSTED and slot.finished_at is not None:
            self.families.slot_lag.labels(slot.cadence.value).observe(max(0, slot.finished_at - slot.slot_time))

    def observe_emergency(self, fund: str, cause: str) -> None:
        """An EMERGENCY slot was asked for; `cause` is one of few words ("trade", "oracle_move", "guardian", ...)."""
        self.families.emergencies.labels(fund, cause).inc()

    def observe_emergency_broadcast(self, seconds: float) -> None:
        """How long an emergency took from its cause to the broadcast."""
        self.families.emergency_lag.observe(seconds)

    def observe_breakers(self, breakers: Mapping[BreakerSubject, Breaker]) -> None:
        """Every breaker that is not closed; the others are no longer shown."""
        self.families.breakers.clear()
        for subject, breaker in breakers.items():
            if breaker.state in _BREAKERS:
                self.families.breakers.labels(subject.kind, subject.name).set(_BREAKERS[breaker.state])

    def observe_risk(self, seen: Observation) -> None:
        """What the risk monitor saw of its funds."""
        for fund, reading in seen.readings.items():
            show_risk(self.families, fund, reading)

    def observe_risk_alerts(self, fund: str, standing: Mapping[str, int]) -> None:
        """How many alerts of a fund's monitor are not over, by rule."""
        for rule, count in standing.items():
            self.families.risk_alerts.labels(fund, rule).set(count)

    def observe_risk_health(self, health: ComponentHealth) -> None:
        """Whether the risk monitor does its work."""
        self.families.risk_errors.set(health.error_rate / WAD)
        self.families.risk_health.set(HEALTH_LEVELS[health.status])

    # ---- the service

    def beat(self) -> None:
        """The loop moves."""
        self.families.heartbeat.set(self._now())

    def observe_cycle(self, kind: str, result: str, seconds: float) -> None:
        """A frame was run: `kind` is "slot" or "sample", `result` "success" or "failure"."""
        self.families.cycles.labels(kind, result).inc()
        self.families.cycle_seconds.labels(kind).observe(seconds)
        if kind == "slot":
            self.families.last_cycle.labels(result).set(self._now())

    def scheduler_event(self, job: str, result: str) -> None:
        """A job was "executed", "missed", "failed", or "skipped" because it still ran."""
        self.families.jobs.labels(job, result).inc()

    def store_failed(self) -> None:
        """The database failed the keeper."""
        self.families.store_failures.inc()

    def event_log_works(self, works: bool) -> None:
        """Whether the event files can be written."""
        self.families.event_log.set(works)

    def state_files_work(self, works: bool) -> None:
        """Whether the state files can be written."""
        self.families.state_files.set(works)

    def observe_request(self, action: str, result: str) -> None:
        """A signed request: "accepted", "done", or the reason of its refusal."""
        self.families.requests.labels(action, result).inc()

    # ---- chains

    def observe_lane(self, status: LaneStatus, *, epoch: int | None = None) -> None:
        """A lane now; `epoch` is that of its lease, None while another keeper has it."""
        seen, names = self.families, (status.chain, status.sender)
        seen.balance.labels(*names).set(status.balance)
        seen.runway.labels(*names).set(math.inf if status.runway is None else status.runway)
        seen.tx_pending.labels(*names).set(status.pending)
        seen.next_nonce.labels(*names).set(status.next_nonce)
        seen.spent_today.labels(*names).set(status.spent_today)
        seen.lease_held.labels(*names).set(epoch is not None)
        if status.budget_per_day is not None:
            seen.budget.labels(*names).set(status.budget_per_day)
        if epoch is not None:
            seen.lease_epoch.labels(*names).set(epoch)

    def lane_event(self, event: LaneEvent) -> None:
        """Something about a lane."""
        self.families.tx_events.labels(event.chain, event.kind).inc()
        if event.kind == "bumped":
            self.families.tx_bumps.labels(event.chain).inc()
        if event.kind in _LANE_ENDS:
            self.families.transactions.labels(event.chain, event.kind).inc()

    def observe_transaction(self, row: TransactionRow) -> None:
        """A transaction that has ended: how long it took, and what it cost."""
        if row.state is TransactionState.CONFIRMED and row.finished_at is not None:
            self.families.tx_seconds.labels(row.chain).observe(max(0, row.finished_at - row.created_at))
        if row.fee_paid is not None:
            self.families.tx_fees.labels(row.chain).inc(row.fee_paid)

    def observe_nodes(self, chain: str, nodes: Iterable[NodeView], *, quorum: int | None = None) -> None:
        """The nodes of a chain as they are known now."""
        seen, known = self.families, tuple(nodes)
        best = max((node.head for node in known if node.head is not None and node.is_alive), default=None)
        for gone in self._endpoints.get(chain, set()) - {node.name for node in known}:
            for family in (seen.rpc_up, seen.rpc_lag, seen.rpc_errors):
                family.remove(chain, gone)
        self._endpoints[chain] = {node.name for node in known}
        for node in known:
            seen.rpc_up.labels(chain, node.name).set(node.is_alive)
            seen.rpc_errors.labels(chain, node.name).set(node.errors)
            behind = math.nan if best is None or node.head is None else max(0, best - node.head)
            seen.rpc_lag.labels(chain, node.name).set(behind)
        seen.rpc_operators.labels(chain).set(len({node.operator for node in known if node.is_alive}))
        if quorum is not None:
            seen.rpc_quorum.labels(chain).set(quorum)

    def node_event(self, event: NodeChange) -> None:
        """A node changed its state; one that is disputed contradicted a quorum."""
        if event.state.value == "disputed":
            self.families.rpc_disagreements.labels(event.chain, event.node).inc()

    def observe_skew(self, chain: str, seconds: int) -> None:
        """The machine's clock minus the newest block's timestamp."""
        self.families.clock_skew.labels(chain).set(seconds)

    # ---- people

    def observe_alerts(self, open_alerts: Mapping[tuple[str, str], int]) -> None:
        """How many alerts of each (rule, severity) have not ended."""
        self.families.alerts_open.clear()
        for (rule, severity), count in open_alerts.items():
            self.families.alerts_open.labels(rule, severity).set(count)

    def notified(self, target: str, result: str) -> None:
        """A message to people was "sent" or "failed"; `target` is its name, never its URL."""
        self.families.notifications.labels(target, result).inc()

    def _age(self, gauge: Gauge, since: Timestamp) -> None:
        """Let a gauge show the seconds since then, whenever it is asked."""
        gauge.set_function(lambda: max(0.0, self._now() - since))
