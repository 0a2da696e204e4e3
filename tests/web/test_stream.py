"""The stream over a real socket: it arrives while it happens, goes on after a cut, and does not hold up a stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from navoracle.storage import SqlStore
from navoracle.store_port import Event, Severity
from navoracle.web_service import build_app, serving
from navoracle.web_service.api.stream import MOST_STREAMS
from navoracle.web_service.server import STOP_SECONDS
from tests.unit.read_model.worlds import World
from tests.unit.storage.builders import NOW, empty_sqlite_store
from tests.unit.web_service.fakes import TOKEN, Desk, Keeper, Text

pytestmark = pytest.mark.sockets
HOST = "127.0.0.1"
AUTHORIZED = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as store:
        yield World(store)


def tell(world: World, message: str) -> int:
    return world.store.append_event(Event(NOW, "slot_posted", "alpha", Severity.INFO, message))


async def message(answer: aiohttp.ClientResponse) -> str:
    """The next message that is more than a setting or a beat."""
    while True:
        found = (await asyncio.wait_for(answer.content.readuntil(b"\n\n"), 30)).decode()
        if "data:" in found:
            return found


async def test_stream__over_a_socket__arrives_goes_on_and_lets_the_service_stop(world: World) -> None:
    old = tell(world, "before")
    app = build_app(Keeper(), Desk(), Text(), (TOKEN,), model=world.model())
    async with aiohttp.ClientSession(headers=AUTHORIZED) as session:
        async with serving(app, HOST, 0) as port:
            url = f"http://{HOST}:{port}/api/v1/stream"
            async with session.get(url) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                await answer.content.readuntil(b"\n\n")
                first = tell(world, "one")
                assert (await message(answer)).startswith(f"id: {first}\nevent: slot\n")
            second = tell(world, "two")
            async with session.get(url, headers={"last-event-id": str(old)}) as answer:
                assert f"id: {first}\n" in await message(answer)
            kept = await session.get(url, headers={"last-event-id": str(first)})
            assert f"id: {second}\n" in await message(kept)
            began = time.monotonic()
        assert time.monotonic() - began < STOP_SECONDS, "a listener holds up the stop"
        kept.close()


async def test_stream__without_a_token_or_a_place__is_refused(world: World) -> None:
    app = build_app(Keeper(), Desk(), Text(), (TOKEN,), model=world.model(), on_loopback=False)
    async with serving(app, HOST, 0) as port, aiohttp.ClientSession() as session:
        url = f"http://{HOST}:{port}/api/v1/stream"
        async with session.get(url) as answer:
            assert answer.status == 401
        app.state.keeper.streams.open = MOST_STREAMS
        async with session.get(url, headers=AUTHORIZED) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (429, "too_many_streams")
