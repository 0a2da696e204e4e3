"""A chain with blocks, balances and nonces, and nodes with mempools that keep geth's rules. Time is the caller's.

`MempoolChain.mine` makes a block of what the nodes have; `reorganize` takes blocks away again. A `MempoolNode` is an
endpoint on it: with `fault` it does something else, with `lag` it does not know the newest blocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_utils.crypto import keccak

from navoracle.chain.node import Node
from navoracle.chain.pool import NodePool
from navoracle.chain.rpc import NodeRefused
from navoracle.domain.gas_fees import intrinsic_gas
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.signatures import Signature, recover_address

CHAIN_ID = 1
GWEI = 10**9
START = 1_700_000_000
BLOCK_SECONDS = 12
BLOCK_GAS = 30_000_000
RICH = 1_000 * 10**18

Request = Callable[[str, Sequence[Any]], Any]
Fault = Callable[[Request, str, Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A signed transaction as a node reads it."""

    raw: str
    hash: str
    sender: Address
    nonce: int
    tip: int
    fee: int
    gas: int
    to: str
    data: bytes

    @classmethod
    def read(cls, raw: str) -> Sent:
        """Decode an EIP-1559 transaction, and recover who signed it."""
        encoded = bytes.fromhex(raw[2:])
        fields = rlp.decode(encoded[1:])
        number = [int.from_bytes(each, "big") if isinstance(each, bytes) else 0 for each in fields]
        if number[0] != CHAIN_ID:
            raise NodeRefused("node", "eth_sendRawTransaction", -32000, "invalid chain id for signer")
        payload = b"\x02" + rlp.encode(fields[:9])
        signature = Signature(parity=number[9], r=number[10], s=number[11])
        return cls(
            raw=raw,
            hash="0x" + keccak(encoded).hex(),
            sender=recover_address(keccak(payload), signature),
            nonce=number[1],
            tip=number[2],
            fee=number[3],
            gas=number[4],
            to="0x" + fields[5].hex(),
            data=fields[7],
        )


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in a block."""

    sent: Sent
    success: bool
    gas_used: int
    price: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block; its hash follows from its branch and its transactions."""

    number: int
    hash: str
    parent: str
    time: int
    base_fee: int
    mined: tuple[Mined, ...] = ()


