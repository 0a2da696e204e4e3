"""What is told of chains: served values, clocks, lanes, nodes; and how anything that is told is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from navoracle.chain.node_state import NodeEvent, NodeState
from navoracle.composition.service_events import transaction_event
from navoracle.domain.errors import StoreError
from navoracle.domain.prior import ConfirmedNav
from navoracle.lane_port import LaneEvent, LaneStatus
from navoracle.ports import Clock
from navoracle.store_port import Event, Severity, Store, TransactionKind, Urgency
from navoracle.telemetry.alerts import Alerts, RuleName
from navoracle.telemetry.metrics import Metrics

SKEW_LIMIT: Final = 120
"""Seconds between the keeper's clock and the newest block from which an operator is told."""

_LANE_RULES: Final[Mapping[str, RuleName]] = {
    "fee_cap": "FeeCap",
    "fee_budget": "FeeBudget",
    "key_used_elsewhere": "KeyUsedElsewhere",
    "deep_reorganization": "DeepReorganization",
    "wrong_signature": "SignerFailing",
}
_NODE_RULES: Final[Mapping[NodeState, RuleName]] = {
    NodeState.DISPUTED: "RpcDisagreement",
    NodeState.UNREACHABLE: "RpcDown",
}
_MEASURED: Final = frozenset({"sent", "confirmed", "replaced", "failed"})
_ENDS_FEE_TROUBLE: Final = frozenset({"mined", "confirmed"})


class ChainObserver:
    """The part of the service's observer that hears of chains.

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
        self._store = store
        self._metrics = metrics
        self._alerts = alerts
        self._journal = journal
        self._clock = clock
        self._nav_age_limit = nav_age_limit
        self.served: dict[str, ConfirmedNav] = {}
        self.lanes: dict[str, tuple[LaneStatus, int | None]] = {}
        self._asked: dict[str, float] = {}

    def confirmed(self, fund: str, confirmed: ConfirmedNav) -> None:
        """What the chain serves for a fund."""
        self.served[fund] = confirmed
        self._metrics.observe_confirmed(fund, confirmed, age_limit=self._nav_age_limit)
        age = self._clock.now() - confirmed.valuation_time
        if age > self._nav_age_limit:
            self._alerts.raise_("NavStale", fund, f"the NAV on chain is {age} s old, over {self._nav_age_limit} s")
        else:
            self._alerts.clear("NavStale", fund)
        if confirmed.held:
            self._alerts.raise_("FundHeld", fund, "the registry holds the fund and serves its old value")
        else:
            self._alerts.clear("FundHeld", fund)

    def skew(self, chain: str, seconds: int) -> None:
        """The keeper's clock minus the newest final block's time."""
        self._metrics.observe_skew(chain, seconds)
        if seconds < -SKEW_LIMIT:
            self._alerts.raise_("ClockSkew", chain, f"the newest block of {chain} is {-seconds} s ahead of the clock")
        else:
            self._alerts.clear("ClockSkew", chain)

    def lane(self, status: LaneStatus, epoch: int | None) -> None:
        """A lane as it is now."""
        self.lanes[f"{status.chain}:{status.sender}"] = (status, epoch)
        self._metrics.observe_lane(status, epoch=epoch)

    def lane_event(self, event: LaneEvent) -> None:
        """What became of a transaction, or of its lane."""
        self._metrics.lane_event(event)
        self._measure(event)
        lane = f"{event.chain}:{event.sender}"
        rule = _LANE_RULES.get(event.kind)
        if rule is not None:
            self._alerts.raise_(rule, lane, event.message, advice=event.advice or None)
        if event.kind in ("low_funds", "no_funds"):
            critical = event.severity is Severity.CRITICAL
            self._alerts.raise_(
                "SignerBalanceCritical" if critical else "SignerBalanceLow",
                lane,
                event.message,
                advice=event.advice or None,
            )
        if event.kind in _ENDS_FEE_TROUBLE:
            self._alerts.clear("FeeCap", lane)
        self.keep(transaction_event(event, self._clock.now()))

    def _measure(self, event: LaneEvent) -> None:
        """How long an emergency took to its broadcast, and what a transaction took and cost in the end."""
        if event.transaction is None or event.kind not in _MEASURED:
            return
        try:
            row = self._store.find_transaction(event.transaction)
            if event.kind != "sent":
                self._metrics.observe_transaction(row)
            elif row.intent.urgency is Urgency.EMERGENCY and row.intent.kind is TransactionKind.POST:
                for part in self._store.find_post(int(row.intent.key.removeprefix("post:"))).funds:
                    asked = self._asked.pop(part.fund, None)
                    if asked is not None:
                        self._metrics.observe_emergency_broadcast(time.monotonic() - asked)
        except StoreError as error:
            self._store_failed(error)

    def node_event(self, event: NodeEvent) -> None:
        """A node changed its state."""
        self._metrics.node_event(event)
        subject = f"{event.chain}:{event.node}"
        for state, rule in _NODE_RULES.items():
            if event.state is state:
                self._alerts.raise_(rule, subject, event.detail, advice=event.advice)
            else:
                self._alerts.clear(rule, subject)
        if event.was is not NodeState.UNDIALED or event.state is not NodeState.ALIVE:
            self.record(
                "node_state",
                None,
                Severity.INFO if event.state is NodeState.ALIVE else Severity.WARNING,
                f"{event.node} of {event.chain}: {event.was.value} to {event.state.value} {event.detail}".rstrip(),
                "" if event.state is NodeState.ALIVE else event.advice,
                {"chain": event.chain, "node": event.node, "state": event.state.value},
            )

    def record(
        self,
        kind: str,
        fund: str | None,
        severity: Severity,
        message: str,
        advice: str,
        data: Mapping[str, object],
    ) -> None:
        """Keep an event of now, and say it."""
        self.keep(Event(self._clock.now(), kind, fund, severity, message, advice, data))

    def keep(self, event: Event) -> None:
        """Keep an event and say it; a database that fails is told, and what happened has happened all the same."""
        try:
            self._journal(event)
        except StoreError as error:
            self._store_failed(error)

    def _store_failed(self, error: StoreError) -> None:
        self._metrics.store_failed()
        self._alerts.raise_("StoreFailing", "", error.message, advice=error.advice)
