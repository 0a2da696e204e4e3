"""A write that fails, for whatever reason, is a StoreError with a remedy and leaves nothing behind."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore
from navoracle.storage.failures import store_errors
from navoracle.store_port import Event, Severity, Store
from tests.unit.storage.builders import (
    NOW,
    batch_of,
    database_of,
    frame_of,
    fund_frame,
    post_of,
    prepare,
    record,
    url_of,
    valuation_of,
)

LARGE = frame_of("large", *(fund_frame(f"fund {number}", valuation_of({"cash": 5})) for number in range(200)))


@contextmanager
def full_disk(store: SqlStore) -> Iterator[None]:
    """Let the database grow by no page."""
    engine = database_of(store)._engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    engine.dispose()
    event.listen(engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(engine, "connect", limit)
        engine.dispose()


def dump(path: Path) -> list[str]:
    """All content, read by another connection."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_store__protocol__is_what_the_keeper_needs(store: SqlStore) -> None:
    keeper_store: Store = store
    assert keeper_store.load_prior_prices() == ()


def test_record_frame__disk_full__raises_and_leaves_nothing(store: SqlStore, path: Path) -> None:
    before = dump(path)
    with full_disk(store), pytest.raises(StoreError, match="disk is full") as failed:
        record(store, LARGE)
    assert "Free space" in failed.value.advice
    assert dump(path) == before
    record(store, LARGE)
    assert len(store.fund_frames(frame="large")) == 200


def test_transaction__disk_full__names_the_disk_and_leaves_nothing(store: SqlStore, path: Path) -> None:
    before = dump(path)

    def group() -> None:
        with store.transaction():
            record(store, frame_of("f0", fund_frame("alpha", valuation_of({"cash": 5}))))
            record(store, LARGE)

    with full_disk(store), pytest.raises(StoreError, match="disk is full"):
        group()
    assert dump(path) == before


def test_transaction__disk_full_and_error_swallowed__neither_goes_on_nor_ends_well(store: SqlStore, path: Path) -> None:
    before = dump(path)
    later: list[StoreError] = []

    def group() -> None:
        with store.transaction():
            with suppress(StoreError):
                record(store, LARGE)
            for use in (lambda: record(store, frame_of("f0")), store.frames):
                with pytest.raises(StoreError, match="undone by an earlier failure") as refused:
                    use()
                later.append(refused.value)

    with full_disk(store), pytest.raises(StoreError, match="undone by an earlier failure"):
        group()
    assert len(later) == 2
    assert dump(path) == before
    record(store, frame_of("f0"))
    assert len(store.frames()) == 1


def test_record_frame__same_frame_twice__raises_and_keeps_the_first(store: SqlStore, path: Path) -> None:
    record(store, frame_of("f1", fund_frame("alpha", valuation_of({"cash": 5}))))
    before = dump(path)
    with pytest.raises(StoreError, match="already recorded"):
        record(store, frame_of("f1", fund_frame("beta", valuation_of({"cash": 6})), now=NOW + 60))
    assert dump(path) == before


def test_record_frame__failing_at_its_last_row__leaves_nothing(store: SqlStore, path: Path) -> None:
    before = dump(path)
    twice = fund_frame("alpha", valuation_of({"cash": 5}))
    with pytest.raises(StoreError, match="already recorded"):
        record(store, frame_of("f1", twice, twice))
    assert dump(path) == before


def test_record_frame__evidence_without_hash__raises_and_leaves_nothing(store: SqlStore, path: Path) -> None:
    before = dump(path)
    with pytest.raises(StoreError, match="hashes"):
        store.record_frame(frame_of("f1", fund_frame("alpha", valuation_of({"cash": 5}))), hashes={})
    assert dump(path) == before


def test_prepare_post__disk_full__raises_and_leaves_nothing(store: SqlStore, path: Path) -> None:
    record(store, frame_of("f1"))
    before = dump(path)
    with full_disk(store), pytest.raises(StoreError, match="disk is full"):
        prepare(store, "f1", batch_of(*(post_of(f"fund {number}", number) for number in range(300))))
    assert dump(path) == before


def test_append_event__data_that_is_no_json__raises_and_leaves_nothing(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="cannot be stored"):
        store.append_event(Event(NOW, "odd", None, Severity.INFO, "odd", data={"raw": b"\x00"}))
    assert store.events() == ()


def test_write__locked_by_another_process__raises(path: Path) -> None:
    with SqlStore.open(url_of(path) + "?timeout=0.05") as store, closing(sqlite3.connect(path)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another process") as failed:
            store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
        assert "one keeper" in failed.value.advice
        assert store.slots() == ()  # readers go on
        other.execute("ROLLBACK")
        assert store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)


def test_read__file_damaged__raises(path: Path) -> None:
    with SqlStore.open(url_of(path)) as store:
        for number in range(200):
            store.append_event(Event(NOW, "kind", None, Severity.INFO, "message " * 50, data={"number": number}))
    content = bytearray(path.read_bytes())
    content[16_384:] = b"\x5a" * (len(content) - 16_384)
    path.write_bytes(content)

    def look() -> None:
        with SqlStore.open_existing(url_of(path)) as store:
            store.events()

    with pytest.raises(StoreError, match="damaged") as failed:
        look()
    assert "backup" in failed.value.advice


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (sqlite3.SQLITE_IOERR_WRITE, "the disk failed"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "read-only"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "locked by another process"),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, "cannot be opened"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "damaged"),
        (sqlite3.SQLITE_TOOBIG, "refused: too much"),
    ],
)
def test_store_errors__any_kind_of_a_known_failure__is_named_with_a_remedy(code: int, message: str) -> None:
    cause = sqlite3.OperationalError("too much")
    cause.sqlite_errorcode = code
    with pytest.raises(StoreError, match=message) as failed, store_errors("navoracle.db"):
        raise OperationalError("INSERT", None, cause)
    assert failed.value.message.startswith("navoracle.db: ")
    assert failed.value.advice


def test_transaction__error_inside__keeps_nothing_of_the_group(store: SqlStore) -> None:
    def group() -> None:
        with store.transaction():
            assert store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
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
    assert [frame.id for frame in store.frames()] == ["f1"]


def test_transaction__within_a_transaction__ends_with_the_outer_one(store: SqlStore) -> None:
    def group() -> None:
        with store.transaction():
            with store.transaction():
                store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        group()
    assert store.slots() == ()


def test_transaction__other_thread__does_not_join_it(store: SqlStore) -> None:
    with store.transaction():
        store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(store.slots).result() == ()
    assert len(store.slots()) == 1


def opened_at_once(path: Path, count: int, action: Callable[[SqlStore], bool]) -> list[bool]:
    """Open a store of its own in each of `count` threads at the same moment, and let each act."""
    start = threading.Barrier(count)

    def work(_: int) -> bool:
        start.wait()
        with SqlStore.open(url_of(path)) as store:
            return action(store)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_open__new_file_by_several_at_once__migrates_once(path: Path) -> None:
    assert opened_at_once(path, 6, lambda store: store.history() == ()) == [True] * 6


@pytest.mark.parametrize("attempt", range(3))
def test_claim_slot__by_several_at_once__one_has_it(path: Path, attempt: int) -> None:
    slot = Timestamp(NOW + attempt)
    claims = opened_at_once(path, 6, lambda store: store.claim_slot("alpha", slot, Cadence.HOURLY, NOW))
    assert sorted(claims) == [False] * 5 + [True]
