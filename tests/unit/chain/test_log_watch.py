"""The watch over a chain's logs: each log once, whatever nodes and connections do meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from navoracle.chain.log_watch import LogWatch, LogWatchState
from navoracle.chain.node_state import NodeState
from navoracle.chain.pool import NodePool
from navoracle.chain.rpc import NoAnswer, NodeRefused
from tests.unit.chain.log_nodes import FILTERS, Heard, LogChain, PollNode, PushNode, following, log_json, pool_of

GONE = NoAnswer("node: failed: ClientConnectorError", advice="Check that the node is up.")


async def prefer(pool: NodePool, first: PollNode) -> None:
    """Make this node the one that is asked first, and wait until it is."""
    for node in pool.alive():
        node.latency = 0.0 if node.endpoint is first else 100.0
    asked = first.count("eth_blockNumber")
    async with asyncio.timeout(5):
        while first.count("eth_blockNumber") <= asked:
            await asyncio.sleep(0.005)


@pytest.fixture
def chain() -> LogChain:
    return LogChain()


async def test_follow__node_with_websocket__hands_over_what_it_sends_without_asking(chain: LogChain) -> None:
    node = PushNode("one", chain)
    chain.mine(1)  # before the watch began: no concern of it
    async with following(pool_of(node)) as (watch, heard):
        asked = node.count("eth_getLogs")
        chain.mine(2, 3)
        chain.mine(4)
        await heard.until(2, 3, 4)
        assert node.count("eth_getLogs") == asked
        assert (watch.status().state, watch.status().node) == (LogWatchState.WEBSOCKET, node.name)


async def test_follow__no_node_with_websocket__polls_and_hands_each_log_over_once(chain: LogChain) -> None:
    node = PollNode("one", chain)
    chain.mine(1)
    async with following(pool_of(node)) as (watch, heard):
        for value in range(2, 6):
            chain.mine(value)
            await asyncio.sleep(0.03)
        await heard.until(2, 3, 4, 5)
        assert list(heard) == [2, 3, 4, 5]
        assert watch.status().state is LogWatchState.POLLING
        assert watch.status().block == chain.head
        assert node.count("eth_getLogs") < node.count("eth_blockNumber")  # nothing new, nothing asked


async def test_follow__connection_lost__moves_on_and_finds_what_was_mined_meanwhile_once(chain: LogChain) -> None:
    one, other = PushNode("one", chain), PushNode("other", chain)
    async with following(pool_of(one, other)) as (watch, heard):
        first = one if one.open is not None else other
        second = other if first is one else one
        chain.mine(1)
        await heard.until(1)
        first.hang_up()
        chain.mine(2)
        await heard.until(1, 2)
        assert watch.status().node == second.name
        chain.mine(3)
        await heard.until(1, 2, 3)
        assert second.open is not None
    assert [event.state for event in heard.events][:3] == [
        LogWatchState.WEBSOCKET,
        LogWatchState.POLLING,
        LogWatchState.WEBSOCKET,
    ]
    lost = heard.events[1]
    assert "the connection was lost" in lost.detail
    assert lost.advice


async def test_follow__connection_lost_without_another_node__polls_until_it_is_back(chain: LogChain) -> None:
    pushing, polled = PushNode("pushing", chain), PollNode("polled", chain)
    async with following(pool_of(pushing, polled)) as (watch, heard):
        pushing.refusal = NodeRefused(pushing.name, "eth_subscribe", -32601, "notifications not supported")
        pushing.hang_up()
        chain.mine(1)
        await heard.until(1)
        assert watch.status().state is LogWatchState.POLLING
        async with asyncio.timeout(3):
            while "notifications not supported" not in watch.status().detail:
                await asyncio.sleep(0.01)
        chain.mine(2)
        await heard.until(1, 2)
        pushing.refusal = None
        async with asyncio.timeout(3):
            while watch.status().state is not LogWatchState.WEBSOCKET:
                await asyncio.sleep(0.01)
        chain.mine(3)
        await heard.until(1, 2, 3)


@pytest.mark.parametrize("fault", ["mute", "stuck"])
async def test_follow__node_sends_no_new_block__is_left_for_another_one(chain: LogChain, fault: str) -> None:
    silent, other = PushNode("silent", chain), PollNode("other", chain)
    setattr(silent, fault, True)
    async with following(pool_of(silent, other), silent_seconds=0.2) as (_, heard):
        for value in range(8):
            chain.mine(value)
            await asyncio.sleep(0.05)
        # Left while blocks were still mined, of which it told nothing.
        assert "no new block for 0.2 s" in heard.events[1].detail
        await heard.until(*range(8))


async def test_follow__blocks_keep_coming__outlives_the_limit_of_silence(chain: LogChain) -> None:
    node = PushNode("one", chain)
    async with following(pool_of(node), silent_seconds=0.15) as (_, heard):
        for value in range(8):
            chain.mine(value)
            await asyncio.sleep(0.05)
        await heard.until(*range(8))
        assert node.subscribed == 1


async def test_follow__pool_no_longer_holds_the_node_for_healthy__leaves_it(chain: LogChain) -> None:
    one, other = PushNode("one", chain), PushNode("other", chain)
    pool = pool_of(one, other)
    async with following(pool) as (watch, heard):
        first = one if one.open is not None else other
        (node,) = [node for node in pool.alive() if node.name == first.name]
        node.state, node.detail = NodeState.DISPUTED, "it gave other bytes"
        chain.mine(1)
        await heard.until(1)
        assert watch.status().node != first.name
        assert first.open is None
    assert any("disputed: it gave other bytes" in event.detail for event in heard.events)


async def test_follow__push_that_never_came__is_found_by_the_sweep(chain: LogChain) -> None:
    node = PushNode("one", chain)
    node.forgets = True
    async with following(pool_of(node), sweep_seconds=0.05) as (watch, heard):
        chain.mine(1)
        await heard.until(1)
        assert watch.status().state is LogWatchState.WEBSOCKET
        assert node.subscribed == 1


async def test_follow__log_removed_by_a_reorganization__is_not_handed_over(chain: LogChain) -> None:
    node = PushNode("one", chain)
    async with following(pool_of(node), sweep_seconds=0.05) as (_, heard):
        chain.mine()
        node.send(1, log_json(chain.head, chain.hashes[chain.head], 0, 66, removed=True))
        node.send(1, log_json(chain.head, chain.hashes[chain.head], 1, 7))
        await heard.until(7)


async def test_follow__blocks_already_seen_are_replaced__finds_the_logs_of_the_new_ones(chain: LogChain) -> None:
    node = PollNode("one", chain)
    async with following(pool_of(node), overlap=6) as (_, heard):
        chain.mine(1)
        chain.mine()
        chain.mine()
        await heard.until(1)
        chain.reorganize(3, 2)
        chain.mine()
        await heard.until(1, 2)


async def test_follow__malformed_log__counts_against_the_node_and_the_rest_is_found(chain: LogChain) -> None:
    node = PushNode("one", chain)
    pool = pool_of(node)
    async with following(pool) as (_, heard):
        node.send(1, {**log_json(chain.head, chain.hashes[chain.head], 0, 1), "blockHash": None})
        await asyncio.sleep(0.05)
        chain.mine(2)
        await heard.until(2)
        assert pool.nodes()[0].errors == 1
        assert "block hash" in (pool.nodes()[0].last_error or "")


async def test_follow__provider_refuses_large_ranges__asks_for_fewer_blocks_and_finds_all(chain: LogChain) -> None:
    node = PollNode("one", chain, most=10)
    pool = pool_of(node)
    async with following(pool, poll_seconds=0.2) as (_, heard):
        for value in range(40):
            chain.mine(value)
        await heard.until(*range(40))
        assert list(heard) == list(range(40))
        assert max(node.spans) > 10
        assert [event.detail for event in heard.events] == [""]  # no sweep failed
        assert pool.nodes()[0].errors == 0
        refused = sum(span > 10 for span in node.spans)
        chain.mine(40)
        await heard.until(*range(41))
        assert sum(span > 10 for span in node.spans) == refused  # it has learned


async def test_follow__every_node_is_dead__says_so_and_goes_on_when_one_answers(chain: LogChain) -> None:
    one, other = PushNode("one", chain), PollNode("other", chain)
    async with following(pool_of(one, other)) as (watch, heard):
        one.broken = other.broken = GONE
        one.hang_up()
        chain.mine(1)
        chain.mine()
        await asyncio.sleep(0.15)
        assert watch.status().state is LogWatchState.BLIND
        assert "endpoints" in watch.status().advice
        one.broken = other.broken = None
        await heard.until(1)
        assert watch.status().state is not LogWatchState.BLIND
        assert watch.status().detail == ""
    assert [event.state for event in heard.events].count(LogWatchState.BLIND) == 1  # told once


async def test_follow__node_dead_from_the_start__begins_when_it_answers(chain: LogChain) -> None:
    node = PollNode("one", chain)
    node.broken = GONE
    async with following(pool_of(node)) as (watch, heard):
        assert watch.status().state is LogWatchState.BLIND
        node.broken = None
        async with asyncio.timeout(5):
            while watch.status().block is None:
                await asyncio.sleep(0.01)
        chain.mine(1)
        await heard.until(1)


async def test_follow__dead_node_before_a_sound_one__costs_nothing(chain: LogChain) -> None:
    dead, sound = PollNode("dead", chain), PollNode("sound", chain)
    pool = pool_of(dead, sound)
    async with following(pool) as (_, heard):
        await prefer(pool, dead)
        dead.broken = GONE
        chain.mine(1)
        await heard.until(1)


async def test_follow__node_claims_a_head_that_nobody_has__asks_a_quorum_and_misses_nothing(chain: LogChain) -> None:
    liar, sound = PollNode("liar", chain), PollNode("sound", chain)
    pool = pool_of(liar, sound, PollNode("third", chain))
    async with following(pool) as (watch, heard):
        await prefer(pool, liar)
        liar.claims = 10**15
        chain.mine(1)
        await heard.until(1)
        assert watch.status().block == chain.head
        liar.claims = None
        chain.mine(2)
        await heard.until(1, 2)


async def test_follow__node_claims_a_head_a_little_too_high__next_blocks_are_looked_at_all_the_same(
    chain: LogChain,
) -> None:
    node = PollNode("one", chain)
    async with following(pool_of(node)) as (_, heard):
        node.claims = chain.head + 40
        await asyncio.sleep(0.05)
        node.claims = None
        chain.mine(1)
        await heard.until(1)


async def test_follow__long_hole__is_read_in_chunks(chain: LogChain) -> None:
    node = PollNode("one", chain)
    async with following(pool_of(node), range_blocks=100, poll_seconds=0.1) as (_, heard):
        chain.mine(1)
        chain.leap(950)
        chain.mine(2)
        await heard.until(1, 2)
    assert max(node.spans) == 100
    assert len(node.spans) >= 10


async def test_follow__node_hangs__asks_the_next_one(chain: LogChain) -> None:
    hanging, sound = PollNode("hanging", chain), PollNode("sound", chain)

    async def never() -> Any:
        await asyncio.sleep(60)

    pool = pool_of(hanging, sound)
    async with following(pool, request_seconds=0.1) as (_, heard):
        await prefer(pool, hanging)
        hanging.fault = lambda node, method, params: (
            never() if method in ("eth_getLogs", "eth_blockNumber") else node(method, params)
        )
        chain.mine(1)
        await heard.until(1)
        assert "was not answered within 0.1 s" in (pool.nodes()[0].last_error or "")


@pytest.mark.parametrize("answer", [None, "0x", [{"address": "0x12"}], {"result": []}])
async def test_follow__node_answers_no_logs__counts_as_a_failure_and_the_next_one_is_asked(
    chain: LogChain, answer: object
) -> None:
    odd, sound = PollNode("odd", chain), PollNode("sound", chain)
    pool = pool_of(odd, sound)
    async with following(pool) as (_, heard):
        await prefer(pool, odd)
        odd.fault = lambda node, method, params: answer if method == "eth_getLogs" else node(method, params)
        chain.mine(1)
        await heard.until(1)
        assert pool.nodes()[0].errors >= 1


async def test_follow__subscription_begins_late__finds_at_once_what_was_mined_before_it(chain: LogChain) -> None:
    node = PushNode("one", chain)
    node.refusal = GONE
    async with following(pool_of(node), poll_seconds=30.0) as (_, heard):
        chain.mine(1)
        node.refusal = None
        await heard.until(1)


async def test_follow__nothing_wanted__is_over_at_once(chain: LogChain) -> None:
    node = PollNode("one", chain)
    async with asyncio.timeout(1):
        await LogWatch(pool_of(node)).follow((), Heard().take)
    assert node.asked == []


async def test_follow__subscribed__asks_the_node_for_the_filters(chain: LogChain) -> None:
    node = PushNode("one", chain)
    asked: list[Any] = []
    subscribe = node.subscribe

    async def noting(wanted: Any) -> Any:
        asked.extend(wanted)
        return await subscribe(wanted)

    node.subscribe = noting  # type: ignore[method-assign]
    async with following(pool_of(node)):
        pass
    (wanted,) = FILTERS
    assert asked == [
        ["newHeads"],
        ["logs", {"address": list(wanted.addresses), "topics": [list(wanted.topics[0] or ())]}],
    ]
