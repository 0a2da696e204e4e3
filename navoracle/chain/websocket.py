"""A node behind a WebSocket: requests share one connection, and each of them has one deadline and one attempt.

Subscriptions have a connection of their own, so that a long answer holds no notice up, and no notice a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType

from navoracle.chain import http
from navoracle.chain.http import describe, parsed, unanswered
from navoracle.chain.request_body import request_body
from navoracle.chain.rpc import NoAnswer, redact_url, result_of
from navoracle.chain.subscription import MAX_NOTICES, Notices, Subscription
from navoracle.chain.together import together
from navoracle.domain.errors import ConfigurationError
from navoracle.redaction import redact_parts, secrets_of_url

_HEARTBEAT_SECONDS = 20.0
_CLOSE_SECONDS = 10.0
_CLOSE_SUBSCRIPTION_SECONDS = 1.0
"""A dead subscription is left for another node, and must not hold that up."""


class WebSocketEndpoint:
    """One node's WebSocket endpoint.

    The connection is opened by the first request and, when it is lost, by the next one; what was under way on a lost
    connection fails and is not sent again.

    Raises:
        ConfigurationError: the URL is not ws or wss.
    """

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self.name = redact_url(url)
        if not url.startswith(("ws://", "wss://")) or "?" in self.name:
            raise ConfigurationError(
                f"{self.name} is not a WebSocket endpoint", advice="Give the RPC URL as ws://... or wss://..."
            )
        self._url = url
        self._hide = partial(redact_parts, secrets=secrets_of_url(url))
        self._timeout = timeout
        self._ids = count(1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: _Connection | None = None

    def __repr__(self) -> str:
        return f"WebSocketEndpoint({self.name})"

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Ask the node. Raises NodeRefused when it answers with an error, NoAnswer when it does not answer."""
        return await self._ask(self._current(), method, params)

    async def subscribe(self, wanted: Sequence[Sequence[object]], *, max_notices: int = MAX_NOTICES) -> Subscription:
        """Subscribe to each of these (the parameters of `eth_subscribe`), on a connection of its own.

        Args:
            max_notices: the connection ends where more than these wait to be taken.

        Raises:
            NodeRefused: the node does not serve one of them.
            NoAnswer: it does not answer, or not sensibly.
        """
        notices = Notices(max_notices)
        connection = _Connection(self._url, self.name, notices)
        async with AsyncExitStack() as on_failure:
            on_failure.push_async_callback(connection.close)
            ids = await together(self._ask(connection, "eth_subscribe", params) for params in wanted)
            names = [each for each in ids if isinstance(each, str)]
            if len(set(names)) != len(wanted):
                raise unanswered(self.name, "eth_subscribe", "the subscriptions have no names of their own")
            on_failure.pop_all()
        return Subscription(self.name, notices, names, connection.close)

    async def _ask(self, connection: _Connection, method: str, params: Sequence[object]) -> object:
        number = next(self._ids)
        asked = request_body(number, method, params).decode()
        try:
            async with asyncio.timeout(self._timeout):
                response = await connection.ask(number, asked)
        except TimeoutError:
            raise unanswered(self.name, method, f"no answer within {self._timeout:g} s") from None
        except _Lost as lost:
            raise unanswered(self.name, method, lost.what) from None
        except (ClientError, OSError) as error:
            raise unanswered(self.name, method, describe(error)) from None
        return result_of(response, self.name, method, asked=number, hide=self._hide)

    async def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._connection is not None:
            await self._connection.close()
        self._connection = None

    def _current(self) -> _Connection:
        loop = asyncio.get_running_loop()
        if self._connection is None or self._loop is not loop or self._connection.lost is not None:
            self._loop = loop
            self._connection = _Connection(self._url, self.name)
        return self._connection


class _Lost(Exception):
    """The connection ended before the answer came."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class _Connection:
    """One connection: its requests that wait for an answer, and the task that hands answers to them.

    What comes unasked goes to `notices`; without them it is dropped.
    """

    def __init__(self, url: str, name: str, notices: Notices | None = None) -> None:
        self._url = url
        self._name = name
        self._notices = notices
        self._session: ClientSession | None = None
        self._socket: ClientWebSocketResponse | None = None
        self._opening = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[object]] = {}
        self.lost: str | None = None

    async def ask(self, number: int, asked: str) -> object:
        async with self._opening:
            if self._socket is None and self.lost is None:
                await self._open()
        if self.lost is not None or self._socket is None:
            raise _Lost(self.lost or "the connection is closed")
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._socket.send_str(asked)
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._end("the connection was closed")

    async def _open(self) -> None:
        self._session = ClientSession()
        try:
            patience = _CLOSE_SECONDS if self._notices is None else _CLOSE_SUBSCRIPTION_SECONDS
            self._socket = await self._session.ws_connect(
                self._url,
                max_msg_size=http.MAX_ANSWER_BYTES,
                heartbeat=_HEARTBEAT_SECONDS,
                timeout=ClientWSTimeout(ws_close=patience),
            )
        except BaseException:
            # Also when cancelled at its deadline: nobody else knows this session.
            await self._end("the connection could not be opened")
            raise
        self._reading = asyncio.create_task(self._hand_out(self._socket))

    async def _hand_out(self, socket: ClientWebSocketResponse) -> None:
        what = "the connection was lost"
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT and message.type is not WSMsgType.BINARY:
                    break
                response = parsed(message.data, self._name, "answer")
                number = response.get("id") if isinstance(response, Mapping) else None
                waiting = self._waiting.get(number) if isinstance(number, int) else None
                if waiting is not None and not waiting.done():
                    waiting.set_result(response)
                elif number is None and self._notices is not None and not self._notices.put(response):
                    what = "notices come faster than they are taken"
                    break
        except NoAnswer:
            what = "the answer is not JSON"
        finally:
            await self._end(what)

    async def _end(self, what: str) -> None:
        self.lost = self.lost or what
        if self._notices is not None:
            self._notices.end(what)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(_Lost(what))
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()
