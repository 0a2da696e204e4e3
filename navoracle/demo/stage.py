"""How a demo is watched, and its story as it is played: by the replay's timeline, with the parts of a running service.

What the pages show is what a keeper tells: frames, slots, alerts with advice, events, state files, requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from navoracle.composition.service import RunningService
from navoracle.config.models import Config
from navoracle.demo.clock import DemoClock
from navoracle.demo.handout import Handout
from navoracle.demo.story import Director
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp
from navoracle.read_model.model import ReadModel
from navoracle.replay.engine import Progress, run_slots
from navoracle.replay.report import SlotReport
from navoracle.replay.timeline import RiskSchedule, WorkedSlot
from navoracle.requests.desk import RequestDesk

SAMPLE_SECONDS: Final = 900
"""Coarser than live, for the sake of speed; volatility, which needs 5-minute samples, stays unknown."""

LOOK_SECONDS: Final = 1_800
"""Between two looks at risk in the story; coarser than live for the same reason."""

BREATH_SECONDS: Final = 0.02
"""What pages and other programs get of the loop between two steps of the story."""

Pages = Callable[[FastAPI, ReadModel, RequestDesk], bool]


@dataclass(frozen=True, slots=True)
class Stage:
    """How a demo is watched.

    Attributes:
        state_folder: where its state files are written.
        port: of the dashboard; 0 takes a free one.
        rpc: the port of its chain as a node, which then goes on in real time; 0 takes a free one, None: no node.
        pace: seconds that a quarter of an hour takes once the story is over; without a node.
        files: path and stem of the files that are written for whoever wants to take part.
        pages: what adds the pages to the web service of a configuration.
        opened: told of the dashboard's port as soon as it is served, and of what was written.
        over: told once the story is over and time goes on.
    """

    state_folder: Path
    port: int
    rpc: int | None
    pace: float
    files: Path
    pages: Callable[[Config], Pages | None]
    opened: Callable[[int | None, Handout], None]
    over: Callable[[Handout], None]


class Stopped(Exception):
    """Somebody stopped the demo in the middle of its story."""


class Performance:
    """The story while it is played.

    Attributes:
        slots: how they ended, in order.
    """

    def __init__(
        self,
        running: RunningService,
        director: Director,
        clock: DemoClock,
        stop: asyncio.Event,
        progress: Progress,
        *,
        watched: bool,
    ) -> None:
        self.slots: list[SlotReport] = []
        self._running = running
        self._director = director
        self._clock = clock
        self._stop = stop
        self._progress = progress
        self._breath = BREATH_SECONDS if watched else 0.0
        self._served: dict[str, ConfirmedNav] = {}

    async def play(self, until: Timestamp) -> None:
        """Let it happen up to a time. Raises Stopped, before the next step, when `stop` is set."""
        service = self._running.service
        await run_slots(
            self._running.system,
            service.keeper.watch,
            self._clock,
            until=until,
            sample_seconds=SAMPLE_SECONDS,
            progress=self._ended,
            risk=None if service.risk is None else RiskSchedule(service.risk, LOOK_SECONDS),
            ask_emergency=service.ask_emergency,
            script=self._step,
            blocks_between_slots=True,
            worked_off=self._worked,
            after_post=service.settle,
            served=self._served,
        )
        await self._tell()

    async def _step(self, now: Timestamp) -> None:
        """Between two steps: tell what was, do what was asked for, and let happen what happens."""
        self._director.measure(now)
        await self._tell()
        await asyncio.sleep(self._breath)
        if self._stop.is_set():
            raise Stopped
        service = self._running.service
        await service.act_on_requests()
        await service.look_at_transactions()
        await service.settle()
        await self._director(now)

    async def _tell(self) -> None:
        service, observer = self._running.service, self._running.observer
        for fund, served in self._served.items():
            observer.confirmed(fund, served)
        observer.breakers(service.keeper.store.load_breakers())
        observer.beat()
        await service.run_others()

    def _worked(self, worked: WorkedSlot) -> None:
        keeper, observer = self._running.service.keeper, self._running.observer
        for frame in worked.frames:
            keeper.latest.observe(frame)
            observer.framed(frame)
        for fund, outcome in sorted(worked.outcomes.items()):
            found = next((frame for frame in worked.frames if frame.id == outcome.frame), None)
            observer.slot_ended(fund, worked.slot.time, worked.slot.cadence, outcome, found)
            keeper.requests.slot_ended(fund, outcome)

    def _ended(self, at: Timestamp, slot: SlotReport) -> None:
        self.slots.append(slot)
        self._progress(at, slot)
