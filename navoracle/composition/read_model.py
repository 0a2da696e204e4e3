"""The read model of a keeper: what it reads from, and what it knows of the one that runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from navoracle.chain.node_state import NodeState
from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.composition.observers import ServiceObserver
from navoracle.composition.system import System
from navoracle.config.funds import FundSection
from navoracle.config.models import Config
from navoracle.domain.cadence import next_slot
from navoracle.domain.errors import VerificationFailed
from navoracle.keeper.audit import Audit, audit
from navoracle.keeper.explain import fund_keys
from navoracle.keeper.plan import AssetPlan, FundPlan
from navoracle.keeper.planner import Subject
from navoracle.keeper.watch import Watch
from navoracle.ports import Clock
from navoracle.read_model.model import ReadModel
from navoracle.read_model.operations import CheckRecord, LaneRecord, NextSlot, NodeRecord
from navoracle.read_model.sources import FundFacts, Live, Sources
from navoracle.read_model.verification import Verification, VerifiedPost
from navoracle.store_port import History, Store
from navoracle.web_service.view import Check, ServiceView


def read_model_of(
    subject: Subject, store: Store, clock: Clock, *, state_folder: Path | None, live: Live | None = None
) -> ReadModel:
    """The read model of what is configured.

    Args:
        subject: the funds and assets as they are resolved.
        state_folder: where the state files are; None where none are written.
        live: the running keeper; None where none runs in this process.
    """
    facts = {
        name: FundFacts(name, fund.chain, _assets_of(fund, subject.assets)) for name, fund in subject.funds.items()
    }
    return ReadModel(
        Sources(
            store=store,
            funds=lambda: facts,
            state_folder=state_folder,
            now=clock.now,
            verify=lambda frame, fund: verification_of(store, frame, fund),
            live=live,
        )
    )


def stored_read_model(config: Config | None, store: Store, clock: Clock, *, state_folder: Path | None) -> ReadModel:
    """The read model of a database and state files alone: nothing is resolved, and no chain is asked.

    Args:
        config: what is configured; None where nothing is known of that.
    """
    facts = {} if config is None else {name: _said_of(name, fund) for name, fund in config.funds.items()}
    return ReadModel(
        Sources(
            store=store,
            funds=lambda: facts,
            state_folder=state_folder,
            now=clock.now,
            verify=lambda frame, fund: verification_of(store, frame, fund),
        )
    )


def _said_of(name: str, fund: FundSection) -> FundFacts:
    return FundFacts(name, fund.chain, frozenset(asset for each in fund.positions for asset, _ in each.assets))


def verification_of(history: History, frame: str, fund: str) -> Verification:
    """Compute a fund's frame again from its evidence, as `navoracle verify` does. Raises StoreError."""
    try:
        return _verified(audit(history, frame, fund, plan_from_evidence))
    except VerificationFailed as error:
        return Verification(
            frame=frame,
            fund=fund,
            verified=False,
            failure=error.message,
            advice=error.advice,
            status=None,
            nav=None,
            price_per_share=None,
            now=None,
            evidence_hash=None,
            code_version=None,
            posts=[],
        )


def _verified(found: Audit) -> Verification:
    verified = found.verified
    return Verification(
        frame=verified.frame,
        fund=verified.fund,
        verified=True,
        failure=None,
        advice=None,
        status=verified.status.value,
        nav=None if verified.nav is None else str(int(verified.nav)),
        price_per_share=None if verified.price_per_share is None else str(int(verified.price_per_share)),
        now=verified.now,
        evidence_hash=verified.evidence_hash,
        code_version=verified.code_version,
        posts=[
            VerifiedPost(
                post=post.id,
                state=post.state.value,
                chain=post.batch.chain,
                contract=post.batch.to,
                evidence_root=post.batch.evidence_root,
                transaction=post.transaction_hash,
                block=post.block_number,
            )
            for post in found.posts
        ],
    )


class KeeperLive:
    """Implements `read_model.Live` by what the observer last heard."""

    def __init__(
        self, system: System, observer: ServiceObserver, view: ServiceView, watch: Watch, clock: Clock
    ) -> None:
        self._system = system
        self._observer = observer
        self._view = view
        self._watch = watch
        self._clock = clock

    def nodes(self) -> tuple[NodeRecord, ...]:
        """The nodes of every chain that were dialed."""
        return tuple(
            NodeRecord(chain=name, node=node.name, operator=node.operator, state=node.state.value, head=node.head)
            for name, access in self._system.chains.items()
            for node in access.reader.pool.nodes()
            if node.state is not NodeState.UNDIALED
        )

    def lanes(self) -> tuple[LaneRecord, ...]:
        """The senders of every chain, as they were last looked at."""
        return tuple(
            LaneRecord(
                chain=status.chain,
                sender=status.sender,
                epoch=epoch,
                balance=str(status.balance),
                runway=status.runway,
                pending=status.pending,
                next_nonce=status.next_nonce,
                spent_today=str(status.spent_today),
            )
            for status, epoch in list(self._observer.lanes.values())
        )

    def next_slot(self, fund: str) -> NextSlot:
        """The fund's next slot by the cadence as it stands."""
        slot = next_slot(self._watch.state, fund, self._clock.now())
        return NextSlot(slot_time=slot.time, cadence=slot.cadence.value, reasons=list(slot.reasons))

    def checks(self) -> tuple[CheckRecord, ...]:
        """What a slot needs, and what else is not as it should be."""
        return tuple(_checks((*self._view.readiness(), *self._view.troubles())))


def _checks(found: Iterable[Check]) -> Iterable[CheckRecord]:
    for check in found:
        yield CheckRecord(name=check.name, ok=check.ok, detail=check.detail, advice=check.advice)


def _assets_of(fund: FundPlan, assets: Mapping[str, AssetPlan]) -> frozenset[str]:
    """The assets whose prices a fund needs, with those that these are derived from or quoted in."""
    found: set[str] = set()
    left: list[str] = [symbol for symbol, _ in fund_keys(fund.positions)]
    while left:
        symbol = left.pop()
        if symbol not in found:
            found.add(symbol)
            left += _needed_by(assets.get(symbol))
    return frozenset(found)


def _needed_by(asset: AssetPlan | None) -> Collection[str]:
    if asset is None:
        return ()
    rates = [rate.base for rate in (asset.derived, asset.native) if rate is not None]
    return [*rates, *(source.quoted_in for source in asset.sources if source.quoted_in is not None)]
