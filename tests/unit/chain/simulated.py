"""Simulated nodes of one chain, whose blocks and answers follow from their numbers, and faults to put on them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from eth_abi.abi import decode, encode

from navoracle.chain.multicall import AGGREGATE3
from navoracle.chain.node import Node
from navoracle.chain.node_state import NodeEvent
from navoracle.chain.pool import NodePool
from navoracle.chain.rpc import NoAnswer, NodeRefused
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Answer, Call

CHAIN_ID = 1
HEAD = 1_000
GENESIS_TIME = 1_700_000_000
BLOCK_SECONDS = 12
TARGET = Address("0x00000000000000000000000000000000000000A1")
REVERTING = Address("0x00000000000000000000000000000000000000b2")
HUNGRY = Address("0x00000000000000000000000000000000000000C3")
"""Needs more gas than a node with a low cap grants."""

Request = Callable[[str, Sequence[Any]], Any]
Fault = Callable[[Request, str, Sequence[Any]], Any]
"""What a faulty node does with a request, given the way to what a sound one answers."""


def digest(*parts: object) -> bytes:
    return sha256(repr(parts).encode()).digest()


def block(number: int) -> BlockStamp:
    """The chain's block of a number."""
    return BlockStamp(
        chain="main",
        chain_id=CHAIN_ID,
        number=number,
        hash="0x" + digest("block", number).hex(),
        parent_hash="0x" + (digest("block", number - 1) if number else bytes(32)).hex(),
        timestamp=Timestamp(GENESIS_TIME + BLOCK_SECONDS * number),
    )


def right_answer(call: Call, at: BlockStamp) -> Answer:
    """What a sound chain answers to a call of TARGET, HUNGRY or REVERTING."""
    if call.target == REVERTING:
        return Answer(b"why!", "call_reverted")
    return Answer(digest(at.number, call.target.lower(), call.data))


class ManualTime:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class FixedClock:
    """The machine's clock, stopped just after the newest block."""

    def __init__(self, reading: int = GENESIS_TIME + BLOCK_SECONDS * HEAD + 5) -> None:
        self.reading = reading

    def now(self) -> Timestamp:
        return Timestamp(self.reading)

    async def sleep(self, seconds: float) -> None:
        self.reading += round(seconds)


class SimulatedNode:
    """A sound node unless it has a fault; `asked` are the methods that it was asked, in order."""

    def __init__(
        self,
        name: str,
        *,
        head: int = HEAD,
        tags: Mapping[str, int] | None = None,
        by_hash: bool = True,
        gas: bool = True,
        fault: Fault | None = None,
    ) -> None:
        self.name = f"https://{name}.example/***"
        self.head = head
        self.tags = {"safe": head - 32, "finalized": head - 64} if tags is None else dict(tags)
        self.by_hash = by_hash
        self.gas = gas
        self.fault = fault
        self.asked: list[str] = []
        self.blocks: list[object] = []
        self.closed = False

    async def request(self, method: str, params: Sequence[Any]) -> Any:
        self.asked.append(method)
        await asyncio.sleep(0)
        answer = self.sound(method, params) if self.fault is None else self.fault(self.sound, method, params)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def close(self) -> None:
        self.closed = True

    def count(self, method: str) -> int:
        return self.asked.count(method)

    def sound(self, method: str, params: Sequence[Any]) -> Any:
        """What a node without a fault answers."""
        match method:
            case "eth_chainId":
                return hex(CHAIN_ID)
            case "eth_syncing":
                return False
            case "eth_getBlockByNumber":
                return self._block(params[0])
            case "eth_getCode":
                return "0x6001"
            case "eth_call":
                return self._call(params[0], params[1])
            case "eth_maxPriorityFeePerGas":
                return hex(10**9)
            case "eth_getTransactionCount":
                return hex(5)
            case _:
                raise NodeRefused(self.name, method, -32601, "method not found")

    def _block(self, which: str) -> dict[str, str] | None:
        number = self.head if which == "latest" else self.tags.get(which)
        if number is None:
            number = int(which, 16) if which.startswith("0x") else None
        if number is None or number > self.head:
            return None
        stamp = block(number)
        return {
            "number": hex(stamp.number),
            "hash": stamp.hash,
            "parentHash": stamp.parent_hash,
            "timestamp": hex(stamp.timestamp),
            "gasLimit": hex(30_000_000),
            "baseFeePerGas": hex(10**9),
        }

    def _call(self, transaction: Mapping[str, str], which: Any) -> str:
        self.blocks.append(which)
        if isinstance(which, Mapping):
            if not self.by_hash:
                raise NodeRefused(self.name, "eth_call", -32602, "invalid argument: cannot unmarshal object")
            known = {block(number).hash: number for number in range(self.head - 80, self.head + 1)}
            number = known.get(which["blockHash"])
        else:
            number = self.head if which == "latest" else int(which, 16)
        if number is None or number > self.head:
            raise NodeRefused(self.name, "eth_call", -32000, "header not found")
        at = block(number)
        data = bytes.fromhex(transaction["data"][2:])
        if data[:4] != AGGREGATE3:
            answer = self._answer(transaction["to"], data, at)
            if answer.failure is not None:
                raise NodeRefused(self.name, "eth_call", 3, "execution reverted", answer.data)
            return "0x" + answer.data.hex()
        (calls,) = decode(["(address,bool,bytes)[]"], data[4:])
        answers = [self._answer(target, call, at) for target, _, call in calls]
        return "0x" + encode(["(bool,bytes)[]"], [[(a.failure is None, a.data) for a in answers]]).hex()

    def _answer(self, target: str, data: bytes, at: BlockStamp) -> Answer:
        if data[:4].hex() == "0f28c97d":
            return Answer(at.timestamp.to_bytes(32, "big"))
        if data[:4].hex() == "ee82ac5e":
            return Answer(bytes.fromhex(at.parent_hash[2:]))
        if target.lower() == HUNGRY.lower() and not self.gas:
            return Answer(b"", "call_reverted")
        named = REVERTING if target.lower() == REVERTING.lower() else Address(target)
        return right_answer(Call(named, data), at)


