"""The migrated schema is the tables', and databases that are not ours are refused and left alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from navoracle.domain.errors import StoreError, UsageError
from navoracle.storage import SqlStore, administration, schema
from navoracle.storage.backend import Backend
from navoracle.storage.database import backend_of
from navoracle.storage.tables import metadata
from tests.unit.storage.builders import claim, database_of


@pytest.fixture
def backend(unmade: str) -> Iterator[Backend]:
    """A database with the newest schema, of each kind."""
    SqlStore.open(unmade).close()
    opened = backend_of(unmade)
    yield opened
    opened.engine.dispose()


def names(connection: Connection) -> set[str]:
    """Everything in the schema: tables, columns with their types, indexes, keys, triggers and functions."""
    inspector = inspect(connection)
    found = set()
    for table in inspector.get_table_names():
        found |= {f"{table}.{column['name']}: {column['type']}" for column in inspector.get_columns(table)}
        for index in inspector.get_indexes(table):
            where = index.get("dialect_options", {}).get(f"{connection.dialect.name}_where")
            found.add(f"{table} {index['name']} {index['column_names']} {index['unique']} {where}")
        found |= {str(key) for key in inspector.get_foreign_keys(table)}
        found |= {str(key) for key in inspector.get_unique_constraints(table)}
        found.add(f"{table}: {inspector.get_pk_constraint(table)}")
    if connection.dialect.name == "sqlite":
        made = connection.exec_driver_sql("SELECT name || coalesce(sql, '') FROM sqlite_master WHERE type = 'trigger'")
    else:
        made = connection.exec_driver_sql(
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION SELECT proname FROM pg_proc "
            "WHERE pronamespace = current_schema()::regnamespace"
        )
    return found | set(made.scalars())


def test_migrations__newest_revision__equals_the_tables(store: SqlStore) -> None:
    options = {"compare_type": True, "compare_server_default": True}
    with database_of(store).read() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        columns = inspect(connection).get_columns
        for table in metadata.sorted_tables:
            found = {column["name"]: column["nullable"] for column in columns(table.name)}
            assert found == {column.name: column.nullable for column in table.columns}


def test_migrations__step_by_step_down_and_up_again__build_the_same(backend: Backend) -> None:
    built = {}
    with backend.migration() as connection:
        for revision in reversed(schema.revisions()):
            built[revision] = names(connection)
            assert schema.current_revision(connection, "") == revision
            schema.downgrade(connection, "-1")
        assert names(connection) == names(connection) & {
            name for name in built[schema.revisions()[0]] if "alembic_version" in name
        }
        for revision in schema.revisions():
            schema.upgrade(connection, "+1")
            assert names(connection) == built[revision]


def test_migrations__failing_halfway__leave_an_empty_database(backend: Backend) -> None:
    with backend.migration() as connection:
        schema.downgrade(connection)
        connection.exec_driver_sql("CREATE TABLE slots (id INTEGER)")  # one of the last tables to be built

    def build() -> None:
        with backend.migration() as connection:
            schema.upgrade(connection)

    with pytest.raises(Exception, match="already exists"):
        build()
    with backend.engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version", "slots"}


def test_open__newer_schema__refuses_with_both_revisions(unmade: str, backend: Backend) -> None:
    with backend.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for opening in (SqlStore.open, SqlStore.open_existing):
        with pytest.raises(StoreError, match="9999") as refused:
            opening(unmade)
        assert schema.newest_revision() in refused.value.message
        assert "the navoracle version that wrote it" in refused.value.advice
    with backend.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == "9999"


def test_open__database_of_another_program__refuses_and_adds_nothing(unmade: str) -> None:
    backend = backend_of(unmade)
    with backend.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE recipes (name TEXT)")
    for opening in (SqlStore.open, SqlStore.open_existing):
        with pytest.raises(StoreError, match="another program"):
            opening(unmade)
    with backend.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["recipes"]
    backend.engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "navoracle.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://u:secret@host/db",
        "postgresql+asyncpg://u:secret@h/d",
    ],
)
def test_open__url_of_no_database__refuses_without_showing_a_password(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        SqlStore.open(url)
    assert "sqlite:///" in refused.value.advice or "postgresql://" in refused.value.advice
    assert "secret" not in refused.value.message


def test_open_existing__empty_database__refuses_and_makes_nothing(unmade: str) -> None:
    with pytest.raises(StoreError, match="there is no database") as refused:
        SqlStore.open_existing(unmade)
    assert refused.value.advice
    assert not administration.database_exists(unmade)


def test_open_existing__older_schema__is_brought_to_the_newest(unmade: str) -> None:
    administration.migrate_to(unmade, "0001")
    SqlStore.open_existing(unmade).close()
    assert administration.current_revision(unmade) == schema.newest_revision()


def test_migrate_to__any_revision__goes_up_and_down(unmade: str) -> None:
    assert administration.migrate_to(unmade) == schema.newest_revision()
    assert administration.migrate_to(unmade, "0001") == "0001"
    assert administration.current_revision(unmade) == "0001"
    assert administration.migrate_to(unmade, "0001") == "0001"
    assert administration.migrate_to(unmade, "0002") == "0002"
    with SqlStore.open(unmade) as store:
        claim(store)
    assert administration.migrate_to(unmade, "base") is None
    assert not administration.database_exists(unmade) or unmade.startswith("sqlite")


@pytest.mark.parametrize("revision", ["0009", "", "-1", "heads"])
def test_migrate_to__unknown_revision__refuses_and_names_those_that_are(unmade: str, revision: str) -> None:
    with pytest.raises(UsageError, match="no schema revision") as refused:
        administration.migrate_to(unmade, revision)
    assert "0001, 0002" in refused.value.advice


def test_current_revision__empty_database__is_none_or_refused(unmade: str) -> None:
    if unmade.startswith("sqlite"):
        with pytest.raises(StoreError, match="there is no database"):
            administration.current_revision(unmade)
    else:
        assert administration.current_revision(unmade) is None
