"""What a node sends unasked over a WebSocket: kept in the order in which it came, within a bound, until it is taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from navoracle.chain.rpc import NoAnswer

MAX_NOTICES: Final = 4_096
"""Most notices that wait to be taken; a subscriber that falls further behind loses the connection."""


class Notices:
    """The notices of one connection that were not taken yet."""

    def __init__(self, limit: int = MAX_NOTICES) -> None:
        self._limit = limit
        self._waiting: deque[object] = deque()
        self._changed = asyncio.Event()
        self._ended: str | None = None

    def put(self, notice: object) -> bool:
        """Keep a notice; False where too many wait already."""
        if len(self._waiting) >= self._limit:
            return False
        self._waiting.append(notice)
        self._changed.set()
        return True

    def end(self, what: str) -> None:
        """Nothing more will come, for this reason."""
        self._ended = self._ended or what
        self._changed.set()

    async def take(self) -> tuple[list[object], str | None]:
        """All that wait, at least one; none, and why, when nothing more will come."""
        while not self._waiting and self._ended is None:
            self._changed.clear()
            await self._changed.wait()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken, None if taken else self._ended


class Subscription:
    """Several subscriptions on one connection of their own.

    Args:
        name: the endpoint's name.
        notices: what the connection brings.
        ids: the node's name of each subscription, in the order in which they were asked for.
        close: ends the connection.
    """

    def __init__(self, name: str, notices: Notices, ids: Sequence[str], close: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._notices = notices
        self._places = {each: place for place, each in enumerate(ids)}
        self._close = close

    async def take(self) -> list[tuple[int, object]]:
        """What has come since the last call, in order: which subscription it is of, by place, and what the node says.

        Waits until there is something. Raises NoAnswer: the connection was lost, and everything before that was taken.
        """
        while True:
            notices, ended = await self._notices.take()
            if ended is not None:
                raise NoAnswer(
                    f"{self._name}: the subscription ended: {ended}",
                    advice="Check that the node is up, and that its plan has WebSocket subscriptions.",
                )
            found = [known for notice in notices if (known := self._known(notice)) is not None]
            if found:
                return found

    async def close(self) -> None:
        """Give the connection up."""
        await self._close()

    def _known(self, notice: object) -> tuple[int, object] | None:
        params = notice.get("params") if isinstance(notice, Mapping) else None
        if not isinstance(params, Mapping) or "result" not in params:
            return None
        name = params.get("subscription")
        place = self._places.get(name) if isinstance(name, str) else None
        return None if place is None else (place, params["result"])


@runtime_checkable
class Subscribable(Protocol):
    """An endpoint that can be subscribed to."""

    async def subscribe(self, wanted: Sequence[Sequence[object]]) -> Subscription:
        """Subscribe to each of these (the parameters of `eth_subscribe`), on a connection of its own.

        Raises:
            NodeRefused: the node does not serve one of them.
            NoAnswer: it does not answer, or not sensibly.
        """
