"""Cutting a reading into requests."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.abi import encode_call
from navoracle.chain.chunks import Chunks, Target, as_targets
from navoracle.chain.node import Node
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.ports import Address, Answer, Call, NativeBalance
from tests.unit.chain.fake_endpoint import STAMP, TARGET, FakeEndpoint, FakeMulticall, refused

CALLS = st.lists(st.tuples(st.just(b"\x01" * 20), st.binary(max_size=40)), max_size=60)
CHEAP, DEAR = b"\x0c" * 4, b"\x0d" * 4


@given(CALLS, st.integers(1, 20), st.integers(1, 200))
def test_cut__any_calls_and_limits__keeps_all_in_order_in_the_fewest_chunks_that_fit(
    calls: list[Target], most: int, size: int
) -> None:
    chunks = [list(chunk) for chunk in Chunks(most, size).cut(calls)]
    assert [call for chunk in chunks for call in chunk] == calls
    for chunk in chunks:
        assert 0 < len(chunk) <= most
        assert len(chunk) == 1 or sum(len(data) for _, data in chunk) <= size
    for chunk, after in pairwise(chunks):
        # What comes next would not have fitted: no chunk is smaller than it must be.
        assert len(chunk) == most or sum(len(data) for _, data in [*chunk, after[0]]) > size


def test_cut__after_a_refused_chunk__its_kind_counts_double_and_others_do_not() -> None:
    chunks = Chunks(8, 10_000)
    dear, cheap = [(b"\x01" * 20, DEAR)] * 16, [(b"\x01" * 20, CHEAP)] * 16
    assert [len(chunk) for chunk in chunks.cut(dear)] == [8, 8]
    chunks.too_much(dear[:8])
    assert [len(chunk) for chunk in chunks.cut(dear)] == [4] * 4
    assert [len(chunk) for chunk in chunks.cut(cheap)] == [8, 8]
    assert [len(chunk) for chunk in chunks.cut([*dear[:2], *cheap])] == [6, 8, 4]
    for _ in range(10):
        chunks.too_much(dear[:8])
    assert [len(chunk) for chunk in chunks.cut(dear)] == [1] * 16


def test_as_targets__native_balance__is_asked_of_the_multicall() -> None:
    account = Address("0x00000000000000000000000000000000000000AA")
    multicall = b"\x03" * 20
    assert as_targets([NativeBalance(account), Call(TARGET, b"\x01")], multicall) == [
        (multicall, encode_call("getEthBalance(address)", account)),
        (bytes.fromhex(TARGET[2:]), b"\x01"),
    ]


class Limited:
    """A node that takes only so many calls of a kind at once, and none of a poisoned one."""

    def __init__(self, most: int, poison: bytes = b"none") -> None:
        self.multicall = FakeMulticall({TARGET: lambda data: (True, data.ljust(32, b"\0"))})
        self.most = most
        self.poison = poison
        self.refusals = 0

    def __call__(self, transaction: Any, block: object) -> object:
        data = bytes.fromhex(transaction["data"][2:])
        if data.count(DEAR) > self.most or self.poison in data:
            self.refusals += 1
            raise refused(-32000, "out of gas")
        return self.multicall(transaction, block)


async def refused_in_each(node: Limited, calls: list[Call], times: int) -> list[int]:
    """Read several times with one reader; how often the node refused in each."""
    pool = NodePool([Node(FakeEndpoint(eth_call=node))], chain="main", chain_id=1, finality=0)
    reader = Web3ChainReader(pool, chunk_calls=16)
    await reader.stamp()
    refusals = []
    for _ in range(times):
        node.refusals = 0
        assert [answer.data[:5] for answer in await reader.read(calls, STAMP)] == [
            b"" if node.poison in call.data else call.data for call in calls
        ]
        refusals.append(node.refusals)
    return refusals


async def test_read__chunks_are_too_much_gas_for_the_node__later_readings_ask_for_less_at_once() -> None:
    calls = [Call(TARGET, DEAR + bytes([index + 1])) for index in range(32)]
    refusals = await refused_in_each(Limited(4), calls, 3)
    assert refusals[0] > 0
    assert refusals[-1] == 0


@pytest.mark.parametrize("place", [0, 7, 15])
async def test_read__one_call_burns_all_gas__does_not_make_later_readings_smaller(place: int) -> None:
    calls = [Call(TARGET, CHEAP + bytes([index + 1])) for index in range(32)]
    poisoned = CHEAP + b"\xee"
    calls[place] = Call(TARGET, poisoned)
    refusals = await refused_in_each(Limited(32, poisoned), calls, 3)
    assert len(set(refusals)) == 1


async def test_read__one_call_burns_all_gas__alone_is_reverted() -> None:
    node = Limited(32, b"\xee")
    pool = NodePool([Node(FakeEndpoint(eth_call=node))], chain="main", chain_id=1, finality=0)
    reader = Web3ChainReader(pool)
    await reader.stamp()
    found = await reader.read([Call(TARGET, b"\x01"), Call(TARGET, b"\xee")], STAMP)
    assert found == (Answer(b"\x01".ljust(32, b"\0")), Answer(b"", "call_reverted"))
