"""A JSON-RPC proxy that injects faults: it stands before a node and does to chosen methods what it is told.

    async with FaultProxy(node_url) as proxy:
        proxy.fault("eth_call", tamper(flip_last_digit))
        proxy.fault("eth_getBlockByNumber", lag(10))
        ...
        proxy.sound()

Faults may be set and taken away at any time; the newest one for a method wins, and "*" stands for every method.
`proxy.asked` counts what came in, `proxy.forwarded` what reached the node; `proxy.broadcast` has the hash of every
transaction that was handed in, in order, and `proxy.busy` says whether a request is on its way.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from aiohttp import ClientSession, web
from eth_utils.crypto import keccak

Message: TypeAlias = dict[str, Any]
Forward: TypeAlias = Callable[[Message], Awaitable[Message]]


class Dropped(Exception):
    """The connection is closed without an answer."""


Reply: TypeAlias = Message | web.StreamResponse
Fault: TypeAlias = Callable[[Message, Forward], Awaitable[Reply]]
"""What is done with one request, given the way to the node. Raises Dropped to hang up."""

ANY_METHOD = "*"
_BROADCASTS = frozenset({"eth_sendRawTransaction", "eth_sendPrivateTransaction", "eth_sendPrivateRawTransaction"})


class FaultProxy:
    """The proxy on a free port of the loopback address, for as long as its context lasts."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._faults: dict[str, Fault] = {}
        self.asked: Counter[str] = Counter()
        self.forwarded: Counter[str] = Counter()
        self.broadcast: list[str] = []
        self.url = ""
        self._open = 0

    @property
    def busy(self) -> bool:
        """Whether a request was not answered yet."""
        return self._open > 0

    def fault(self, method: str, fault: Fault) -> None:
        """Put a fault on a method."""
        self._faults[method] = fault

    def sound(self) -> None:
        """Take all faults away."""
        self._faults.clear()

    async def __aenter__(self) -> FaultProxy:
        self._session = ClientSession()
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/key-0123456789abcdef"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked: Message = await request.json()
        self._open += 1
        try:
            return await self._answer(request, asked)
        finally:
            self._open -= 1

    async def _answer(self, request: web.Request, asked: Message) -> web.StreamResponse:
        method = str(asked["method"])
        self.asked[method] += 1
        if method in _BROADCASTS:
            self.broadcast.append(transaction_hash(asked))
        fault = self._faults.get(method, self._faults.get(ANY_METHOD, forward))
        try:
            reply = await fault(asked, self._forward)
        except Dropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        answer = web.json_response(reply) if isinstance(reply, dict) else reply
        # Prepared here, so that a stream counts as busy for as long as it runs.
        await answer.prepare(request)
        return answer

    async def _forward(self, asked: Message) -> Message:
        self.forwarded[str(asked["method"])] += 1
        async with self._session.post(self._node, json=asked) as response:
            found: Message = json.loads(await response.read())
        return found


def transaction_hash(asked: Message) -> str:
    """The hash (0x-hex) of the transaction in a broadcast."""
    (given, *_) = asked["params"]
    raw = given["tx"] if isinstance(given, dict) else given
    return "0x" + keccak(bytes.fromhex(str(raw)[2:])).hex()


async def forward(asked: Message, node: Forward) -> Reply:
    """No fault."""
    return await node(asked)


def error(code: int, message: str, data: str | None = None) -> Fault:
    """Refuse with a JSON-RPC error; the node never sees the request."""

    async def fault(asked: Message, _node: Forward) -> Reply:
        more = {} if data is None else {"data": data}
        return {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": code, "message": message, **more}}

    return fault


def status(code: int, body: str = "", headers: Mapping[str, str] | None = None) -> Fault:
    """Answer with an HTTP status and a body that is no JSON-RPC; the node never sees the request."""

    async def fault(_asked: Message, _node: Forward) -> Reply:
        return web.Response(status=code, text=body, headers=headers)

    return fault


async def drop_request(_asked: Message, _node: Forward) -> Reply:
    """Hang up before the node sees the request."""
    raise Dropped


async def drop_response(asked: Message, node: Forward) -> Reply:
    """Let the node act on the request, then hang up."""
    await node(asked)
    raise Dropped


def delay(seconds: float) -> Fault:
    """Forward at once and answer late."""

    async def fault(asked: Message, node: Forward) -> Reply:
        found = await node(asked)
        await asyncio.sleep(seconds)
        return found

    return fault


def tamper(change: Callable[[Any], Any]) -> Fault:
    """Change the result of what the node answers; errors stay what they are."""

    async def fault(asked: Message, node: Forward) -> Reply:
        found = await node(asked)
        return {**found, "result": change(found["result"])} if "result" in found else found

    return fault


def answer(result: Any) -> Fault:
    """Always the same result; the node never sees the request."""

    async def fault(asked: Message, _node: Forward) -> Reply:
        return {"jsonrpc": "2.0", "id": asked["id"], "result": result}

    return fault


async def wrong_id(asked: Message, node: Forward) -> Reply:
    """The right result under another request's id."""
    return {**await node(asked), "id": int(asked["id"]) + 1_000_000}


async def truncate(asked: Message, node: Forward) -> Reply:
    """Half of the body."""
    whole = json.dumps(await node(asked))
    return web.Response(text=whole[: len(whole) // 2], content_type="application/json")


def lag(blocks: int) -> Fault:
    """For `eth_getBlockByNumber` and `eth_blockNumber`: a node that stands so many blocks behind."""

    async def fault(asked: Message, node: Forward) -> Reply:
        newest = await node({**asked, "method": "eth_blockNumber", "params": []})
        head = max(0, int(newest["result"], 16) - blocks)
        if asked["method"] == "eth_blockNumber":
            return {**newest, "result": hex(head)}
        which = asked["params"][0]
        if which == "latest":
            return await node({**asked, "params": [hex(head), *asked["params"][1:]]})
        if which.startswith("0x") and int(which, 16) > head:
            return {**newest, "result": None}
        return await node(asked)

    return fault
