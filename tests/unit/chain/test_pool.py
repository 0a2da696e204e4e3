"""States of nodes in a pool, the block that they agree on, and a quorum that never shrinks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from navoracle.chain.node import Node
from navoracle.chain.node_state import NodeState
from navoracle.chain.pool import NodePool
from navoracle.chain.rpc import NoAnswer, NodeRefused, RateLimited
from navoracle.domain.errors import ChainError, ConfigurationError, EndpointsDisagree, NoQuorum
from tests.unit.chain.simulated import (
    BLOCK_SECONDS,
    HEAD,
    Events,
    Fault,
    FixedClock,
    ManualTime,
    Request,
    SimulatedNode,
    always,
    another_block,
    block,
    dead,
    empty,
    error,
    lag,
    on,
    pool_of,
)

READS = "eth_getBlockByNumber"


def three(fault: Fault | None = None, **settings: Any) -> tuple[NodePool, Events]:
    """Two sound nodes, and one (named `odd`) with a fault."""
    events = Events()
    nodes = SimulatedNode("odd", fault=fault), SimulatedNode("one"), SimulatedNode("two")
    return pool_of(*nodes, on_event=events, **settings), events


def state_of(pool: NodePool, name: str) -> NodeState:
    return next(node.state for node in pool.nodes() if name in node.name)


def stuck(sound: Request, method: str, params: Sequence[Any]) -> Any:
    """The head of a thousand seconds ago, with nothing else wrong."""
    return lag(1_000 // BLOCK_SECONDS)(sound, method, params)


# ---- one bad node of three


@pytest.mark.parametrize(
    ("fault", "state", "words"),
    [
        pytest.param(dead, NodeState.UNREACHABLE, "ClientConnectorError", id="dead"),
        pytest.param(error, NodeState.UNREACHABLE, "missing trie node", id="error"),
        pytest.param(empty, NodeState.UNREACHABLE, "None", id="empty"),
        pytest.param(on("eth_chainId", always("0x5")), NodeState.WRONG_CHAIN, "serves chain 5, not 1", id="chain"),
        pytest.param(lag(6), NodeState.OUT_OF_SYNC, "6 blocks behind", id="lags"),
        pytest.param(stuck, NodeState.OUT_OF_SYNC, "older than may be", id="stuck"),
        pytest.param(
            on("eth_syncing", always({"currentBlock": "0x1", "highestBlock": "0x3e8"})),
            NodeState.SYNCING,
            "999 blocks behind and syncing",
            id="syncing",
        ),
        pytest.param(
            on(READS, lambda *asked: another(*asked)),
            NodeState.OUT_OF_SYNC,
            "a quorum 0x",
            id="another_branch",
        ),
        pytest.param(
            always(NoAnswer("node: eth_chainId failed: HTTP 502", advice="Check it.")),
            NodeState.UNREACHABLE,
            "HTTP 502",
            id="html_502",
        ),
        pytest.param(
            on("eth_chainId", always("0x" + "f" * 5_000)),
            NodeState.UNREACHABLE,
            "where chain id was due",
            id="number_without_end",
        ),
        pytest.param(
            always(NodeRefused("node", "eth_chainId", -32000, "see http://[")),
            NodeState.UNREACHABLE,
            "see ?://?",
            id="address_that_is_none",
        ),
        pytest.param(
            always(RateLimited("node", "eth_chainId", 2.0)), NodeState.UNREACHABLE, "too many requests", id="429"
        ),
    ],
)
async def test_stamp__one_bad_node_of_three__is_that_of_the_others_and_the_node_is_out(
    fault: Fault, state: NodeState, words: str
) -> None:
    pool, events = three(fault, max_head_age=900, clock=FixedClock())
    assert await pool.stamp() == block(HEAD)
    assert state_of(pool, "odd") is state
    (event,) = (event for event in events if "odd" in event.node)
    assert words in event.detail
    assert (event.chain, event.state, event.was) == ("main", state, NodeState.UNDIALED)
    assert event.advice
    assert events.states("one") == ["alive"]


def another(sound: Request, method: str, params: Sequence[Any]) -> Any:
    """Blocks of another branch."""
    found = sound(method, params)
    return {**found, "hash": another_block(block(int(found["number"], 16))).hash}


async def test_stamp__node_claims_a_head_far_above_all_others__puts_nobody_out_of_sync() -> None:
    def ahead(sound: Request, method: str, params: Sequence[Any]) -> Any:
        found = sound(method, params)
        return {**found, "number": hex(10**9)} if params[0] == "latest" else found

    pool, _ = three(on(READS, ahead))
    assert await pool.stamp() == block(HEAD)
    assert [state_of(pool, name) for name in ("one", "two")] == [NodeState.ALIVE] * 2


async def test_stamp__heads_within_the_lag__is_at_the_lowest() -> None:
    pool, _ = three(lag(5))
    assert await pool.stamp() == block(HEAD - 5)
    assert state_of(pool, "odd") is NodeState.ALIVE


async def test_stamp__node_that_never_answers__is_given_up_after_the_dial_timeout() -> None:
    async def sleep_for_ever(_sound: Request, _method: str, _params: Sequence[Any]) -> Any:
        await asyncio.sleep(60)

    pool, _ = three(sleep_for_ever, dial_timeout=0.05)
    async with asyncio.timeout(5):
        assert await pool.stamp() == block(HEAD)
    assert state_of(pool, "odd") is NodeState.UNREACHABLE


# ---- recovery


@pytest.mark.parametrize("fault", [dead, lag(50), on("eth_chainId", always("0x5")), on(READS, another)])
async def test_stamp__node_answers_right_again__is_alive_again(fault: Fault) -> None:
    time, events = ManualTime(), Events()
    odd = SimulatedNode("odd", fault=fault)
    pool = pool_of(odd, SimulatedNode("one"), SimulatedNode("two"), time=time, on_event=events)
    await pool.stamp()
    odd.fault = None
    time.now += 60
    await pool.stamp()
    assert state_of(pool, "odd") is NodeState.ALIVE
    assert events.states("odd")[-1] == "alive"
    assert len(events.states("odd")) == 2


async def test_stamp__chain_id_changes_while_running__takes_the_node_out() -> None:
    odd = SimulatedNode("odd")
    pool = pool_of(odd, SimulatedNode("one"), SimulatedNode("two"))
    await pool.stamp()
    assert state_of(pool, "odd") is NodeState.ALIVE
    odd.fault = on("eth_chainId", always("0x89"))
    await pool.stamp()
    assert state_of(pool, "odd") is NodeState.WRONG_CHAIN
    asked = len(odd.asked)
    await pool.ask("eth_getCode", ["0x", "latest"])
    assert len(odd.asked) == asked


async def test_dispute__node_contradicted_a_quorum__is_out_for_the_cool_down() -> None:
    time, events = ManualTime(), Events()
    nodes = [SimulatedNode(name) for name in ("odd", "one", "two")]
    pool = pool_of(*nodes, time=time, on_event=events, cool_down=600)
    await pool.stamp()
    pool.dispute(pool.alive()[[node.name for node in pool.alive()].index(nodes[0].name)], "gave other bytes")
    assert events[-1].state is NodeState.DISPUTED
    assert "remove it" in events[-1].advice
    time.now += 599
    await pool.stamp()
    assert state_of(pool, "odd") is NodeState.DISPUTED
    time.now += 2
    await pool.stamp()
    assert state_of(pool, "odd") is NodeState.ALIVE


# ---- quorum


@pytest.mark.parametrize(("operators", "quorum"), [(1, 1), (2, 2), (3, 2), (5, 2)])
def test_quorum__not_configured__is_two_where_there_are_two_operators(operators: int, quorum: int) -> None:
    assert pool_of(*(SimulatedNode(f"n{index}") for index in range(operators))).quorum == quorum


def test_quorum__two_urls_of_one_operator__count_once() -> None:
    nodes = [Node(SimulatedNode(name), operator="same") for name in ("one", "two")]
    assert NodePool(nodes, chain="main", chain_id=1).quorum == 1
    with pytest.raises(ConfigurationError, match="quorum is 2 and there are 1 operators"):
        NodePool(nodes, chain="main", chain_id=1, quorum=2)


def test_pool__without_nodes__is_refused() -> None:
    with pytest.raises(ConfigurationError):
        NodePool([], chain="main", chain_id=1)


@pytest.mark.parametrize("fault", [dead, error, empty, lag(500), on("eth_chainId", always("0x5"))])
async def test_stamp__two_bad_nodes_of_three__has_no_quorum_and_names_all_nodes(fault: Fault) -> None:
    nodes = SimulatedNode("one"), SimulatedNode("two", fault=fault), SimulatedNode("three", fault=fault)
    pool = pool_of(*nodes, max_head_age=900, clock=FixedClock())
    with pytest.raises(NoQuorum, match="of 2 independent nodes") as caught:
        await pool.stamp()
    assert all(name in caught.value.message for name in ("one.example", "two.example", "three.example"))
    assert "never lowered" in caught.value.advice
    assert pool.quorum == 2


async def test_stamp__two_lagging_nodes_of_three__is_a_block_that_a_quorum_has() -> None:
    pool = pool_of(SimulatedNode("one"), SimulatedNode("two", head=HEAD - 50), SimulatedNode("three", head=HEAD - 51))
    assert await pool.stamp() == block(HEAD - 51)


async def test_stamp__two_nodes_and_one_lags__has_no_quorum() -> None:
    pool = pool_of(SimulatedNode("one"), SimulatedNode("two", head=HEAD - 50))
    with pytest.raises(NoQuorum, match="50 blocks behind"):
        await pool.stamp()


async def test_stamp__different_block_for_the_same_number__is_a_disagreement() -> None:
    pool = pool_of(SimulatedNode("one"), SimulatedNode("two", fault=on(READS, another)))
    with pytest.raises(EndpointsDisagree, match="block 1000 is answered differently") as caught:
        await pool.stamp()
    assert "one.example" in caught.value.message
    assert "third operator" in caught.value.advice


async def test_stamp__node_answers_with_another_number__is_a_failure_of_the_node() -> None:
    def older(sound: Request, method: str, params: Sequence[Any]) -> Any:
        return sound(method, params if params[0] == "latest" else [hex(int(params[0], 16) - 1), False])

    pool = pool_of(SimulatedNode("one"), SimulatedNode("two", fault=on(READS, older)))
    with pytest.raises(NoQuorum, match="answered with block 999 when asked for block 1000"):
        await pool.stamp()


# ---- age of the head


async def test_stamp__halted_chain__says_how_old_the_newest_head_is() -> None:
    clock = FixedClock()
    clock.reading += 1_000
    with pytest.raises(ChainError, match="newest head of any node is 1005 s old, more than 900 s") as caught:
        await three(max_head_age=900, clock=clock)[0].stamp()
    assert "halted" in caught.value.advice


async def test_stamp__head_as_old_as_may_be__is_read() -> None:
    clock = FixedClock(block(HEAD).timestamp + 900)
    pool, _ = three(max_head_age=900, clock=clock)
    assert await pool.stamp() == block(HEAD)
    clock.reading += 1
    with pytest.raises(ChainError, match="901 s old"):
        await pool.stamp()


# ---- finality


@pytest.mark.parametrize(
    ("finality", "number"), [(0, HEAD), (3, HEAD - 3), (10**6, 0), ("safe", HEAD - 32), ("finalized", HEAD - 64)]
)
async def test_stamp__finality__is_that_block(finality: Any, number: int) -> None:
    assert await three(finality=finality)[0].stamp() == block(number)


async def test_stamp__tags_that_differ__is_the_highest_that_a_quorum_has() -> None:
    nodes = [SimulatedNode(f"n{tag}", tags={"finalized": tag}) for tag in (900, 930, 960)]
    assert await pool_of(*nodes, finality="finalized").stamp() == block(930)
    assert await pool_of(*nodes[:2], finality="finalized").stamp() == block(900)


async def test_stamp__node_without_the_tag__has_no_finalized() -> None:
    nodes = SimulatedNode("odd", tags={}), SimulatedNode("one"), SimulatedNode("two")
    pool = pool_of(*nodes, finality="finalized")
    assert await pool.stamp() == block(HEAD - 64)
    assert state_of(pool, "odd") is NodeState.NO_FINALIZED


async def test_stamp__of_a_past_number__is_that_block() -> None:
    assert await three()[0].stamp(950) == block(950)


async def test_stamp__of_a_number_that_is_not_there_yet__raises_and_says_so() -> None:
    with pytest.raises(NoQuorum, match="has no block 1001"):
        await three()[0].stamp(HEAD + 1)


# ---- the newest block


@pytest.mark.parametrize("finality", [0, 3, 10**6, "safe", "finalized"])
async def test_newest__whatever_the_finality__is_the_head(finality: Any) -> None:
    assert await three(finality=finality)[0].newest() == block(HEAD)


@pytest.mark.parametrize("heads", [(HEAD - 5, HEAD, HEAD), (HEAD, HEAD - 5, HEAD + 7), (HEAD - 50, HEAD, HEAD)])
async def test_newest__one_node_of_three_lags_or_runs_ahead__is_what_two_have(heads: tuple[int, ...]) -> None:
    nodes = [SimulatedNode(f"n{index}", head=head) for index, head in enumerate(heads)]
    assert await pool_of(*nodes).newest() == block(HEAD)


async def test_newest__two_nodes__is_what_both_have() -> None:
    assert await pool_of(SimulatedNode("one"), SimulatedNode("two", head=HEAD - 5)).newest() == block(HEAD - 5)


async def test_newest__one_node_of_three_has_another_block__is_that_of_the_others_and_the_node_is_out() -> None:
    pool, _ = three(on(READS, another))
    assert await pool.newest() == block(HEAD)
    assert state_of(pool, "odd") is NodeState.OUT_OF_SYNC


@pytest.mark.parametrize("fault", [dead, lag(500), on("eth_chainId", always("0x5"))])
async def test_newest__two_bad_nodes_of_three__has_no_quorum(fault: Fault) -> None:
    nodes = SimulatedNode("one"), SimulatedNode("two", fault=fault), SimulatedNode("three", fault=fault)
    with pytest.raises(NoQuorum, match="of 2 independent nodes"):
        await pool_of(*nodes, max_head_age=900, clock=FixedClock()).newest()


# ---- still canonical


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ([None, None, None], True),
        ([dead, None, None], True),
        ([on(READS, another), None, None], True),
        ([on(READS, another)] * 3, False),
        ([on(READS, always(None))] * 3, False),
    ],
)
async def test_is_canonical__by_the_quorum(faults: list[Fault | None], expected: bool) -> None:
    nodes = [SimulatedNode(f"n{index}") for index in range(3)]
    pool = pool_of(*nodes)
    await pool.stamp()
    for node, fault in zip(nodes, faults, strict=True):
        node.fault = fault
    assert await pool.is_canonical(block(HEAD)) is expected


async def test_is_canonical__one_of_two_says_no__is_no() -> None:
    nodes = [SimulatedNode("one"), SimulatedNode("two")]
    pool = pool_of(*nodes)
    await pool.stamp()
    nodes[0].fault = on(READS, another)
    assert await pool.is_canonical(block(HEAD)) is False


async def test_is_canonical__too_few_answer__is_not_known() -> None:
    nodes = [SimulatedNode("one"), SimulatedNode("two")]
    pool = pool_of(*nodes)
    await pool.stamp()
    nodes[0].fault = dead
    with pytest.raises(NoQuorum):
        await pool.is_canonical(block(HEAD))


# ---- one node


async def test_ask__node_fails__is_answered_by_the_next() -> None:
    nodes = [SimulatedNode("one"), SimulatedNode("two")]
    pool = pool_of(*nodes)
    await pool.stamp()
    for bad, good in (nodes, nodes[::-1]):
        bad.fault, good.fault = dead, None
        assert await pool.ask("eth_getCode", ["0x", "latest"]) == "0x6001"


async def test_ask__call_ended_in_execution__is_an_answer_and_nobody_else_is_asked() -> None:
    nodes = [SimulatedNode(name) for name in ("one", "two")]
    pool = pool_of(*nodes)
    await pool.stamp()
    for node in nodes:
        node.fault = always(NodeRefused("node", "eth_call", 3, "execution reverted", b"why!"))
        node.asked.clear()
    with pytest.raises(NodeRefused, match="execution reverted"):
        await pool.ask("eth_call", [{}, "latest"])
    assert sum(node.count("eth_call") for node in nodes) == 1


async def test_ask__only_node_fails_once__is_asked_again_after_a_back_off() -> None:
    time, node = ManualTime(), SimulatedNode("one")
    pool = pool_of(node, time=time)
    await pool.stamp()
    left = 2

    def twice(sound: Request, method: str, params: Sequence[Any]) -> Any:
        nonlocal left
        left -= 1
        return dead(sound, method, params) if left >= 0 else sound(method, params)

    node.fault = twice
    assert await pool.ask("eth_getCode", ["0x", "latest"]) == "0x6001"
    assert time.slept == [0.25, 0.5]


async def test_ask__only_node_is_dead__raises_its_error_after_three_attempts() -> None:
    node = SimulatedNode("one")
    pool = pool_of(node)
    await pool.stamp()
    node.fault = dead
    with pytest.raises(ChainError, match="ClientConnectorError"):
        await pool.ask("eth_getCode", ["0x", "latest"])
    assert node.count("eth_getCode") == 3


async def test_ask__nothing_was_dialed_yet__dials_first_and_never_reads_a_wrong_chain() -> None:
    node = SimulatedNode("one", fault=on("eth_chainId", always("0x5")))
    with pytest.raises(ChainError, match=r"serves chain 5, not 1 \(main\)"):
        await pool_of(node).ask("eth_getCode", ["0x", "latest"])
    assert node.count("eth_getCode") == 0


async def test_ask__429__leaves_the_node_alone_as_long_as_it_asks() -> None:
    time, node = ManualTime(), SimulatedNode("one")
    pool = pool_of(node, time=time)
    await pool.stamp()
    answers = [RateLimited("node", "eth_getCode", 7.0), "0x60"]

    def limited(_sound: Request, _method: str, _params: Sequence[Any]) -> Any:
        answer = answers.pop(0)
        return always(answer)(_sound, _method, _params)

    node.fault = limited
    assert await pool.ask("eth_getCode", ["0x", "latest"]) == "0x60"
    assert time.slept == [7.0]


# ---- what is shown


async def test_nodes__after_failures__are_shown_with_their_record() -> None:
    time = ManualTime()
    odd = SimulatedNode("odd")
    pool = pool_of(odd, SimulatedNode("one"), SimulatedNode("two"), time=time)
    assert [node.state for node in pool.nodes()] == [NodeState.UNDIALED] * 3
    await pool.stamp()
    odd.fault = dead
    await pool.stamp()
    time.now += 12
    shown = pool.nodes()[0]
    assert (shown.name, shown.operator, shown.is_alive) == (odd.name, odd.name, False)
    assert shown.errors >= 1
    assert shown.requests == len(odd.asked)
    assert "ClientConnectorError" in (shown.last_error or "")
    assert shown.failing_seconds == 12
    assert shown.head is None
    assert "URL" in shown.advice
    fine = pool.nodes()[1]
    assert (fine.is_alive, fine.head, fine.errors, fine.last_error, fine.failing_seconds) == (True, HEAD, 0, None, None)
    assert fine.latency_ms == 0


def test_nodes__same_name_twice__are_told_apart() -> None:
    pool = NodePool([Node(SimulatedNode("one"), operator=name) for name in "ab"], chain="main", chain_id=1)
    assert [node.name for node in pool.nodes()] == ["https://one.example/***", "https://one.example/*** #2"]
    assert pool.name == "https://one.example/*** and 1 more"


async def test_close__closes_every_node() -> None:
    nodes = [SimulatedNode("one"), SimulatedNode("two")]
    await pool_of(*nodes).close()
    assert all(node.closed for node in nodes)


async def test_operation__nothing_within_the_deadline__says_what_was_under_way() -> None:
    node = SimulatedNode("one")
    pool = pool_of(node, deadline=0.05)
    await pool.stamp()

    async def slow(_sound: Request, _method: str, _params: Sequence[Any]) -> Any:
        await asyncio.sleep(60)

    node.fault = slow
    with pytest.raises(ChainError, match=r"eth_getCode was not answered within 0\.05 s"):
        await pool.ask("eth_getCode", ["0x", "latest"])
