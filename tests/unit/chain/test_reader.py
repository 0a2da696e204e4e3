"""Pinned reads over one node of canned answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from navoracle.chain.node import Node, Pin
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import MULTICALL3, Web3ChainReader
from navoracle.domain.errors import CallReverted, ChainError
from navoracle.ports import Answer, Call, NativeBalance
from tests.unit.chain.fake_endpoint import OTHER, STAMP, TARGET, FakeEndpoint, FakeMulticall, block_json, refused

PINNED = {"blockHash": STAMP.hash, "requireCanonical": True}


def echo(data: bytes) -> tuple[bool, bytes]:
    return True, data.ljust(32, b"\0")


def reader_of(
    endpoint: FakeEndpoint, *, finality: Any = 0, pin: Pin = "auto", deadline: float = 60.0, **settings: Any
) -> Web3ChainReader:
    pool = NodePool([Node(endpoint, pin=pin)], chain="main", chain_id=1, finality=finality, deadline=deadline)
    return Web3ChainReader(pool, **settings)


async def read(endpoint: FakeEndpoint, requests: list[Any], at: Any = STAMP, **settings: Any) -> tuple[Answer, ...]:
    """Stamp a block while the node answers as it should, then read; what was asked is what the read asked."""
    answers = dict(endpoint.answers)
    multicall = FakeMulticall({}, by_hash=settings.get("pin") != "number", stamp=at)
    endpoint.answers |= {"eth_call": multicall, "eth_getBlockByNumber": block_json(at)}
    reader = reader_of(endpoint, **settings)
    await reader.stamp()
    endpoint.answers = answers
    endpoint.asked.clear()
    return await reader.read(requests, at)


def node(multicall: FakeMulticall | None = None, **answers: Any) -> FakeEndpoint:
    return FakeEndpoint(**{"eth_call": multicall or FakeMulticall({TARGET: echo}), **answers})


async def test_stamp__latest__is_the_node_s_block() -> None:
    assert await reader_of(node()).stamp() == STAMP


@pytest.mark.parametrize(("finality", "number"), [(3, 97), (500, 0), ("safe", 80), ("finalized", 60)])
async def test_stamp__finality_set__is_that_block(finality: Any, number: int) -> None:
    def block(which: str, _full: bool) -> dict[str, str]:
        tags = {"latest": 100, "safe": 80, "finalized": 60}
        return block_json(replace(STAMP, number=tags[which] if which in tags else int(which, 16)))

    assert (await reader_of(node(eth_getBlockByNumber=block), finality=finality).stamp()).number == number


async def test_stamp__node_of_another_chain__raises() -> None:
    with pytest.raises(ChainError, match="serves chain 5, not 1") as caught:
        await reader_of(node(eth_chainId="0x5")).stamp()
    assert "endpoint" in caught.value.advice


async def test_stamp__no_multicall_there__raises_with_its_address() -> None:
    with pytest.raises(ChainError, match=MULTICALL3) as caught:
        await reader_of(node(eth_getCode="0x")).stamp()
    assert "multicall" in caught.value.advice


@pytest.mark.parametrize("block", [None, {}, block_json(STAMP, hash="0x12"), block_json(STAMP, number="seven"), "0x1"])
async def test_stamp__no_block_in_the_answer__raises(block: object) -> None:
    with pytest.raises(ChainError):
        await reader_of(node(eth_getBlockByNumber=block)).stamp()


@pytest.mark.parametrize(("by_hash", "pin"), [(True, "hash"), (False, "number")])
async def test_stamp__pin_auto__is_what_the_node_can(by_hash: bool, pin: str) -> None:
    reader = reader_of(node(FakeMulticall({}, by_hash=by_hash)))
    await reader.stamp()
    assert [shown.pin for shown in reader.pool.nodes()] == [pin]


async def test_stamp__pin_hash_on_a_node_without_it__raises() -> None:
    with pytest.raises(ChainError, match="cannot read main at a pinned block"):
        await reader_of(node(FakeMulticall({}, by_hash=False)), pin="hash").stamp()


async def test_stamp__contract_there_is_no_multicall__raises() -> None:
    with pytest.raises(ChainError, match="cannot read"):
        await reader_of(node(eth_call=refused(3, "execution reverted"))).stamp()


async def test_stamp__node_lacks_the_block_when_probed__raises_and_keeps_looking_by_hash() -> None:
    reader = reader_of(node(eth_call=refused(-32000, "header not found")))
    with pytest.raises(ChainError, match="header not found"):
        await reader.stamp()
    assert [shown.pin for shown in reader.pool.nodes()] == [None]


async def test_stamp__again__probes_only_once() -> None:
    endpoint = node()
    reader = reader_of(endpoint)
    await reader.stamp()
    asked = len(endpoint.asked)
    await reader.stamp()
    assert sorted({method for method, _ in endpoint.asked[asked:]}) == [
        "eth_chainId",
        "eth_getBlockByNumber",
        "eth_syncing",
    ]


@pytest.mark.parametrize(
    ("block", "expected"),
    [(block_json(STAMP), True), (block_json(STAMP, hash="0x" + "33" * 32), False), (None, False)],
)
async def test_is_canonical__by_the_hash_at_its_number(block: object, expected: bool) -> None:
    endpoint = node()
    reader = reader_of(endpoint)
    await reader.stamp()
    endpoint.answers["eth_getBlockByNumber"] = block
    assert await reader.is_canonical(STAMP) is expected


async def test_read__mixed_requests__are_answered_in_order_at_the_pinned_hash() -> None:
    endpoint = node()
    answers = await read(
        endpoint,
        [
            Call(TARGET, b"\1"),
            Call(TARGET, b"\2", direct=True, sender=OTHER),
            NativeBalance(OTHER),
            Call(TARGET, b"\3"),
        ],
        STAMP,
    )
    assert [answer.data[:1] for answer in (answers[0], answers[1], answers[3])] == [b"\1", b"\2", b"\3"]
    assert answers[2] == Answer((5).to_bytes(32, "big"))
    assert [block for _, block in endpoint.calls("eth_call")] == [PINNED, PINNED]
    direct = endpoint.calls("eth_call")[1][0]
    assert (direct["to"], direct["from"]) == (TARGET, OTHER)


async def test_read__nothing__asks_nothing() -> None:
    endpoint = node()
    assert await reader_of(endpoint).read([], STAMP) == ()
    assert endpoint.asked == []


async def test_read__empty_result__is_a_failure() -> None:
    answers = await read(node(), [Call(OTHER, b"\1"), Call(OTHER, b"\1", direct=True)])
    assert answers == (Answer(b"", "empty_result"), Answer(b"", "empty_result"))


async def test_read__reverting_call__fails_alone_with_its_revert_data() -> None:
    multicall = FakeMulticall({TARGET: echo, OTHER: lambda _: (False, b"why!")})
    requests = [Call(OTHER, b""), Call(TARGET, b"\1"), Call(OTHER, b"", direct=True)]
    answers = await read(node(multicall), requests)
    assert [answer.failure for answer in answers] == ["call_reverted", None, "call_reverted"]
    assert [answers[0].data, answers[2].data] == [b"why!", b"why!"]


async def test_read__many_calls__go_in_chunks_of_both_limits() -> None:
    multicall = FakeMulticall({TARGET: echo})
    calls = [Call(TARGET, bytes([index])) for index in range(10)] + [Call(TARGET, bytes(60))] * 3
    answers = await read(node(multicall), calls, chunk_calls=4, chunk_bytes=100)
    assert [answer.data for answer in answers] == [echo(call.data)[1] for call in calls]
    assert sum(multicall.batches) == 13
    assert max(multicall.batches) == 4
    assert multicall.batches == [4, 4, 3, 1, 1]


async def test_read__call_that_starves_its_neighbours__fails_alone() -> None:
    starving = False

    def burn(_: bytes) -> tuple[bool, bytes]:
        nonlocal starving
        starving = True
        return False, b""

    class Starved(FakeMulticall):
        def __call__(self, transaction: Any, block: object) -> object:
            nonlocal starving
            starving = False
            return super().__call__(transaction, block)

    multicall = Starved({OTHER: burn, TARGET: lambda data: (False, b"") if starving else echo(data)})
    answers = await read(
        node(multicall), [Call(TARGET, b"\1"), Call(OTHER, b""), Call(TARGET, b"\2"), Call(TARGET, b"\3")]
    )
    assert [answer.failure for answer in answers] == [None, "call_reverted", None, None]


async def test_read__chunk_that_runs_out_of_gas__is_split_until_the_culprit_is_alone() -> None:
    def call(transaction: Any, block: object) -> object:
        if b"\xee\xee" in bytes.fromhex(transaction["data"][2:]):
            raise refused(-32000, "out of gas")
        return FakeMulticall({TARGET: echo})(transaction, block)

    calls = [Call(TARGET, bytes([index])) for index in range(7)] + [Call(TARGET, b"\xee\xee")]
    answers = await read(node(eth_call=call), calls)
    assert [answer.failure for answer in answers] == [None] * 7 + ["call_reverted"]


@pytest.mark.parametrize(
    "failure", [refused(-32000, "missing trie node"), ChainError("no answer", advice="wait"), "0x", "0x1234", None]
)
async def test_read__node_fails_as_a_whole__raises(failure: object) -> None:
    with pytest.raises(ChainError) as caught:
        await read(node(eth_call=lambda *_: failure), [Call(TARGET, b"\1")])
    assert caught.value.advice


async def test_read__node_too_slow__raises_at_the_deadline() -> None:
    class Slow(FakeEndpoint):
        async def request(self, method: str, params: Any) -> object:
            found = await super().request(method, params)
            await asyncio.sleep(5 if found == "0xslow" else 0)
            return found

    with pytest.raises(ChainError, match=r"a read of 1 requests was not answered within 0\.2 s"):
        await read(Slow(eth_call="0xslow"), [Call(TARGET, b"\1")], deadline=0.2)


async def test_read__pinned_by_number__proves_the_block_and_looks_again() -> None:
    multicall = FakeMulticall({TARGET: echo}, by_hash=False)
    endpoint = node(multicall)
    answers = await read(endpoint, [Call(TARGET, b"\1")], STAMP, pin="number")
    assert answers[0].data[:1] == b"\1"
    assert multicall.batches == [3]
    assert [block for _, block in endpoint.calls("eth_call")] == [hex(100)]
    assert endpoint.calls("eth_getBlockByNumber") == [[hex(100), False]]


@pytest.mark.parametrize("change", [{"timestamp": 1_700_000_001}, {"parent_hash": "0x" + "44" * 32}])
async def test_read__pinned_by_number_and_the_call_saw_another_block__raises(change: dict[str, Any]) -> None:
    multicall = FakeMulticall({TARGET: echo}, by_hash=False, stamp=replace(STAMP, **change))
    with pytest.raises(ChainError, match="did not read from block 100"):
        await read(node(multicall), [Call(TARGET, b"\1")], STAMP, pin="number")


@pytest.mark.parametrize("direct", [True, False])
async def test_read__pinned_by_number_and_the_block_was_replaced_since__raises(direct: bool) -> None:
    endpoint = node(eth_getBlockByNumber=block_json(STAMP, hash="0x" + "33" * 32))
    with pytest.raises(ChainError, match="did not read from block 100"):
        await read(endpoint, [Call(TARGET, b"\1", direct=direct)], STAMP, pin="number")


@pytest.mark.parametrize("pin", ["hash", "number"])
async def test_read__first_block__needs_no_parent(pin: Pin) -> None:
    genesis = replace(STAMP, number=0, parent_hash="0x" + "00" * 32)
    endpoint = node(FakeMulticall({TARGET: echo}), eth_getBlockByNumber=block_json(genesis))
    assert (await read(endpoint, [Call(TARGET, b"\1")], genesis, pin=pin))[0].failure is None


async def test_call__newest_block__returns_the_data() -> None:
    endpoint = node()
    assert (await reader_of(endpoint).call(TARGET, b"\7"))[:1] == b"\7"
    assert endpoint.calls("eth_call")[0][1] == "latest"


async def test_call__revert__raises_with_the_decoded_reason_and_the_data() -> None:
    paused = bytes.fromhex("9e87fac8")
    with pytest.raises(CallReverted, match=r"Paused\(\)") as caught:
        await reader_of(node(FakeMulticall({TARGET: lambda _: (False, paused)}))).call(TARGET, b"\1")
    assert caught.value.data == paused
    assert "RISK" in caught.value.advice


async def test_call__node_error_that_is_no_revert__raises_chain_error() -> None:
    with pytest.raises(ChainError, match="missing trie node"):
        await reader_of(node(eth_call=refused(-32000, "missing trie node"))).call(TARGET, b"\1")


async def test_close__closes_the_endpoint() -> None:
    endpoint = node()
    await reader_of(endpoint).close()
    assert endpoint.closed


async def test_read__call_that_others_left_too_little_gas_for__is_asked_again_alone() -> None:
    multicall = FakeMulticall({})
    multicall.contracts = {
        TARGET.lower(): echo,
        OTHER.lower(): lambda data: echo(data) if multicall.batches[-1] == 1 else (False, b""),
    }
    found = await read(node(multicall), [Call(TARGET, b"\1"), Call(OTHER, b"\2")])
    assert found == (Answer(echo(b"\1")[1]), Answer(echo(b"\2")[1]))
