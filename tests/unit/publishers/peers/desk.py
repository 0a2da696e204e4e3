"""A peer's publisher on a chain of answers, at a clock that stands: what every test of a peer drives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi.abi import encode

from navoracle.abi import selector
from navoracle.domain.errors import CallReverted
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Answer, Call, ReadPoint, Request
from navoracle.publisher_port import Batch, FundPost, Preview, ReadBack, Receipt
from navoracle.publishers.peers.base import PeerModel
from navoracle.publishers.peers.publisher import PeerPublisher, run_read
from navoracle.testing.fakes import FakeChain, FixedClock, block_stamp
from tests.unit.publishers.posts import ROOT, fund_post

NOW = 1_800_000_000
FUND = "fund1"


def message(text: str) -> bytes:
    """The revert data of `require(false, text)`."""
    return selector("Error(string)") + encode(["string"], [text])


class PeerChain(FakeChain):
    """A chain whose answers to the setter are kept apart, so that a simulation is seen as one."""

    def __init__(self, time: int) -> None:
        super().__init__(block_stamp(time))
        self.simulated: list[Call] = []
        self.refusals: dict[bytes, bytes] = {}

    def answer(self, request: Request) -> Answer:
        """As the fake, but a direct call is remembered, and refused where it was told to."""
        if isinstance(request, Call) and request.direct:
            self.simulated.append(request)
            if request.data[:4] in self.refusals:
                return Answer(self.refusals[request.data[:4]], CallReverted.code)
        return super().answer(request)


class Desk:
    """A publisher with its world."""

    def __init__(self, peer: PeerModel, *, time: int = NOW, block: int | None = None) -> None:
        self.chain = PeerChain(time if block is None else block)
        self.clock = FixedClock(time)
        self.peer = peer

    @property
    def publisher(self) -> PeerPublisher:
        """The publisher of the peer as it is now."""
        return PeerPublisher(self.chain, self.peer, self.clock)

    def at(self, time: int, *, block: int | None = None) -> None:
        """Set the clock, and the newest block to the same time or to `block`."""
        self.clock.set(time)
        self.chain.block = block_stamp(time if block is None else block)

    def put(self, target: Address, signature: str, types: Sequence[str], *values: Any) -> None:
        """Answer a view without arguments."""
        self.chain.put(target, signature, (), types, *values)

    async def resolve(self) -> PeerModel:
        """Resolve the peer against the chain and keep it."""
        at = await self.chain.newest()
        self.peer = await run_read(self.peer.resolve(ReadPoint(at.timestamp, at)), self.chain, at)
        return self.peer

    def batch(self, post: FundPost, valuation_time: int = NOW - 60) -> Batch:
        """The encoded post."""
        return self.publisher.encode((post,), Timestamp(valuation_time), ROOT)

    async def preview(self, pps: int, valuation_time: int = NOW - 60, **changes: Any) -> Preview:
        """What it would do with a post of this price per share."""
        (found,) = await self.publisher.preview(self.batch(fund_post(1, pps, **changes), valuation_time))
        return found

    async def read_back(self, pps: int, valuation_time: int = NOW - 60, *, success: bool = True) -> ReadBack:
        """What it says of a post of this price per share that was mined in the newest block."""
        block = self.chain.block
        receipt = Receipt("0x" + "ab" * 32, success, block.number, block.hash, 100_000)
        (found,) = await self.publisher.read_back(self.batch(fund_post(1, pps), valuation_time), receipt)
        return found

    async def confirmed(self) -> ConfirmedNav | None:
        """What it serves."""
        return (await self.publisher.confirmed({FUND: 1})).get(FUND)
