"""The machine's clock, and one that runs faster, for rehearsals of days in minutes."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol, runtime_checkable

from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import Timestamp


@runtime_checkable
class SteadyClock(Protocol):
    """A clock that also measures how much time has passed, whatever it is set to."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so many of these seconds."""


VARIABLE: Final = "NAVORACLE_CLOCK"
_SCALED: Final = re.compile(r"scale:([1-9][0-9]{0,5}):([0-9]{1,11})(?:@([0-9]{1,11}(?:\.[0-9]{1,9})?))?")


class SystemClock:
    """The present, by the machine; implements `ports.Clock` and `keeper.schedule.ScheduledClock`."""

    def now(self) -> Timestamp:
        """Unix seconds, UTC."""
        return Timestamp(int(time.time()))

    def monotonic(self) -> float:
        """Seconds of the machine that only grow."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def machine_time_of(self, at: float) -> float:
        """The machine's time at which it is `at`: the same."""
        return at

    def time_of(self, machine: float) -> float:
        """What time it is at a time of the machine: the same."""
        return machine


class ScaledClock:
    """A time that runs `scale` times as fast as the machine's; a wait is shorter by as much.

    Args:
        scale: simulated seconds for each second of the machine.
        epoch: the simulated time (Unix seconds) at the machine's time `real`.
        machine: the machine's time in seconds.
    """

    def __init__(
        self, scale: int, epoch: int, real: float | None = None, machine: Callable[[], float] = time.time
    ) -> None:
        self._scale = scale
        self._epoch = epoch
        self._machine = machine
        self._real = machine() if real is None else real

    def now(self) -> Timestamp:
        """Simulated Unix seconds."""
        return Timestamp(int(self.time_of(self._machine())))

    def monotonic(self) -> float:
        """Simulated seconds that only grow."""
        return time.monotonic() * self._scale

    async def sleep(self, seconds: float) -> None:
        """Wait for so many simulated seconds."""
        await asyncio.sleep(seconds / self._scale)

    def machine_time_of(self, at: float) -> float:
        """The machine's time at which it is `at`."""
        return self._real + (at - self._epoch) / self._scale

    def time_of(self, machine: float) -> float:
        """What time it is at a time of the machine."""
        return self._epoch + (machine - self._real) * self._scale


def clock_from_environment(environment: Mapping[str, str] = os.environ) -> SystemClock | ScaledClock:
    """The machine's clock, or what `NAVORACLE_CLOCK` says: only rehearsals and tests set it.

    `scale:60:1800000000` is sixty times as fast, and it is 1800000000 now; `scale:60:1800000000@1750000000.5` was so at
    that time of the machine, so that a process that is started again goes on where it was.

    Raises:
        ConfigurationError: it says something else.
    """
    said = environment.get(VARIABLE)
    if said is None:
        return SystemClock()
    found = _SCALED.fullmatch(said)
    if found is None:
        raise ConfigurationError(
            f"{VARIABLE} is {said!r}", advice="Write scale:FACTOR:TIME or scale:FACTOR:TIME@MACHINE_TIME, or unset it."
        )
    scale, epoch, real = found.groups()
    return ScaledClock(int(scale), int(epoch), None if real is None else float(real))
