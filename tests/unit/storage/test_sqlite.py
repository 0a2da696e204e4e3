"""SQLite: a full disk, a lock, damage; what a connection is set up with; who may open a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Timer

import pytest
from sqlalchemy import event, make_url
from sqlalchemy.exc import OperationalError

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore, schema, sqlite
from navoracle.storage.failures import store_errors
from navoracle.storage.sqlite import SqliteBackend
from navoracle.store_port import Event, Severity, SlotOutcome, SlotState
from tests.unit.storage.builders import (
    NOW,
    batch_of,
    claim,
    database_of,
    frame_of,
    fund_frame,
    lane_of,
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
    engine = database_of(store)._backend.engine
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


def test_record_frame__disk_full__raises_and_leaves_nothing(sqlite_store: SqlStore, path: Path) -> None:
    before = dump(path)
    with full_disk(sqlite_store), pytest.raises(StoreError, match="disk is full") as failed:
        record(sqlite_store, LARGE)
    assert "Free space" in failed.value.advice
    assert dump(path) == before
    record(sqlite_store, LARGE)
    assert len(sqlite_store.fund_frames(frame="large")) == 200


def test_transaction__disk_full__names_the_disk_and_leaves_nothing(sqlite_store: SqlStore, path: Path) -> None:
    before = dump(path)

    def group() -> None:
        with sqlite_store.transaction():
            record(sqlite_store, frame_of("f0", fund_frame("alpha", valuation_of({"cash": 5}))))
            record(sqlite_store, LARGE)

    with full_disk(sqlite_store), pytest.raises(StoreError, match="disk is full"):
        group()
    assert dump(path) == before


def test_transaction__disk_full_and_error_swallowed__neither_goes_on_nor_ends_well(
    sqlite_store: SqlStore, path: Path
) -> None:
    before = dump(path)
    later: list[StoreError] = []

    def group() -> None:
        with sqlite_store.transaction():
            with suppress(StoreError):
                record(sqlite_store, LARGE)
            for use in (lambda: record(sqlite_store, frame_of("f0")), sqlite_store.frames):
                with pytest.raises(StoreError, match="undone by an earlier failure") as refused:
                    use()
                later.append(refused.value)

    with full_disk(sqlite_store), pytest.raises(StoreError, match="undone by an earlier failure"):
        group()
    assert len(later) == 2
    assert dump(path) == before
    record(sqlite_store, frame_of("f0"))
    assert len(sqlite_store.frames()) == 1


def test_prepare_post__disk_full__raises_and_leaves_nothing(sqlite_store: SqlStore, path: Path) -> None:
    record(sqlite_store, frame_of("f1"))
    batch = batch_of(*(post_of(f"fund {number}", number) for number in range(300)))
    lane, claims = lane_of(sqlite_store), [claim(sqlite_store, post.fund) for post in batch.posts]
    before = dump(path)
    with full_disk(sqlite_store), pytest.raises(StoreError, match="disk is full"):
        prepare(sqlite_store, "f1", batch, lane=lane, claims=claims)
    assert dump(path) == before
    assert prepare(sqlite_store, "f1", batch, lane=lane, claims=claims).batch == batch


def test_finish_slot__disk_full__leaves_it_claimed(sqlite_store: SqlStore) -> None:
    held = claim(sqlite_store)
    outcome = SlotOutcome(SlotState.SKIPPED, "a long reason " * 1_000, None, None)
    with full_disk(sqlite_store), pytest.raises(StoreError, match="disk is full"):
        sqlite_store.finish_slot(held, outcome, NOW)
    assert sqlite_store.slots()[0].state is SlotState.CLAIMED
    sqlite_store.finish_slot(held, outcome, NOW)


def test_write__locked_by_another_process__raises(path: Path) -> None:
    with SqlStore.open(url_of(path) + "?timeout=0.05") as store, closing(sqlite3.connect(path)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another process") as failed:
            claim(store)
        assert "one keeper" in failed.value.advice
        assert store.slots() == ()  # readers go on
        other.execute("ROLLBACK")
        claim(store)
        assert len(store.slots()) == 1


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
    backend = SqliteBackend(make_url("sqlite:///navoracle.db"))
    with pytest.raises(StoreError, match=message) as failed, store_errors(backend):
        raise OperationalError("INSERT", None, cause)
    assert failed.value.message.startswith("navoracle.db: ")
    assert failed.value.advice


def execute(path: Path, statement: str) -> None:
    """Run one statement on the file, past the store."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_open__new_file__sets_the_connection_up(sqlite_store: SqlStore) -> None:
    def pragma(name: str, *, durable: bool = False) -> object:
        with database_of(sqlite_store).write(durable=durable) as connection:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    assert pragma("journal_mode") == "wal"
    assert pragma("busy_timeout") == 10_000
    assert pragma("foreign_keys") == 1
    assert pragma("synchronous") == 1
    assert pragma("synchronous", durable=True) == 2
    assert pragma("synchronous") == 1
    with database_of(sqlite_store)._backend.migration() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 0
    assert pragma("foreign_keys") == 1


