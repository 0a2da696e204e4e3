"""A node behind HTTP: one request, one answer, one deadline, and never a second attempt of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from itertools import count
from typing import Final

from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, TCPConnector

from navoracle.chain.request_body import request_body
from navoracle.chain.rpc import NoAnswer, RateLimited, redact_url, result_of
from navoracle.domain.errors import ConfigurationError
from navoracle.json_depth import require_shallow
from navoracle.redaction import redact_parts, secrets_of_url

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
_HEADERS: Final = {"Content-Type": "application/json"}
_CONNECTIONS: Final = 32
_IDLE_SECONDS: Final = 15
_TOO_MANY: Final = 429


class HttpEndpoint:
    """One node's HTTP endpoint.

    A request is sent once and ends within `timeout` seconds, whatever the node does with it: to ask again, or another
    node, is the pool's decision, and for a transaction nobody's.

    Raises:
        ConfigurationError: the URL is not http or https.
    """

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self.name = redact_url(url)
        if not url.startswith(("http://", "https://")) or "?" in self.name:
            raise ConfigurationError(
                f"{self.name} is not an HTTP endpoint", advice="Give the RPC URL as http://... or https://..."
            )
        self._url = url
        self._hide = partial(redact_parts, secrets=secrets_of_url(url))
        self._timeout = timeout
        self._ids = count(1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: ClientSession | None = None

    def __repr__(self) -> str:
        return f"HttpEndpoint({self.name})"

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Ask the node.

        Raises:
            NodeRefused: it answers with an error.
            RateLimited: it answers with the HTTP status 429.
            NoAnswer: it does not answer in time, or not with JSON-RPC.
        """
        number = next(self._ids)
        asked = request_body(number, method, params)
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._current().post(self._url, data=asked, headers=_HEADERS, allow_redirects=False) as response,
            ):
                body = await self._body(response, method)
        except TimeoutError:
            raise unanswered(self.name, method, f"no answer within {self._timeout:g} s") from None
        except (ClientError, OSError) as error:
            raise unanswered(self.name, method, describe(error)) from None
        return result_of(parsed(body, self.name, method), self.name, method, asked=number, hide=self._hide)

    async def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def _body(self, response: ClientResponse, method: str) -> bytes:
        if response.status == _TOO_MANY:
            raise RateLimited(self.name, method, _seconds(response.headers.get("Retry-After")))
        if response.status != 200:
            raise unanswered(self.name, method, f"HTTP {response.status}")
        body = bytearray()
        async for part in response.content.iter_any():
            body += part
            if len(body) > MAX_ANSWER_BYTES:
                raise unanswered(self.name, method, f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        return bytes(body)

    def _current(self) -> ClientSession:
        """The session of the running loop: commands run one loop after another."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            self._loop = loop
            connector = TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_IDLE_SECONDS)
            self._session = ClientSession(connector=connector)
        return self._session


def parsed(body: bytes | str, name: str, method: str) -> object:
    """The JSON in a body. Raises NoAnswer where it is none."""
    try:
        require_shallow(body if isinstance(body, bytes) else body.encode())
        # The numbers of JSON-RPC are hex text; nothing that is read here is a fraction.
        found: object = json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        raise unanswered(name, method, "the answer is not JSON") from None
    return found


def unanswered(name: str, method: str, what: str) -> NoAnswer:
    """No answer to a request. Raise it without its cause: the cause's text holds the URL, and with it a key."""
    return NoAnswer(
        f"{name}: {method} failed: {what}",
        advice="Check that the node is up, that the URL and its key are right, and that the quota is not used up.",
    )


def describe(error: Exception) -> str:
    """What kind of error it is, and the system's own words: its text may hold the URL."""
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    words = cause.strerror if isinstance(cause, OSError) else None
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _seconds(header: str | None) -> float:
    """What a Retry-After header asks for; a date there is not honoured, the pool's own back-off is."""
    return float(header) if header is not None and header.isdecimal() else 0.0
