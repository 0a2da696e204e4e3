"""Files that never change under their address: answered from memory, compressed once, and kept by browsers."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from nicegui.version import __version__
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from navoracle.dashboard.gate import PREFIX, STATIC

MOST_FILES: Final = 200
"""Files that are kept; a page needs about fifteen."""

LARGEST: Final = 4_000_000
"""Bytes of a file that is kept."""

_LASTING: Final = tuple(f"{PREFIX}/_nicegui/{__version__}/{part}/" for part in ("static", "components", "esm"))
_HEADERS: Final = ((b"cache-control", b"public, max-age=31536000, immutable"), (b"vary", b"accept-encoding"))
_ASKED_ANEW: Final = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")


@cache
def address_of(name: str) -> str:
    """The address of a file of the package, another one whenever its content is another."""
    content = files("navoracle.dashboard").joinpath("static", name).read_bytes()
    return f"{STATIC}/{name}?v={hashlib.sha256(content).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class _Kept:
    media_type: bytes
    plain: bytes
    compressed: bytes


class Assets:
    """The middleware; what it does not know it passes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[str, _Kept] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for a file, or pass the call on."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _is_lasting(scope):
            await self._app(scope, receive, send)
            return
        found = self._kept.get(scope["path"]) or await self._read(scope, send)
        if found is not None:
            await _answer(found, scope, send)

    async def _read(self, scope: Scope, send: Send) -> _Kept | None:
        """The file as the application has it; None where the application has already answered.

        A browser that leaves meanwhile is not heard of: the file is kept for the next one.
        """
        said: list[Message] = []

        async def hear(message: Message) -> None:
            said.append(message)

        whole = [pair for pair in scope["headers"] if pair[0] not in _ASKED_ANEW]
        await self._app({**scope, "headers": whole, "extensions": {}}, _nothing_more(), hear)
        body = b"".join(message.get("body", b"") for message in said if message["type"] == "http.response.body")
        if not said or said[0].get("status") != 200 or len(body) > LARGEST:
            for message in said:
                await send(message)
            return None
        media_type = Headers(raw=list(said[0]["headers"])).get("content-type", "application/octet-stream")
        found = _Kept(media_type.encode("latin-1"), body, await asyncio.to_thread(gzip.compress, body, 9, mtime=0))
        if len(self._kept) < MOST_FILES:
            self._kept[scope["path"]] = found
        return found


def _nothing_more() -> Receive:
    """A call without a body, by somebody who waits."""
    asked: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if asked:
            return asked.pop()
        await asyncio.Event().wait()
        raise asyncio.CancelledError

    return receive


def _is_lasting(scope: Scope) -> bool:
    path = str(scope["path"])
    is_named = bool(scope["query_string"].startswith(b"v="))
    return path.startswith(_LASTING) or (path.startswith(f"{STATIC}/") and is_named)


async def _answer(found: _Kept, scope: Scope, send: Send) -> None:
    takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
    is_smaller = len(found.compressed) < len(found.plain)
    body = found.compressed if takes_gzip and is_smaller else found.plain
    headers = [*_HEADERS, (b"content-type", found.media_type), (b"content-length", str(len(body)).encode())]
    if body is found.compressed:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
