"""A page is loaded once for all who look at it, and what cannot be read is told."""

from __future__ import annotations

import asyncio

from navoracle.dashboard.feed import Feed, Trouble
from navoracle.domain.errors import StoreError


async def test_load__many_ask_for_the_same__reads_once() -> None:
    feed, calls = Feed(lambda: 1), []

    def load() -> int:
        calls.append(1)
        return len(calls)

    found = await asyncio.gather(*(feed.load("a page", load) for _ in range(20)), feed.load("another", load))

    assert found[:20] == [found[0]] * 20
    assert len(calls) == 2


async def test_load__store_or_file_fails__is_told_with_advice() -> None:
    feed = Feed(lambda: 1)

    def broken() -> int:
        raise StoreError("the database is locked", advice="Wait.")

    def gone() -> int:
        raise FileNotFoundError("index.json")

    assert await feed.load("a", broken) == Trouble("the database is locked", "Wait.")
    told = await feed.load("b", gone)
    assert isinstance(told, Trouble)
    assert "index.json" in told.message


async def test_feed__something_changed__loads_anew_and_tells_each_view() -> None:
    version = [1]
    feed, told, calls = Feed(lambda: version[0], seconds=0.01), [], []

    def load() -> int:
        calls.append(version[0])
        return version[0]

    class View:
        name = "page"

        async def refresh(self) -> None:
            told.append(await feed.load("page", load))

    view = View()
    feed.add(view)  # type: ignore[arg-type]
    feed.start()
    while told != [1]:
        await asyncio.sleep(0.01)
    version[0] = 2
    while told != [1, 2]:
        await asyncio.sleep(0.01)
    feed.remove(view)  # type: ignore[arg-type]
    version[0] = 3
    await asyncio.sleep(0.1)
    await feed.stop()

    assert told == calls == [1, 2]


async def test_feed__one_page_is_broken__the_others_are_told() -> None:
    feed, told = Feed(lambda: len(told), seconds=0.01), []

    class Broken:
        name = "broken"

        async def refresh(self) -> None:
            raise KeyError("a defect")

    class Good:
        name = "good"

        async def refresh(self) -> None:
            told.append(1)

    feed.add(Broken())  # type: ignore[arg-type]
    feed.add(Good())  # type: ignore[arg-type]
    feed.start()
    while not told:
        await asyncio.sleep(0.01)
    await feed.stop()
