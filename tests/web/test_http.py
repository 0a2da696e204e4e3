"""The HTTP client against a server that does what servers do."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from navoracle.domain.errors import MalformedResult, SourceDown, Unauthorized
from navoracle.ports import Answer, HttpGet
from navoracle.prices import CoinGeckoSource
from navoracle.testing import drive, read_point
from navoracle.web.http import Credential, HttpLimits, HttpReader

pytestmark = pytest.mark.sockets

SECRET = "s3cret-key-of-the-operator"
QUICK = HttpLimits(deadline=2.0, back_off=0.01, max_bytes=1_000, per_second=1_000)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """A server whose answers are told it, and which remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.handlers: list[Handler] = []
        self.server = TestServer(self._application())

    def url(self, path: str = "/price") -> str:
        return str(self.server.make_url(path))

    def say(self, *handlers: Handler) -> None:
        """Answer in this order; the last one again and again."""
        self.handlers = list(handlers)

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/{tail:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        handler = self.handlers[min(len(self.asked), len(self.handlers)) - 1]
        return await handler(request)


def body(text: bytes = b'{"price":1.10}', status: int = 200, **headers: str) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=text, status=status, headers=named)

    return handle


def moved(location: str, status: int = 302) -> Handler:
    return body(b"", status, Location=location)


@asynccontextmanager
async def reading(limits: HttpLimits = QUICK) -> AsyncIterator[HttpReader]:
    reader = HttpReader({"key": Credential("X-Api-Key", SECRET)}, limits)
    try:
        yield reader
    finally:
        await reader.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    await service.server.start_server()
    yield service
    await service.server.close()


async def ask(service: Service, limits: HttpLimits = QUICK, credential: str | None = None) -> Answer:
    async with reading(limits) as reader:
        return await reader.answer(HttpGet(service.url(), credential))


async def test_answer__body__comes_as_it_is(service: Service) -> None:
    service.say(body(b'{ "price":1.10000000000000000001 }\n'))
    assert await ask(service) == Answer(b'{ "price":1.10000000000000000001 }\n')
    assert service.asked[0].headers["Accept"] == "application/json"
    assert "X-Api-Key" not in service.asked[0].headers


async def test_answer__path_and_query__are_sent_as_they_are_written(service: Service) -> None:
    service.say(body())
    async with reading() as reader:
        await reader.answer(HttpGet(service.url("/v2/latest") + "?ids[]=0x01&parsed=true"))
    assert service.asked[0].raw_path == "/v2/latest?ids[]=0x01&parsed=true"


async def test_answer__credential__is_sent_in_its_header_and_shown_nowhere(service: Service) -> None:
    service.say(body(status=500))
    answer = await ask(service, credential="key")
    assert [request.headers["X-Api-Key"] for request in service.asked] == [SECRET] * 3
    assert SECRET not in f"{answer}{Credential('X-Api-Key', SECRET)!r}"


async def test_answer__unknown_credential__is_unauthorized_and_nothing_is_sent(service: Service) -> None:
    service.say(body())
    answer = await ask(service, credential="other")
    assert answer.failure is not None
    assert answer.failure.endswith("not asked: credentials.other is not configured")
    assert answer.failure.startswith("unauthorized: ")
    assert service.asked == []


@pytest.mark.parametrize("status", [401, 403])
async def test_answer__status_401_or_403__is_unauthorized_and_not_asked_again(service: Service, status: int) -> None:
    service.say(body(f"the key {SECRET} is wrong".encode(), status))
    answer = await ask(service, credential="key")
    assert answer == Answer(b"", f"unauthorized: http://127.0.0.1:{service.server.port}/***: HTTP {status}")
    assert len(service.asked) == 1


