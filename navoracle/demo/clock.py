"""The demo's time: the story's, and after it the machine's where the chain goes on in real time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from navoracle.domain.units import Timestamp
from navoracle.replay.clock import MinedChain, ReplayClock


class DemoClock(ReplayClock):
    """Implements `ports.Clock` and `keeper.schedule.ScheduledClock`: moved by the story until it goes live.

    Args:
        start: when the story begins.
        chain: what gets its blocks.
        machine: the machine's time, Unix seconds.
    """

    def __init__(self, start: Timestamp, chain: MinedChain, machine: Callable[[], float] = time.time) -> None:
        super().__init__(start, chain)
        self._machine = machine
        self._live = False

    def go_live(self) -> None:
        """It is the machine's present from now on; it never goes back behind the story's end."""
        self._live = True

    def now(self) -> Timestamp:
        """Unix seconds, UTC."""
        if self._live:
            self.advance(Timestamp(max(int(self._machine()), super().now())))
        return super().now()

    async def sleep(self, seconds: float) -> None:
        """Wait; in the story, move it on."""
        if self._live:
            await asyncio.sleep(seconds)
        else:
            await super().sleep(seconds)

    def mine(self) -> None:
        """Give the chain a block at the present, unless its newest is that late already."""
        self.now()
        super().mine()

    def machine_time_of(self, at: float) -> float:
        """The machine's time at which it is `at`: the same, since nothing is scheduled before it is live."""
        return at

    def time_of(self, machine: float) -> float:
        """What time it is at a time of the machine: the same."""
        return machine
