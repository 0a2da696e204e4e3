"""What the parts of a lane share: who it is, what it writes to, and the way from an intent to broadcast bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from navoracle.chain.node import Node
from navoracle.chain.signers import Signer, sign_transaction
from navoracle.chain.transactions.broadcasting import (
    ADVICE,
    Broadcast,
    Verdict,
    broadcast_everywhere,
    broadcast_once,
    broadcast_privately,
)
from navoracle.chain.transactions.nodes import ChainNodes
from navoracle.chain.transactions.nonces import nonces_of_ours
from navoracle.chain.transactions.policy import LanePolicy, Relay
from navoracle.domain.errors import LeaseLost
from navoracle.domain.gas_fees import Fees
from navoracle.domain.units import Timestamp
from navoracle.lane_port import LaneEvent
from navoracle.ports import Address, Clock
from navoracle.store_port.records import Severity
from navoracle.store_port.transactions import (
    Attempt,
    LaneLease,
    TransactionKind,
    TransactionRow,
    TransactionStore,
    Urgency,
)

_TRANSACTION_TYPE: Final = 2

_RECENT: Final = 50
"""How many ended transactions are looked at for the newest nonce of ours: it guards against nodes that lag."""


@dataclass(slots=True)
class Desk:
    """A lane's identity and tools. What is kept here between two looks may be lost: the store has what matters.

    Attributes:
        published: when each hash was last broadcast by this process.
        verdicts: what the last broadcast of each hash was answered with.
        waiting_since: from when on a transaction that fell out of its block waits for another one.
        halted: why nothing new may be sent; None while it may.
        nonces: held from the choice of a nonce, and the look at the budget, until the signed form is stored.
    """

    chain: str
    nodes: ChainNodes
    signer: Signer
    store: TransactionStore
    clock: Clock
    policy: LanePolicy
    relay: Relay | None
    on_event: Callable[[LaneEvent], None] | None
    held: LaneLease | None = None
    published: dict[str, Timestamp] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    waiting_since: dict[int, Timestamp] = field(default_factory=dict)
    halted: str | None = None
    nonces: asyncio.Lock = field(default_factory=asyncio.Lock)
    _told: set[tuple[str, object]] = field(default_factory=set)

    @property
    def sender(self) -> Address:
        """The address that signs."""
        return self.signer.address

    @property
    def lease(self) -> LaneLease:
        """The lease under which everything is written. Raises LeaseLost while there is none."""
        if self.held is None:
            raise LeaseLost(
                f"the lane of {self.sender} on {self.chain} is not ours",
                advice="Another keeper may own it: nothing is signed or sent until its lease runs out.",
            )
        return self.held

    def open_rows(self) -> tuple[TransactionRow, ...]:
        """The sender's transactions that have not ended, by nonce."""
        return self.store.open_transactions(self.chain, self.sender)

    def nonces_of_ours(self) -> set[int]:
        """The newest nonces that are in a block or may still get there."""
        recent = (row for row in self.store.transactions(self.chain, _RECENT) if row.sender == self.sender)
        return nonces_of_ours((*self.open_rows(), *recent))

    def forget(self, row: TransactionRow) -> None:
        """A transaction ended: nothing of it need be remembered."""
        self.waiting_since.pop(row.id, None)
        self._told = {told for told in self._told if told[1] != row.id}
        for attempt in row.attempts:
            self.published.pop(attempt.signed.hash, None)
            self.verdicts.pop(attempt.signed.hash, None)

    # ---- events

    def tell(
        self,
        kind: str,
        severity: Severity,
        message: str,
        advice: str = "",
        *,
        row: TransactionRow | None = None,
        hash: str | None = None,
    ) -> None:
        """Report an event."""
        if self.on_event is not None:
            number = None if row is None else row.id
            self.on_event(LaneEvent(kind, self.chain, self.sender, severity, message, advice, number, hash))

    def tell_once(
        self,
        about: object,
        kind: str,
        severity: Severity,
        message: str,
        advice: str,
        *,
        row: TransactionRow | None = None,
    ) -> None:
        """Report an event unless it was reported about the same thing already."""
        if (kind, about) not in self._told:
            self._told.add((kind, about))
            self.tell(kind, severity, message, advice, row=row)

    def is_over(self, about: object, kind: str) -> None:
        """What was reported once has passed: the next time it is reported again."""
        self._told.discard((kind, about))

    # ---- signing and sending

    async def sign(self, row: TransactionRow, nonce: int, gas: int, fees: Fees, *, noop: bool) -> tuple[Attempt, Node]:
        """Have one form of a transaction signed and checked; nothing is stored or sent.

        Returns:
            The form, and the node that it may go to: one that said just before that it serves the chain.

        Raises:
            SignerFailed: the signer did not sign; WrongSignature: it signed something else.
            ChainError: no node serves the chain.
        """
        node, *_ = await self.nodes.of_the_chain()
        to, data = (self.sender, b"") if noop else (row.intent.to, row.intent.data)
        signed = await sign_transaction(
            self.signer,
            {
                "type": _TRANSACTION_TYPE,
                "chainId": self.nodes.chain_id,
                "nonce": nonce,
                "gas": gas,
                "maxFeePerGas": fees.max_fee,
                "maxPriorityFeePerGas": fees.max_tip,
                "to": bytes.fromhex(to[2:]),
                "value": 0,
                "data": data,
            },
        )
        attempt = Attempt(
            signed=signed,
            gas=gas,
            max_fee=fees.max_fee,
            max_tip=fees.max_tip,
            noop=noop,
            signed_at=self.clock.now(),
            sent_at=None,
        )
        return attempt, node

    def is_private(self, row: TransactionRow, attempt: Attempt) -> bool:
        """Whether an attempt goes to the private relay alone: within the relay's time."""
        first = row.attempts[0].signed_at if row.attempts else attempt.signed_at
        in_time = self.clock.now() - first < self.policy.private_patience
        return in_time and not attempt.noop and self.may_be_private(row)

    def may_be_private(self, row: TransactionRow) -> bool:
        """Whether a transaction is one for the private relay: a routine post, where there is a relay."""
        intent = row.intent
        return self.relay is not None and intent.kind is TransactionKind.POST and intent.urgency is Urgency.ROUTINE

    async def broadcast(self, row: TransactionRow, attempt: Attempt, only: Node | None = None) -> Broadcast:
        """Hand a stored attempt to the node `only`, or the same bytes to all; a private one to the relay alone.

        Raises:
            ChainError: no node serves the chain; it was handed to nobody.
        """
        if self.relay is not None and self.is_private(row, attempt):
            found = await broadcast_privately(self.relay, attempt.signed)
        elif only is not None:
            found = await broadcast_once(only, attempt.signed)
        else:
            found = await broadcast_everywhere(await self.nodes.of_the_chain(), attempt.signed)
        self.published[attempt.signed.hash] = self.clock.now()
        self.verdicts[attempt.signed.hash] = found.verdict
        return found

    def record(self, row: TransactionRow, attempt: Attempt, found: Broadcast) -> None:
        """Keep what a broadcast was answered with, and report what an operator may have to know."""
        transaction_hash = attempt.signed.hash
        self.store.record_broadcast(self.lease, transaction_hash, self.clock.now(), found.error)
        if found.verdict is Verdict.TAKEN:
            self.is_over(row.id, "no_funds")
            self.is_over(row.id, "send_failed")
        elif found.verdict is Verdict.NO_FUNDS:
            self.tell_once(row.id, "no_funds", Severity.CRITICAL, str(found.error), ADVICE[found.verdict], row=row)
        elif found.verdict is not Verdict.NONCE_USED:
            self.tell_once(row.id, "send_failed", Severity.WARNING, str(found.error), ADVICE[found.verdict], row=row)
