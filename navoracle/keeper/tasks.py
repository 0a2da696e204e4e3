"""What the service works on at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from navoracle.keeper.observer import Observer


class Tasks:
    """The tasks under way; one that ends by an error that nobody expected is told to the observer."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._working: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._working)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin the work now, and wait for nothing."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._ended)

    async def finish(self, grace: float) -> None:
        """Wait for what is under way, at most `grace` seconds; what is left then is cancelled."""
        if self._working:
            _, late = await asyncio.wait(self._working, timeout=grace)
            await _cancel(late)

    async def abandon(self) -> None:
        """Cancel what is under way."""
        await _cancel(self._working)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._observer.crashed("slot", error)


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
