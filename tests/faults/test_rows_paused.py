"""Rows 49, 50, 52 and 54 to 56: keepers that were frozen, two keys, disks that are full, databases that are gone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from navoracle.domain.cadence import HOUR
from navoracle.domain.units import Timestamp
from navoracle.drill.chain_history import stored_records
from navoracle.drill.commands import POSTER, SECOND_POSTER
from navoracle.store_port import SlotState
from navoracle.telemetry.components import COMPONENTS
from navoracle.telemetry.event_folder import day_of
from tests.faults.keeper_process import KeeperProcess
from tests.faults.live_world import LiveWorld
from tests.requirements import needs_node

pytestmark = [needs_node, pytest.mark.slow]

FUNDS = 2
LEASE = 2


async def posts_the_next_slot(live: LiveWorld, keeper: KeeperProcess) -> None:
    """Started again, it posts the next full hour's slot, and stops in order."""
    hour = await live.next_hour()
    keeper.clock = live.clock
    keeper.start()
    rows = await keeper.until_slots_end(hour, FUNDS)
    assert {(row.state, row.reason) for row in rows.values()} == {(SlotState.POSTED, None)}
    assert await keeper.stop() == 0


@pytest.mark.parametrize("point", ["after_prepare", "after_sign", "after_save", "after_send", "after_read_back"])
async def test_row_49__frozen_beyond_its_lease__writes_and_sends_nothing_when_it_wakes(
    live: LiveWorld, point: str
) -> None:
    zombie = live.keeper("a")
    other = live.keeper("b", database=zombie.database)
    hour = await live.next_hour()
    zombie.clock = other.clock = live.clock
    zombie.start(f"stop:{point}")
    await zombie.until_frozen()
    other.start()
    rows = await other.until_slots_end(hour, FUNDS)
    sent = set(live.broadcast)
    zombie.thaw()
    await asyncio.sleep(3 * LEASE)
    assert zombie.is_running, zombie.tail()
    assert {(row.state, row.reason) for row in rows.values()} == {(SlotState.POSTED, None)}
    # The bytes that both know may go out again; anything else would be a post of a keeper that has lost its claim.
    assert set(live.broadcast) == sent, "the keeper that woke up sent something of its own"
    assert len(await stored_records(live.world)) == FUNDS
    assert await other.stop() == 0
    assert await zombie.stop() == 0
    await live.must_hold()


async def test_row_50__two_keepers_with_keys_of_their_own__one_post_a_slot(live: LiveWorld) -> None:
    first = live.keeper("a", account=POSTER)
    second = live.keeper("b", account=SECOND_POSTER)
    hour = await live.next_hour()
    for keeper in (first, second):
        keeper.clock = live.clock
        keeper.start()
    for keeper in (first, second):
        rows = await keeper.until_slots_end(hour, FUNDS)
        for row in rows.values():
            assert row.state is SlotState.POSTED or row.reason, row
    records = await stored_records(live.world)
    assert sorted(record.number for record in records) == [1, 2]
    assert await first.stop() == 0
    assert await second.stop() == 0
    await live.must_hold()


