"""The demo: three funds, a real registry on an embedded chain, and a day that has everything in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from navoracle.chain.embedded import EmbeddedChain
from navoracle.composition import open_system, watch_of
from navoracle.config.loading import load_config
from navoracle.demo.examples import example_configuration
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


async def run_demo(hours: int, store: Store, progress: Progress, told: Callable[[Timestamp, str], None]) -> DemoResult:
    """Deploy the world and let the keeper run in it for so many hours of simulated time.

    Args:
        progress: called for every slot as it ends.
        told: called for everything that happens in the world.
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
    system = await open_system(config, clock=clock, store=store, live=True, chains=world.access())
    slots = await run_slots(
        system,
        watch_of(config, START),
        clock,
        until=Timestamp(START + hours * HOUR),
        sample_seconds=SAMPLE_SECONDS,
        progress=progress,
        script=Director(world, START, tell),
        blocks_between_slots=True,
    )
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
