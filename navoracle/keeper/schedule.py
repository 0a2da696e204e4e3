"""The scheduler: jobs on the grid of the keeper's clock, with every rule of lateness said, and every event counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
)
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from navoracle.ports import Clock

RESULTS: Final = {
    EVENT_JOB_EXECUTED: "executed",
    EVENT_JOB_ERROR: "failed",
    EVENT_JOB_MISSED: "missed",
    EVENT_JOB_MAX_INSTANCES: "skipped",
}
"""What may become of a run of a job: "missed" came too late to be run, "skipped" came while the last one still ran."""


class ScheduledClock(Clock, Protocol):
    """A clock that says when, by the machine, it will be a certain time."""

    def machine_time_of(self, at: float) -> float:
        """The machine's time at which it is `at`."""

    def time_of(self, machine: float) -> float:
        """What time it is at a time of the machine."""


class GridTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler ships no types
    """Fires at every multiple of `step` seconds of the keeper's clock; each run keeps its own time, however late."""

    __slots__ = ("_clock", "_step")

    def __init__(self, clock: ScheduledClock, step: int) -> None:
        self._clock = clock
        self._step = step

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next multiple after the previous run, or after now where there was none."""
        if previous is None:
            index = int(self._clock.time_of(now.timestamp()) // self._step) + 1
        else:
            index = round(self._clock.time_of(previous.timestamp()) / self._step) + 1
        return datetime.fromtimestamp(self._clock.machine_time_of(index * self._step), UTC)


class Scheduler:
    """APScheduler with one instance of each job at a time, runs that were missed folded into one, none silently.

    Args:
        misfire_grace: seconds of the keeper's clock that a run may be late; later it is "missed".
        on_event: told of every run: the job's name and one of `RESULTS`.
    """

    def __init__(self, clock: ScheduledClock, *, misfire_grace: int, on_event: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._on_event = on_event
        self._stopped = False
        grace = max(1, round(clock.machine_time_of(misfire_grace) - clock.machine_time_of(0)))
        # In memory: a job store in the database would hold pickled code, and slots are the store's own.
        self._scheduler = AsyncIOScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": AsyncIOExecutor()},
            job_defaults={"misfire_grace_time": grace, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        self._scheduler.add_listener(self._heard, sum(RESULTS))
        # What it warns of, runs left out or missed, is told through the listener.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)

    def every(self, seconds: int, name: str, job: Callable[[], Awaitable[Any]]) -> None:
        """Run a job at every multiple of so many seconds."""

        async def run() -> None:
            # Whatever is called, the executor must see a coroutine function, or it takes a thread.
            try:
                await job()
            except asyncio.CancelledError:
                if not self._stopped:
                    raise

        self._scheduler.add_job(run, GridTrigger(self._clock, seconds), id=name, name=name)

    def start(self) -> None:
        """Begin; an event loop must be running."""
        self._scheduler.start()

    def stop(self) -> None:
        """Start nothing more, and cut off what runs, without a word: what must be finished is no job but its task."""
        self._stopped = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _heard(self, event: JobEvent) -> None:
        if not self._stopped:
            self._on_event(event.job_id, RESULTS[event.code])
