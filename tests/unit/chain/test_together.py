"""Requests at once: answers in order, the first failure alone, and nothing left behind in the task that waited."""

from __future__ import annotations

import asyncio

import pytest

from navoracle.chain.together import together
from navoracle.domain.errors import ChainError


class Work:
    """Pieces of work, of which is known how they ended."""

    def __init__(self) -> None:
        self.ended: dict[str, str] = {}

    async def __call__(self, name: str, *, after: int = 0, failing: Exception | None = None) -> str:
        try:
            for _ in range(after):
                await asyncio.sleep(0)
            if failing is not None:
                raise failing
        except asyncio.CancelledError:
            self.ended[name] = "cancelled"
            raise
        except ChainError:
            self.ended[name] = "failed"
            raise
        self.ended[name] = "done"
        return name


def refused(name: str) -> ChainError:
    return ChainError(name, advice="Ask for less.")


async def test_together__all_succeed__gives_results_in_order_whoever_is_first() -> None:
    work = Work()
    assert await together(work(name, after=after) for name, after in (("a", 5), ("b", 0), ("c", 2))) == ["a", "b", "c"]
    assert await together([]) == []


async def test_together__one_fails__is_raised_and_the_others_have_ended_by_then() -> None:
    work = Work()
    with pytest.raises(ChainError, match="b is refused"):
        await together([work("a", after=1_000), work("b", after=3, failing=refused("b is refused")), work("c")])
    assert work.ended == {"a": "cancelled", "b": "failed", "c": "done"}


async def test_together__several_fail_at_once__raises_the_first_in_order() -> None:
    work = Work()
    with pytest.raises(ChainError, match="first"):
        await together([work("a", failing=refused("first")), work("b", failing=refused("second"))])


@pytest.mark.parametrize("after", [0, 3])
async def test_together__one_fails__leaves_no_cancellation_behind_in_the_task_that_waited(after: int) -> None:
    work, waiting = Work(), asyncio.current_task()
    assert waiting is not None
    for _ in range(3):
        with pytest.raises(ChainError):
            await together([work("a", after=after, failing=refused("no")), work("b", after=9)])
        assert waiting.cancelling() == 0
    with pytest.raises(TimeoutError):  # a CancelledError where something was left behind, by Python 3.11.2
        async with asyncio.timeout(0.001):
            await asyncio.Event().wait()


async def test_together__waiting_is_cancelled__cancels_every_piece_and_is_cancelled_itself() -> None:
    work = Work()
    waiting = asyncio.create_task(together([work("a", after=1_000), work("b", after=1_000)]))
    await asyncio.sleep(0.001)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.ended == {"a": "cancelled", "b": "cancelled"}


async def test_together__defect__is_raised_as_it_is() -> None:
    work = Work()
    with pytest.raises(ZeroDivisionError):
        await together([work("a", failing=ZeroDivisionError()), work("b", after=9)])
