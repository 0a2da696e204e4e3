"""Simulated time: everything that waits is woken in order, and a block is made whenever one is due."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, Final, TypeVar

from navoracle.domain.errors import ChainError
from navoracle.domain.units import Timestamp

T = TypeVar("T")

QUIET: Final = 0.002
"""Seconds of the machine without anything asked of a node after which all tasks are taken to wait."""


class SimulatedClock:
    """A clock that stands still while anything works, and goes on to the next waking time when all of it waits.

    Implements `ports.Clock`. `drive` is what lets time go on.

    Args:
        start: Unix seconds.
        on_time: called whenever time has gone on, before anybody is woken: makes the blocks that fell due.
        busy: whether a node is working on a request.
    """

    def __init__(
        self, start: int, on_time: Callable[[int], Awaitable[None]], busy: Callable[[], tuple[int, bool]]
    ) -> None:
        self._now = start
        self._on_time = on_time
        self._busy = busy
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._woken = 0
        self.skew = 0
        """Seconds by which this clock is wrong, as its readers see it."""

    def now(self) -> Timestamp:
        """Unix seconds."""
        return Timestamp(self._now + self.skew)

    def monotonic(self) -> float:
        """Seconds that only grow: a wrong clock does not change them."""
        return float(self._now)

    @property
    def true_time(self) -> int:
        """What a clock that is right would say."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until `drive` has let so much time go by."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), waker))
        await waker

    def machine_time_of(self, at: float) -> float:
        """There is no other time than this one."""
        return at

    def time_of(self, machine: float) -> float:
        """There is no other time than this one."""
        return machine

    async def drive(self, work: Coroutine[Any, Any, T], *, within: int = 24 * 3600) -> T:
        """Run something to its end, letting time go on whenever everything waits.

        Raises:
            ChainError: it did not end within so many simulated seconds.
        """
        task = asyncio.create_task(work)
        limit = self._now + within
        try:
            while not task.done():
                await self._settle(task)
                if task.done():
                    break
                if not self._sleepers:
                    await asyncio.wait({task}, timeout=QUIET)
                    continue
                if self._now >= limit:
                    raise ChainError(f"nothing came of it within {within} simulated seconds", advice="Look at its log.")
                await self._step(min(self._sleepers[0][0], limit))
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        return task.result()

    async def go(self, seconds: int) -> None:
        """Let so much time go by, waking whoever is due on the way."""
        until = self._now + seconds
        while self._now < until:
            await self._settle(None)
            due = self._sleepers[0][0] if self._sleepers else until
            await self._step(min(due, until))
        await self._settle(None)

    async def leap(self, to: int) -> None:
        """Let it be later at once: whoever was due meanwhile is woken then, once."""
        await self._settle(None)
        await self._step(to)
        await self._settle(None)

    async def _step(self, until: float) -> None:
        self._now = max(self._now, -int(-until // 1))
        await self._on_time(self._now)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, waker = heapq.heappop(self._sleepers)
            if not waker.done():
                waker.set_result(None)
                self._woken += 1

    async def _settle(self, task: asyncio.Task[Any] | None) -> None:
        """Wait until nothing has been asked of a node, and nobody went to sleep, for a moment."""
        seen = None
        while task is None or not task.done():
            asked, busy = self._busy()
            state = (asked, len(self._sleepers), self._woken)
            if state == seen and not busy:
                return
            seen = state
            await asyncio.sleep(QUIET)
