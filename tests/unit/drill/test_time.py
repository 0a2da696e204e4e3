"""Simulated time: it goes on only while everything waits, wakes in order, and is never run ahead of."""

from __future__ import annotations

import asyncio

import pytest

from navoracle.domain.errors import ChainError
from navoracle.drill.time import SimulatedClock

START = 1_000


class Traffic:
    """Requests to nodes: how many were made, and whether one is on its way."""

    def __init__(self) -> None:
        self.asked = 0
        self.busy = False
        self.seen: list[int] = []

    def __call__(self) -> tuple[int, bool]:
        return self.asked, self.busy

    async def on_time(self, now: int) -> None:
        self.seen.append(now)


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture
def clock(traffic: Traffic) -> SimulatedClock:
    return SimulatedClock(START, traffic.on_time, traffic)


async def test_drive__two_wait__are_woken_in_order_of_time(clock: SimulatedClock) -> None:
    woken: list[tuple[str, int]] = []

    async def wait(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now()))

    async def both() -> None:
        await asyncio.gather(wait("late", 50), wait("early", 7))

    await clock.drive(both())
    assert woken == [("early", START + 7), ("late", START + 50)]


async def test_drive__a_request_is_on_its_way__time_stands_still(clock: SimulatedClock, traffic: Traffic) -> None:
    async def slow() -> int:
        traffic.busy = True
        asyncio.get_running_loop().call_later(0.05, lambda: setattr(traffic, "busy", False))
        sleeper = asyncio.create_task(clock.sleep(1_000))
        await asyncio.sleep(0.04)
        before = clock.now()
        await sleeper
        return int(before)

    assert await clock.drive(slow()) == START
    assert clock.now() == START + 1_000


async def test_drive__it_never_ends__is_given_up_with_advice(clock: SimulatedClock) -> None:
    async def forever() -> None:
        while True:
            await clock.sleep(10)

    with pytest.raises(ChainError) as caught:
        await clock.drive(forever(), within=100)
    assert caught.value.advice
    assert clock.now() == START + 100


async def test_go__nobody_waits__time_goes_on_and_blocks_are_asked_for(clock: SimulatedClock, traffic: Traffic) -> None:
    await clock.go(30)
    assert clock.now() == START + 30
    assert traffic.seen[-1] == START + 30


async def test_leap__somebody_was_due_meanwhile__is_woken_once_and_late(clock: SimulatedClock) -> None:
    woken: list[int] = []

    async def every_minute() -> None:
        while True:
            await clock.sleep(60)
            woken.append(clock.now())

    task = asyncio.create_task(every_minute())
    await clock.go(60)
    await clock.leap(START + 3_600)
    task.cancel()
    assert woken == [START + 60, START + 3_600]


async def test_skew__the_clock_is_wrong__waiting_and_passing_are_not(clock: SimulatedClock) -> None:
    clock.skew = -3_600
    await clock.drive(clock.sleep(10))
    assert (clock.now(), clock.true_time, clock.monotonic()) == (START + 10 - 3_600, START + 10, START + 10.0)
