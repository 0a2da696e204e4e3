"""What the page of a fund is made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from navoracle.dashboard.pages.fund import load
from navoracle.storage import SqlStore
from tests.unit.read_model.worlds import Running, World, entry, facts, write_index
from tests.unit.storage.builders import NOW, claim, empty_sqlite_store, frame_of, fund_frame, record, valuation_of


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as store:
        write_index(tmp_path / "state", {"alpha": entry()})
        yield World(store, tmp_path / "state", {"alpha": facts("alpha", "main", "USDC")}, Running())


def test_load__newest_slot_is_under_way__shows_the_newest_frame_that_there_is(world: World) -> None:
    assert load(world.model(), "alpha").newest is None
    record(world.store, frame_of("f1", fund_frame("alpha", valuation_of({"x": 5}))))
    claim(world.store, at=NOW + 60)

    page = load(world.model(), "alpha")

    assert page.detail is not None
    assert page.detail.latest is not None
    assert page.detail.latest.frame is None  # it has none yet
    assert page.newest is not None
    assert page.newest.found.frame == "f1"