async def test_row_52__frozen_at_the_tick__runs_late_under_the_slots_own_time(live: LiveWorld) -> None:
    keeper = live.keeper()
    lead = 8
    while True:
        hour = (live.now // HOUR + 1) * HOUR
        await live.jump(hour - lead)
        keeper.clock = live.clock
        keeper.start()
        await keeper.until_healthy()
        if live.now < hour - 1:
            break
        await keeper.stop()
        lead *= 2
    keeper.freeze()
    await asyncio.sleep(hour - live.now + 5)
    keeper.thaw()
    rows = await keeper.until_slots_end(hour, FUNDS)
    assert {(row.slot_time, row.state) for row in rows.values()} == {(hour, SlotState.POSTED)}
    assert all(row.claimed_at >= hour + 4 for row in rows.values())
    assert await keeper.stop() == 0
    await live.must_hold()


@pytest.mark.parametrize("kilobytes", [260, 330, 420])
async def test_row_54__disk_of_the_database_is_full__sends_nothing_that_was_not_stored(
    live: LiveWorld, kilobytes: int
) -> None:
    keeper = live.keeper(mutation=f"largest_file:{kilobytes}")
    await live.next_hour()
    keeper.clock = live.clock
    keeper.start()
    await asyncio.sleep(12)
    status, said = await keeper.health()
    assert not keeper.is_running or status == 0 or said["status"] != "ok" or keeper.tail(), "it says nothing"
    keeper.kill()
    assert "disk" in keeper.tail(200).lower() or "full" in keeper.tail(200).lower(), keeper.tail()
    keeper.mutation = None
    await posts_the_next_slot(live, keeper)
    await live.must_hold()


async def test_row_55__disk_of_the_event_files_is_full__tears_no_line_and_catches_up(live: LiveWorld) -> None:
    kilobytes = 8_192
    keeper = live.keeper(mutation=f"largest_file:{kilobytes}")
    hour = await live.next_hour()
    events = keeper.config.parent / "events"
    fill(events, live.now, kilobytes * 1_024 - 100)
    keeper.clock = live.clock
    keeper.start()
    rows = await keeper.until_slots_end(hour, FUNDS)
    assert {row.state for row in rows.values()} == {SlotState.POSTED}, "the database is the truth, and it has room"
    await keeper.until(lambda: "event_files" in keeper.tail(200), 20, "it says that the event files are not written")
    assert await keeper.stop() == 0
    for path in events.glob("*.jsonl"):
        text = path.read_text(encoding="utf-8")
        assert text.endswith("\n") or not text, f"{path.name} is torn"
        assert all(json.loads(line) for line in text.splitlines())
    for path in events.iterdir():
        path.unlink()
    keeper.mutation = None
    await posts_the_next_slot(live, keeper)
    await live.must_hold()


def fill(folder: Path, now: int, size: int) -> None:
    """Bring every component's event file of the day up to a size, by lines that are whole."""
    folder.mkdir(exist_ok=True)
    for component in COMPONENTS:
        path = folder / f"{component}-{day_of(Timestamp(now)).isoformat()}.jsonl"
        number = 10**12
        with path.open("w", encoding="utf-8") as file:
            written = 0
            while written < size:
                line = json.dumps({"id": number, "kind": "filler", "text": "x" * min(60_000, size)}) + "\n"
                line = line if written + len(line) <= size else json.dumps({"id": number}) + "\n"
                if written + len(line) > size:
                    break
                file.write(line)
                written += len(line)
                number += 1


async def test_row_56__database_is_damaged__refuses_and_says_how_to_rebuild(live: LiveWorld) -> None:
    keeper = live.keeper()
    await posts_the_next_slot(live, keeper)
    path = Path(keeper.database.removeprefix("sqlite:///"))
    whole = path.read_bytes()
    for other in path.parent.glob(f"{path.name}-*"):
        other.unlink()
    path.write_bytes(b"\0" * 100 + whole[100:])
    keeper.start()
    await keeper.until_dead()
    assert keeper.code not in (0, None)
    assert "restore" in keeper.tail().lower() or "rebuild" in keeper.tail().lower(), keeper.tail()
    assert "Traceback" not in keeper.tail(), keeper.tail().partition("Traceback")[2][:3_000]
    path.write_bytes(whole)
    await posts_the_next_slot(live, keeper)
    await live.must_hold()


async def test_row_56__database_is_gone__begins_anew_and_posts_no_slot_twice(live: LiveWorld) -> None:
    keeper = live.keeper()
    await posts_the_next_slot(live, keeper)
    before = set(live.broadcast)
    path = Path(keeper.database.removeprefix("sqlite:///"))
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    live.prime(keeper.database)
    await posts_the_next_slot(live, keeper)
    records = await stored_records(live.world)
    assert len(records) == 2 * FUNDS
    assert len({(record.number, record.valuation_time) for record in records}) == 2 * FUNDS
    for events in (keeper.config.parent / "events").glob("*.jsonl"):
        events.unlink()
    await live.must_hold(foreign=before)
