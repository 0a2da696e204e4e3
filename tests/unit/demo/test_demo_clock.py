"""The demo's clock: moved by the story, then the machine's, and never back."""

from __future__ import annotations

from navoracle.demo.clock import DemoClock
from navoracle.demo.run import START, start_of
from navoracle.demo.story import HOUR
from navoracle.domain.units import Timestamp


class Chain:
    """Blocks that are asked for."""

    def __init__(self) -> None:
        self.now = Timestamp(0)

    def mine(self, at: Timestamp) -> None:
        self.now = at


async def test_clock__in_the_story__moves_when_it_is_told_and_by_waiting() -> None:
    chain = Chain()
    clock = DemoClock(Timestamp(1_000), chain, lambda: 9_000.0)
    clock.advance(Timestamp(1_100))
    await clock.sleep(20)
    assert clock.now() == chain.now == 1_120


async def test_clock__live__is_the_machines_and_dates_the_chains_blocks() -> None:
    chain, machine = Chain(), [9_000.5]
    clock = DemoClock(Timestamp(1_000), chain, lambda: machine[0])
    clock.go_live()
    assert clock.now() == 9_000
    machine[0] = 9_004.9
    clock.mine()
    assert chain.now == 9_004
    await clock.sleep(0)
    assert clock.now() == 9_004


def test_clock__live_while_the_story_was_ahead__does_not_go_back() -> None:
    clock = DemoClock(Timestamp(1_000), Chain(), lambda: 990.0)
    clock.go_live()
    assert clock.now() == 1_000


def test_start__of_a_story_that_ends_at_the_present__is_so_many_hours_before_this_hour() -> None:
    assert start_of(24, until_present=False) == START
    assert start_of(3, until_present=True, now=lambda: 10 * HOUR + 1_234.5) == 7 * HOUR
