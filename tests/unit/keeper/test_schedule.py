"""The scheduler: on the grid of the keeper's clock, one instance of a job, and nothing late without a word."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.clock import ScaledClock, SystemClock
from navoracle.keeper.schedule import GridTrigger, Scheduler

EPOCH = 1_800_000_000


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


@given(st.integers(1, 4_000), st.floats(0, 10**6))
def test_grid__machines_clock__fires_at_the_next_multiple(step: int, after: float) -> None:
    trigger = GridTrigger(SystemClock(), step)
    now = EPOCH + after
    first = trigger.get_next_fire_time(None, moment(now)).timestamp()
    assert now < first <= now + step
    assert first % step == 0
    assert trigger.get_next_fire_time(moment(first), moment(now)).timestamp() == first + step


@given(st.integers(1, 3_600), st.integers(1, 900), st.integers(0, 10**6))
def test_grid__faster_clock__fires_at_multiples_of_that_clock(scale: int, step: int, late: int) -> None:
    clock = ScaledClock(scale, EPOCH + 7, real=1_750_000_000.0, machine=lambda: 1_750_000_000.0)
    trigger = GridTrigger(clock, step)
    previous = None
    for _ in range(3):
        fired = trigger.get_next_fire_time(previous, moment(1_750_000_000.0))
        at = clock.time_of(fired.timestamp())
        assert abs(at - round(at / step) * step) <= scale * 2e-6  # a datetime knows microseconds
        if previous is not None:
            # However late the last run was, the next one keeps its own time: none is skipped over.
            assert round(at - clock.time_of(previous.timestamp())) == step
            assert trigger.get_next_fire_time(previous, moment(1_750_000_000.0 + late)) == fired
        previous = fired


async def test_scheduler__job_that_still_runs__is_not_started_twice_and_that_is_told() -> None:
    told: list[tuple[str, str]] = []
    running = asyncio.Event()
    clock = ScaledClock(20, EPOCH)
    scheduler = Scheduler(clock, misfire_grace=60, on_event=lambda name, result: told.append((name, result)))

    async def slow() -> None:
        await running.wait()

    scheduler.every(1, "slow", slow)
    scheduler.start()
    async with asyncio.timeout(5):
        while ("slow", "skipped") not in told:
            await asyncio.sleep(0.01)
    running.set()
    async with asyncio.timeout(5):
        while ("slow", "executed") not in told:
            await asyncio.sleep(0.01)
    scheduler.stop()


async def test_scheduler__function_that_returns_a_coroutine__is_awaited_in_the_loop() -> None:
    ran: list[object] = []

    async def job(name: str) -> None:
        ran.append((name, asyncio.get_running_loop()))

    scheduler = Scheduler(ScaledClock(50, EPOCH), misfire_grace=60, on_event=lambda *_: None)
    scheduler.every(1, "job", lambda: job("a"))
    scheduler.start()
    async with asyncio.timeout(5):
        while not ran:
            await asyncio.sleep(0.01)
    scheduler.stop()
    assert ran[0] == ("a", asyncio.get_running_loop())


async def test_scheduler__job_fails__is_told_and_the_next_run_comes() -> None:
    told: list[str] = []
    runs: list[int] = []

    async def broken() -> None:
        runs.append(1)
        raise ValueError("broken")

    scheduler = Scheduler(ScaledClock(50, EPOCH), misfire_grace=60, on_event=lambda _, result: told.append(result))
    scheduler.every(1, "job", broken)
    scheduler.start()
    async with asyncio.timeout(5):
        while len(runs) < 3:
            await asyncio.sleep(0.01)
    scheduler.stop()
    assert told[:2] == ["failed", "failed"]


async def test_scheduler__loop_stood_still_too_long__misses_the_run_aloud() -> None:
    told: list[str] = []

    async def job() -> None:
        return

    scheduler = Scheduler(SystemClock(), misfire_grace=1, on_event=lambda _, result: told.append(result))
    scheduler.every(2, "job", job)
    scheduler.start()
    await asyncio.sleep(0)
    now = time.time()
    time.sleep((now // 2 + 1) * 2 + 1.5 - now)
    async with asyncio.timeout(5):
        while not told:
            await asyncio.sleep(0.02)
    scheduler.stop()
    assert told[0] == "missed"


async def test_scheduler__stopped_in_the_middle_of_a_job__cuts_it_off_and_calls_it_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []
    begun, ended = asyncio.Event(), asyncio.Event()

    async def job() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    scheduler = Scheduler(ScaledClock(50, EPOCH), misfire_grace=60, on_event=lambda _, result: told.append(result))
    scheduler.every(1, "job", job)
    scheduler.start()
    async with asyncio.timeout(5):
        await begun.wait()
    told.clear()
    scheduler.stop()
    async with asyncio.timeout(5):
        await ended.wait()
    await asyncio.sleep(0.01)
    assert (told, [record.message for record in caplog.records if record.levelno >= logging.WARNING]) == ([], [])