@pytest.mark.parametrize("status", [204, 400, 404, 410, 501])
async def test_answer__other_status__is_down_and_not_asked_again(service: Service, status: int) -> None:
    service.say(body(b"", status))
    answer = await ask(service)
    assert answer.failure is not None
    assert answer.failure.endswith(f": HTTP {status}")
    assert answer.failure.startswith("source_down: ")
    assert len(service.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_answer__passing_status__is_asked_again_at_most_twice(service: Service, status: int) -> None:
    service.say(body(b"", status), body(b"", status), body(b"good"))
    assert (await ask(service)).data == b"good"
    service.asked.clear()
    service.say(body(b"", status))
    assert (await ask(service)).failure is not None
    assert len(service.asked) == 3


@pytest.mark.parametrize("wait", ["60", "Fri, 20 Nov 2026 07:28:00 GMT", "9" * 5_000, "-1"])
async def test_answer__429_with_a_long_wait__is_not_asked_again(service: Service, wait: str) -> None:
    service.say(body(b"", 429, Retry_After=wait))
    answer = await ask(service)
    assert answer.failure is not None
    assert answer.failure.endswith(": HTTP 429")
    assert len(service.asked) == 1


async def test_answer__slow_loris__ends_at_the_one_deadline(service: Service) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    service.say(drip)
    begin = time.monotonic()
    answer = await ask(service, HttpLimits(deadline=0.3, back_off=0.01, per_second=1_000))
    assert answer.failure == f"source_down: http://127.0.0.1:{service.server.port}/***: no answer within 0.3 s"
    assert time.monotonic() - begin < 1.5


async def test_answer__failures_that_pass_slowly__share_the_one_deadline(service: Service) -> None:
    async def late(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return web.Response(status=503)

    service.say(late)
    begin = time.monotonic()
    answer = await ask(service, HttpLimits(deadline=0.3, back_off=0.01, per_second=1_000))
    assert answer.failure is not None
    assert "no answer within" in answer.failure
    assert time.monotonic() - begin < 1.5


async def test_answer__redirect_within_the_host__is_followed(service: Service) -> None:
    service.say(moved("/other?x=1"), body(b"there"))
    assert (await ask(service, credential="key")).data == b"there"
    assert service.asked[1].raw_path == "/other?x=1"
    assert service.asked[1].headers["X-Api-Key"] == SECRET


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:{port}/",
        "http://127.0.0.1:1/",
        "//elsewhere.example/",
        "https://127.0.0.1:{port}/",
        "file:///etc",
        "",
    ],
)
async def test_answer__redirect_to_another_host__is_not_followed(service: Service, location: str) -> None:
    service.say(moved(location.format(port=service.server.port)), body(b"there"))
    answer = await ask(service, credential="key")
    assert answer.failure is not None
    assert answer.failure.endswith("redirects to another host")
    assert len(service.asked) == 1


@pytest.mark.parametrize("location", ["http://[secret", "//127.0.0.1:port/", "http://127.0.0.1:99999999/"])
async def test_answer__redirect_to_no_address__is_down(service: Service, location: str) -> None:
    service.say(moved(location), body(b"there"))
    answer = await ask(service, credential="key")
    assert answer.failure is not None
    assert answer.failure.startswith("source_down: ")
    assert "secret" not in answer.failure
    assert len(service.asked) == 1


async def test_answer__redirect_without_end__is_given_up(service: Service) -> None:
    service.say(moved("/again"))
    answer = await ask(service)
    assert answer.failure is not None
    assert answer.failure.endswith("more than 3 redirects")
    assert len(service.asked) == 4


@pytest.mark.parametrize("size", [1_000, 1_001])
async def test_answer__oversize_body__is_refused_unread(service: Service, size: int) -> None:
    service.say(body(b" " * size))
    answer = await ask(service)
    assert (answer.failure is None) is (size == 1_000)
    assert (answer.failure or "more than 1000 bytes").endswith("more than 1000 bytes")
    assert len(service.asked) == 1


