"""One node: its rate limit, back-off and record."""

from __future__ import annotations

import asyncio

import pytest

from navoracle.chain.limits import FIRST_BACK_OFF, BackOff
from navoracle.chain.node import BackingOff, Node
from navoracle.chain.node_state import Limits, NodeState
from navoracle.chain.rpc import NoAnswer, NodeRefused, RateLimited
from tests.unit.chain.simulated import HEAD, ManualTime, SimulatedNode, always, dead, error, on


def node_of(endpoint: SimulatedNode, time: ManualTime, **settings: object) -> Node:
    return Node(endpoint, monotonic=time.monotonic, sleep=time.sleep, **settings)  # type: ignore[arg-type]


async def test_request__more_than_its_rate__waits() -> None:
    time = ManualTime()
    node = node_of(SimulatedNode("one"), time, requests_per_second=4, concurrency=1)
    for _ in range(6):
        await node.request("eth_chainId", [])
    assert time.slept == pytest.approx([0.25, 0.25])


async def test_request__failed_a_moment_ago__is_not_sent_until_the_back_off_is_over() -> None:
    time, endpoint = ManualTime(), SimulatedNode("one", fault=dead)
    node = node_of(endpoint, time)
    with pytest.raises(NoAnswer):
        await node.request("eth_chainId", [])
    endpoint.fault = None
    with pytest.raises(BackingOff, match=r"left alone for 0\.2 s after: .*ClientConnectorError"):
        await node.request("eth_chainId", [])
    assert endpoint.count("eth_chainId") == 1
    time.now += FIRST_BACK_OFF
    assert await node.request("eth_chainId", []) == "0x1"


async def test_request__queued_behind_one_that_fails__is_not_sent_to_the_dead_node() -> None:
    time, endpoint = ManualTime(), SimulatedNode("one", fault=dead)
    node = node_of(endpoint, time, concurrency=1)
    found = await asyncio.gather(*(node.request("eth_chainId", []) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in found] == [NoAnswer] + [BackingOff] * 4
    assert endpoint.count("eth_chainId") == 1


async def test_request__answered_again__forgets_the_failures_before() -> None:
    time, endpoint = ManualTime(), SimulatedNode("one", fault=dead)
    node = node_of(endpoint, time)
    for _ in range(4):
        with pytest.raises(NoAnswer):
            await node.request("eth_chainId", [])
        time.now += node.back_off
    endpoint.fault = None
    await node.request("eth_chainId", [])
    assert node.snapshot().failing_seconds is None
    endpoint.fault = dead
    with pytest.raises(NoAnswer):
        await node.request("eth_chainId", [])
    assert node.back_off == FIRST_BACK_OFF


async def test_request__host_of_two_nodes_fails__both_are_left_alone() -> None:
    time, shared = ManualTime(), BackOff()
    one = node_of(SimulatedNode("one", fault=dead), time, back_off=shared)
    two = node_of(SimulatedNode("two"), time, back_off=shared)
    with pytest.raises(NoAnswer):
        await one.request("eth_chainId", [])
    with pytest.raises(BackingOff):
        await two.request("eth_chainId", [])


@pytest.mark.parametrize(
    ("refusal", "errors", "rests"),
    [
        (NodeRefused("node", "eth_call", 3, "execution reverted"), 0, False),
        (NodeRefused("node", "eth_call", -32601, "method not found"), 0, False),
        (NodeRefused("node", "eth_call", -32000, "missing trie node"), 1, False),
        (NodeRefused("node", "eth_call", -32005, "limit exceeded"), 1, True),
        (NodeRefused("node", "eth_call", -32000, "Too Many Requests"), 1, True),
    ],
)
async def test_request__refused__counts_and_rests_by_what_was_refused(
    refusal: NodeRefused, errors: int, rests: bool
) -> None:
    node = node_of(SimulatedNode("one", fault=always(refusal)), ManualTime())
    with pytest.raises(NodeRefused):
        await node.request("eth_call", [])
    assert node.snapshot().errors == errors
    assert (node.back_off > 0) is rests


async def test_latency__answers__is_their_moving_average() -> None:
    time = ManualTime()

    class Slow(SimulatedNode):
        seconds = 1.0

        async def request(self, method: str, params: object) -> object:
            time.now += self.seconds
            return "0x1"

    endpoint = Slow("one")
    node = node_of(endpoint, time)
    await node.request("eth_chainId", [])
    assert node.snapshot().latency_ms == 1_000
    endpoint.seconds = 2.0
    await node.request("eth_chainId", [])
    assert node.snapshot().latency_ms == 1_200


async def test_dial__during_a_long_back_off__asks_nothing_and_says_why() -> None:
    time = ManualTime()
    endpoint = SimulatedNode("one", fault=always(RateLimited("node", "eth_chainId", 20.0)))
    node = node_of(endpoint, time)
    await node.dial(None, 5.0)
    asked = len(endpoint.asked)
    await node.dial(None, 5.0)
    node.judge(Limits(1, 5))
    assert len(endpoint.asked) == asked
    assert time.slept == []
    assert node.state is NodeState.UNREACHABLE
    assert "left alone" in node.detail


async def test_dial__node_does_not_serve_eth_syncing__is_alive_and_not_asked_again() -> None:
    refusal = NodeRefused("node", "eth_syncing", -32601, "method not found")
    endpoint = SimulatedNode("one", fault=on("eth_syncing", always(refusal)))
    node = node_of(endpoint, ManualTime())
    for _ in range(3):
        await node.dial(None, 5.0)
        node.judge(Limits(1, 5, best_head=HEAD))
        assert node.state is NodeState.ALIVE
    assert endpoint.count("eth_syncing") == 1


async def test_dial__node_refuses_everything__is_unreachable() -> None:
    node = node_of(SimulatedNode("one", fault=error), ManualTime())
    await node.dial(None, 5.0)
    node.judge(Limits(1, 5))
    assert node.state is NodeState.UNREACHABLE
    assert "missing trie node" in node.detail


def test_repr__node__shows_no_key() -> None:
    assert repr(Node(SimulatedNode("one"))) == "Node(https://one.example/***, undialed)"
