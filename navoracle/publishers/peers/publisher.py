"""Publishing to a contract of another vault system: one fund, its own guards, what it holds afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from navoracle.domain.errors import CallReverted, ChainError, DomainError, EmptyResult, ReadError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Answer, Call, ChainReader, Clock, ReadPoint
from navoracle.publisher_port import Batch, FollowUp, FundPost, Preview, ReadBack, Receipt
from navoracle.publishers.peers.base import PeerModel, PeerRead, StorageWord, estimated_refusal

T = TypeVar("T")


class PeerReader(ChainReader, Protocol):
    """A chain of which the words of a contract's storage can be read too."""

    async def storage_at(self, contract: Address, slot: int, at: BlockStamp) -> bytes:
        """The 32 bytes in a slot at that block. Raises ChainError."""


class PeerPublisher:
    """One contract that takes one fund's NAV. Implements `publisher_port.Publisher`.

    Args:
        reader: the contract's chain.
        peer: the contract, resolved.
        clock: when a post would be sent; a contract's waiting times are measured up to then.
    """

    def __init__(self, reader: PeerReader, peer: PeerModel, clock: Clock) -> None:
        self._reader = reader
        self._peer = peer
        self._clock = clock

    @property
    def chain(self) -> str:
        """The configuration's name of the contract's chain."""
        return self._peer.chain

    @property
    def one_by_one(self) -> bool:
        """It knows one fund."""
        return True

    async def confirmed(self, fund_ids: Mapping[str, int]) -> Mapping[str, ConfirmedNav]:
        """What the contract serves at the chain's final block, in its base asset. Raises ChainError."""
        at = await self._reader.stamp()
        found = await self._ask(self._peer.confirmed, at)
        return {} if found is None else dict.fromkeys(fund_ids, found)

    def encode(self, posts: Sequence[FundPost], valuation_time: Timestamp, evidence_root: str) -> Batch:
        """Encode the one post; the evidence stays off chain.

        Raises:
            OutOfRange: the value does not fit the contract's field.
            DomainError: not one post, or a price that the contract counts in is missing.
        """
        post = _only(posts)
        return Batch(
            chain=self.chain,
            to=self._peer.contract,
            data=self._peer.encode(post, valuation_time),
            valuation_time=valuation_time,
            evidence_root=evidence_root,
            posts=(post,),
        )

    async def preview(self, batch: Batch) -> tuple[Preview, ...]:
        """What the contract would do with the post in the next block, by its own guards and its own view.

        Raises:
            ChainError: the chain cannot be read, or the contract does not answer as one of its kind.
        """
        post = _only(batch.posts)
        refusal = estimated_refusal(self._peer, post)
        if refusal is not None:
            return (refusal,)
        at = await self._reader.newest()
        # A post that is sent now is mined at the earliest now, and in a later block than the newest.
        now = Timestamp(max(self._clock.now(), at.timestamp))
        return (await self._ask(lambda point: self._peer.preview(post, batch.data, point), at, now),)

    async def read_back(self, batch: Batch, receipt: Receipt) -> tuple[ReadBack, ...]:
        """What the contract held at the end of the block of a mined post.

        Raises:
            ChainError: the chain cannot be read, or another block has taken the place of the receipt's.
        """
        post = _only(batch.posts)
        at = await self._reader.stamp(receipt.block_number)
        if at.hash != receipt.block_hash:
            raise ChainError(
                f"block {receipt.block_number} of {self.chain} is no longer the one that holds {receipt.hash}",
                advice="The chain was reorganized; the post is looked up again.",
            )
        return (await self._ask(lambda point: self._peer.read_back(post.fund, batch.data, receipt, point), at),)

    async def follow_up(self, batch: Batch) -> FollowUp | None:
        """The call that the post needs to be served, if it would do anything in the next block. Raises ChainError."""
        post = _only(batch.posts)
        at = await self._reader.newest()
        now = Timestamp(max(self._clock.now(), at.timestamp))
        return await self._ask(lambda point: self._peer.follow_up_of(post.fund, batch.data, point), at, now)

    async def _ask(self, what: Callable[[ReadPoint], PeerRead[T]], at: BlockStamp, now: Timestamp | None = None) -> T:
        """Run one of the peer's reads at a block; `now` is when a post would be mined, the block's own time if None."""
        read = what(ReadPoint(at.timestamp if now is None else now, at))
        try:
            return await run_read(read, self._reader, at)
        except ReadError as error:
            raise ChainError(
                f"{self._peer.contract} on {self.chain} does not answer as a {self._peer.id} contract: {error.message}",
                advice="Check the address, the kind of the publisher, and that this version of the contract is known.",
            ) from error


async def run_read(read: PeerRead[T], reader: PeerReader, at: BlockStamp) -> T:
    """Run a read against a chain at a block. Raises what the read raises, and ChainError."""
    try:
        requests = next(read)
        while True:
            answers = await _answers(requests, reader, at)
            failure = next((_failure(answer) for answer in answers if answer.failure is not None), None)
            requests = read.send(tuple(answer.data for answer in answers)) if failure is None else read.throw(failure)
    except StopIteration as stop:
        value: T = stop.value
        return value


async def _answers(requests: Sequence[object], reader: PeerReader, at: BlockStamp) -> list[Answer]:
    """The answers in order: calls together, then the words of storage."""
    words = [request for request in requests if isinstance(request, StorageWord)]
    calls = [_call(request) for request in requests if not isinstance(request, StorageWord)]
    answered = iter(await reader.read(calls, at) if calls else ())
    stored = iter([Answer(await reader.storage_at(word.contract, word.slot, at)) for word in words])
    return [next(stored if isinstance(request, StorageWord) else answered) for request in requests]


def _call(request: Any) -> Call:
    if not isinstance(request, Call):
        raise DomainError(f"a publisher asked for {request!r}", advice="Report this as a defect: it may only call.")
    return request


def _failure(answer: Answer) -> ReadError:
    if (answer.failure or "").startswith(CallReverted.code):
        return CallReverted(answer.failure or "", advice="The contract refused the call.", data=answer.data)
    return EmptyResult(answer.failure or "no answer", advice="Check that the address holds a contract on this chain.")


def _only(posts: Sequence[FundPost]) -> FundPost:
    if len(posts) != 1:
        raise DomainError(f"{len(posts)} funds in one post", advice="This contract takes the NAV of one fund.")
    return posts[0]
