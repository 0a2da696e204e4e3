"""A node made of canned answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth_abi.abi import decode, encode

from navoracle.chain.multicall import AGGREGATE3
from navoracle.chain.rpc import NodeRefused
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.ports import Address

CHAIN_ID = 1
TARGET = Address("0x00000000000000000000000000000000000000A1")
OTHER = Address("0x00000000000000000000000000000000000000b2")
STAMP = BlockStamp("main", CHAIN_ID, 100, "0x" + "11" * 32, "0x" + "22" * 32, Timestamp(1_700_000_000))

Contract = Callable[[bytes], tuple[bool, bytes]]


def refused(code: int, message: str, data: bytes = b"") -> NodeRefused:
    """An error answer."""
    return NodeRefused("node", "eth_call", code, message, data)


def block_json(stamp: BlockStamp, **fields: str) -> dict[str, str]:
    """A block as a node describes it."""
    return {
        "number": hex(stamp.number),
        "hash": stamp.hash,
        "parentHash": stamp.parent_hash,
        "timestamp": hex(stamp.timestamp),
        "gasLimit": hex(30_000_000),
        "baseFeePerGas": hex(10**9),
        **fields,
    }


class FakeEndpoint:
    """Answers by method name: a value, an exception, or a function of the parameters. Records what it was asked."""

    name = "node"

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "eth_chainId": hex(CHAIN_ID),
            "eth_blockNumber": hex(STAMP.number),
            "eth_getBlockByNumber": block_json(STAMP),
            "eth_getCode": "0x6001",
            "eth_syncing": False,
            **answers,
        }
        self.asked: list[tuple[str, list[Any]]] = []
        self.closed = False

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Answer."""
        self.asked.append((method, list(params)))
        answer = self.answers[method]
        if callable(answer):
            answer = answer(*params)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def close(self) -> None:
        """Note it."""
        self.closed = True

    def calls(self, method: str) -> list[list[Any]]:
        """The parameters of every request of this method."""
        return [params for asked, params in self.asked if asked == method]


class FakeMulticall:
    """`eth_call` of a node that has Multicall3 and these contracts; what the block looks like is a setting."""

    def __init__(self, contracts: Mapping[str, Contract], *, by_hash: bool = True, stamp: BlockStamp = STAMP) -> None:
        self.contracts = {address.lower(): contract for address, contract in contracts.items()}
        self.by_hash = by_hash
        self.stamp = stamp
        self.batches: list[int] = []

    def __call__(self, transaction: Mapping[str, str], block: object) -> object:
        if isinstance(block, Mapping) and not self.by_hash:
            raise refused(-32602, "invalid argument: cannot unmarshal object")
        data = bytes.fromhex(transaction["data"][2:])
        if data[:4] != AGGREGATE3:
            success, result = self._answer(transaction["to"].lower(), data)
            if not success:
                raise refused(3, "execution reverted", result)
            return "0x" + result.hex()
        (calls,) = decode(["(address,bool,bytes)[]"], data[4:])
        self.batches.append(len(calls))
        results = [self._answer(target, call) for target, _, call in calls]
        return "0x" + encode(["(bool,bytes)[]"], [results]).hex()

    def _answer(self, target: str, data: bytes) -> tuple[bool, bytes]:
        if target.lower() in self.contracts:
            return self.contracts[target.lower()](data)
        known = {
            "0f28c97d": self.stamp.timestamp.to_bytes(32, "big"),
            "ee82ac5e": bytes.fromhex(self.stamp.parent_hash[2:]),
            "4d2301cc": (5).to_bytes(32, "big"),
        }
        return True, known.get(data[:4].hex(), b"")
