"""The demo: three funds, a real registry on an embedded chain, and a day that has everything in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from navoracle.chain.embedded import EmbeddedChain
from navoracle.composition.beginning import begin
from navoracle.composition.service import open_service
from navoracle.config.loading import load_config
from navoracle.config.models import Config
from navoracle.config.state_files import StateFilesSection
from navoracle.demo.afterwards import go_live, live_on, pace_on
from navoracle.demo.clock import DemoClock
from navoracle.demo.examples import example_configuration
from navoracle.demo.handout import CONFIGURATION, hand_out
from navoracle.demo.node import LOCALHOST, serving_node
from navoracle.demo.sample_telemetry import SampleTelemetry
from navoracle.demo.stage import SAMPLE_SECONDS, Performance, Stage, Stopped
from navoracle.demo.story import HOUR, Director, nobody_measures
from navoracle.demo.world import SETUP_SECONDS, DemoWorld
from navoracle.domain.units import Timestamp
from navoracle.replay.engine import Progress, Verification, verify_store
from navoracle.replay.report import SlotReport, slot_json, summary_json
from navoracle.store_port import Store

START: Final = Timestamp(1_767_225_600)
"""1 January 2026, 00:00 UTC: the demo's day, the same every time."""


STOP_GRACE: Final = 2
"""Seconds for which a slot that is under way is waited for when the demo is stopped."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What happened in the world, every slot of the story in order, and the verification of all frames.

    Attributes:
        hours: how many were to be played.
        stopped: whether somebody stopped the story before its end; then frames are not verified.
    """

    hours: int
    registry: str
    story: tuple[tuple[Timestamp, str], ...]
    slots: tuple[SlotReport, ...]
    verification: Verification
    stopped: bool


def start_of(hours: int, *, until_present: bool, now: Callable[[], float] = time.time) -> Timestamp:
    """When a story of so many hours begins: always on the same day, or so that it ends at the hour that it is."""
    return Timestamp(int(now()) // HOUR * HOUR - hours * HOUR) if until_present else START


async def run_demo(
    hours: int,
    store: Store,
    progress: Progress,
    told: Callable[[Timestamp, str], None],
    stage: Stage | None = None,
    *,
    start: Timestamp = START,
    stop: asyncio.Event | None = None,
) -> DemoResult:
    """Deploy the world and let the keeper run in it for so many hours of simulated time.

    Args:
        progress: called for every slot of the story as it ends.
        told: called for everything that happens in the world.
        stage: how it is watched; it then goes on after its hours until it is stopped.
        start: when the story begins.
        stop: ends it, in the story before its next quarter of an hour.

    Raises:
        ConfigurationError: a port is taken, or a file cannot be written. UsageError: a file of another is in the way.
    """
    ending = asyncio.Event() if stop is None else stop
    story: list[tuple[Timestamp, str]] = []

    def tell(at: Timestamp, title: str) -> None:
        story.append((at, title))
        told(at, title)

    chain = EmbeddedChain(genesis_time=Timestamp(start - SETUP_SECONDS))
    clock = DemoClock(start, chain)
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="navoracle-")))
        world = await DemoWorld.build(chain)
        clock.mine()
        rpc = None
        if stage is not None and stage.rpc is not None:
            rpc = await stack.enter_async_context(serving_node(chain.endpoint, stage.rpc))
        handout = None if stage is None else hand_out(stage.files, world.environment, rpc)
        telemetry = SampleTelemetry(scratch / "telemetry")
        config = _configuration(world, stage, telemetry)
        running = await stack.enter_async_context(
            open_service(
                config,
                clock=clock,
                store=store,
                live=True,
                events_folder=scratch / "events",
                chains=world.access(),
                documents=example_configuration(CONFIGURATION).parent,
                add_pages=None if stage is None else stage.pages(config),
            )
        )
        if stage is not None and handout is not None:
            stage.opened(running.port, handout)
        begin(running, config, start, live=True)
        director = Director(world, start, tell, nobody_measures if stage is None else telemetry.write)
        performance = Performance(running, director, clock, ending, progress, watched=stage is not None)
        stopped = False
        try:
            await performance.play(Timestamp(start + hours * HOUR))
        except Stopped:
            stopped = True
        if stage is not None and handout is not None and not stopped:
            if rpc is None:
                stage.over(handout)
                await pace_on(running, director, clock, stage.pace, ending)
            else:
                await go_live(director, clock, chain)
                stage.over(handout)
                await live_on(running, director, clock, ending)
        running.observer.stopped()
    verification = Verification(0, ()) if stopped else verify_store(store)
    return DemoResult(hours, world.registry, tuple(story), tuple(performance.slots), verification, stopped)


def _configuration(world: DemoWorld, stage: Stage | None, telemetry: SampleTelemetry) -> Config:
    """The example as it stands, with what is watched; paced time is looked at as coarsely as the story's."""
    config = load_config(example_configuration(CONFIGURATION), world.environment)
    said = config.service
    changes: dict[str, Any] = {"stop_grace": STOP_GRACE}
    if stage is None:
        changes["http"] = said.http.model_copy(update={"enabled": False})
        return config.model_copy(update={"service": said.model_copy(update=changes), "state_files": None})
    changes["http"] = said.http.model_copy(update={"enabled": True, "host": LOCALHOST, "port": stage.port})
    cadence = config.cadence
    if stage.rpc is None:
        changes |= {"risk_seconds": SAMPLE_SECONDS, "health_interval": SAMPLE_SECONDS}
        cadence = cadence.model_copy(update={"sample_seconds": SAMPLE_SECONDS})
    files = config.state_files or StateFilesSection(folder=stage.state_folder)
    # Whatever is lost can be played again.
    files = files.model_copy(update={"folder": stage.state_folder, "fsync": False, "external": telemetry.section})
    return config.model_copy(
        update={"service": said.model_copy(update=changes), "cadence": cadence, "state_files": files}
    )


def demo_json(result: DemoResult, database: str) -> dict[str, Any]:
    """The demo's result as plain JSON."""
    return {
        "hours": result.hours,
        "stopped": result.stopped,
        "registry": result.registry,
        "database": database,
        "story": [{"time": at, "what": title} for at, title in result.story],
        "funds": summary_json(result.slots),
        "slots": [slot_json(slot) for slot in result.slots],
        "verified": {"accepted": result.verification.accepted, "rejected": list(result.verification.rejected)},
    }
