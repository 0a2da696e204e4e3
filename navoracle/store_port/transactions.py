"""Transactions: a logical one is one intent with one nonce; it may be signed and broadcast under many hashes.

    PREPARED -> SENT -> MINED -> CONFIRMED     MINED -> SENT when a reorganization takes the block away
    any of the first three -> REPLACED         another transaction of the sender used its nonce
    any of the first three -> FAILED           it reverted, or it was given up before anything of it was broadcast

Who may write is decided by the lane: one owner for each (chain, sender), with a lease and an epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.publisher_port import Receipt, SignedTransaction
from navoracle.store_port.states import TransactionState as TransactionState


class TransactionKind(Enum):
    """What it is for. NOOP fills a gap of nonces, HOLD stops funds on a registry with the guardian's own hot key,
    SETTLE settles an epoch of a vault."""

    POST = "post"
    NOOP = "noop"
    HOLD = "hold"
    SETTLE = "settle"


class Urgency(Enum):
    """Which fee ceiling applies."""

    ROUTINE = "routine"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class LaneLease:
    """The right to use a sender's nonces on a chain: every write names the epoch, and fails once another one has it."""

    chain: str
    sender: Address
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class NewTransaction:
    """An intent. `key` makes it idempotent: the same key is the same transaction, however often it is added.

    `valid_until` (Unix seconds) is when it must not land any more: past it, its nonce is freed by a NOOP.
    """

    key: str
    kind: TransactionKind
    to: Address
    data: bytes
    urgency: Urgency = Urgency.ROUTINE
    valid_until: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed form of a transaction; fees in wei per gas. `error` is what the last broadcast was answered with.

    `noop` is a form that does nothing but use up the nonce: where it is mined, the transaction ends REPLACED.
    """

    signed: SignedTransaction
    gas: int
    max_fee: int
    max_tip: int
    noop: bool
    signed_at: Timestamp
    sent_at: Timestamp | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """A stored transaction with its attempts, oldest first; `receipt` is of the attempt that was mined."""

    id: int
    chain: str
    sender: Address
    intent: NewTransaction
    state: TransactionState
    nonce: int | None
    attempts: tuple[Attempt, ...]
    receipt: Receipt | None
    fee_paid: int | None
    error: str | None
    created_at: Timestamp
    finished_at: Timestamp | None


class TransactionStore(Protocol):
    """What the store knows of transactions. A write by a lane that lost its lease raises LeaseLost and does nothing."""

    def claim_lane(self, chain: str, sender: Address, *, owner: str, lease: int) -> LaneLease | None:
        """Take a lane for `lease` seconds of the database's clock; None while another owner's lease runs.

        Its own owner takes it anew at any time, with a new epoch: a restart does not wait for itself.
        """

    def renew_lane(self, lane: LaneLease, lease: int) -> None:
        """Make the lease end `lease` seconds from now."""

    def release_lane(self, lane: LaneLease) -> None:
        """Give the lane up at once; a lost one is nothing to give up."""

    def add_transaction(self, lane: LaneLease, intent: NewTransaction, at: Timestamp) -> int:
        """Store an intent before it is signed; the number of the one that has its key already where there is one."""

    def save_attempt(self, lane: LaneLease, transaction: int, attempt: Attempt) -> None:
        """Store signed bytes before they are broadcast; the first one gives the transaction its nonce.

        Raises:
            StoreError: the transaction has ended, has another nonce, or the nonce belongs to another open transaction.
        """

    def record_broadcast(self, lane: LaneLease, transaction_hash: str, at: Timestamp, error: str | None = None) -> None:
        """An attempt was broadcast (SENT), or a broadcast failed in a way that leaves open whether it arrived."""

    def record_mined(self, lane: LaneLease, transaction: int, receipt: Receipt, fee_paid: int, at: Timestamp) -> None:
        """One of its attempts is in a block: MINED. `fee_paid` in wei."""

    def record_unmined(self, lane: LaneLease, transaction: int, at: Timestamp) -> None:
        """Its block is no longer part of the chain: SENT again, without a receipt."""

    def end_transaction(
        self, lane: LaneLease, transaction: int, state: TransactionState, at: Timestamp, error: str | None = None
    ) -> None:
        """CONFIRMED, REPLACED or FAILED, for good."""

    def open_transactions(self, chain: str, sender: Address) -> tuple[TransactionRow, ...]:
        """Those that have not ended: by nonce, then those without one in the order of storing."""

    def find_transaction(self, transaction: int) -> TransactionRow:
        """One transaction. Raises StoreError for an unknown number."""

    def transactions(self, chain: str | None = None, limit: int | None = None) -> tuple[TransactionRow, ...]:
        """Transactions, newest first."""

    def highest_nonce(self, chain: str, sender: Address) -> int | None:
        """The highest nonce of any attempt that was ever stored; None before the first."""

    def fees_paid_since(self, chain: str, sender: Address, since: Timestamp, urgency: Urgency | None = None) -> int:
        """Wei paid for transactions mined at `since` or later: those of one urgency, or all."""
