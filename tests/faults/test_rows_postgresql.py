"""Rows 48, 57 and 58: keepers that share a PostgreSQL server, which restarts, or stands behind a pooler."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from navoracle.drill.chain_history import stored_records
from navoracle.store_port import SlotState
from tests.faults.keeper_process import KeeperProcess
from tests.faults.live_world import LiveWorld
from tests.postgres import PostgresServer, shared_server
from tests.requirements import needs_node

pytestmark = [needs_node, pytest.mark.slow]

FUNDS = 2
KEEPERS = 4


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a new database."""
    server = shared_server()
    with server.database() as name:
        yield server.url(name)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that may be crashed."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


def advisory_locks(url: str) -> int:
    """How many locks are held that outlive a transaction."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    assert row is not None
    return int(row[0])


async def test_row_48__four_keepers_race_for_a_slot__exactly_one_transaction(live: LiveWorld, database: str) -> None:
    keepers = [live.keeper(f"k{number}", database=database) for number in range(KEEPERS)]
    hour = await live.next_hour()
    for keeper in keepers:
        keeper.clock = live.clock
        keeper.start()
    rows = await keepers[0].until_slots_end(hour, FUNDS, 90)
    assert {(row.state, row.reason) for row in rows.values()} == {(SlotState.POSTED, None)}
    for keeper in keepers:
        await keeper.until_healthy(60)
    for keeper in keepers:
        assert await keeper.stop() == 0
    assert await live.world.nonce() == 1
    assert len(set(live.broadcast)) == 1
    assert len(await stored_records(live.world)) == FUNDS
    await live.must_hold()


@pytest.mark.parametrize("point", ["after_prepare", "after_save", "after_send"])
async def test_row_57__server_restarts_in_the_middle_of_a_post__connects_again_and_posts_once(
    live: LiveWorld, own_server: PostgresServer, point: str
) -> None:
    keeper = live.keeper(database=own_server.url(), service={"lease": 10})
    hour = await live.next_hour()
    keeper.clock = live.clock
    keeper.start(f"stop:{point}")
    await keeper.until_frozen()
    own_server.stop()
    keeper.thaw()
    await asyncio.sleep(2)
    assert keeper.is_running, keeper.tail()
    own_server.start()
    rows = await keeper.until_slots_end(hour, FUNDS, 60)
    assert {(row.state, row.reason) for row in rows.values()} == {(SlotState.POSTED, None)}
    assert await keeper.stop() == 0
    assert len(await stored_records(live.world)) == FUNDS
    await live.must_hold()


async def test_row_58__behind_a_pooler_of_transactions__needs_nothing_of_a_session(
    live: LiveWorld, database: str
) -> None:
    # A pooler may give every transaction another session: here each one gets a session that nobody had before.
    first, second = (live.keeper(name, database=database, mutation="session_per_transaction") for name in "ab")
    hour = await live.next_hour()
    held = 0
    for keeper in (first, second):
        keeper.clock = live.clock
        keeper.start()
    posted: dict[str, SlotState] = {}
    for _ in range(600):
        held = max(held, advisory_locks(database))
        posted = {row.fund: row.state for row in first.slots() if row.slot_time == hour}
        if len(posted) == FUNDS and SlotState.CLAIMED not in posted.values():
            break
        await asyncio.sleep(0.1)
    assert set(posted.values()) == {SlotState.POSTED}, first.tail() + second.tail()
    assert held == 0
    await stop_all(first, second)
    assert await live.world.nonce() == 1
    await live.must_hold()


async def stop_all(*keepers: KeeperProcess) -> None:
    for keeper in keepers:
        assert await keeper.stop() == 0
