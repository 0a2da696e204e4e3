"""How fast one host is asked: so many requests at once, and so many seconds between the beginnings of two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Pace:
    """One host's pace, of one event loop.

    Args:
        concurrency: requests that may be under way at once.
        per_second: requests that may begin in a second, evenly spread.
    """

    def __init__(self, *, concurrency: int, per_second: float) -> None:
        self._room = asyncio.Semaphore(concurrency)
        self._interval = 1 / per_second
        self._next = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for as long as the request takes."""
        async with self._room:
            now = asyncio.get_running_loop().time()
            begin = max(now, self._next)
            self._next = begin + self._interval
            if begin > now:
                await asyncio.sleep(begin - now)
            yield
