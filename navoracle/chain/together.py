"""Several requests at once: all answers, or the first failure and no request left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results, in order. Raises the first failure in that order, after the others are cancelled and have ended.

    No `asyncio.TaskGroup`: after a failure it leaves the task that waits marked as cancelled, and until Python 3.11.3
    that task's next `asyncio.timeout` then ends it instead of raising TimeoutError.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failures = [failure for task in tasks if task.done() and (failure := _failure(task)) is not None]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if failures:
        raise failures[0]
    return [task.result() for task in tasks]


def _failure(task: asyncio.Future[Any]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
