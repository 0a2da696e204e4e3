"""Trades on a real node: transfers are seen at once over WebSocket and soon over HTTP, each once, whatever breaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_utils.address import to_checksum_address

from bench.anvil import anvil
from navoracle.abi import encode_call
from navoracle.chain.artifacts import artifact
from navoracle.chain.connect import endpoint_at
from navoracle.chain.http import HttpEndpoint
from navoracle.chain.log_watch import LogWatch, LogWatchState
from navoracle.chain.node import Node
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.composition.trades import trade_watches
from navoracle.domain.fees import FeeTerms
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.positions import Component
from navoracle.domain.units import WAD, Wad
from navoracle.keeper.plan import FundPlan
from navoracle.keeper.planner import Subject
from navoracle.keeper.trades import SeenTrade, TradeWatch
from navoracle.ports import Address
from navoracle.positions import Erc20Position, FixedSupply
from tests.requirements import needs_node

pytestmark = needs_node

CHAIN_ID = 31_337
# Accounts of anvil's well-known test mnemonic; the node signs for them.
HOLDER = Address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
STRANGER = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
UNIT = 10**6
NAV = Wad(10_000 * WAD)


@pytest.fixture
def url() -> Iterator[str]:
    with anvil() as url:
        yield url


@dataclass
class World:
    """A node with a token, a watch over one holder, and what it asked for."""

    node: HttpEndpoint
    token: Address
    watch: TradeWatch
    source: LogWatch
    told: list[tuple[str, str]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    async def transfer(self, percent: int) -> None:
        """Move so much of the NAV out of the fund; mined when this returns."""
        await send(self.node, self.token, encode_call("transfer(address,uint256)", STRANGER, percent * 100 * UNIT))

    async def until(self, count: int, seconds: float) -> None:
        """Wait for exactly so many requests; one too many fails a moment later."""
        async with asyncio.timeout(seconds):
            while len(self.told) < count:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        assert len(self.told) == count

    async def until_state(self, state: LogWatchState, seconds: float = 10.0) -> None:
        """Wait until logs are found so."""
        async with asyncio.timeout(seconds):
            while self.source.status().state is not state or self.source.status().block is None:
                await asyncio.sleep(0.005)


async def send(node: HttpEndpoint, to: Address | None, data: bytes) -> dict[str, Any]:
    """Have the node sign and send, and wait until it is mined; the receipt."""
    call = {"from": HOLDER, "data": "0x" + data.hex(), **({} if to is None else {"to": to})}
    sent = await node.request("eth_sendTransaction", [call])
    receipt: Any = None
    async with asyncio.timeout(5):
        while receipt is None:
            receipt = await node.request("eth_getTransactionReceipt", [sent])
    assert receipt["status"] == "0x1"
    return dict(receipt)


@asynccontextmanager
async def watching(url: str, *urls: str) -> AsyncIterator[World]:
    """A watch at work over the nodes of these URLs, of the chain behind `url`."""
    node = HttpEndpoint(url)
    created = await send(node, None, artifact("Token").creation_code("USD Coin", "USDC", 6))
    token = Address(to_checksum_address(created["contractAddress"]))
    await send(node, token, encode_call("mint(address,uint256)", HOLDER, 10**6 * UNIT))
    nodes = [Node(endpoint_at(each, timeout=2.0), operator=str(place)) for place, each in enumerate(urls)]
    pool = NodePool(nodes, chain="home", chain_id=CHAIN_ID, finality=0, quorum=1)
    position = Erc20Position(
        kind="erc20",
        id="f.usdc",
        chain="home",
        asset="USDC",
        component=Component.CASH,
        token=token,
        holder=HOLDER,
        decimals=6,
    )
    supply = FixedSupply.model_validate({"kind": "fixed", "id": "f.supply", "shares": "1"})
    plan = FundPlan("f", 1, "home", (position,), supply, FeeTerms(), GuardPolicy())
    told: list[tuple[str, str]] = []
    at: list[float] = []

    def on_trade(seen: SeenTrade) -> None:
        at.append(time.perf_counter())
        told.append((seen.fund, seen.reason))

    ((watch, source),) = trade_watches(
        Subject("USD", "home", {}, {"f": plan}),
        {"home": Web3ChainReader(pool)},
        price=lambda _: Wad(WAD),
        nav=lambda _: NAV,
        on_trade=on_trade,
        poll_seconds=0.1,
    )
    task = asyncio.create_task(watch.run())
    try:
        yield World(node, token, watch, source, told, at)
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await pool.close()
        await node.close()


class Relay:
    """A TCP relay before a node whose connections can be cut, and which then takes none until it is told to."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rpartition(":")[2])
        self._writers: set[asyncio.StreamWriter] = set()
        self.connections = 0
        self.down = False
        self.url = ""

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Break every connection, and take none."""
        self.down = True
        for writer in self._writers:
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        self.connections += 1
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, to_writer}
        await asyncio.gather(_pipe(reader, to_writer), _pipe(to_reader, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


async def test_watch__transfers_over_websocket__are_told_within_a_second_when_they_are_large(url: str) -> None:
    async with watching(url, url.replace("http://", "ws://")) as world:
        await world.until_state(LogWatchState.WEBSOCKET)
        await world.transfer(9)
        await asyncio.sleep(0.3)
        assert world.told == []
        started = time.perf_counter()
        await world.transfer(11)
        await world.until(1, 1.0)
        ((fund, reason),) = world.told
        print(f"from sending to being told: {(world.at[0] - started) * 1_000:.1f} ms")
    assert fund == "f"
    assert reason.startswith("trade of 1,100.00 (11.0 % of NAV) in 0x")


async def test_watch__transfers_over_http__are_told_once_at_the_next_look(url: str) -> None:
    async with watching(url, url) as world:
        await world.until_state(LogWatchState.POLLING)
        await world.transfer(9)
        await world.transfer(11)
        await world.until(1, 1.5)
        await world.transfer(12)
        await world.until(2, 1.5)
    assert [reason.split()[2] for _, reason in world.told] == ["1,100.00", "1,200.00"]


async def test_watch__connection_killed_and_a_transfer_meanwhile__is_told_once(url: str) -> None:
    async with Relay(url) as relay, watching(url, relay.url) as world:
        await world.until_state(LogWatchState.WEBSOCKET)
        await world.transfer(11)
        await world.until(1, 1.0)
        relay.cut()
        await world.transfer(12)
        await asyncio.sleep(0.5)
        assert len(world.told) == 1
        relay.down = False
        await world.until_state(LogWatchState.WEBSOCKET)
        await world.until(2, 10.0)
        await world.transfer(13)
        await world.until(3, 1.0)
    assert [reason.split()[2] for _, reason in world.told] == ["1,100.00", "1,200.00", "1,300.00"]


async def test_watch__websocket_node_gone_and_one_over_http_left__goes_on_by_polling(url: str) -> None:
    async with Relay(url) as relay, watching(url, relay.url, url) as world:
        await world.until_state(LogWatchState.WEBSOCKET)
        relay.cut()
        await world.transfer(11)
        await world.until(1, 5.0)
        assert world.source.status().state is LogWatchState.POLLING


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_watch__reorganization_removes_a_transfer__is_not_told_again_and_later_ones_are(
    url: str, scheme: str
) -> None:
    async with watching(url, url.replace("http", scheme)) as world:
        await world.until_state(LogWatchState.WEBSOCKET if scheme == "ws" else LogWatchState.POLLING)
        await world.transfer(11)
        await world.until(1, 5.0)
        # Nothing is sent of what the reorganization removed: this node tells of its new block alone.
        await world.node.request("anvil_reorg", [1, []])
        await asyncio.sleep(0.5)
        assert len(world.told) == 1
        # Another transfer in a block of a number that was looked at already.
        await world.transfer(12)
        await world.node.request("anvil_mine", ["0x1"])
        await world.until(2, 5.0)
    assert [reason.split()[2] for _, reason in world.told] == ["1,100.00", "1,200.00"]
