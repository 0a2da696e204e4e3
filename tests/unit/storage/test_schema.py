"""The migrated schema is the tables', and databases that are not ours are refused and left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from navoracle.domain.errors import StoreError
from navoracle.storage import SqlStore, database, schema
from navoracle.storage.tables import metadata
from tests.unit.storage.builders import database_of, url_of


def execute(path: Path, statement: str) -> None:
    """Run one statement on the file, past the store."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def names(store: SqlStore) -> set[str]:
    """Everything in the schema but SQLite's own tables."""
    with database_of(store).read() as connection:
        rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        return set(rows.scalars())


def test_migrations__newest_revision__equals_the_tables(store: SqlStore) -> None:
    options = {"compare_type": True, "compare_server_default": True}
    with database_of(store).read() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_migrations__down_and_up_again__leave_nothing_and_build_the_same(store: SqlStore) -> None:
    built = names(store)
    with database_of(store).write() as connection:
        schema.downgrade(connection)
    assert names(store) == {"alembic_version"}
    with database_of(store).write() as connection:
        schema.upgrade(connection)
    assert names(store) == built


def test_migrations__failing_halfway__leave_an_empty_database(store: SqlStore) -> None:
    with database_of(store).write() as connection:
        schema.downgrade(connection)
        connection.exec_driver_sql("CREATE TABLE slots (id)")  # one of the last tables to be built
    with pytest.raises(StoreError, match="already exists"), database_of(store).write() as connection:
        schema.upgrade(connection)
    assert names(store) == {"alembic_version", "slots"}


def test_open__new_file__sets_the_connection_up(store: SqlStore) -> None:
    def pragma(name: str, *, durable: bool = False) -> object:
        with database_of(store).write(durable=durable) as connection:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    assert pragma("journal_mode") == "wal"
    assert pragma("busy_timeout") == 10_000
    assert pragma("foreign_keys") == 1
    assert pragma("synchronous") == 1
    assert pragma("synchronous", durable=True) == 2
    assert pragma("synchronous") == 1


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
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    with closing(sqlite3.connect(path)) as other:
        looked = other.execute("SELECT * FROM alembic_version")
        with pytest.raises(StoreError, match="locked by another process"):
            SqlStore.open(impatient)
        looked.close()


def test_open__newer_schema__refuses_with_both_revisions_and_changes_nothing(path: Path) -> None:
    SqlStore.open(url_of(path)).close()
    execute(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    for opening in (SqlStore.open, SqlStore.open_existing):
        with pytest.raises(StoreError) as refused:
            opening(url_of(path))
        assert str(path) in refused.value.message
        assert "9999" in refused.value.message
        assert schema.newest_revision() in refused.value.message
        assert "the navoracle version that wrote it" in refused.value.advice
    assert path.read_bytes() == before


def test_open__database_of_another_program__refuses_and_changes_nothing(path: Path) -> None:
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


@pytest.mark.parametrize("url", ["navoracle.db", "sqlite://", "sqlite:///:memory:", "postgresql://u:secret@host/db"])
def test_open__url_of_no_sqlite_file__refuses_without_showing_a_password(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        SqlStore.open(url)
    assert "sqlite:///" in refused.value.advice
    assert "secret" not in refused.value.message


def test_open_existing__missing_file__refuses_with_a_remedy_and_makes_none(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database") as refused:
        SqlStore.open_existing(url_of(path))
    assert refused.value.advice
    assert not path.exists()


def test_close__last_connection__leaves_one_file(path: Path) -> None:
    SqlStore.open(url_of(path)).close()
    assert [left.name for left in path.parent.iterdir()] == [path.name]
