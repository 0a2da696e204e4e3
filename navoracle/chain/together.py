"""Several requests at once: all answers, or the first failure and no request left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from navoracle.domain.errors import NavoracleError

T = TypeVar("T")


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results, in order. Raises the first of our errors after the others are cancelled."""
    failure: NavoracleError | None = None
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except* NavoracleError as failed:
        failure = _first(failed)
    # Not raised in there: some releases of Python wrap what an `except*` raises into a group again.
    if failure is not None:
        raise failure
    return [task.result() for task in tasks]


def _first(group: BaseExceptionGroup[NavoracleError]) -> NavoracleError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
