"""The HTTP endpoint on the wire: what is asked again, what is sent once, and what errors may say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from navoracle.chain.http import HttpEndpoint
from navoracle.chain.rpc import NoAnswer, NodeRefused, RateLimited
from navoracle.domain.errors import ChainError

pytestmark = pytest.mark.sockets

KEY = "0123456789abcdef"
Handler = Callable[[int, str], Awaitable[web.Response]]


@asynccontextmanager
async def node(handler: Handler, *, timeout: float = 0.3) -> AsyncIterator[tuple[HttpEndpoint, list[str]]]:
    """A server whose answers `handler(count, method)` makes, an endpoint of it, and the methods that it was asked."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        method = (await request.json())["method"]
        asked.append(method)
        return await handler(asked.count(method), method)

    async with served(handle) as url:
        endpoint = HttpEndpoint(f"{url}{KEY}", timeout=timeout)
        try:
            yield endpoint, asked
        finally:
            await endpoint.close()


@asynccontextmanager
async def served(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server on the loopback address, whatever the path; yields its URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def result(value: object, number: int = 1) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": number, "result": value})


async def too_many(count: int, method: str) -> web.Response:
    return web.Response(status=429)


async def hang(count: int, method: str) -> web.Response:
    await asyncio.sleep(2)
    return result("0x1")


async def test_request__answer__is_the_result() -> None:
    async def answer(count: int, method: str) -> web.Response:
        return result(hex(count), count)

    async with node(answer) as (endpoint, asked):
        assert [await endpoint.request("eth_blockNumber", []) for _ in range(3)] == ["0x1", "0x2", "0x3"]
        assert asked == ["eth_blockNumber"] * 3


@pytest.mark.parametrize("method", ["eth_call", "eth_sendRawTransaction"])
@pytest.mark.parametrize("failure", [too_many, hang])
async def test_request__fails__was_sent_exactly_once(failure: Handler, method: str) -> None:
    async with node(failure) as (endpoint, asked):
        with pytest.raises(NoAnswer):
            await endpoint.request(method, ["0x00"])
        await asyncio.sleep(0.5)
        assert asked == [method]


async def test_request__node_never_answers__ends_at_the_deadline() -> None:
    async with node(hang, timeout=0.2) as (endpoint, _):
        started = asyncio.get_running_loop().time()
        with pytest.raises(NoAnswer, match=r"no answer within 0\.2 s"):
            await endpoint.request("eth_call", [])
        assert asyncio.get_running_loop().time() - started < 1.5


async def test_request__slow_loris__ends_at_the_deadline_however_often_a_byte_comes() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    async with served(drip) as url:
        endpoint = HttpEndpoint(url, timeout=0.3)
        started = asyncio.get_running_loop().time()
        with pytest.raises(NoAnswer, match=r"no answer within 0\.3 s"):
            await endpoint.request("eth_call", [])
        assert asyncio.get_running_loop().time() - started < 1.5
        await endpoint.close()


@pytest.mark.parametrize(
    ("header", "seconds"), [({}, 0.0), ({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, 0.0)]
)
async def test_request__429__says_how_long_to_wait(header: dict[str, str], seconds: float) -> None:
    async def answer(count: int, method: str) -> web.Response:
        return web.Response(status=429, headers=header)

    async with node(answer) as (endpoint, _):
        with pytest.raises(RateLimited, match="HTTP 429") as caught:
            await endpoint.request("eth_call", [])
    assert caught.value.retry_after == seconds
    assert "requests_per_second" in caught.value.advice


async def test_request__redirect__is_not_followed() -> None:
    async def answer(count: int, method: str) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with node(answer) as (endpoint, asked):
        with pytest.raises(NoAnswer, match="HTTP 307"):
            await endpoint.request("eth_call", [])
        assert asked == ["eth_call"]


async def test_request__wrong_id__is_no_answer() -> None:
    async def answer(count: int, method: str) -> web.Response:
        return result("0x1", 77)

    async with node(answer) as (endpoint, _):
        with pytest.raises(NoAnswer, match="the answer to another request"):
            await endpoint.request("eth_call", [])


async def test_request__provider_repeats_the_key_in_its_refusal__is_hidden() -> None:
    async def answer(count: int, method: str) -> web.Response:
        error = {"code": -32005, "message": f"project {KEY} is over its quota"}
        return web.json_response({"jsonrpc": "2.0", "id": None, "error": error})

    async with node(answer) as (endpoint, _):
        with pytest.raises(NodeRefused, match="over its quota") as caught:
            await endpoint.request("eth_call", [])
    assert KEY not in f"{caught.value.message} {caught.value.detail}"
    assert caught.value.busy


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>bad gateway</html>", 502, "HTTP 502"),
        ("", 401, "HTTP 401"),
        ("<html>ok</html>", 200, "not JSON"),
        ('{"jsonrpc": "2.0", "res', 200, "not JSON"),
        ("[]", 200, "not JSON-RPC"),
        ('"0x1"', 200, "not JSON-RPC"),
        ('{"id": 1}', 200, "not JSON-RPC"),
        ('{"id": 1, "result": ' + "[" * 300_000, 200, "not JSON"),
        ('{"id": 1, "result": ' + '{"a":' * 5_000 + "1" + "}" * 5_001, 200, "not JSON"),
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
        with pytest.raises(ChainError, match="longer than 1000 bytes"):
            await endpoint.request("eth_call", [])


async def test_request__connections__are_kept() -> None:
    peers = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return result("0x1", (await request.json())["id"])

    async with served(answer) as url:
        endpoint = HttpEndpoint(url)
        for _ in range(3):
            await endpoint.request("eth_blockNumber", [])
        await endpoint.close()
    assert len(peers) == 1


async def test_request__error_answer__raises_node_refused_with_its_data() -> None:
    async def answer(count: int, method: str) -> web.Response:
        error = {"code": 3, "message": "execution reverted", "data": "0xabcd"}
        return web.Response(text=json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}))

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
    endpoint = HttpEndpoint(f"http://127.0.0.1:9/{KEY}", timeout=0.3)

    async def ask() -> None:
        with pytest.raises(ChainError):
            await endpoint.request("eth_call", [])
        await endpoint.close()

    asyncio.run(ask())
    asyncio.run(ask())