@dataclass
class MempoolChain:
    """The chain that its nodes share. `reverts` says which data revert, with what; `gas` what a call uses."""

    base_fee: int = 10 * GWEI
    balances: dict[str, int] = field(default_factory=dict)
    reverts: dict[bytes, bytes] = field(default_factory=dict)
    gas: int = 60_000
    branch: int = 0
    blocks: list[Block] = field(default_factory=list)
    nodes: list[MempoolNode] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blocks.append(Block(0, self._hash(0, "0x", ()), "0x" + "00" * 32, START, self.base_fee))

    def node(self, name: str, **settings: Any) -> MempoolNode:
        """A node on the chain."""
        node = MempoolNode(self, name, **settings)
        self.nodes.append(node)
        return node

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    def mined(self, upto: int | None = None) -> list[tuple[Block, Mined]]:
        """All transactions in blocks up to a number, in order."""
        return [(block, mined) for block in self.blocks[: None if upto is None else upto + 1] for mined in block.mined]

    def count(self, account: str, upto: int | None = None) -> int:
        return sum(mined.sent.sender.lower() == account.lower() for _, mined in self.mined(upto))

    def balance(self, account: str, upto: int | None = None) -> int:
        spent = sum(m.gas_used * m.price for _, m in self.mined(upto) if m.sent.sender.lower() == account.lower())
        return self.balances.get(account.lower(), RICH) - spent

    def mine(self, blocks: int = 1, *, only: Sequence[Sent] | None = None) -> list[Mined]:
        """Mine blocks: the first takes what can be taken of all pools (or of `only`), the dearest first."""
        taken: list[Mined] = []
        for index in range(blocks):
            mined = self._fill(only) if index == 0 else []
            taken += mined
            number = self.head.number + 1
            self.blocks.append(
                Block(
                    number,
                    self._hash(number, self.head.hash, tuple(each.sent.hash for each in mined)),
                    self.head.hash,
                    self.head.time + BLOCK_SECONDS,
                    self.base_fee,
                    tuple(mined),
                )
            )
        for node in self.nodes:
            node.forget_used()
        return taken

    def reorganize(self, depth: int, *, keep: bool = True) -> None:
        """Take blocks away; their transactions return to the pools unless they are not kept."""
        depth = min(depth, len(self.blocks) - 1)
        gone = self.blocks[len(self.blocks) - depth :]
        del self.blocks[len(self.blocks) - depth :]
        self.branch += 1
        for node in self.nodes:
            for block in gone if keep else ():
                for mined in block.mined:
                    node.pool.setdefault((mined.sent.sender, mined.sent.nonce), mined.sent)

    def drop(self) -> None:
        """Every mempool forgets everything."""
        for node in self.nodes:
            node.pool.clear()

    def _fill(self, only: Sequence[Sent] | None) -> list[Mined]:
        pooled = [sent for node in self.nodes for sent in node.pool.values()] if only is None else list(only)
        used: dict[str, int] = {}
        taken: list[Mined] = []
        for sent in sorted(pooled, key=lambda each: (each.nonce, -each.tip, each.hash)):
            expected = used.get(sent.sender, self.count(sent.sender))
            affordable = self.balance(sent.sender) >= sent.gas * sent.fee
            if sent.nonce != expected or sent.fee < self.base_fee or not affordable:
                continue
            used[sent.sender] = expected + 1
            needed = intrinsic_gas(sent.data) if not sent.data else self.gas
            success = sent.data not in self.reverts and sent.gas >= needed
            price = min(sent.fee, self.base_fee + sent.tip)
            taken.append(Mined(sent, success, min(needed, sent.gas), price))
        return taken

    def _hash(self, *parts: object) -> str:
        return "0x" + sha256(repr((self.branch, *parts)).encode()).hexdigest()


