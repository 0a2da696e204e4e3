"""A simulated chain whose blocks hold logs, and nodes of it that are polled or subscribed to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from navoracle.chain.log_watch import LogWatch, LogWatchStatus
from navoracle.chain.node import Node
from navoracle.chain.pool import NodePool
from navoracle.chain.rpc import NoAnswer, NodeRefused
from navoracle.chain.subscription import Notices, Subscription
from navoracle.ports import Address, Log, LogFilter
from tests.unit.chain.simulated import CHAIN_ID, HEAD, SimulatedNode, digest

TOKEN = Address("0x00000000000000000000000000000000000000A1")
TOPIC = "0x" + "ab" * 32
FILTERS = (LogFilter((TOKEN,), ((TOPIC,),)),)


class LogChain:
    """A chain that grows by `mine`; a block's logs are its data's numbers, in order."""

    def __init__(self) -> None:
        self.head = HEAD
        self.hashes = {number: _hash(number, 0) for number in range(HEAD - 50, HEAD + 1)}
        self.logs: dict[int, list[dict[str, Any]]] = {}
        self.nodes: list[PushNode] = []
        self._branch = 0

    def mine(self, *values: int) -> None:
        """One block with a log for each value."""
        self.head += 1
        self._fill(self.head, values)
        for node in self.nodes:
            node.push(self.head)

    def leap(self, blocks: int) -> None:
        """So many empty blocks, of which nobody is told."""
        for number in range(self.head + 1, self.head + blocks + 1):
            self._fill(number, ())
        self.head += blocks

    def reorganize(self, depth: int, *values: int) -> None:
        """Replace the newest blocks; the first of the new ones has a log for each value. Nobody is told."""
        self._branch += 1
        for number in range(self.head - depth + 1, self.head + 1):
            self._fill(number, values if number == self.head - depth + 1 else ())

    def _fill(self, number: int, values: Sequence[int]) -> None:
        self.hashes[number] = _hash(number, self._branch)
        self.logs[number] = [log_json(number, self.hashes[number], index, value) for index, value in enumerate(values)]


class PollNode(SimulatedNode):
    """A node without WebSocket.

    Attributes:
        most: blocks beyond which a range is refused; None for no limit.
        behind: how many blocks it is behind.
        spans: how many blocks each search covered.
    """

    def __init__(self, name: str, chain: LogChain, *, most: int | None = None) -> None:
        super().__init__(name)
        self.chain = chain
        self.most = most
        self.behind = 0
        self.claims: int | None = None
        self.broken: Exception | None = None
        self.spans: list[int] = []

    def sound(self, method: str, params: Sequence[Any]) -> Any:
        if self.broken is not None:
            raise self.broken
        self.head = self.chain.head - self.behind
        if method == "eth_blockNumber":
            return hex(self.head if self.claims is None else self.claims)
        if method == "eth_getLogs":
            return self._search(int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16))
        return super().sound(method, params)

    def _search(self, start: int, stop: int) -> list[dict[str, Any]]:
        self.spans.append(stop - start + 1)
        if self.most is not None and stop - start + 1 > self.most:
            raise NodeRefused(self.name, "eth_getLogs", -32005, "query returned more than 10000 results")
        last = min(stop, self.head)
        return [log for number in range(start, last + 1) for log in self.chain.logs.get(number, [])]


class PushNode(PollNode):
    """A node that can be subscribed to.

    Attributes:
        mute: whether it sends nothing.
        stuck: whether it sends one and the same block, whatever is mined.
        forgets: whether it sends blocks and no logs.
        refusal: what it answers to a subscription instead of a name.
    """

    def __init__(self, name: str, chain: LogChain, *, most: int | None = None) -> None:
        super().__init__(name, chain, most=most)
        self.name = f"wss://{name}.example/***"
        self.mute = self.stuck = self.forgets = False
        self.refusal: Exception | None = None
        self.subscribed = 0
        self.open: Notices | None = None
        chain.nodes.append(self)

    async def subscribe(self, wanted: Sequence[Sequence[object]]) -> Subscription:
        await asyncio.sleep(0)
        if self.refusal is not None or self.broken is not None:
            raise self.refusal or NoAnswer("no connection", advice="Check the node.")
        assert wanted[0] == ["newHeads"]
        assert [each[0] for each in wanted[1:]] == ["logs"] * (len(wanted) - 1)
        self.subscribed += 1
        self.open = notices = Notices()

        async def close() -> None:
            if self.open is notices:
                self.open = None

        return Subscription(self.name, notices, [str(place) for place in range(len(wanted))], close)

    def push(self, number: int) -> None:
        """Send a block and its logs, as far as it sends anything."""
        if self.open is None or self.mute:
            return
        sent = HEAD if self.stuck else number
        self.send(0, {"number": hex(sent), "hash": self.chain.hashes[sent]})
        if not (self.forgets or self.stuck):
            for log in self.chain.logs[number]:
                self.send(1, log)

    def send(self, place: int, result: object) -> None:
        """Send one notice."""
        assert self.open is not None
        self.open.put({"method": "eth_subscription", "params": {"subscription": str(place), "result": result}})

    def hang_up(self) -> None:
        """Lose the connection."""
        assert self.open is not None
        self.open.end("the connection was lost")
        self.open = None


def log_json(number: int, block_hash: str, index: int, value: int, **fields: object) -> dict[str, Any]:
    """A log as nodes describe it."""
    return {
        "address": TOKEN.lower(),
        "topics": [TOPIC],
        "data": "0x" + value.to_bytes(32, "big").hex(),
        "blockNumber": hex(number),
        "blockHash": block_hash,
        "transactionHash": "0x" + digest("transaction", block_hash, index).hex(),
        "transactionIndex": "0x0",
        "logIndex": hex(index),
        "removed": False,
        **fields,
    }


class Heard(list[int]):
    """The values of the logs that were handed over, in order; `events` is what was told of the watch itself."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[LogWatchStatus] = []

    def take(self, logs: tuple[Log, ...]) -> None:
        assert logs
        self += [int.from_bytes(log.data, "big") for log in logs]

    async def until(self, *values: int, seconds: float = 15.0) -> None:
        """Wait for exactly these values; what comes too often or wrongly fails a moment later."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self) < len(values):
                    await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert sorted(self) == sorted(values), [event.detail for event in self.events]


def pool_of(*nodes: PollNode) -> NodePool:
    """A pool of these nodes, one operator each, in real time."""
    return NodePool([Node(node, operator=node.name) for node in nodes], chain="main", chain_id=CHAIN_ID, finality=0)


@asynccontextmanager
async def following(pool: NodePool, **settings: Any) -> AsyncIterator[tuple[LogWatch, Heard]]:
    """A watch at work, fast; it has seen the head when the block begins."""
    heard = Heard()
    fast = {"poll_seconds": 0.02, "sweep_seconds": 30.0, "silent_seconds": 30.0, "request_seconds": 1.0, **settings}
    watch = LogWatch(pool, on_event=heard.events.append, **fast)
    task = asyncio.create_task(watch.follow(FILTERS, heard.take))
    try:
        await asyncio.sleep(0.1)
        yield watch, heard
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _hash(number: int, branch: int) -> str:
    return "0x" + digest("block", number, branch).hex()