def test_migration__leaves_a_row_without_what_it_refers_to__is_undone(sqlite_store: SqlStore) -> None:
    def break_it() -> None:
        with database_of(sqlite_store)._backend.migration() as connection:
            connection.exec_driver_sql("INSERT INTO samples (time, asset, price, frame) VALUES (1, 'a', '1', 'none')")

    with pytest.raises(StoreError, match="1 rows of samples refer"):
        break_it()
    assert sqlite_store.load_samples(Timestamp(0)) == ()


def test_open__others_look_at_a_file_without_write_ahead_log__waits_for_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SqlStore.open(url_of(path)).close()
    execute(path, "PRAGMA journal_mode = DELETE")
    impatient = url_of(path) + "?timeout=0.01"
    with closing(sqlite3.connect(path, check_same_thread=False)) as other:
        looked = other.execute("SELECT * FROM alembic_version")  # not read to its end: the file stays locked
        Timer(0.2, looked.close).start()
        SqlStore.open(impatient).close()
    execute(path, "PRAGMA journal_mode = DELETE")
    monkeypatch.setattr(sqlite, "PATIENCE_SECONDS", 0)
    with closing(sqlite3.connect(path)) as other:
        looked = other.execute("SELECT * FROM alembic_version")
        with pytest.raises(StoreError, match="locked by another process"):
            SqlStore.open(impatient)
        looked.close()


def test_open__newer_schema__changes_nothing(path: Path) -> None:
    SqlStore.open(url_of(path)).close()
    execute(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    for opening in (SqlStore.open, SqlStore.open_existing):
        with pytest.raises(StoreError) as refused:
            opening(url_of(path))
        assert str(path) in refused.value.message
        assert schema.newest_revision() in refused.value.message
    assert path.read_bytes() == before


def test_open__database_of_another_program__changes_nothing(path: Path) -> None:
    execute(path, "CREATE TABLE recipes (name)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        SqlStore.open(url_of(path))
    assert path.read_bytes() == before


def test_open__not_a_database__refuses_and_changes_nothing(path: Path) -> None:
    path.write_text("timestamp,price\n" * 400, encoding="utf-8")
    before = path.read_bytes()
    for opening in (SqlStore.open, SqlStore.open_existing):
        with pytest.raises(StoreError, match="not a database of navoracle") as refused:
            opening(url_of(path))
        assert refused.value.advice
    assert path.read_bytes() == before


def test_open__missing_directory__refuses(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"directory .* does not exist"):
        SqlStore.open(url_of(tmp_path / "nowhere" / "navoracle.db"))


def test_open__a_directory__refuses(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a directory"):
        SqlStore.open(url_of(tmp_path))


def test_open__read_only_file__refuses_but_can_be_looked_at(path: Path) -> None:
    SqlStore.open(url_of(path)).close()
    read_only = f"sqlite:///file:{path}?mode=ro&uri=true"
    with pytest.raises(StoreError, match="read-only"):
        SqlStore.open(read_only)
    with SqlStore.open_existing(read_only) as store:
        assert store.history() == ()


def test_open_existing__missing_or_empty_file__refuses_with_a_remedy_and_makes_none(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database") as refused:
        SqlStore.open_existing(url_of(path))
    assert refused.value.advice
    assert not path.exists()
    path.touch()
    with pytest.raises(StoreError, match="there is no database"):
        SqlStore.open_existing(url_of(path))
    assert path.read_bytes() == b""


def test_close__last_connection__leaves_one_file(path: Path) -> None:
    SqlStore.open(url_of(path)).close()
    assert [left.name for left in path.parent.iterdir()] == [path.name]
