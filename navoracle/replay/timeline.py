"""The timeline: sampler and slots over simulated time, by the same keeper as live."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from navoracle.domain.cadence import ScheduledSlot
from navoracle.domain.frame import NavFrame
from navoracle.domain.units import Timestamp
from navoracle.keeper.slots import SlotRunner
from navoracle.keeper.watch import Watch
from navoracle.replay.clock import ReplayClock
from navoracle.store_port import SlotOutcome

Script = Callable[[Timestamp], Awaitable[None]]
"""What happens in the world up to a time, before the keeper looks."""


@dataclass(frozen=True, slots=True)
class WorkedSlot:
    """A slot that was worked off: its frames in order, and how it ended for each fund."""

    slot: ScheduledSlot
    frames: tuple[NavFrame, ...]
    outcomes: dict[str, SlotOutcome]


async def run_timeline(
    runner: SlotRunner,
    watch: Watch,
    clock: ReplayClock,
    *,
    until: Timestamp,
    sample_seconds: int,
    script: Script | None = None,
    blocks_between_slots: bool = False,
) -> AsyncIterator[WorkedSlot]:
    """Let time pass from the clock's present to `until`, and yield every slot as it was worked off.

    Args:
        script: moves the world; called before each sample.
        blocks_between_slots: mine a block for every sample, for prices that are read on the embedded chain.

    Raises:
        StoreError: the database cannot be written.
    """
    now = clock.now()
    while now <= until:
        clock.advance(max(now, clock.now()))
        if script is not None:
            await script(now)
        if blocks_between_slots:
            clock.mine()
        watch.observe_sample(await runner.sample(now))
        for slot, funds in watch.due(now):
            clock.mine()
            frames, outcomes = await runner.run(funds, slot.time, slot.cadence)
            for frame in frames:
                watch.observe_slot(frame)
            if outcomes:
                yield WorkedSlot(slot, frames, outcomes)
        now = Timestamp(now + sample_seconds)
