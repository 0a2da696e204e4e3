"""After the story: the service itself goes on, in real time beside a node, or so many minutes a second without one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from navoracle.chain.embedded import EmbeddedChain
from navoracle.composition.service import RunningService
from navoracle.demo.clock import DemoClock
from navoracle.demo.stage import SAMPLE_SECONDS
from navoracle.demo.story import Director
from navoracle.domain.errors import ChainError, NavoracleError
from navoracle.domain.units import Timestamp

BLOCK_SECONDS: Final = 4
"""Between two blocks in real time."""

PRESENT_BLOCKS: Final = 4
"""More than a configuration usually takes as `confirmations`: who values some blocks back finds the present there."""

STEP_SECONDS: Final = 60
"""What goes by at once where time is paced: a job that is due more often runs once in it."""

LOOKS: Final = frozenset({"health", "risk"})
"""The service's jobs that tell how things stand."""

_SETTLE_SECONDS: Final = 0.01


async def go_live(director: Director, clock: DemoClock, chain: EmbeddedChain) -> None:
    """Let it be the present: the chain has blocks of the wall clock's time, and the feeds have answered by then."""
    clock.go_live()
    chain.endpoint.follow(clock.now)
    for _ in range(PRESENT_BLOCKS):
        await _happen(director, clock)
        await asyncio.sleep(1)  # no two blocks are of one second


async def live_on(running: RunningService, director: Director, clock: DemoClock, stop: asyncio.Event) -> None:
    """Go on in real time, in which it is by now, until `stop` is set: the keeper works as in `run`.

    It looks at once at what it looks at between slots, so that nobody sees figures of the story's end as those of now.
    """

    async def world() -> None:
        for _, name, job in running.service.jobs():
            if name in LOOKS:
                await _run(name, job)
        while True:
            await asyncio.sleep(BLOCK_SECONDS)
            await _happen(director, clock)

    running.service.accompany(world)
    await running.service.run(stop)


async def pace_on(
    running: RunningService, director: Director, clock: DemoClock, pace: float, stop: asyncio.Event
) -> None:
    """Let a quarter of an hour go by in every `pace` seconds until `stop` is set, step by step."""
    service = running.service
    await service.start()
    while not await _stopped(stop, pace * STEP_SECONDS / SAMPLE_SECONDS):
        before = clock.now()
        clock.advance(Timestamp(before + STEP_SECONDS))
        now = clock.now()
        if _is_due(before, now, SAMPLE_SECONDS):
            await _happen(director, clock)
        clock.mine()
        for seconds, name, job in service.jobs():
            if _is_due(before, now, seconds):
                await _run(name, job)
        while service.busy and not stop.is_set():
            await asyncio.sleep(_SETTLE_SECONDS)
    await service.finish()


async def _run(name: str, job: Callable[[], Awaitable[object]]) -> None:
    try:
        await job()
    except NavoracleError as error:
        structlog.get_logger("navoracle.demo").warning("job_failed", job=name, error=error.message, advice=error.advice)


async def _happen(director: Director, clock: DemoClock) -> None:
    """What happens in the world by now, and a block."""
    director.measure(clock.now())
    try:
        await director(clock.now())
    except ChainError as error:
        # Somebody who took part may have changed what the story stands on.
        structlog.get_logger("navoracle.demo").warning("story_stumbled", error=error.message, advice=error.advice)
    clock.mine()


def _is_due(before: Timestamp, now: Timestamp, seconds: int) -> bool:
    """Whether a multiple of so many seconds lies in what went by."""
    return before // seconds < now // seconds


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Wait, at most so long, for the end."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
