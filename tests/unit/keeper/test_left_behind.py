"""What is told of slots that ended while nobody could tell of them any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.domain.units import Timestamp
from navoracle.keeper.left_behind import untold
from navoracle.store_port import Event, Severity
from tests.unit.keeper.service_world import HOUR, START, ServiceWorld


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keeper.db"


async def test_start__slots_ended_and_one_was_told__tells_of_the_other(path: Path) -> None:
    first = ServiceWorld(path)
    await first.service.start()
    await first.at(HOUR)
    await first.service.finish()
    slot = Timestamp(START - 5 + HOUR)
    first.store.append_event(
        Event(first.clock.now(), "slot_posted", "cash", Severity.INFO, "posted", data={"slot_time": slot})
    )
    second = ServiceWorld(path, "b", beside=first)
    await second.service.start()
    await second.idle()
    assert second.heard.ended == [("levered", slot, "posted", None)]


async def test_untold__slot_still_worked_on__is_none(path: Path) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    here.lane.mines = False
    await here.begin(HOUR)
    await here.service.abandon()
    assert [state for _, state, _ in here.slots()] == ["claimed"]
    assert list(untold(here.store, Timestamp(START))) == []


async def test_untold__older_than_asked_for__is_none(path: Path) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    await here.at(HOUR)
    slot = Timestamp(START - 5 + HOUR)
    found = {(row.fund, outcome.post) for row, outcome in untold(here.store, slot)}
    assert found == {(row.fund, row.post) for row in here.store.slots()}
    assert len(found) == 2
    assert list(untold(here.store, Timestamp(slot + 1))) == []