async def test_answer__small_body_that_unpacks_to_a_large_one__is_refused(service: Service) -> None:
    service.say(body(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"))
    answer = await ask(service)
    assert answer.failure is not None
    assert answer.failure.endswith("more than 1000 bytes")


async def test_answer__truncated_body__is_asked_again_then_down(service: Service) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"price":')
        if request.transport is not None:
            request.transport.close()
        return response

    service.say(cut)
    answer = await ask(service)
    assert answer.failure is not None
    assert answer.failure.endswith("the answer was cut off")
    assert answer.data == b""
    assert len(service.asked) == 3


async def test_answer__html_error_page__is_refused_by_the_source_that_reads_it(service: Service) -> None:
    page = b"<!DOCTYPE html><html><body>Checking your browser</body></html>"
    service.say(body(page))
    fields = {"kind": "coingecko", "id": "cg", "asset": "USDC", "group": "cg", "coin": "usd-coin"}
    source = CoinGeckoSource.model_validate({**fields, "base_url": service.url("/api/v3")})
    async with reading() as reader:
        answer = await reader.answer(source.request)
    assert answer == Answer(page)
    with pytest.raises(MalformedResult):
        drive(source.read(read_point(1_700_000_000, chain=None)), {source.request: answer})


async def test_answer__nobody_listens__is_down_and_says_why() -> None:
    service = Service()
    await service.server.start_server()
    url, port = service.url(), service.server.port
    await service.server.close()
    async with reading() as reader:
        answer = await reader.answer(HttpGet(url))
    assert answer.failure is not None
    assert answer.failure.startswith(f"source_down: http://127.0.0.1:{port}/***: no connection: ")


async def test_answer__name_that_nobody_knows__is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    async with reading() as reader:
        answer = await reader.answer(HttpGet(f"https://api.invalid/{SECRET}?key={SECRET}"))
    assert answer.failure == "source_down: https://api.invalid/***: the host's name is not known (DNS)"


async def test_answer__no_tls_on_the_other_side__is_down_and_not_asked_again(service: Service) -> None:
    service.say(body())
    async with reading() as reader:
        answer = await reader.answer(HttpGet(service.url().replace("http:", "https:")))
    assert answer.failure is not None
    assert answer.failure.endswith("no trusted connection (TLS)")
    assert service.asked == []


@pytest.mark.parametrize(
    "url", ["http://api.example/price", "ftp://api.example/", "api.example", "http://127.0.0.1.example/"]
)
async def test_answer__not_https_and_not_this_machine__is_not_asked(url: str) -> None:
    async with reading() as reader:
        answer = await reader.answer(HttpGet(url, "key"))
    assert answer.failure is not None
    assert answer.failure.startswith("source_down: ")
    assert answer.failure.endswith("not asked: neither https nor this machine")


async def test_read__many_requests__are_answered_in_order_and_one_failure_fails_alone(service: Service) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.05 if request.path == "/0" else 0)
        return web.Response(text=request.path, status=404 if request.path == "/3" else 200)

    service.say(echo)
    async with reading() as reader:
        answers = await reader.read([HttpGet(service.url(f"/{index}")) for index in range(8)])
    assert [answer.data for index, answer in enumerate(answers) if index != 3] == [
        f"/{index}".encode() for index in range(8) if index != 3
    ]
    assert [index for index, answer in enumerate(answers) if answer.failure is not None] == [3]


async def test_read__one_host__is_asked_no_faster_and_no_wider_than_its_pace(service: Service) -> None:
    under_way = most = 0
    begins: list[float] = []

    async def slow(_: web.Request) -> web.StreamResponse:
        nonlocal under_way, most
        begins.append(time.monotonic())
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.15)
        under_way -= 1
        return web.Response()

    service.say(slow)
    limits = HttpLimits(deadline=10, concurrency=2, per_second=50)
    async with reading(limits) as reader:
        answers = await reader.read([HttpGet(service.url(f"/{index}")) for index in range(6)])
    assert all(answer.failure is None for answer in answers)
    assert most == 2
    assert begins[1] - begins[0] > 0.01
    assert begins[-1] - begins[0] > 0.25


def test_failures__their_codes__are_those_of_the_errors() -> None:
    assert (SourceDown.code, Unauthorized.code) == ("source_down", "unauthorized")


def test_read__another_event_loop__opens_connections_of_its_own() -> None:
    reader = HttpReader({}, QUICK)

    async def once() -> bytes:
        service = Service()
        service.say(body(b"good"))
        await service.server.start_server()
        try:
            return (await reader.answer(HttpGet(service.url()))).data
        finally:
            await reader.close()
            await service.server.close()

    assert [asyncio.run(once()) for _ in range(2)] == [b"good", b"good"]
