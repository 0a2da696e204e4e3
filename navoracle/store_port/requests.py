"""Signed requests: each is taken once, and what became of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from navoracle.domain.units import Timestamp
from navoracle.ports import Address


class RequestState(Enum):
    """QUEUED: it asked for a slot or a transaction that has not ended. The others are how it ended.

    PARTLY_DONE: this keeper does as it was asked, and the chain was not told.
    """

    QUEUED = "queued"
    DONE = "done"
    PARTLY_DONE = "partly_done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request that was verified: who asked for what. `id` is the EIP-712 digest (0x-hex), `document` its JSON.

    `nonce` is the signer's own, used once for each (chain, contract, signer).
    """

    id: str
    fund: str
    action: str
    role: str
    signer: Address
    chain_id: int
    contract: Address
    nonce: int
    slot: Timestamp
    reason: str
    deadline: Timestamp
    document: str
    received_by: str


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A stored request and what became of it."""

    record: RequestRecord
    state: RequestState
    received_at: Timestamp
    finished_at: Timestamp | None
    result: str | None


class RequestStore(Protocol):
    """What the store knows of requests."""

    def take_request(self, record: RequestRecord, at: Timestamp, *, at_most: int | None, within: int) -> None:
        """Keep a request as QUEUED and use up its nonce, in one transaction.

        Args:
            at_most: how many requests of this action for this fund may be taken within `within` seconds; None for any.

        Raises:
            RequestRefused: `replayed` (its nonce or its id was used before), or `too_often`.
        """

    def finish_request(self, request: str, state: RequestState, result: str, at: Timestamp) -> None:
        """What became of it."""

    def queued_requests(self) -> tuple[RequestRow, ...]:
        """Requests that have not ended, oldest first."""

    def requests(self, fund: str | None = None, limit: int | None = None) -> tuple[RequestRow, ...]:
        """Requests, newest first."""
