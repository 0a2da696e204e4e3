"""The protocols of a store: what the keeper writes and starts from, and what can be asked of it afterwards.

A store is synchronous. Every method that writes is one transaction: it is kept whole or not at all. Lists come newest
first unless a method says otherwise. Each subject has a module here with its records and its protocol; all of them are
re-exported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from navoracle.domain.fees import Basis
from navoracle.domain.flows import Flow
from navoracle.domain.frame import NavFrame
from navoracle.domain.prior import FundPrior, PriorPrice, Sample
from navoracle.domain.risk.gates import PeakState
from navoracle.domain.units import Timestamp, Wad
from navoracle.publisher_port import Batch, ReadBack
from navoracle.store_port.alerts import AlertRow, AlertStore
from navoracle.store_port.breakers import BreakerStore, BreakerSubject
from navoracle.store_port.pages import (
    ALWAYS,
    EstimateRow,
    EventQuestion,
    FrameKey,
    FrameQuestion,
    PageStore,
    QuoteRow,
    Rows,
    SlotKey,
    SlotQuestion,
    Span,
)
from navoracle.store_port.peaks import GateRow, KeptPeaks, PeakStore
from navoracle.store_port.records import (
    Event,
    EventRow,
    FrameRow,
    FundFrameRow,
    FundOutcome,
    FundValues,
    HistoryRow,
    PostFundRow,
    PostRow,
    Severity,
    SlotOutcome,
    SlotRow,
    SlotState,
    StatusRow,
)
from navoracle.store_port.requests import RequestRecord, RequestRow, RequestState, RequestStore
from navoracle.store_port.slots import Claim, SlotStore
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import (
    Attempt,
    LaneLease,
    NewTransaction,
    TransactionKind,
    TransactionRow,
    TransactionStore,
    Urgency,
)

__all__ = [
    "ALWAYS",
    "AlertRow",
    "AlertStore",
    "Attempt",
    "BreakerStore",
    "BreakerSubject",
    "Claim",
    "EstimateRow",
    "Event",
    "EventQuestion",
    "EventRow",
    "FrameKey",
    "FrameQuestion",
    "FrameRow",
    "FundFrameRow",
    "FundOutcome",
    "FundValues",
    "GateRow",
    "History",
    "HistoryRow",
    "KeptPeaks",
    "LaneLease",
    "NewTransaction",
    "PageStore",
    "PeakStore",
    "PostFundRow",
    "PostRow",
    "QuoteRow",
    "RequestRecord",
    "RequestRow",
    "RequestState",
    "RequestStore",
    "Rows",
    "Severity",
    "SlotKey",
    "SlotOutcome",
    "SlotQuestion",
    "SlotRow",
    "SlotState",
    "SlotStore",
    "Span",
    "StatusRow",
    "Store",
    "TransactionKind",
    "TransactionRow",
    "TransactionState",
    "TransactionStore",
    "Urgency",
]


class History(Protocol):
    """What can be asked of a store. Every method raises StoreError when the database cannot be read."""

    def slots(
        self, fund: str | None = None, since: Timestamp | None = None, limit: int | None = None
    ) -> tuple[SlotRow, ...]:
        """Slots, of one fund or all, from the slot time `since` on."""

    def posts(self, fund: str | None = None, frame: str | None = None, limit: int | None = None) -> tuple[PostRow, ...]:
        """Posts, of one fund or frame or all."""

    def frames(
        self, since: Timestamp | None = None, limit: int | None = None, *, samples: bool = False
    ) -> tuple[FrameRow, ...]:
        """Frames valued at `since` or later; those of the sampler only when asked for."""

    def fund_frames(
        self,
        fund: str | None = None,
        frame: str | None = None,
        since: Timestamp | None = None,
        limit: int | None = None,
    ) -> tuple[FundFrameRow, ...]:
        """What frames found for a fund, or a frame for its funds."""

    def evidence(self, frame_id: str, fund: str) -> bytes:
        """The canonical evidence document. Raises StoreError when there is none."""

    def events(
        self,
        fund: str | None = None,
        kind: str | None = None,
        since: Timestamp | None = None,
        limit: int | None = None,
    ) -> tuple[EventRow, ...]:
        """Events."""

    def flows(self, fund: str, since: Timestamp, until: Timestamp | None = None) -> tuple[Flow, ...]:
        """Declared flows after `since` up to and including `until`, oldest first."""

    def history(
        self, fund: str | None = None, since: Timestamp | None = None, limit: int | None = None
    ) -> tuple[HistoryRow, ...]:
        """Slots with their frames and posts."""

    def status(self) -> tuple[StatusRow, ...]:
        """The newest of every fund, sorted by fund."""


class Store(
    History, PageStore, SlotStore, TransactionStore, BreakerStore, RequestStore, AlertStore, PeakStore, Protocol
):
    """What the keeper writes and starts from. Every method raises StoreError when the database fails it."""

    def transaction(self) -> AbstractContextManager[None]:
        """Group this thread's writes into one transaction; nothing may be awaited inside."""

    def record_frame(
        self,
        frame: NavFrame,
        *,
        hashes: Mapping[str, str],
        fee_bases: Mapping[str, Basis] | None = None,
        peaks: Mapping[str, PeakState] | None = None,
    ) -> None:
        """Keep a frame with its evidence, its live prices and samples, and the state of funds that may be posted.

        Args:
            hashes: the evidence hash of each fund that has evidence.
            fee_bases: what a fund's high-water mark measures; "per_share" for a fund that is not named.
            peaks: those that the frame moves, by fund; of two frames the one that looked later counts.
        """

    def record_sample(self, frame: NavFrame) -> None:
        """Keep the live prices of a sampler's frame."""

    def load_prior_prices(self) -> tuple[PriorPrice, ...]:
        """The last valid price of every asset and side, sorted."""

    def load_samples(self, since: Timestamp) -> tuple[Sample, ...]:
        """Samples at `since` or later, oldest first."""

    def load_fund(self, fund: str) -> FundPrior:
        """The fund's fee state and last known positions; what the chain confirmed is not in the store."""

    def declare_flow(self, fund: str, flow: Flow, *, shares: Wad | None = None) -> None:
        """Record a flow. A dividend needs the shares that it is paid on (DomainError without)."""

    def distributions_since(self, fund: str, at: Timestamp, until: Timestamp | None = None) -> Wad:
        """Dividends per share (Wad) declared for after `at`, up to and including `until`."""

    def prepare_post(
        self,
        batch: Batch,
        frame_id: str,
        evidence: Mapping[str, str],
        proofs: Mapping[str, Sequence[str]],
        *,
        claims: Sequence[Claim],
        lane: LaneLease,
        urgency: Urgency,
        valid_until: Timestamp | None,
    ) -> PostRow:
        """Store a post and its transaction (kind POST) before anything is signed, and link the claimed slots to it.

        Args:
            evidence, proofs: the evidence hash and Merkle proof of every fund of the batch.
            claims: the slots that the post is to end, at least one for each fund of the batch.

        Raises:
            LeaseLost: a claim or the lane is no longer this keeper's; nothing was stored.
        """

    def finish_post(self, lane: LaneLease, post: int, read_backs: Sequence[ReadBack], at: Timestamp) -> None:
        """Record what the contract holds after the post, fund by fund; a fund that was not read back is MISSING."""

    def find_post(self, post: int) -> PostRow:
        """One post. Raises StoreError for an unknown number."""

    def unfinished_posts(self) -> tuple[PostRow, ...]:
        """Posts whose transaction has not ended, or that were not read back after it was confirmed; oldest first."""

    def frame_of_post(self, fund: str, valuation_time: Timestamp) -> str | None:
        """The frame whose post gave the contract this fund's value of this time; None when it was not ours."""

    def append_event(self, event: Event) -> int:
        """Keep an event for good; returns its id."""