class MempoolNode:
    """One node: an `Endpoint`. `lag` blocks at the end are unknown to it; `asked` is what it was asked, in order."""

    def __init__(self, chain: MempoolChain, name: str, *, fault: Fault | None = None, lag: int = 0) -> None:
        self.chain = chain
        self.name = f"https://{name}.example/***"
        self.fault = fault
        self.lag = lag
        self.pool: dict[tuple[str, int], Sent] = {}
        self.received: list[str] = []
        self.asked: list[str] = []

    async def request(self, method: str, params: Sequence[Any]) -> Any:
        self.asked.append(method)
        await asyncio.sleep(0)
        answer = self.sound(method, params) if self.fault is None else self.fault(self.sound, method, params)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def close(self) -> None:
        """Nothing to close."""

    def forget_used(self) -> None:
        """Nonces that are used leave the pool."""
        self.pool = {key: sent for key, sent in self.pool.items() if key[1] >= self.chain.count(key[0])}

    def sound(self, method: str, params: Sequence[Any]) -> Any:
        """What a node without a fault answers."""
        chain, known = self.chain, self._known()
        match method:
            case "eth_chainId":
                return hex(CHAIN_ID)
            case "eth_syncing":
                return False
            case "eth_getBlockByNumber":
                return self._block(params[0])
            case "eth_maxPriorityFeePerGas":
                return hex(GWEI)
            case "eth_getTransactionCount":
                return hex(chain.count(params[0], self._number(params[1])))
            case "eth_getBalance":
                return hex(chain.balance(params[0], self._number(params[1])))
            case "eth_call" | "eth_estimateGas":
                return self._run(method, params[0])
            case "eth_getTransactionReceipt":
                return self._receipt(params[0], known)
            case "eth_sendRawTransaction":
                return self.take(params[0])
            case _:
                raise self._refused(method, -32601, "method not found")

    def take(self, raw: str) -> str:
        """Take a transaction into the pool, by geth's rules (`legacypool`: `PriceBump` 10)."""
        self.received.append(raw)
        sent = Sent.read(raw)
        chain = self.chain
        held = self.pool.get((sent.sender, sent.nonce))
        if held is not None and held.hash == sent.hash:
            raise self._refused("eth_sendRawTransaction", -32000, "already known")
        if sent.nonce < chain.count(sent.sender, self._known()):
            raise self._refused("eth_sendRawTransaction", -32000, "nonce too low: next nonce is higher")
        if sent.gas < intrinsic_gas(sent.data):
            raise self._refused("eth_sendRawTransaction", -32000, "intrinsic gas too low")
        if chain.balance(sent.sender, self._known()) < sent.gas * sent.fee:
            raise self._refused("eth_sendRawTransaction", -32000, "insufficient funds for gas * price + value")
        if held is not None and not (
            sent.fee > held.fee
            and sent.tip > held.tip
            and sent.fee >= held.fee * 110 // 100
            and sent.tip >= held.tip * 110 // 100
        ):
            raise self._refused("eth_sendRawTransaction", -32000, "replacement transaction underpriced")
        self.pool[(sent.sender, sent.nonce)] = sent
        return sent.hash

    def _known(self) -> int:
        return max(0, self.chain.head.number - self.lag)

    def _number(self, which: str) -> int:
        return self._known() if which in ("latest", "pending") else min(int(which, 16), self._known())

    def _block(self, which: str) -> dict[str, Any] | None:
        number = self._known() if which == "latest" else int(which, 16)
        if number > self._known():
            return None
        block = self.chain.blocks[number]
        return {
            "number": hex(block.number),
            "hash": block.hash,
            "parentHash": block.parent,
            "timestamp": hex(block.time),
            "gasLimit": hex(BLOCK_GAS),
            "baseFeePerGas": hex(self.chain.base_fee if number == self._known() else block.base_fee),
            "transactions": [
                {"hash": mined.sent.hash, "from": mined.sent.sender, "nonce": hex(mined.sent.nonce)}
                for mined in block.mined
            ],
        }

    def _run(self, method: str, call: Mapping[str, str]) -> str:
        data = bytes.fromhex(call.get("data", "0x")[2:])
        if data in self.chain.reverts:
            raise self._refused(method, 3, "execution reverted", self.chain.reverts[data])
        needed = self.chain.gas if data else 21_000
        if "gas" in call and int(call["gas"], 16) < needed:
            raise self._refused(method, -32000, "out of gas")
        return hex(needed) if method == "eth_estimateGas" else "0x"

    def _receipt(self, wanted: str, known: int) -> dict[str, Any] | None:
        for block, mined in self.chain.mined(known):
            if mined.sent.hash == wanted:
                return {
                    "transactionHash": wanted,
                    "status": hex(mined.success),
                    "blockNumber": hex(block.number),
                    "blockHash": block.hash,
                    "gasUsed": hex(mined.gas_used),
                    "effectiveGasPrice": hex(mined.price),
                }
        return None

    def _refused(self, method: str, code: int, message: str, data: bytes = b"") -> NodeRefused:
        return NodeRefused(self.name, method, code, message, data)


class SetClock:
    """A clock that a test sets; what only waits, like a back-off, waits in no time."""

    def __init__(self, reading: int = START) -> None:
        self.reading = reading
        self._waited = 0.0

    def now(self) -> Timestamp:
        return Timestamp(self.reading)

    async def sleep(self, seconds: float) -> None:
        self.reading += round(seconds)

    def monotonic(self) -> float:
        return self.reading + self._waited

    async def wait(self, seconds: float) -> None:
        self._waited += seconds
        await asyncio.sleep(0)


def pool_of(*nodes: MempoolNode, clock: SetClock, quorum: int | None = None) -> NodePool:
    """A pool of these nodes, one operator each."""
    return NodePool(
        [Node(node, operator=node.name, monotonic=clock.monotonic, sleep=clock.wait) for node in nodes],
        chain="main",
        chain_id=CHAIN_ID,
        finality=0,
        quorum=quorum,
        sleep=clock.wait,
    )
