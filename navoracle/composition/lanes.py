"""The lanes of a configuration: one for each signer that sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from navoracle.chain.connect import endpoint_at
from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.signers import Signer
from navoracle.chain.transactions import LanePolicy, Relay, TransactionLane
from navoracle.config.chains import ChainSection
from navoracle.lane_port import LaneEvent
from navoracle.ports import Clock
from navoracle.store_port import Severity, TransactionStore

GWEI: Final = 10**9


def lane_policy(section: ChainSection, lease: int) -> LanePolicy:
    """What the chain's section says of its transactions."""
    said = section.transactions
    return LanePolicy(
        routine_max_fee=said.max_fee_gwei * GWEI,
        emergency_max_fee=said.emergency_max_fee_gwei * GWEI,
        min_tip=said.min_tip_gwei * GWEI,
        max_tip=min(said.max_tip_gwei, said.max_fee_gwei) * GWEI,
        routine_budget=None if said.budget_gwei is None else said.budget_gwei * GWEI,
        emergency_budget=None if said.emergency_budget_gwei is None else said.emergency_budget_gwei * GWEI,
        resubmit_after=said.resubmit_seconds,
        republish_after=said.republish_seconds,
        post_confirmations=section.confirmations if said.confirmations is None else said.confirmations,
        private_patience=60 if said.relay is None else said.relay.patience,
        lease=lease,
    )


def transaction_lane(
    name: str,
    section: ChainSection,
    reader: Web3ChainReader,
    signer: Signer,
    *,
    store: TransactionStore,
    clock: Clock,
    owner: str,
    lease: int,
    on_event: Callable[[LaneEvent], None] | None = None,
) -> TransactionLane:
    """The lane of one signer on a chain; what happens on it is logged unless somebody else listens."""
    relay = section.transactions.relay
    return TransactionLane(
        pool=reader.pool,
        signer=signer,
        store=store,
        clock=clock,
        chain=name,
        chain_id=section.chain_id,
        policy=lane_policy(section, lease),
        owner=owner,
        on_event=on_event or log_lane_event,
        relay=None
        if relay is None
        else Relay(endpoint_at(relay.url.get_secret_value(), timeout=section.timeout), relay.method),
    )


def log_lane_event(event: LaneEvent) -> None:
    """Tell the operator what became of a transaction, and what to do."""
    log = structlog.get_logger("navoracle.chain")
    say = {Severity.INFO: log.info, Severity.WARNING: log.warning, Severity.CRITICAL: log.error}[event.severity]
    say(
        "transaction",
        what=event.kind,
        chain=event.chain,
        sender=event.sender,
        transaction=event.transaction,
        hash=event.hash,
        detail=event.message,
        advice=event.advice,
    )
