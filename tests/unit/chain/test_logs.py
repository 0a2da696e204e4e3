"""Logs as nodes describe them, the words of providers, and what is remembered of them."""

from __future__ import annotations

import asyncio

import pytest

from navoracle.chain.logs import Seen, filter_params, parse_log
from navoracle.chain.rpc import NoAnswer, NodeRefused
from navoracle.chain.subscription import Notices, Subscription
from navoracle.domain.errors import ChainError
from navoracle.ports import Log, LogFilter
from tests.unit.chain.log_nodes import TOKEN, TOPIC, log_json

HASH = "0x" + "cd" * 32


def test_parse_log__as_a_node_describes_it__has_all_its_parts() -> None:
    found = parse_log(log_json(17, HASH.upper().replace("X", "x"), 3, 5))
    assert found is not None
    assert (found.address, found.topics, found.data) == (TOKEN, (TOPIC,), (5).to_bytes(32, "big"))
    assert (found.block_number, found.block_hash, found.index) == (17, HASH, 3)


def test_parse_log__removed__is_none() -> None:
    assert parse_log(log_json(17, HASH, 3, 5, removed=True)) is None


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "0x",
        {},
        log_json(1, HASH, 0, 1, blockHash=None),
        log_json(1, HASH, 0, 1, topics="0x"),
        log_json(1, HASH, 0, 1, topics=[TOPIC] * 5),
        log_json(1, HASH, 0, 1, topics=["0x12"]),
        log_json(1, HASH, 0, 1, address="0x12"),
        log_json(1, HASH, 0, 1, data="12"),
        log_json(1, HASH, 0, 1, logIndex=None),
    ],
)
def test_parse_log__no_log__raises_with_advice(broken: object) -> None:
    with pytest.raises(ChainError) as caught:
        parse_log(broken)
    assert caught.value.advice


def test_filter_params__any_topic__is_null() -> None:
    wanted = LogFilter((TOKEN,), ((TOPIC,), None, (HASH,)))
    assert filter_params(wanted) == {"address": [TOKEN], "topics": [[TOPIC], None, [HASH]]}


def test_seen__more_logs_than_it_holds__forgets_the_oldest() -> None:
    seen = Seen(limit=3)
    logs = [Log(TOKEN, (), b"", 1, HASH, HASH, index) for index in range(4)]
    assert [seen.is_new(log) for log in logs] == [True] * 4
    assert [seen.is_new(log) for log in reversed(logs)] == [False, False, False, True]
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32005, "query returned more than 10000 results"),
        (-32602, "range 1000000 exceeds limit of 10000"),
        (-32614, "eth_getLogs is limited to a 10,000 range"),
        (-32000, "block range is larger than max block range, block range = 5120, max block range = 5000"),
        (-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range"),
        (35, "ranges over 10000 blocks are not supported on freetier"),
        (-32000, "query timeout exceeded"),
    ],
)
def test_node_refused__search_that_is_too_large__is_told_and_is_not_busy(code: int, message: str) -> None:
    refusal = NodeRefused("node", "eth_getLogs", code, message)
    assert (refusal.too_large, refusal.busy) == (True, False)


@pytest.mark.parametrize(
    ("method", "code", "message"),
    [
        ("eth_getLogs", -32005, "daily request count exceeded, request rate limited"),
        ("eth_getLogs", 429, "too many requests: more than 25 in a second"),
        ("eth_call", -32005, "query returned more than 10000 results"),
    ],
)
def test_node_refused__too_many_requests__is_busy(method: str, code: int, message: str) -> None:
    refusal = NodeRefused("node", method, code, message)
    assert (refusal.too_large, refusal.busy) == (False, True)


# ---- notices


def notice(name: str, result: object) -> object:
    return {"method": "eth_subscription", "params": {"subscription": name, "result": result}}


async def close() -> None:
    return


async def test_take__several_wait__come_together_in_order_and_with_their_place() -> None:
    notices = Notices()
    subscription = Subscription("node", notices, ["0xa", "0xb"], close)
    for each in (notice("0xb", 1), notice("0xff", 2), {"method": "other"}, "text", notice("0xa", 3)):
        assert notices.put(each)
    assert await subscription.take() == [(1, 1), (0, 3)]


async def test_take__connection_lost__gives_what_came_before_and_then_raises() -> None:
    notices = Notices()
    subscription = Subscription("node", notices, ["0xa"], close)
    notices.put(notice("0xa", 1))
    notices.end("the connection was lost")
    assert await subscription.take() == [(0, 1)]
    with pytest.raises(NoAnswer, match="node: the subscription ended: the connection was lost"):
        await subscription.take()


async def test_take__waiting__is_woken_by_a_notice_and_by_the_end() -> None:
    notices = Notices()
    subscription = Subscription("node", notices, ["0xa"], close)
    waiting = asyncio.create_task(subscription.take())
    await asyncio.sleep(0)
    notices.put(notice("0xff", 0))  # of no subscription: goes on waiting
    await asyncio.sleep(0)
    assert not waiting.done()
    notices.put(notice("0xa", 1))
    assert await waiting == [(0, 1)]
    waiting = asyncio.create_task(subscription.take())
    await asyncio.sleep(0)
    notices.end("gone")
    with pytest.raises(NoAnswer, match="gone"):
        await waiting


def test_put__too_many_wait__is_refused() -> None:
    notices = Notices(limit=2)
    assert [notices.put(each) for each in range(3)] == [True, True, False]
