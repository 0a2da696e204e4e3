"""The demo: three funds, a real registry on an embedded chain, and a day that has everything in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from navoracle.chain.embedded import EmbeddedChain
from navoracle.composition import open_system, watch_of
from navoracle.composition.system import ONE_SHOT
from navoracle.config.loading import load_config
from navoracle.demo.examples import example_configuration
from navoracle.demo.stage import Performance, Stage
from navoracle.demo.story import HOUR, Director
from navoracle.demo.world import DemoWorld
from navoracle.domain.units import Timestamp
from navoracle.replay.clock import ReplayClock
from navoracle.replay.engine import Progress, Verification, run_slots, verify_store
from navoracle.replay.report import SlotReport, slot_json, summary_json
from navoracle.store_port import Store

START: Final = Timestamp(1_767_225_600)
"""1 January 2026, 00:00 UTC: the demo's day, the same every time."""

SETUP_SECONDS: Final = 3_600
SAMPLE_SECONDS: Final = 900
"""Coarser than live, for the sake of speed; volatility, which needs 5-minute samples, stays unknown."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What happened in the world, every slot in order, and the verification of all frames."""

    hours: int
    registry: str
    story: tuple[tuple[Timestamp, str], ...]
    slots: tuple[SlotReport, ...]
    verification: Verification


async def run_demo(
    hours: int,
    store: Store,
    progress: Progress,
    told: Callable[[Timestamp, str], None],
    stage: Stage | None = None,
) -> DemoResult:
    """Deploy the world and let the keeper run in it for so many hours of simulated time.

    Args:
        progress: called for every slot as it ends.
        told: called for everything that happens in the world.
        stage: how it is watched; it then goes on after its hours until nobody watches any more.
    """
    story: list[tuple[Timestamp, str]] = []

    def tell(at: Timestamp, title: str) -> None:
        story.append((at, title))
        told(at, title)

    chain = EmbeddedChain(genesis_time=Timestamp(START - SETUP_SECONDS))
    world = await DemoWorld.build(chain)
    config = load_config(example_configuration("three-funds.yaml"), world.environment)
    clock = ReplayClock(START, chain)
    clock.mine()
    shown = None if stage is None else Performance(stage, store, clock)
    running = ONE_SHOT if shown is None else replace(ONE_SHOT, on_frame=shown.framed)
    system = await open_system(config, clock=clock, store=store, live=True, chains=world.access(), running=running)
    watch, director = watch_of(config, START), Director(world, START, tell)

    async def play(until: Timestamp) -> tuple[SlotReport, ...]:
        return await run_slots(
            system,
            watch,
            clock,
            until=until,
            sample_seconds=SAMPLE_SECONDS,
            progress=progress,
            script=director if shown is None else shown.paced(director),
            blocks_between_slots=True,
            worked_off=None if shown is None else shown.worked,
            served=None if shown is None else shown.served,
        )

    end = Timestamp(START + hours * HOUR)
    if shown is None or stage is None:
        slots = await play(end)
    else:
        try:
            async with stage.opened(shown.begin(system, watch)):
                slots = await play(end)
                while await shown.rest():
                    clock.advance(Timestamp(clock.now() + SAMPLE_SECONDS))
                    slots += await play(clock.now())
        finally:
            shown.close()
    return DemoResult(hours, world.registry, tuple(story), slots, verify_store(store))


def demo_json(result: DemoResult, database: str) -> dict[str, Any]:
    """The demo's result as plain JSON."""
    return {
        "hours": result.hours,
        "registry": result.registry,
        "database": database,
        "story": [{"time": at, "what": title} for at, title in result.story],
        "funds": summary_json(result.slots),
        "slots": [slot_json(slot) for slot in result.slots],
        "verified": {"accepted": result.verification.accepted, "rejected": list(result.verification.rejected)},
    }
