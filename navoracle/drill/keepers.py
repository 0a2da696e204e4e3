"""A keeper in this process: the service as `navoracle run` builds it, its jobs on simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from navoracle.composition.service import RunningService, open_service
from navoracle.composition.stores import open_store
from navoracle.config.loading import load_config
from navoracle.config.models import Config
from navoracle.config.transactions import TransactionsSection
from navoracle.domain.errors import NavoracleError
from navoracle.drill.time import SimulatedClock
from navoracle.keeper.service import KeeperService
from navoracle.lane_port import Lane
from navoracle.storage import SqlStore

GRID: Final = 4
"""Seconds between two looks of a job that is due more often: what happens within them is the same instant."""

_BUSY_JOBS: Final = frozenset({"transactions", "recovery"})
"""Jobs that see what is under way to its end."""


@dataclass(slots=True)
class InProcessKeeper:
    """A keeper that was started.

    Attributes:
        config: what it was started with.
        store: its database, for as long as it is not crashed and after.
        running: the service and what belongs to it.
    """

    config: Config
    store: SqlStore
    running: RunningService
    _stack: AsyncExitStack
    _clock: SimulatedClock
    _jobs: list[asyncio.Task[None]] = field(default_factory=list)
    crashed: bool = False

    @classmethod
    async def start(
        cls, path: Path, clock: SimulatedClock, *, grid: int = GRID, idle_grid: int | None = None
    ) -> InProcessKeeper:
        """Start it by its configuration. Raises what `navoracle run` ends with.

        Args:
            grid: jobs that are due more often than every so many seconds are run that often.
            idle_grid: the same while nothing is worked on, and for jobs that see no transaction or claim on its way;
                long rehearsals leave idle time out by it.
        """
        config = load_config(path)
        stack = AsyncExitStack()
        store = open_store(config.store.url.get_secret_value())
        try:
            running = await stack.enter_async_context(
                open_service(config, clock=clock, store=store, live=True, events_folder=path.parent / "events")
            )
        except NavoracleError:
            await stack.aclose()
            store.close()
            raise
        keeper = cls(config, store, running, stack, clock)
        await running.service.start()
        for seconds, name, job in running.service.jobs():
            often = name in _BUSY_JOBS or idle_grid is None
            paced = keeper._paced(job, seconds, grid if often else idle_grid or grid, idle_grid or grid)
            keeper._jobs.append(asyncio.create_task(paced, name=name))
        return keeper

    async def _paced(self, job: Callable[[], Awaitable[Any]], seconds: int, grid: int, idle_grid: int) -> None:
        """Run a job whenever it is due, at most as often as the grid says; the idle one while nothing is worked on."""
        clock, last = self._clock, self._clock.true_time
        while True:
            step = max(seconds, grid)
            await clock.sleep(step - clock.true_time % step)
            if clock.true_time - last < max(seconds, idle_grid) and not self.service.busy:
                continue
            last = clock.true_time
            try:
                await job()
            except NavoracleError:
                continue  # counted and told by the scheduler of a real run; the next one is due soon

    @property
    def service(self) -> KeeperService:
        """The service."""
        return self.running.service

    @property
    def lane(self) -> Lane:
        """The lane of its poster."""
        return next(iter(self.running.system.posters.values()))

    @property
    def transactions(self) -> TransactionsSection:
        """What its transactions may cost."""
        return next(section.transactions for section in self.config.chains.values() if section.registry is not None)

    @property
    def database(self) -> str:
        """The file of its database."""
        return self.config.store.url.get_secret_value().removeprefix("sqlite:///")

    def raise_defects(self) -> None:
        """Raise what a job ended with: jobs end by nothing but a defect."""
        for job in self._jobs:
            if job.done() and not job.cancelled() and (error := job.exception()) is not None:
                raise error

    def catch_up(self) -> None:
        """Bring its event files up to its database, as a running keeper does every few seconds."""
        if not self.crashed:
            self.running.events.catch_up()

    async def crash(self) -> None:
        """Let it be gone: nothing is finished, no lease is given up."""
        if self.crashed:
            return
        self.crashed = True
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await self.service.abandon()
        for access in self.running.system.chains.values():
            await access.reader.close()
        self.running.events.close()

    async def stop(self) -> None:
        """Let it end in order, as a process that is asked to stop does."""
        if self.crashed:
            return
        self.crashed = True
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await self.service.finish()

    async def close(self) -> None:
        """Close what a crash leaves open, at the end of a rehearsal."""
        await self.crash()
        await self._stack.aclose()
        self.store.close()