def pool_of(*nodes: SimulatedNode, time: ManualTime | None = None, **settings: Any) -> NodePool:
    """A pool of simulated nodes, one operator each; time passes only while somebody waits."""
    clock = time or ManualTime()
    return NodePool(
        [Node(node, operator=node.name, monotonic=clock.monotonic, sleep=clock.sleep) for node in nodes],
        **{"chain": "main", "chain_id": CHAIN_ID, "finality": 0, "sleep": clock.sleep, **settings},
    )


class Events(list[NodeEvent]):
    """A listener that keeps what it hears."""

    def __call__(self, event: NodeEvent) -> None:
        self.append(event)

    def states(self, name: str) -> list[str]:
        return [event.state.value for event in self if name in event.node]


# ---- faults


def dead(_sound: Request, method: str, _params: Sequence[Any]) -> Any:
    raise NoAnswer(f"node: {method} failed: ClientConnectorError", advice="Check that the node is up.")


def error(_sound: Request, method: str, _params: Sequence[Any]) -> Any:
    raise NodeRefused("node", method, -32000, "missing trie node")


def empty(sound: Request, method: str, params: Sequence[Any]) -> Any:
    """Nothing where there is something."""
    return "0x" if method in ("eth_call", "eth_getCode") else None


def lag(blocks: int) -> Fault:
    """A node that stands so many blocks behind."""

    def fault(sound: Request, method: str, params: Sequence[Any]) -> Any:
        behind = SimulatedNode("behind", head=HEAD - blocks)
        return behind.sound(method, params)

    return fault


def tamper(seed: int) -> Fault:
    """Another digit somewhere in each answer; two tamperers of different seeds never tell the same lie."""
    dice = random.Random(seed)

    def other(text: str) -> str:
        if len(text) <= 2:
            return text + format(seed % 256, "02x")
        place = dice.randrange(2, len(text))
        return text[:place] + format((int(text[place], 16) + 1 + seed % 15) % 16, "x") + text[place + 1 :]

    def fault(sound: Request, method: str, params: Sequence[Any]) -> Any:
        answer = sound(method, params)
        if isinstance(answer, str):
            return other(answer)
        if isinstance(answer, dict):
            field = dice.choice(sorted(answer))
            return {**answer, field: other(answer[field])}
        return answer

    return fault


def on(methods: str | tuple[str, ...], fault: Fault) -> Fault:
    """The fault for these methods only."""
    wanted = (methods,) if isinstance(methods, str) else methods

    def some(sound: Request, method: str, params: Sequence[Any]) -> Any:
        return fault(sound, method, params) if method in wanted else sound(method, params)

    return some


def always(answer: Any) -> Fault:
    """One answer, or one exception, whatever is asked."""

    def fault(_sound: Request, _method: str, _params: Sequence[Any]) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return fault


def another_block(stamp: BlockStamp) -> BlockStamp:
    """A block of the same number on another branch."""
    return replace(stamp, hash="0x" + digest("branch", stamp.number).hex())
