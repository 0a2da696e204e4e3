"""The WebSocket endpoint on the wire: requests share a connection, none is sent twice, and no error shows the key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from navoracle.chain.rpc import NoAnswer, NodeRefused
from navoracle.chain.subscription import Subscription
from navoracle.chain.websocket import WebSocketEndpoint

pytestmark = pytest.mark.sockets

KEY = "0123456789abcdef"
Handler = Callable[[web.WebSocketResponse, dict[str, Any]], Awaitable[None]]


@asynccontextmanager
async def node(handler: Handler, *, timeout: float = 0.5) -> AsyncIterator[tuple[WebSocketEndpoint, list[list[str]]]]:
    """A server that lets `handler` answer, an endpoint of it, and the methods asked on each connection."""
    connections: list[list[str]] = []

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        asked: list[str] = []
        connections.append(asked)
        async for message in socket:
            question = json.loads(message.data)
            asked.append(question["method"])
            await handler(socket, question)
        return socket

    app = web.Application()
    app.router.add_get(f"/{KEY}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = WebSocketEndpoint(f"ws://127.0.0.1:{runner.addresses[0][1]}/{KEY}", timeout=timeout)
    try:
        yield endpoint, connections
    finally:
        await endpoint.close()
        await runner.cleanup()


async def echo(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
    await socket.send_json({"jsonrpc": "2.0", "id": question["id"], "result": question["params"]})


async def test_request__many_at_once__share_one_connection_and_get_their_own_answers() -> None:
    held: list[tuple[web.WebSocketResponse, dict[str, Any]]] = []

    async def backwards(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        held.append((socket, question))
        if len(held) == 20:
            for each in reversed(held):
                await echo(*each)

    async with node(backwards) as (endpoint, connections):
        found = await asyncio.gather(*(endpoint.request("eth_call", [number]) for number in range(20)))
    assert found == [[number] for number in range(20)]
    assert [len(asked) for asked in connections] == [20]


async def test_request__connection_lost__fails_what_was_under_way_and_the_next_one_reconnects() -> None:
    async def hang_up_once(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        if question["method"] == "eth_call":
            await socket.close()
        else:
            await echo(socket, question)

    async with node(hang_up_once) as (endpoint, connections):
        with pytest.raises(NoAnswer, match="the connection was lost"):
            await endpoint.request("eth_call", [1])
        assert await endpoint.request("eth_chainId", [2]) == [2]
    assert connections == [["eth_call"], ["eth_chainId"]]


async def test_request__node_never_answers__ends_at_the_deadline_and_is_not_sent_again() -> None:
    async def mute(_socket: web.WebSocketResponse, _question: dict[str, Any]) -> None:
        return

    async with node(mute, timeout=0.2) as (endpoint, connections):
        with pytest.raises(NoAnswer, match=r"no answer within 0\.2 s") as caught:
            await endpoint.request("eth_sendRawTransaction", ["0x00"])
        await asyncio.sleep(0.3)
    assert connections == [["eth_sendRawTransaction"]]
    assert KEY not in caught.value.message


async def test_request__wrong_id__is_no_answer() -> None:
    async def other(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        await socket.send_json({"jsonrpc": "2.0", "id": question["id"] + 1, "result": "0x1"})

    async with node(other, timeout=0.2) as (endpoint, _):
        with pytest.raises(NoAnswer, match="no answer"):
            await endpoint.request("eth_call", [])


@pytest.mark.parametrize("text", ["<html>", '{"jsonrpc": "2.0", "res', "[" * 300_000])
async def test_request__malformed_answer__ends_the_connection(text: str) -> None:
    async def malformed(socket: web.WebSocketResponse, _question: dict[str, Any]) -> None:
        await socket.send_str(text)

    async with node(malformed) as (endpoint, _):
        with pytest.raises(NoAnswer, match="not JSON"):
            await endpoint.request("eth_call", [])


async def test_request__error_answer__raises_node_refused_without_the_key() -> None:
    async def refuse(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        error = {"code": 3, "message": f"execution reverted for {KEY}", "data": "0xabcd"}
        await socket.send_json({"jsonrpc": "2.0", "id": question["id"], "error": error})

    async with node(refuse) as (endpoint, _):
        with pytest.raises(NodeRefused) as caught:
            await endpoint.request("eth_call", [])
    assert caught.value.data == b"\xab\xcd"
    assert KEY not in caught.value.message


async def test_request__huge_answer__is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navoracle.chain.http.MAX_ANSWER_BYTES", 1_000)

    async def huge(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        await socket.send_json({"jsonrpc": "2.0", "id": question["id"], "result": "0x" + "00" * 1_000})

    async with node(huge) as (endpoint, _):
        with pytest.raises(NoAnswer, match="lost"):
            await endpoint.request("eth_call", [])


async def test_request__nobody_listens__raises_without_the_key() -> None:
    async with node(echo) as (endpoint, _):
        pass
    with pytest.raises(NoAnswer, match="ClientConnectorError") as caught:
        await endpoint.request("eth_call", [])
    await endpoint.close()
    assert KEY not in caught.value.message
    assert caught.value.__cause__ is None


async def test_request__refused_handshake__raises_without_the_key() -> None:
    async with node(echo) as (endpoint, _):
        other = WebSocketEndpoint(endpoint._url.replace(KEY, "fedcba9876543210"), timeout=1)
        with pytest.raises(NoAnswer, match="WSServerHandshakeError") as caught:
            await other.request("eth_call", [])
        await other.close()
    assert "fedcba" not in caught.value.message


def test_request__another_event_loop__opens_its_own_connection() -> None:
    endpoint = WebSocketEndpoint("ws://127.0.0.1:9/key", timeout=0.3)

    async def ask() -> None:
        with pytest.raises(NoAnswer):
            await endpoint.request("eth_call", [])
        await endpoint.close()

    asyncio.run(ask())
    asyncio.run(ask())


async def test_request__handshake_never_ends__is_tried_once_for_all_that_wait_and_again_later() -> None:
    handshakes: list[asyncio.Event] = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handshakes.append(closed := asyncio.Event())
        await reader.read()  # until the other side gives up
        writer.close()
        await writer.wait_closed()
        closed.set()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    endpoint = WebSocketEndpoint(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/{KEY}", timeout=0.3)
    try:
        first = asyncio.create_task(endpoint.request("eth_call", []))
        await asyncio.sleep(0.1)
        failed = await asyncio.gather(first, endpoint.request("eth_call", []), return_exceptions=True)
        assert [type(each) for each in failed] == [NoAnswer, NoAnswer]
        assert len(handshakes) == 1
        with pytest.raises(NoAnswer, match="no answer within"):
            await endpoint.request("eth_call", [])
        assert len(handshakes) == 2
    finally:
        await endpoint.close()
        async with asyncio.timeout(5):
            await asyncio.gather(*(closed.wait() for closed in handshakes))
        server.close()
        await server.wait_closed()


# ---- subscriptions


async def send_notice(socket: web.WebSocketResponse, name: str, result: object) -> None:
    params = {"subscription": name, "result": result}
    await socket.send_json({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})


async def subscribing(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
    """Name a subscription after what it is to, and send its first notice before the answer as well as after it."""
    if question["method"] != "eth_subscribe":
        await echo(socket, question)
        return
    name = f"0x{question['params'][0]}"
    await send_notice(socket, name, 1)
    await socket.send_json({"jsonrpc": "2.0", "id": question["id"], "result": name})
    await send_notice(socket, name, 2)


async def taken(subscription: Subscription, count: int) -> list[tuple[int, object]]:
    """The first so many notices."""
    found: list[tuple[int, object]] = []
    async with asyncio.timeout(2):
        while len(found) < count:
            found += await subscription.take()
    return found


async def test_subscribe__several_at_once__have_one_connection_beside_that_of_requests() -> None:
    async with node(subscribing) as (endpoint, connections):
        subscription = await endpoint.subscribe([["newHeads"], ["logs", {"address": []}]])
        assert await endpoint.request("eth_call", [1]) == [1]
        found = await taken(subscription, 4)
        await subscription.close()
    assert sorted(found) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert [found.index((place, 1)) < found.index((place, 2)) for place in (0, 1)] == [True, True]
    assert connections == [["eth_subscribe", "eth_subscribe"], ["eth_call"]]


async def test_subscribe__connection_lost__gives_what_came_and_then_raises_without_the_key() -> None:
    async def send_and_hang_up(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        await subscribing(socket, question)
        await socket.close()

    async with node(send_and_hang_up) as (endpoint, _):
        subscription = await endpoint.subscribe([["newHeads"]])
        assert await taken(subscription, 2) == [(0, 1), (0, 2)]
        async with asyncio.timeout(2):
            with pytest.raises(NoAnswer, match="the connection was lost") as caught:
                await subscription.take()
        await subscription.close()
    assert KEY not in caught.value.message


async def test_subscribe__more_notices_than_are_taken__ends_the_connection() -> None:
    async def flood(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        await subscribing(socket, question)
        for number in range(50):
            await send_notice(socket, "0xnewHeads", number)

    async with node(flood) as (endpoint, _):
        subscription = await endpoint.subscribe([["newHeads"]], max_notices=10)
        await asyncio.sleep(0.2)
        assert len(await taken(subscription, 10)) == 10
        with pytest.raises(NoAnswer, match="faster than they are taken"):
            await subscription.take()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"error": {"code": -32601, "message": "notifications not supported"}}, NodeRefused),
        ({"result": 7}, NoAnswer),
        ({"result": None}, NoAnswer),
        ({}, NoAnswer),
    ],
)
async def test_subscribe__refused_or_not_understood__raises_and_leaves_no_connection(
    answer: dict[str, Any], error: type[Exception]
) -> None:
    closed: list[bool] = []

    async def refuse(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        await socket.send_json({"jsonrpc": "2.0", "id": question["id"], **answer})
        await socket.receive()
        closed.append(socket.closed)

    async with node(refuse) as (endpoint, _):
        with pytest.raises(error):
            await endpoint.subscribe([["newHeads"]])
        await asyncio.sleep(0.05)
        assert closed == [True]


async def test_subscribe__one_name_for_two__is_refused() -> None:
    async def same(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        await socket.send_json({"jsonrpc": "2.0", "id": question["id"], "result": "0x1"})

    async with node(same) as (endpoint, _):
        with pytest.raises(NoAnswer, match="no names of their own"):
            await endpoint.subscribe([["newHeads"], ["logs", {}]])


async def test_subscribe__node_never_answers__ends_at_the_deadline() -> None:
    async def mute(_socket: web.WebSocketResponse, _question: dict[str, Any]) -> None:
        return

    async with node(mute, timeout=0.2) as (endpoint, _):
        with pytest.raises(NoAnswer, match=r"no answer within 0\.2 s"):
            await endpoint.subscribe([["newHeads"]])


async def test_request__notices_nobody_asked_for__are_dropped() -> None:
    async def chatty(socket: web.WebSocketResponse, question: dict[str, Any]) -> None:
        await send_notice(socket, "0x1", 1)
        await echo(socket, question)

    async with node(chatty) as (endpoint, connections):
        for number in range(3):
            assert await endpoint.request("eth_call", [number]) == [number]
    assert len(connections) == 1
