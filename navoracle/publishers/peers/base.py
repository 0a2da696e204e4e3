"""What every contract of another vault system has: where it is, what it counts in, and how a post to it is judged.

A peer performs no I/O. Its reads are generators, as those of price sources are: they yield calls, receive the answers
and return a value or raise a `ReadError`; a call that reverts is raised inside the generator. Of what a contract keeps
and has no view of, they ask for the words of its storage.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from typing import ClassVar, Final, NamedTuple, TypeAlias, TypeVar

from pydantic import Field

from navoracle.domain.errors import DomainError
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, mul_div
from navoracle.ports import Address, ReadPoint, Request
from navoracle.publisher_port import FollowUp, FundPost, Preview, ReadBack, Receipt
from navoracle.readers import ChecksumAddress, Name, ReaderModel, Seconds

ESTIMATED: Final = "estimated"
UNCHANGED: Final = "unchanged"
TOO_EARLY: Final = "too_early"
PAUSED: Final = "paused"
REFUSED: Final = "peer_refuses"
"""Reasons that several peers share; the others are in the modules that give them."""


T = TypeVar("T")


class StorageWord(NamedTuple):
    """A slot of a contract's storage; the answer is its 32 bytes, zero where nothing was written."""

    contract: Address
    slot: int


PeerRead: TypeAlias = Generator[tuple[Request | StorageWord, ...], tuple[bytes, ...], T]


class PeerModel(ReaderModel, frozen=True):
    """A contract that takes the NAV of one fund, as configured.

    Attributes:
        chain: the configuration's name of its chain.
        contract: where a post is sent.
        base: the asset that it counts in; None where that is the unit of account itself.
        heartbeat: seconds after which a post goes out although its rounded value is unchanged.
        margin: seconds added to every waiting time of the contract's, so that a post is never early by a block.
        post_estimated: whether an ESTIMATED NAV is posted: the contract knows no such status.
        sender: who posts, for previews before a key is opened; the chain's signer once it is.
    """

    settles: ClassVar[bool] = False
    """Whether an accepted post is served, and takes deposits in, only by a settling call (`follow_up_of`)."""

    chain: Name
    contract: ChecksumAddress
    base: Name | None = None
    heartbeat: Seconds = 86_400
    margin: int = Field(default=30, ge=0)
    post_estimated: bool = False
    sender: ChecksumAddress | None = None

    @property
    def priced_in(self) -> tuple[str, ...]:
        """The assets whose prices a post needs."""
        return () if self.base is None else (self.base,)

    @abstractmethod
    def encode(self, post: FundPost, valuation_time: Timestamp) -> bytes:
        """The call data of a post.

        Raises:
            OutOfRange: the value does not fit its field. DomainError: a price that it counts in is missing.
        """

    @abstractmethod
    def confirmed(self, at: ReadPoint) -> PeerRead[ConfirmedNav | None]:
        """What it serves, in the unit of its base asset (Wad); None where it has never been posted to."""

    @abstractmethod
    def preview(self, post: FundPost, data: bytes, at: ReadPoint) -> PeerRead[Preview]:
        """What it would do with the post if it were mined at `at.now`, by its own guards and its own view."""

    @abstractmethod
    def read_back(self, fund: str, data: bytes, receipt: Receipt, at: ReadPoint) -> PeerRead[ReadBack]:
        """What it holds after the post was mined; `at` is the receipt's block."""

    def follow_up_of(self, fund: str, data: bytes, at: ReadPoint) -> PeerRead[FollowUp | None]:
        """The call that an accepted post needs to be served; nothing unless a peer says otherwise."""
        yield from ()
        return None

    def price_of_base(self, post: FundPost) -> Wad:
        """The price of the base asset in the unit of account (Wad).

        Raises:
            DomainError: the post does not carry it.
        """
        return Wad(WAD) if self.base is None else price_in(post, self.base)

    def in_base(self, post: FundPost, value: Wad) -> Wad:
        """An amount of the unit of account in whole units of the base asset (Wad), rounded down."""
        return Wad(mul_div(value, WAD, self.price_of_base(post), Rounding.DOWN))


def price_in(post: FundPost, asset: str) -> Wad:
    """The price of an asset by the post's frame (Wad). Raises DomainError: there is none, or it is not positive."""
    price = post.prices.get(asset)
    if price is None or price <= 0:
        raise DomainError(
            f"{post.fund}: its contract counts in {asset}, of which the frame has no price",
            advice=f"Give {asset} working sources; a post is never converted at a guess.",
        )
    return price


def unchanged(fund: str, guards: tuple[GuardUse, ...] = ()) -> Preview:
    """The preview of a post whose rounded value the contract has already, before its heartbeat is due."""
    advice = "Nothing to do: the contract has this value already, and its heartbeat is not due."
    return Preview(fund, UNCHANGED, send=False, guards=guards, advice=advice)


def estimated_refusal(peer: PeerModel, post: FundPost) -> Preview | None:
    """The refusal of an ESTIMATED NAV, unless the peer is configured to take it."""
    if not post.estimated or peer.post_estimated:
        return None
    return Preview(
        post.fund,
        ESTIMATED,
        send=False,
        advice="A price is a fallback, and the contract has no such status: wait for live ones, or set post_estimated.",
    )
