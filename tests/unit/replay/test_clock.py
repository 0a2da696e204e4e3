"""The replay's clock: it moves forward only, and its chain follows it."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import DomainError
from navoracle.domain.units import Timestamp
from navoracle.replay.clock import ReplayClock


class Blocks:
    """A chain that remembers its blocks' times."""

    def __init__(self, now: int) -> None:
        self.times = [Timestamp(now)]

    @property
    def now(self) -> Timestamp:
        return self.times[-1]

    def mine(self, at: Timestamp) -> None:
        self.times.append(at)


def test_advance__backwards__is_refused() -> None:
    clock = ReplayClock(Timestamp(100))
    clock.advance(Timestamp(100))
    with pytest.raises(DomainError, match="stands at 100"):
        clock.advance(Timestamp(99))
    assert clock.now() == 100


def test_mine__present_later_than_the_newest_block__mines_one_block_there() -> None:
    chain = Blocks(90)
    clock = ReplayClock(Timestamp(100), chain)
    clock.mine()
    clock.mine()
    assert chain.times == [90, 100]


def test_mine__chain_already_ahead__mines_nothing() -> None:
    chain = Blocks(101)
    ReplayClock(Timestamp(100), chain).mine()
    assert chain.times == [101]


async def test_sleep__any_wait__moves_on_at_least_a_second_with_a_block() -> None:
    chain = Blocks(100)
    clock = ReplayClock(Timestamp(100), chain)
    await clock.sleep(0.2)
    await clock.sleep(12)
    assert clock.now() == 113
    assert chain.times == [100, 101, 113]
