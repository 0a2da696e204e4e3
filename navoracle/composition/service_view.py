"""The running keeper as its web service sees it: what the observer last heard, in the web service's own records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from navoracle import __version__
from navoracle.chain.node_state import NodeState
from navoracle.composition.observers import ServiceObserver
from navoracle.composition.risk_documents import health_document, health_sentence, standing_document
from navoracle.composition.system import System
from navoracle.domain.breaker import Breaker
from navoracle.domain.errors import StoreError
from navoracle.ports import Clock
from navoracle.risk.health import ComponentHealth, HealthStatus
from navoracle.risk.monitor import RiskMonitor
from navoracle.store_port import BreakerSubject, Store
from navoracle.telemetry.events import EventLog
from navoracle.web_service.view import Check, Component, FundHealth, FundRiskStatus, Liveness

HEARTBEAT_LIMIT: Final = 30.0
"""Seconds after which a loop that should beat every second is taken for stuck."""

_WORDS: Final[Mapping[HealthStatus, Literal["healthy", "degraded", "unhealthy"]]] = {
    HealthStatus.HEALTHY: "healthy",
    HealthStatus.DEGRADED: "degraded",
    HealthStatus.UNHEALTHY: "unhealthy",
}


class KeeperView:
    """Implements `web_service.view.ServiceView`."""

    def __init__(
        self,
        system: System,
        store: Store,
        observer: ServiceObserver,
        events: EventLog,
        clock: Clock,
        *,
        nav_age_limit: int,
        live: bool,
        monitor: RiskMonitor | None = None,
    ) -> None:
        self._system = system
        self._store = store
        self._observer = observer
        self._events = events
        self._clock = clock
        self._nav_age_limit = nav_age_limit
        self._live = live
        self._monitor = monitor

    def liveness(self) -> Liveness:
        """Whether the loop moves."""
        return Liveness(float(self._clock.now() - self._observer.last_beat), HEARTBEAT_LIMIT)

    def readiness(self) -> tuple[Check, ...]:
        """Store, nodes, lanes, and what failed and did not recover."""
        checks = [self._store_check()]
        for name, access in self._system.chains.items():
            pool = access.reader.pool
            alive = {node.operator for node in pool.nodes() if node.is_alive}
            states = ", ".join(f"{node.name} {node.state.value}" for node in pool.nodes())
            checks.append(
                Check(
                    f"rpc:{name}",
                    len(alive) >= pool.quorum,
                    f"{len(alive)} of {pool.quorum} operators: {states}",
                    "" if len(alive) >= pool.quorum else "Bring the chain's endpoints back, or configure more of them.",
                )
            )
        for name, lane in self._system.posters.items():
            known = self._observer.lanes.get(f"{name}:{lane.address}")
            epoch = None if known is None else known[1]
            checks.append(
                Check(
                    f"lane:{name}",
                    epoch is not None,
                    f"epoch {epoch}" if epoch is not None else "another keeper has it, or it was not looked at yet",
                    "" if epoch is not None else "This keeper stands by; nothing to do while the other one posts.",
                )
            )
        return tuple(checks)

    def _store_check(self) -> Check:
        try:
            self._store.load_breakers()
        except StoreError as error:
            return Check("store", ok=False, detail=error.message, advice=error.advice)
        return Check("store", ok=True)

    def health(self) -> tuple[FundHealth, ...]:
        """Every fund's NAV on chain; a fund that is posted nowhere is not in it."""
        now = self._clock.now()
        found = []
        for name, fund in self._system.subject.funds.items():
            if fund.target not in self._system.ports.outboxes:
                continue
            served = self._observer.served.get(name)
            age = None if served is None else max(0, now - served.valuation_time)
            why = "" if age is not None and age <= self._nav_age_limit else self._why(name)
            found.append(
                FundHealth(
                    fund=name,
                    age=age,
                    limit=self._nav_age_limit,
                    held=served is not None and served.held,
                    price_per_share=None if served is None else served.price_per_share,
                    why=why,
                    advice="" if not why else f"`navoracle history {name}` has the slots and their reasons.",
                )
            )
        return tuple(found)

    def _why(self, fund: str) -> str:
        said = []
        last = self._observer.last_slots.get(fund)
        if last is not None and last[2].reason is not None:
            said.append(f"its last slot {last[2].state.value}: {last[2].reason}")
        said += [f"{what}: {error.message}" for what, error in sorted(self._observer.troubles.items())]
        if not self._live:
            said.append("this is a dry run: nothing is sent")
        return "; ".join(said) or "no slot has ended since the start"

    def components(self) -> tuple[Component, ...]:
        """The risk monitor, where a fund is watched."""
        if self._monitor is None:
            return ()
        found = self._monitor.health(self._clock.now())
        return (
            Component(
                "risk monitor",
                _WORDS[found.status],
                f"{found.status.value}: {health_sentence(found)}",
                _advice(found),
            ),
        )

    def risks(self) -> tuple[FundRiskStatus, ...]:
        """The funds whose risks were seen since the start."""
        if self._monitor is None:
            return ()
        newest = [(fund, self._monitor.latest(fund)) for fund in self._monitor.funds]
        return tuple(
            FundRiskStatus(
                fund,
                reading.report.status,
                reading.at,
                tuple(f"{alert.name}: {alert.message}" for alert in self._monitor.standing(fund)),
            )
            for fund, reading in newest
            if reading is not None and reading.report is not None
        )

    def troubles(self) -> tuple[Check, ...]:
        """What else is not as it should be."""
        found = [
            Check(what, ok=False, detail=error.message, advice=error.advice)
            for what, error in sorted(self._observer.troubles.items())
        ]
        if self._events.trouble is not None:
            found.append(
                Check("event files", ok=False, detail=self._events.trouble, advice="Free space, or correct the folder.")
            )
        return tuple(found)

    def status(self) -> Mapping[str, object]:
        """The keeper's state as plain JSON; money as strings, times in Unix seconds."""
        return {
            "version": __version__,
            "live": self._live,
            "now": self._clock.now(),
            "funds": {name: self._fund(name) for name in self._system.subject.funds},
            "risk_monitor": None if self._monitor is None else health_document(self._monitor.health(self._clock.now())),
            "breakers": self._breakers(),
            "lanes": [
                {
                    "chain": status.chain,
                    "sender": status.sender,
                    "epoch": epoch,
                    "balance": str(status.balance),
                    "runway": status.runway,
                    "pending": status.pending,
                    "next_nonce": status.next_nonce,
                    "spent_today": str(status.spent_today),
                }
                for status, epoch in self._observer.lanes.values()
            ],
            "nodes": {
                name: [
                    {"node": node.name, "operator": node.operator, "state": node.state.value, "head": node.head}
                    for node in access.reader.pool.nodes()
                    if node.state is not NodeState.UNDIALED
                ]
                for name, access in self._system.chains.items()
            },
        }

    def _fund(self, name: str) -> Mapping[str, object]:
        served, last = self._observer.served.get(name), self._observer.last_slots.get(name)
        return {
            "chain": self._system.subject.funds[name].chain,
            "served": None
            if served is None
            else {
                "nav": None if served.nav is None else str(served.nav),
                "price_per_share": str(served.price_per_share),
                "valuation_time": served.valuation_time,
                "held": served.held,
            },
            "last_slot": None
            if last is None
            else {
                "slot_time": last[0],
                "cadence": last[1].value,
                "state": last[2].state.value,
                "reason": last[2].reason,
            },
            "risk": None if self._monitor is None else standing_document(self._monitor, name),
        }

    def _breakers(self) -> Sequence[Mapping[str, object]]:
        try:
            known: Mapping[BreakerSubject, Breaker] = self._store.load_breakers()
        except StoreError:
            return ()
        return [
            {
                "kind": subject.kind,
                "name": subject.name,
                "state": breaker.state.value,
                "reasons": list(breaker.reasons),
                "since": breaker.since,
                "advice": breaker.advice,
            }
            for subject, breaker in known.items()
        ]


def _advice(health: ComponentHealth) -> str:
    if health.status is HealthStatus.HEALTHY:
        return ""
    if not health.is_fresh:
        return "Look for slots that wait for their transaction, and for `job_failed` events, which are defects."
    return "The event log's `error` events of `risk` say which."
