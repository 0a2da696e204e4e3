"""The way of NAVs onto a chain: what a contract that takes them is asked and answers, and their transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from navoracle.domain.guard_use import GuardUse
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.ports import Address


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be sent: raw bytes and hash (hex), with the fields that identify it."""

    raw: str
    hash: str
    nonce: int
    sender: Address
    to: Address


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction."""

    hash: str
    success: bool
    block_number: int
    block_hash: str
    gas_used: int


class Transactor(Protocol):
    """One signer on one chain."""

    @property
    def address(self) -> Address:
        """The sender."""

    async def prepare(self, to: Address, data: bytes) -> SignedTransaction:
        """Simulate, then sign. Raises CallReverted (with the decoded reason) or ChainError; nothing is sent."""

    async def send(self, transaction: SignedTransaction) -> None:
        """Broadcast once. An error is ambiguous until the hash is looked up; it is raised as ChainError."""

    async def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt, or None while the transaction is not mined."""


@dataclass(frozen=True, slots=True)
class FundPost:
    """What is posted for one fund: NAV_after, price per share and the components of section 13 (Wad).

    `prices` are those that its contract counts in (Wad per whole token, by asset); they are not stored with the post.
    """

    fund: str
    fund_id: int
    nav: Wad
    price_per_share: Wad
    confidence: Bps
    estimated: bool
    components: tuple[Wad, Wad, Wad, Wad, Wad]
    nav_before: Wad
    prices: Mapping[str, Wad] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """An encoded post of several funds: where it goes, its bytes, and what they say."""

    chain: str
    to: Address
    data: bytes
    valuation_time: Timestamp
    evidence_root: str
    posts: tuple[FundPost, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the contract would do with one fund's record now: `reason` None means it would accept it.

    Attributes:
        send: whether sending it is right (a held record is evidence for the RISK role; a refused one is noise).
        guards: the contract's guards, and what the post would use of them.
        ready_at: when the contract takes a post again, where waiting is all that is needed.
        role: who must act, where somebody must; `advice` says how.
    """

    fund: str
    reason: str | None
    send: bool
    guards: tuple[GuardUse, ...] = ()
    ready_at: Timestamp | None = None
    role: str | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the contract holds for one fund after a post; `role` and `advice` say who must act, where somebody must."""

    fund: str
    accepted: bool
    reason: str | None
    confirmed: ConfirmedNav
    role: str | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A call without which an accepted post is not served yet, and the role that must make it."""

    to: Address
    data: bytes
    role: str


class Publisher(Protocol):
    """A contract that takes NAVs."""

    @property
    def chain(self) -> str:
        """The configuration's name of the contract's chain."""

    @property
    def one_by_one(self) -> bool:
        """Whether a batch holds one fund only: the contract knows no other."""

    async def confirmed(self, fund_ids: Mapping[str, int]) -> Mapping[str, ConfirmedNav]:
        """The NAVs that the contract serves now."""

    def encode(self, posts: Sequence[FundPost], valuation_time: Timestamp, evidence_root: str) -> Batch:
        """Encode a batch."""

    async def preview(self, batch: Batch) -> tuple[Preview, ...]:
        """Ask the contract what it would do with the batch."""

    async def read_back(self, batch: Batch, receipt: Receipt) -> tuple[ReadBack, ...]:
        """Read the contract's state after the post and classify each fund's outcome."""

    async def follow_up(self, batch: Batch) -> FollowUp | None:
        """The call that an accepted post needs to be served, if it would do anything now. Raises ChainError."""
