"""Reads over several nodes: who fails is replaced, who lies is out, and nothing is believed without a quorum."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from navoracle.chain.node_state import NodeState
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.rpc import NoAnswer, NodeRefused, RateLimited
from navoracle.domain.errors import CallReverted, ChainError, EndpointsDisagree, NoQuorum
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Answer, Call, Scrutiny
from tests.unit.chain.simulated import (
    HEAD,
    HUNGRY,
    REVERTING,
    TARGET,
    Events,
    Fault,
    ManualTime,
    Request,
    SimulatedNode,
    always,
    block,
    dead,
    digest,
    empty,
    error,
    lag,
    on,
    pool_of,
    right_answer,
    tamper,
)

CALLS = [Call(TARGET, bytes([number])) for number in range(7)] + [Call(REVERTING, b"\1")]
RIGHT = tuple(right_answer(call, block(HEAD)) for call in CALLS)


async def ready(
    *nodes: SimulatedNode, chunk_calls: int = 3, **settings: Any
) -> tuple[Web3ChainReader, BlockStamp, Events]:
    """A reader that has stamped a block while all nodes were sound."""
    events = Events()
    reader = Web3ChainReader(pool_of(*nodes, on_event=events, **settings), chunk_calls=chunk_calls)
    stamp = await reader.stamp()
    for node in nodes:
        node.asked.clear()
        node.blocks.clear()
    return reader, stamp, events


def several(count: int) -> list[SimulatedNode]:
    return [SimulatedNode(f"n{index}") for index in range(count)]


def state_of(pool: NodePool, node: SimulatedNode) -> NodeState:
    return next(shown.state for shown in pool.nodes() if shown.name == node.name)


def cut(sound: Request, method: str, params: Sequence[Any]) -> Any:
    """Half of the answer."""
    return sound(method, params)[:66]


# ---- how many are asked


@pytest.mark.parametrize(("scrutiny", "copies"), [(Scrutiny.ONE, 1), (Scrutiny.COMPARED, 2), (Scrutiny.ANEW, 2)])
async def test_read__sound_nodes__asks_as_many_as_the_scrutiny_and_each_chunk_once(
    scrutiny: Scrutiny, copies: int
) -> None:
    nodes = several(3)
    reader, at, events = await ready(*nodes)
    assert await reader.read(CALLS, at, scrutiny) == RIGHT
    assert sorted(node.count("eth_call") for node in nodes) == [0] * (3 - copies) + [3] * copies
    assert [event.state for event in events] == [NodeState.ALIVE] * 3


async def test_read__every_request__is_pinned_to_the_block_s_hash() -> None:
    nodes = several(2)
    reader, at, _ = await ready(*nodes)
    await reader.read([*CALLS, Call(TARGET, b"\1", direct=True)], at)
    pinned = {"blockHash": at.hash, "requireCanonical": True}
    assert all(which == pinned for node in nodes for which in node.blocks)
    assert sum(len(node.blocks) for node in nodes) == 8


async def test_read__anew__asks_other_nodes_than_the_compared_reading_did() -> None:
    nodes = several(4)
    reader, at, _ = await ready(*nodes)
    await reader.read(CALLS, at)
    before = {node.name for node in nodes if node.asked}
    for node in nodes:
        node.asked.clear()
    await reader.read(CALLS, at, Scrutiny.ANEW)
    await reader.read(CALLS[:1], at, Scrutiny.ANEW)
    assert {node.name for node in nodes if node.asked}.isdisjoint(before)


async def test_read__anew_with_too_few_others__asks_a_known_one_too() -> None:
    nodes = several(3)
    reader, at, _ = await ready(*nodes)
    await reader.read(CALLS, at)
    (other,) = (node for node in nodes if not node.asked)
    for node in nodes:
        node.asked.clear()
    assert await reader.read(CALLS, at, Scrutiny.ANEW) == RIGHT
    assert other.asked
    assert sum(bool(node.asked) for node in nodes) == 2


async def test_read__nodes_of_one_operator__are_never_compared_with_one_another() -> None:
    nodes = several(3)
    time = ManualTime()
    pool = pool_of(*nodes, time=time)
    for known, operator in zip(pool._nodes, ("same", "same", "other"), strict=True):
        known.operator = operator
    reader = Web3ChainReader(pool)
    at = await reader.stamp()
    for node in nodes:
        node.asked.clear()
    await reader.read(CALLS, at)
    assert nodes[2].count("eth_call") == 1
    assert nodes[0].count("eth_call") + nodes[1].count("eth_call") == 1
    nodes[2].fault = dead
    with pytest.raises(NoQuorum):
        await reader.read(CALLS, at)


# ---- one bad node

FAILURES = {
    "dead": dead,
    "missing_trie_node": error,
    "empty": empty,
    "short": on("eth_call", cut),
    "null": on("eth_call", always(None)),
    "number": on("eth_call", always(7)),
    "not_hex": on("eth_call", always("0xzz")),
    "html_502": always(NoAnswer("node: eth_call failed: HTTP 502", advice="Check it.")),
    "429": always(RateLimited("node", "eth_call")),
    "lags_behind_the_block": lag(1),
}


@pytest.mark.parametrize("scrutiny", list(Scrutiny))
@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES.keys())
async def test_read__one_node_of_three_fails__is_answered_by_the_others(fault: Fault, scrutiny: Scrutiny) -> None:
    for bad in range(3):
        nodes = several(3)
        reader, at, events = await ready(*nodes)
        nodes[bad].fault = fault
        assert await reader.read(CALLS, at, scrutiny) == RIGHT
        assert "disputed" not in events.states("n")
        if nodes[bad].asked:
            assert reader.pool.nodes()[bad].errors > 0


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES.keys())
async def test_read__two_nodes_of_three_fail__has_no_quorum_and_says_why(fault: Fault) -> None:
    nodes = several(3)
    reader, at, _ = await ready(*nodes)
    nodes[0].fault = nodes[2].fault = fault
    with pytest.raises(NoQuorum, match="answered by 1 of 2 independent nodes") as caught:
        await reader.read(CALLS, at)
    assert "never lowered" in caught.value.advice
    assert await reader.read(CALLS, at, Scrutiny.ONE) == RIGHT


@pytest.mark.parametrize("direct", [False, True])
async def test_read__one_node_of_three_lies__is_outvoted_and_marked_disputed(*, direct: bool) -> None:
    calls = [call._replace(direct=direct) for call in CALLS]
    for bad in range(3):
        nodes = several(3)
        reader, at, events = await ready(*nodes)
        nodes[bad].fault = on("eth_call", false_data)
        assert await reader.read(calls, at) == RIGHT
        if not nodes[bad].asked:
            continue
        assert state_of(reader.pool, nodes[bad]) is NodeState.DISPUTED
        assert [event.node for event in events if event.state is NodeState.DISPUTED] == [nodes[bad].name]
        nodes[bad].asked.clear()
        assert await reader.read(calls, at) == RIGHT
        assert nodes[bad].asked == []


def false_data(sound: Request, method: str, params: Sequence[Any]) -> Any:
    """Well-formed answers with other data; what reverts has a value."""
    try:
        text = str(sound(method, params))
    except NodeRefused:
        return "0x" + "77" * 32
    for answer in RIGHT:
        text = text.replace(answer.data.hex(), digest("lie", answer.data)[: len(answer.data)].hex())
    return text


async def test_read__lie_about_one_call_of_many__is_found() -> None:
    def about_one(sound: Request, method: str, params: Sequence[Any]) -> Any:
        right = right_answer(CALLS[4], block(HEAD)).data.hex()
        return str(sound(method, params)).replace(right, "00" * 31 + "01")

    nodes = several(2)
    reader, at, _ = await ready(*nodes)
    nodes[1].fault = on("eth_call", about_one)
    with pytest.raises(EndpointsDisagree, match=r"main: a chunk of 3 calls at block 1000 is answered differently"):
        await reader.read(CALLS, at)
    assert await reader.read(CALLS[:3], at) == RIGHT[:3]


async def test_read__three_nodes_say_three_things__is_a_disagreement_and_nobody_is_blamed() -> None:
    nodes = several(3)
    reader, at, events = await ready(*nodes)
    for index in (0, 1):
        nodes[index].fault = on("eth_call", tamper(index + 1))
    with pytest.raises((EndpointsDisagree, NoQuorum)):
        await reader.read(CALLS, at)
    assert "disputed" not in events.states("n")


async def test_read__failed_chunk__is_asked_elsewhere_and_the_others_are_not_repeated() -> None:
    nodes = several(2)
    reader, at, _ = await ready(*nodes, quorum=1)
    failing = True

    def once(sound: Request, method: str, params: Sequence[Any]) -> Any:
        nonlocal failing
        was, failing = failing, False
        return error(sound, method, params) if was else sound(method, params)

    for node in nodes:
        node.fault = on("eth_call", once)
    assert await reader.read(CALLS, at) == RIGHT
    assert sum(node.count("eth_call") for node in nodes) == 4


async def test_read__chunks__run_within_each_node_s_concurrency() -> None:
    node, running, most = SimulatedNode("one"), 0, 0

    async def counted(sound: Request, method: str, params: Sequence[Any]) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return sound(method, params)

    reader, at, _ = await ready(node, chunk_calls=1)
    reader.pool._nodes[0]._concurrency = 3
    reader.pool._nodes[0]._slots = None
    node.fault = counted
    assert await reader.read(CALLS * 3, at) == RIGHT * 3
    assert most == 3


# ---- calls at the newest block (previews)


async def test_call__several_nodes__is_compared_at_the_newest_block_by_its_hash() -> None:
    nodes = several(3)
    reader, at, _ = await ready(*nodes, finality="finalized")
    assert at == block(HEAD - 64)
    assert await reader.call(TARGET, b"\7") == right_answer(Call(TARGET, b"\7"), block(HEAD)).data
    asked = [which for node in nodes for which in node.blocks]
    assert asked == [{"blockHash": block(HEAD).hash, "requireCanonical": True}] * 2


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES.keys())
async def test_call__one_node_of_three_fails__is_answered_by_the_others(fault: Fault) -> None:
    for bad in range(3):
        nodes = several(3)
        reader, _, events = await ready(*nodes)
        nodes[bad].fault = fault
        assert await reader.call(TARGET, b"\7") == right_answer(Call(TARGET, b"\7"), block(HEAD)).data
        assert "disputed" not in events.states("n")


async def test_call__one_node_of_three_lies__is_outvoted_and_marked_disputed() -> None:
    lies: dict[str, Fault] = {
        "data": on("eth_call", tamper(3)),
        "revert": on("eth_call", always(NodeRefused("node", "eth_call", 3, "execution reverted", b"no"))),
    }
    marked: set[str] = set()
    for name, lie in lies.items():
        for bad in range(3):
            nodes = several(3)
            reader, _, _ = await ready(*nodes)
            nodes[bad].fault = lie
            assert await reader.call(TARGET, b"\7") == right_answer(Call(TARGET, b"\7"), block(HEAD)).data
            if state_of(reader.pool, nodes[bad]) is NodeState.DISPUTED:
                marked.add(name)
            else:
                assert nodes[bad].count("eth_call") == 0
    assert marked == set(lies)


async def test_call__revert_that_a_liar_hides__is_the_revert_of_the_others() -> None:
    for bad in range(3):
        nodes = several(3)
        reader, _, _ = await ready(*nodes)
        nodes[bad].fault = on("eth_call", false_data)
        with pytest.raises(CallReverted) as caught:
            await reader.call(REVERTING, b"\1")
        assert caught.value.data == b"why!"


async def test_call__two_nodes_differ__is_a_disagreement() -> None:
    nodes = several(2)
    reader, _, _ = await ready(*nodes)
    nodes[0].fault = on("eth_call", tamper(3))
    with pytest.raises(EndpointsDisagree, match="is answered differently"):
        await reader.call(TARGET, b"\7")


async def test_call__two_nodes_of_three_fail__has_no_quorum() -> None:
    nodes = several(3)
    reader, _, _ = await ready(*nodes)
    nodes[0].fault = nodes[2].fault = dead
    with pytest.raises(NoQuorum, match="1 of 2 independent nodes"):
        await reader.call(TARGET, b"\7")


async def test_call__no_contract_on_any_node__is_empty() -> None:
    nodes = several(3)
    reader, _, _ = await ready(*nodes)
    for node in nodes:
        node.fault = on("eth_call", always("0x"))
    assert await reader.call(TARGET, b"\7") == b""


async def test_call__between_two_looks__leaves_the_second_its_other_nodes() -> None:
    nodes = several(4)
    reader, at, _ = await ready(*nodes)
    await reader.read(CALLS, at)
    before = {node.name for node in nodes if node.asked}
    await reader.call(TARGET, b"\7")
    for node in nodes:
        node.asked.clear()
    await reader.read(CALLS, at, Scrutiny.ANEW)
    assert {node.name for node in nodes if node.asked}.isdisjoint(before)


# ---- execution and gas


async def test_read__node_with_less_gas_than_the_others__is_no_liar() -> None:
    nodes = [SimulatedNode("n0", gas=False), SimulatedNode("n1"), SimulatedNode("n2")]
    reader, at, events = await ready(*nodes)
    calls = [Call(HUNGRY, b"\1"), *CALLS[:2]]
    for _ in range(3):
        assert await reader.read(calls, at) == tuple(right_answer(call, at) for call in calls)
    assert "disputed" not in events.states("n")


async def test_read__two_nodes_and_one_has_less_gas__reads_the_rest_and_disagrees_on_that_call() -> None:
    nodes = [SimulatedNode("n0", gas=False), SimulatedNode("n1")]
    reader, at, _ = await ready(*nodes)
    assert await reader.read([*CALLS[:2], Call(TARGET, b"\7")], at)
    with pytest.raises(EndpointsDisagree, match="a chunk of 1 calls"):
        await reader.read([Call(HUNGRY, b"\1"), *CALLS[:2]], at)


def refuses_many(sound: Request, method: str, params: Sequence[Any]) -> Any:
    """A node that ends an `eth_call` of more than one call for want of gas."""
    if len(params[0]["data"]) > 600:
        raise NodeRefused("node", method, -32000, "out of gas")
    return sound(method, params)


@pytest.mark.parametrize("limited", [1, 2, 3])
async def test_read__chunk_is_too_much_for_some_nodes__is_answered_by_others_or_split(limited: int) -> None:
    nodes = several(3)
    reader, at, events = await ready(*nodes, chunk_calls=8)
    for node in nodes[:limited]:
        node.fault = on("eth_call", refuses_many)
    assert await reader.read(CALLS, at) == RIGHT
    assert "disputed" not in events.states("n")


async def test_read__two_nodes_and_one_refuses_large_chunks__is_split() -> None:
    nodes = several(2)
    reader, at, _ = await ready(*nodes, chunk_calls=8)
    nodes[0].fault = on("eth_call", refuses_many)
    assert await reader.read(CALLS, at) == RIGHT
    assert nodes[1].count("eth_call") > 1


async def test_read__single_call_reverts_on_one_node_and_has_a_value_on_the_other__is_a_disagreement() -> None:
    nodes = several(2)
    reader, at, _ = await ready(*nodes)
    nodes[0].fault = on("eth_call", always(NodeRefused("node", "eth_call", 3, "execution reverted", b"no")))
    for direct in (True, False):
        with pytest.raises(EndpointsDisagree):
            await reader.read([Call(TARGET, b"\1", direct=direct)], at)


async def test_read__out_of_gas_on_one_node_and_a_value_on_the_other__is_no_disagreement_but_no_quorum() -> None:
    nodes = several(2)
    reader, at, events = await ready(*nodes)
    nodes[0].fault = on("eth_call", always(NodeRefused("node", "eth_call", -32000, "out of gas")))
    with pytest.raises(NoQuorum, match="refused"):
        await reader.read([Call(TARGET, b"\1", direct=True)], at)
    assert "disputed" not in events.states("n")


async def test_read__direct_call_reverts_everywhere_in_other_words__is_the_revert() -> None:
    nodes = several(2)
    reader, at, _ = await ready(*nodes)
    nodes[0].fault = on("eth_call", always(NodeRefused("node", "eth_call", -32000, "reverted, says geth", b"why!")))
    assert await reader.read([Call(REVERTING, b"", direct=True)], at) == (Answer(b"why!", "call_reverted"),)


async def test_read__direct_call_empty_on_one_node__is_answered_by_the_others() -> None:
    nodes = several(3)
    reader, at, events = await ready(*nodes)
    for node in nodes:
        node.fault = on("eth_call", always("0x"))
        for scrutiny in Scrutiny:
            assert await reader.read([CALLS[0]._replace(direct=True)], at, scrutiny) == RIGHT[:1]
        node.fault = None
    for node in nodes:
        node.fault = on("eth_call", always("0x"))
    assert await reader.read([CALLS[0]._replace(direct=True)], at) == (Answer(b"", "empty_result"),)
    assert "disputed" not in events.states("n")


# ---- pins


async def test_read__nodes_pinned_differently__are_comparable() -> None:
    nodes = [SimulatedNode("n0"), SimulatedNode("n1", by_hash=False)]
    reader, at, _ = await ready(*nodes)
    assert [node.pin for node in reader.pool.nodes()] == ["hash", "number"]
    assert await reader.read([*CALLS, Call(TARGET, b"\1", direct=True)], at) == (
        *RIGHT,
        right_answer(CALLS[1], at),
    )
    assert all(isinstance(which, Mapping) for which in nodes[0].blocks)
    assert all(which == hex(HEAD) for which in nodes[1].blocks)
    assert nodes[1].count("eth_getBlockByNumber") == 4


async def test_read__node_pinned_by_number_reads_another_block__is_replaced_and_no_liar() -> None:
    def older(sound: Request, method: str, params: Sequence[Any]) -> Any:
        return sound(method, [params[0], hex(int(params[1], 16) - 1)])

    nodes = [SimulatedNode("n0", by_hash=False), SimulatedNode("n1"), SimulatedNode("n2")]
    reader, at, events = await ready(*nodes)
    nodes[0].fault = on("eth_call", older)
    for _ in range(3):
        assert await reader.read(CALLS, at) == RIGHT
    assert "disputed" not in events.states("n")
    assert "did not read from block 1000" in (reader.pool.nodes()[0].last_error or "")


async def test_stamp__multicall_is_not_on_one_node__is_read_by_the_others() -> None:
    nodes = several(3)
    nodes[1].fault = on("eth_getCode", always("0x"))
    reader = Web3ChainReader(pool_of(*nodes))
    at = await reader.stamp()
    assert await reader.read(CALLS, at) == RIGHT
    assert nodes[1].count("eth_call") == 0
    assert "there is no Multicall3" in (reader.pool.nodes()[1].last_error or "")


async def test_stamp__multicall_is_on_no_node__says_so() -> None:
    with pytest.raises(ChainError, match="there is no Multicall3") as caught:
        await Web3ChainReader(pool_of(*(SimulatedNode("a", fault=on("eth_getCode", always("0x"))),) * 1)).stamp()
    assert "multicall" in caught.value.advice


async def test_read__node_recovers_between_frames__is_asked_how_it_can_be_pinned_only_then() -> None:
    time, nodes = ManualTime(), several(3)
    nodes[2].fault = dead
    reader = Web3ChainReader(pool_of(*nodes, time=time))
    await reader.stamp()
    assert reader.pool.nodes()[2].pin is None
    nodes[2].fault = None
    time.now += 60
    await reader.stamp()
    assert reader.pool.nodes()[2].pin == "hash"
    asked = nodes[0].count("eth_getCode")
    await reader.stamp()
    assert nodes[0].count("eth_getCode") == asked
