"""The HTTP endpoint on the wire: what is asked again, what is sent once, and what errors may say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from navoracle.chain.http import HttpEndpoint
from navoracle.chain.rpc import NodeRefused
from navoracle.domain.errors import ChainError

pytestmark = pytest.mark.sockets

KEY = "0123456789abcdef"
Handler = Callable[[int, str], Awaitable[web.Response]]


@asynccontextmanager
async def node(
    handler: Handler, *, timeout: float = 0.3, deadline: float = 5.0
) -> AsyncIterator[tuple[HttpEndpoint, list[str]]]:
    """A server whose answers `handler(count, method)` makes, an endpoint of it, and the methods that it was asked."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        method = (await request.json())["method"]
        asked.append(method)
        return await handler(asked.count(method), method)

    app = web.Application()
    app.router.add_post(f"/{KEY}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    endpoint = HttpEndpoint(f"http://{host}:{port}/{KEY}", timeout=timeout, deadline=deadline)
    try:
        yield endpoint, asked
    finally:
        await endpoint.close()
        await runner.cleanup()


def result(value: object) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": 0, "result": value})


async def too_many(count: int, method: str) -> web.Response:
    return web.Response(status=429)


async def hang(count: int, method: str) -> web.Response:
    await asyncio.sleep(2)
    return result("0x1")


async def test_request__answer__is_the_result() -> None:
    async def answer(count: int, method: str) -> web.Response:
        return result(hex(count))

    async with node(answer) as (endpoint, asked):
        assert [await endpoint.request("eth_blockNumber", []) for _ in range(3)] == ["0x1", "0x2", "0x3"]
        assert asked == ["eth_blockNumber"] * 3


@pytest.mark.parametrize("failure", [too_many, hang])
async def test_request__read_fails_twice__is_asked_a_third_time(failure: Handler) -> None:
    async def answer(count: int, method: str) -> web.Response:
        return await failure(count, method) if count < 3 else result("0x7")

    async with node(answer) as (endpoint, asked):
        assert await endpoint.request("eth_call", []) == "0x7"
        assert asked == ["eth_call"] * 3


@pytest.mark.parametrize("failure", [too_many, hang])
async def test_request__transaction_fails__is_sent_exactly_once(failure: Handler) -> None:
    async with node(failure) as (endpoint, asked):
        with pytest.raises(ChainError):
            await endpoint.request("eth_sendRawTransaction", ["0x00"])
        await asyncio.sleep(0.5)
        assert asked == ["eth_sendRawTransaction"]


async def test_request__node_never_answers__ends_at_the_deadline() -> None:
    async with node(hang, deadline=0.5, timeout=10.0) as (endpoint, _):
        started = asyncio.get_running_loop().time()
        with pytest.raises(ChainError, match="no answer in time"):
            await endpoint.request("eth_call", [])
        assert asyncio.get_running_loop().time() - started < 1.5


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>bad gateway</html>", 502, "HTTP 502"),
        ("", 401, "HTTP 401"),
        ("<html>ok</html>", 200, "not JSON"),
        ('{"jsonrpc": "2.0", "res', 200, "not JSON"),
        ("[]", 200, "not JSON-RPC"),
        ('"0x1"', 200, "not JSON-RPC"),
        ('{"id": 0}', 200, "not JSON-RPC"),
    ],
)
async def test_request__no_json_rpc_answer__raises_without_the_key(body: str, status: int, words: str) -> None:
    async def answer(count: int, method: str) -> web.Response:
        return web.Response(text=body, status=status)

    async with node(answer) as (endpoint, _):
        with pytest.raises(ChainError, match=words) as caught:
            await endpoint.request("eth_call", [])
    shown = f"{caught.value.message} {caught.value.advice} {caught.value!r}"
    assert KEY not in shown
    assert "127.0.0.1" in shown
    assert caught.value.__cause__ is None


async def test_request__endless_answer__is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navoracle.chain.http.MAX_ANSWER_BYTES", 1_000)

    async def answer(count: int, method: str) -> web.Response:
        return result("0x" + "00" * 1_000)

    async with node(answer) as (endpoint, _):
        with pytest.raises(ChainError, match="ClientPayloadError"):
            await endpoint.request("eth_call", [])


async def test_request__connections__are_kept() -> None:
    peers = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return result("0x1")

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = HttpEndpoint(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    for _ in range(3):
        await endpoint.request("eth_blockNumber", [])
    await endpoint.close()
    await runner.cleanup()
    assert len(peers) == 1


async def test_request__error_answer__raises_node_refused_with_its_data() -> None:
    async def answer(count: int, method: str) -> web.Response:
        error = {"code": 3, "message": "execution reverted", "data": "0xabcd"}
        return web.Response(text=json.dumps({"jsonrpc": "2.0", "id": 0, "error": error}))

    async with node(answer) as (endpoint, asked):
        with pytest.raises(NodeRefused) as caught:
            await endpoint.request("eth_call", [])
        assert caught.value.data == b"\xab\xcd"
        assert asked == ["eth_call"]


async def test_request__nobody_listens__raises_without_the_key() -> None:
    async with node(too_many) as (endpoint, _):
        pass
    with pytest.raises(ChainError, match="eth_call failed: ClientConnectorError") as caught:
        await endpoint.request("eth_call", [])
    await endpoint.close()
    assert KEY not in caught.value.message


def test_request__another_event_loop__opens_its_own_connections() -> None:
    endpoint = HttpEndpoint(f"http://127.0.0.1:9/{KEY}", timeout=0.3, attempts=1)

    async def ask() -> None:
        with pytest.raises(ChainError):
            await endpoint.request("eth_call", [])
        await endpoint.close()

    asyncio.run(ask())
    asyncio.run(ask())
