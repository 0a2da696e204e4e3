"""The stream: what is new is told once, under ids that a listener goes on from, and silence is broken by beats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from navoracle.domain.errors import StoreError
from navoracle.storage import SqlStore
from navoracle.store_port import Event, Severity
from navoracle.web_service.api.stream import MOST_AT_ONCE, Telling, name_of
from navoracle.web_service.keeper import Streams
from tests.unit.read_model.worlds import World, entry, write_index
from tests.unit.storage.builders import NOW, empty_sqlite_store


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as store:
        yield World(store, tmp_path / "state")


def tell(world: World, kind: str, message: str = "m") -> int:
    return world.store.append_event(Event(NOW, kind, "alpha", Severity.INFO, message))


class Listener:
    """Listens to a world, a hundred looks a second."""

    def __init__(self, world: World, last: int = 0, *, beat: float = 60.0) -> None:
        self.closing, self.streams = asyncio.Event(), Streams()
        telling = Telling(world.model(), self.closing, self.streams, look=0.01, beat=beat)
        self.told: AsyncIterator[bytes] = telling.told(last)

    async def next(self) -> str:
        return (await asyncio.wait_for(anext(self.told), 20)).decode()


async def test_stream__events_of_the_store__are_told_in_order_under_their_ids(world: World) -> None:
    first, second = tell(world, "slot_posted"), tell(world, "alert_raised", "two\nlines")
    listener = Listener(world)
    assert await listener.next() == "retry: 3000\n\n"
    told = await listener.next()
    one, two = told.removesuffix("\n\n").split("\n\n")
    assert one.startswith(f"id: {first}\nevent: slot\ndata: {{")
    assert two.startswith(f"id: {second}\nevent: alert\ndata: {{")
    assert two.count("\n") == 2, "data is one line"
    third = tell(world, "transaction_confirmed")
    assert (await listener.next()).startswith(f"id: {third}\nevent: post\n")


async def test_stream__after_an_id__begins_with_the_next_one(world: World) -> None:
    ids = [tell(world, "k", str(number)) for number in range(3)]
    listener = Listener(world, ids[1])
    await listener.next()
    assert (await listener.next()).startswith(f"id: {ids[2]}\n")


async def test_stream__more_than_fit_at_once__are_all_told(world: World) -> None:
    with world.store.transaction():
        ids = [tell(world, "k") for _ in range(MOST_AT_ONCE + 3)]
    listener = Listener(world)
    told = "".join([await listener.next() for _ in range(3)])
    assert [int(line[4:]) for line in told.splitlines() if line.startswith("id: ")] == ids


async def test_stream__new_state_files__are_told_with_their_frames(world: World) -> None:
    assert world.folder is not None
    write_index(world.folder, {"alpha": entry(frame="f1"), "beta": entry(frame="f1")})
    listener = Listener(world)
    await listener.next()
    waiting = asyncio.create_task(listener.next())
    await asyncio.sleep(0.1)
    write_index(world.folder, {"alpha": entry(frame="f2"), "beta": entry(frame="f1")})
    assert await waiting == 'event: frame\ndata: {"funds": {"alpha": "f2"}, "count": 1}\n\n'


async def test_stream__silence__is_broken_by_a_comment(world: World) -> None:
    listener = Listener(world, beat=0.03)
    await listener.next()
    assert await listener.next() == ": beat\n\n"


async def test_stream__store_that_fails_for_a_while__goes_on_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(world, beat=0.03)
    await listener.next()
    with monkeypatch.context() as broken:

        def fail(event: int, limit: int) -> None:
            raise StoreError("locked", advice="Wait.")

        broken.setattr(world.store, "events_after", fail)
        assert await listener.next() == ": beat\n\n"
    told = tell(world, "slot_posted")
    found = ""
    while not found.startswith("id"):
        found = await listener.next()
    assert found.startswith(f"id: {told}\n")


async def test_stream__service_that_stops__ends_it_and_frees_its_place(world: World) -> None:
    listener = Listener(world)
    await listener.next()
    assert listener.streams.open == 1
    listener.closing.set()
    with pytest.raises(StopAsyncIteration):
        await listener.next()
    assert listener.streams.open == 0


@pytest.mark.parametrize(
    ("kind", "name"),
    [("slot_posted", "slot"), ("alert_raised", "alert"), ("transaction_sent", "post"), ("started", "event")],
)
def test_name__of_a_kind__is_what_listeners_call_it(kind: str, name: str) -> None:
    assert name_of(kind) == name
