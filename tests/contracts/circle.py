"""The full circle of a post to a peer's double on the embedded chain: preview, send, read back."""

from __future__ import annotations

from typing import Any

from navoracle.abi import encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, ReadPoint
from navoracle.publisher_port import Batch, Preview, ReadBack
from navoracle.publishers.peers.base import PeerModel
from navoracle.publishers.peers.publisher import PeerPublisher, run_read
from navoracle.testing.fakes import FixedClock
from tests.unit.publishers.posts import ROOT, fund_post

OWNER, POSTER, STRANGER = range(3)


class Circle:
    """A chain, a peer on it, and a clock that is the newest block's.

    Attributes:
        chain: the chain.
        peer: the peer, once `open` has resolved it.
    """

    peer: PeerModel

    def __init__(self) -> None:
        self.chain = EmbeddedChain()
        self.clock = FixedClock(self.chain.now)

    def account(self, number: int) -> Address:
        """The address of an account."""
        return self.chain.accounts[number]

    async def open(self, peer: PeerModel) -> None:
        """Resolve a peer and keep it."""
        reader = self.chain.reader()
        at = await reader.newest()
        self.peer = await run_read(peer.resolve(ReadPoint(at.timestamp, at)), reader, at)

    @property
    def publisher(self) -> PeerPublisher:
        """The peer's publisher."""
        return PeerPublisher(self.chain.reader(), self.peer, self.clock)

    def wait(self, seconds: int, *, mine: bool = True) -> int:
        """Let time pass; without `mine` for the clock alone, the newest block staying what it was."""
        if mine:
            self.chain.mine(Timestamp(self.chain.now + seconds))
            self.clock.set(self.chain.now)
        else:
            self.clock.set(self.clock.now() + seconds)
        return self.clock.now()

    def wait_until(self, time: int) -> None:
        """Mine a block of this time."""
        self.wait(time - self.chain.now)

    def batch(self, pps: int, valuation_time: int | None = None) -> Batch:
        """A post of this price per share, by default of the newest block's time."""
        time = self.chain.now if valuation_time is None else valuation_time
        return self.publisher.encode([fund_post(1, pps)], Timestamp(time), ROOT)

    async def preview(self, pps: int, valuation_time: int | None = None) -> Preview:
        """What the peer would do with it."""
        (found,) = await self.publisher.preview(self.batch(pps, valuation_time))
        return found

    async def send(self, batch: Batch, account: int = POSTER) -> ReadBack:
        """Send it whatever a preview says, and read back."""
        receipt = await self.chain.transact(batch.to, batch.data, account)
        self.clock.set(self.chain.now)
        (found,) = await self.publisher.read_back(batch, receipt)
        return found

    async def post(self, pps: int, valuation_time: int | None = None) -> ReadBack:
        """The full circle; the preview must let it be sent."""
        batch = self.batch(pps, valuation_time)
        (preview,) = await self.publisher.preview(batch)
        assert (preview.reason, preview.send) == (None, True), preview
        return await self.send(batch)

    async def call(self, to: Address, signature: str, *arguments: Any, account: int = OWNER) -> None:
        """Send a call as somebody."""
        await self.chain.transact(to, encode_call(signature, *arguments), account)
        self.clock.set(self.chain.now)

    async def confirmed(self) -> ConfirmedNav | None:
        """What the peer serves."""
        return (await self.publisher.confirmed({"fund1": 1})).get("fund1")
