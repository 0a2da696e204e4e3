"""The demo's chain as an ordinary node: JSON-RPC 2.0 over HTTP, for this machine alone.

It holds nothing but the demo's throw-away accounts; still a page in somebody's browser must not send to it, so it
answers to no other name than this machine's, and to no page of another origin.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from starlette.responses import JSONResponse

from navoracle.chain.rpc import Endpoint, NodeRefused
from navoracle.hosts import LOCAL_HOSTS, is_called_by
from navoracle.json_depth import require_shallow
from navoracle.web_service.server import serving

LOCALHOST: Final = "127.0.0.1"
LARGEST_REQUEST: Final = 5 * 1024 * 1024
LARGEST_BATCH: Final = 1_000

_PARSE_ERROR: Final = -32700
_INVALID_REQUEST: Final = -32600
_INVALID_PARAMS: Final = -32602
_REVERTED: Final = 3

Answer = dict[str, Any]


def node_app(endpoint: Endpoint, hosts: Collection[str] = LOCAL_HOSTS) -> FastAPI:
    """The node as a web application; requests are answered one after another, in the loop that it is served in.

    Args:
        endpoint: what answers.
        hosts: the names by which it may be called (the `Host` header without its port).
    """
    app = FastAPI(title="navoracle demo chain", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.closing = asyncio.Event()

    async def post(request: Request) -> Response:
        refused = _refused(request, hosts)
        if refused is not None:
            return refused
        body = await _body(request)
        if body is None:
            return JSONResponse(_error(None, _INVALID_REQUEST, "the request is too large"), status_code=413)
        answer = await answer_to(endpoint, body)
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    app.add_api_route("/", post, methods=["POST"], include_in_schema=False)
    return app


@asynccontextmanager
async def serving_node(endpoint: Endpoint, port: int) -> AsyncIterator[str]:
    """Serve a chain while the block runs; gives its URL. Raises ConfigurationError: the port is taken.

    Args:
        port: 0 takes a free one.
    """
    async with serving(node_app(endpoint), LOCALHOST, port) as taken:
        yield f"http://{LOCALHOST}:{taken}"


async def answer_to(endpoint: Endpoint, body: bytes) -> Answer | list[Answer] | None:
    """What the node answers to a body: one answer, those to a batch, or None where nothing was asked for an answer."""
    try:
        require_shallow(body)
        asked: object = json.loads(body)
    except (ValueError, RecursionError):
        return _error(None, _PARSE_ERROR, "the body is not JSON")
    if not isinstance(asked, list):
        return await _answer(endpoint, asked)
    if not asked:
        return _error(None, _INVALID_REQUEST, "the batch is empty")
    if len(asked) > LARGEST_BATCH:
        return _error(None, _INVALID_REQUEST, f"the batch has more than {LARGEST_BATCH} requests")
    answers = [await _answer(endpoint, each) for each in asked]
    return [each for each in answers if each is not None] or None


async def _answer(endpoint: Endpoint, asked: object) -> Answer | None:
    """The answer to one request; None to a notification."""
    if not isinstance(asked, Mapping):
        return _error(None, _INVALID_REQUEST, "a request is an object")
    number, method, params = asked.get("id"), asked.get("method"), asked.get("params", [])
    if isinstance(number, bool) or not isinstance(number, str | int | float | None):
        return _error(None, _INVALID_REQUEST, "the id is no number and no text")
    if asked.get("jsonrpc") != "2.0" or not isinstance(method, str):
        return _error(number, _INVALID_REQUEST, 'a request has "jsonrpc": "2.0" and a method')
    if not isinstance(params, list):
        found = _error(number, _INVALID_PARAMS, "parameters are taken by position, in a list")
    else:
        try:
            found = {"jsonrpc": "2.0", "id": number, "result": await endpoint.request(method, params)}
        except NodeRefused as refused:
            data = "0x" + refused.data.hex() if refused.rpc_code == _REVERTED else None
            found = _error(number, refused.rpc_code, refused.detail, data)
    return found if "id" in asked else None


def _error(number: object, code: int, message: str, data: str | None = None) -> Answer:
    more = {} if data is None else {"data": data}
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message, **more}}


def _refused(request: Request, hosts: Collection[str]) -> Response | None:
    """Why a request is not looked at: by which name, from whose page, or as what it comes; None where it is."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if not is_called_by(host, hosts):
        return JSONResponse(_error(None, _INVALID_REQUEST, "this node is not called by that name"), status_code=403)
    if origin is not None and origin != f"http://{host}":
        return JSONResponse(_error(None, _INVALID_REQUEST, "a page of another origin asked"), status_code=403)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return JSONResponse(_error(None, _INVALID_REQUEST, "the body is not application/json"), status_code=415)
    return None


async def _body(request: Request) -> bytes | None:
    """The body; None for one that is too large, of which the rest is not read."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > LARGEST_REQUEST:
            return None
    return bytes(found)
