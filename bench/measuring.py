"""Time spent by this process: medians for work that talks to a node, the fastest round for work that does not."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of this process's processor time, and of the clock."""

    cpu: float
    wall: float


async def spent(work: Callable[[], Awaitable[T]]) -> tuple[T, Spent]:
    """Do the work once. What existed before is kept out of garbage collection, for every client alike."""
    gc.collect()
    gc.freeze()
    try:
        cpu, wall = time.process_time(), time.perf_counter()
        result = await work()
        return result, Spent(time.process_time() - cpu, time.perf_counter() - wall)
    finally:
        gc.unfreeze()


def median(runs: list[Spent]) -> Spent:
    """The median of each figure."""
    return Spent(statistics.median(run.cpu for run in runs), statistics.median(run.wall for run in runs))


def fastest(*works: Callable[[], object], rounds: int) -> tuple[float, ...]:
    """Processor seconds of the fastest round of each, run in turn so that all see the same machine."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            start = time.process_time()
            work()
            best[place] = min(best[place], time.process_time() - start)
    return tuple(best)
