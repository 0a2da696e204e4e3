"""The timeline: sampler, looks at risk and slots over simulated time, by the same keeper as live."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from navoracle.domain.cadence import ScheduledSlot
from navoracle.domain.frame import NavFrame
from navoracle.domain.units import Timestamp
from navoracle.keeper.consequences import asked_again
from navoracle.keeper.risk_looks import RiskLooks
from navoracle.keeper.slot_queue import SlotQueue
from navoracle.keeper.slots import SlotRunner
from navoracle.keeper.watch import Watch
from navoracle.replay.clock import ReplayClock
from navoracle.store_port import SlotOutcome

Script = Callable[[Timestamp], Awaitable[None]]
"""What happens in the world up to a time, before the keeper looks."""

Ask = Callable[[str, str, str], None]
"""Asks for an EMERGENCY slot of a fund, with the cause and the reason."""


@dataclass(frozen=True, slots=True)
class WorkedSlot:
    """A slot that was worked off: its frames in order, and how it ended for each fund."""

    slot: ScheduledSlot
    frames: tuple[NavFrame, ...]
    outcomes: dict[str, SlotOutcome]


@dataclass(frozen=True, slots=True)
class RiskSchedule:
    """The looks at risk between slots, at every multiple of so many seconds, as the service takes them."""

    looks: RiskLooks
    seconds: int

    def after(self, now: Timestamp) -> Timestamp:
        """When the next look after `now` is due."""
        return Timestamp((now // self.seconds + 1) * self.seconds)


async def run_timeline(
    runner: SlotRunner,
    watch: Watch,
    clock: ReplayClock,
    *,
    until: Timestamp,
    sample_seconds: int,
    risk: RiskSchedule | None = None,
    ask_emergency: Ask | None = None,
    script: Script | None = None,
    blocks_between_slots: bool = False,
) -> AsyncIterator[WorkedSlot]:
    """Let time pass from the clock's present to `until`, and yield every slot as it was worked off.

    Of what is due at once the sample comes first, then the look at risk, then slots: an EMERGENCY slot before a regular
    one of the same time, whose place it takes, as in the service.

    Args:
        risk: the looks at risk; None where no fund is watched.
        ask_emergency: hears of slots that ask for another one; only the watch does when None.
        script: moves the world; called before each sample and look.
        blocks_between_slots: mine a block for every sample, for prices that are read on the embedded chain.

    Raises:
        StoreError: the database cannot be written.
        ChainError: a look at risk cannot read the chain.
    """
    now = next_sample = clock.now()
    next_look = None if risk is None else risk.after(Timestamp(now - 1))
    queue = SlotQueue()
    ask: Ask = ask_emergency or (lambda fund, _cause, reason: watch.ask(fund, reason, clock.now()))
    while now <= until:
        clock.advance(max(now, clock.now()))
        if script is not None:
            await script(now)
        is_look = next_look is not None and now >= next_look
        if blocks_between_slots or is_look:
            clock.mine()
        if now >= next_sample:
            watch.observe_sample(await runner.sample(now))
            next_sample = Timestamp(now + sample_seconds)
        if risk is not None and is_look:
            await risk.looks.look()
            next_look = risk.after(now)
        for slot, funds in watch.due(now):
            queue.add(slot, funds)
        for slot, funds in queue.take(lambda _fund: True):
            clock.mine()
            frames, outcomes = await runner.run(funds, slot.time, slot.cadence)
            for frame in frames:
                watch.observe_slot(frame)
            if risk is not None:
                risk.looks.of_slot(frames)
            for fund, outcome in outcomes.items():
                again = asked_again(slot.cadence, outcome)
                if again is not None:
                    ask(fund, "repeated", again)
            if outcomes:
                yield WorkedSlot(slot, frames, outcomes)
        now = next_sample if next_look is None else min(next_sample, next_look)
