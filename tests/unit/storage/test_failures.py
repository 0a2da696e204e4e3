"""A write that fails is a StoreError with a remedy and leaves nothing behind; what runs at once happens once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore
from navoracle.store_port import Event, Severity, Store
from tests.unit.storage.builders import (
    KEEPER,
    NOW,
    claim,
    content_of,
    frame_of,
    fund_frame,
    record,
    valuation_of,
)


def test_store__protocol__is_what_the_keeper_needs(store: SqlStore) -> None:
    keeper_store: Store = store
    assert keeper_store.load_prior_prices() == ()


def test_record_frame__same_frame_twice__raises_and_keeps_the_first(store: SqlStore) -> None:
    record(store, frame_of("f1", fund_frame("alpha", valuation_of({"cash": 5}))))
    before = content_of(store)
    with pytest.raises(StoreError, match="already recorded"):
        record(store, frame_of("f1", fund_frame("beta", valuation_of({"cash": 6})), now=NOW + 60))
    assert content_of(store) == before


def test_record_frame__failing_at_its_last_row__leaves_nothing(store: SqlStore) -> None:
    before = content_of(store)
    twice = fund_frame("alpha", valuation_of({"cash": 5}))
    with pytest.raises(StoreError, match="already recorded"):
        record(store, frame_of("f1", twice, twice))
    assert content_of(store) == before


def test_record_frame__evidence_without_hash__raises_and_leaves_nothing(store: SqlStore) -> None:
    before = content_of(store)
    with pytest.raises(StoreError, match="hashes"):
        store.record_frame(frame_of("f1", fund_frame("alpha", valuation_of({"cash": 5}))), hashes={})
    assert content_of(store) == before


def test_append_event__data_that_is_no_json__raises_and_leaves_nothing(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="cannot be stored"):
        store.append_event(Event(NOW, "odd", None, Severity.INFO, "odd", data={"raw": b"\x00"}))
    assert store.events() == ()


def test_append_event__text_that_no_database_takes__is_kept_without_it(store: SqlStore) -> None:
    store.append_event(Event(NOW, "odd", None, Severity.INFO, "a\0b\ud800c", data={"said": "a\0b\ud800"}))
    (row,) = store.events()
    assert row.event.message == "a\ufffdb?c"
    assert row.event.data == {"said": "a\0b\ud800"}


def test_transaction__error_inside__keeps_nothing_of_the_group(store: SqlStore) -> None:
    def group() -> None:
        with store.transaction():
            claim(store)
            assert len(store.slots()) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        group()
    assert store.slots() == ()


def test_transaction__one_write_fails_and_is_caught__keeps_the_others_whole(store: SqlStore) -> None:
    twice = fund_frame("alpha", valuation_of({"cash": 5}))
    with store.transaction():
        record(store, frame_of("f1"))
        with pytest.raises(StoreError):
            record(store, frame_of("f2", twice, twice))
        record(store, frame_of("f3"))
    assert {frame.id for frame in store.frames()} == {"f1", "f3"}


def test_transaction__within_a_transaction__ends_with_the_outer_one(store: SqlStore) -> None:
    def group() -> None:
        with store.transaction():
            with store.transaction():
                claim(store)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        group()
    assert store.slots() == ()


def test_transaction__other_thread__does_not_join_it(store: SqlStore) -> None:
    with store.transaction():
        claim(store)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(store.slots).result() == ()
    assert len(store.slots()) == 1


def test_read__several_queries__see_one_state(url: str) -> None:
    with SqlStore.open(url) as store, SqlStore.open(url) as other:
        with store._database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM slots").scalar_one() == 0
            claim(other)
            assert connection.exec_driver_sql("SELECT count(*) FROM slots").scalar_one() == 0
        assert len(store.slots()) == 1


def opened_at_once(url: str, count: int, action: Callable[[SqlStore], bool]) -> list[bool]:
    """Open a store of its own in each of `count` threads at the same moment, and let each act."""
    start = threading.Barrier(count)

    def work(_: int) -> bool:
        start.wait()
        with SqlStore.open(url) as store:
            return action(store)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_open__new_database_by_several_at_once__migrates_once(unmade: str) -> None:
    assert opened_at_once(unmade, 6, lambda store: store.history() == ()) == [True] * 6


@pytest.mark.parametrize("attempt", range(3))
def test_claim_slot__by_several_at_once__one_has_it(url: str, attempt: int) -> None:
    def act(store: SqlStore) -> bool:
        slot = Timestamp(NOW + attempt)
        return store.claim_slot("alpha", slot, Cadence.HOURLY, owner="somebody", lease=60, at=NOW) is not None

    assert sorted(opened_at_once(url, 6, act)) == [False] * 5 + [True]


@pytest.mark.parametrize("attempt", range(3))
def test_claim_lane__by_several_at_once__one_has_it(url: str, attempt: int) -> None:
    names = iter("abcdef")

    def act(store: SqlStore) -> bool:
        return store.claim_lane("main", KEEPER, owner=next(names), lease=60) is not None

    assert sorted(opened_at_once(url, 6, act)) == [False] * 5 + [True]
