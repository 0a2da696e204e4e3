"""PostgreSQL: what a broken, refused or restarted connection looks like, and that no password is ever seen."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import PoolProxiedConnection, make_url, select, text
from sqlalchemy.exc import OperationalError

from navoracle.domain.errors import StoreError
from navoracle.storage import SqlStore, administration, postgresql, tables
from navoracle.storage.columns import ByteOrder
from navoracle.storage.failures import store_errors
from navoracle.storage.postgresql import PostgresqlBackend
from navoracle.store_port import Event, Severity
from tests.postgres import PostgresServer, shared_server
from tests.unit.storage.builders import (
    NOW,
    claim,
    database_of,
    empty_postgres_store,
    lane_of,
    url_of,
)

PASSWORD = "hunter two/3"
HELD = Event(NOW, "held", "alpha", Severity.INFO, "m")


@pytest.fixture
def server() -> PostgresServer:
    """The shared server."""
    return shared_server()


@pytest.fixture
def store() -> Iterator[SqlStore]:
    """A store on PostgreSQL."""
    with SqlStore.open(empty_postgres_store()) as opened:
        yield opened


def with_password(server: PostgresServer, database: str = "postgres", **changes: object) -> str:
    """A URL of the server with a password in it."""
    return (
        make_url(server.url(database))
        .set(username="keeper", password=PASSWORD, **changes)  # type: ignore[arg-type]
        .render_as_string(hide_password=False)
    )


def refusal(url: str) -> StoreError:
    """How opening is refused; no part of it shows the password, however it is written."""
    with pytest.raises(StoreError) as refused:
        SqlStore.open(url)
    shown = refused.value.message + refused.value.advice
    assert PASSWORD not in shown
    assert "hunter" not in shown
    assert refused.value.advice
    return refused.value


def test_open__no_server__says_where_and_what_to_do(tmp_path: Path) -> None:
    error = refusal(f"postgresql://keeper:hunter%20two%2F3@/navoracle?host={tmp_path}")
    assert "postgresql://***@/navoracle" in error.message
    assert "cannot be reached" in error.message
    assert "the server runs" in error.advice


def test_open__unknown_user__is_an_authentication_failure(server: PostgresServer) -> None:
    assert "refused the user or the password" in refusal(with_password(server)).message


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (f'connection failed: FATAL: password authentication failed; tried "{PASSWORD}"', "the user or the password"),
        ("connection failed: fe_sendauth: no password supplied", "the user or the password"),
        ('connection failed: FATAL: no pg_hba.conf entry for host "10.0.0.9"', "the user or the password"),
        ('connection failed: FATAL: database "navoracle" does not exist', "no database of that name"),
        ("connection failed: FATAL: sorry, too many clients already", "no connection left"),
        ("connection failed: FATAL: the database system is starting up", "is restarting"),
        ("connection failed: FATAL: the database system is shutting down", "is restarting"),
        ("connection failed: connection to server at 10.0.0.9, port 5432 failed: Connection refused", "be reached"),
        ("failed to resolve host 'nowhere': [Errno -2] Name or service not known", "be reached"),
        ("connection timeout expired", "be reached"),
        ("something else", "the database refused: something else"),
    ],
)
def test_store_errors__connection_that_was_never_made__is_named_by_its_words(said: str, message: str) -> None:
    backend = PostgresqlBackend(make_url("postgresql://keeper:hunter%20two%2F3@host/navoracle"))
    with pytest.raises(StoreError, match=message) as failed, store_errors(backend):
        raise OperationalError("", None, psycopg.OperationalError(said))
    assert "hunter" not in failed.value.message
    assert failed.value.advice


def test_open__unknown_database__says_so(server: PostgresServer) -> None:
    with pytest.raises(StoreError, match="no database of that name") as failed:
        SqlStore.open(server.url("nowhere"))
    assert "createdb" in failed.value.advice
    assert administration.database_exists(server.url("nowhere"))  # so that opening it explains


def test_open__no_database_named__refuses() -> None:
    assert "names no database" in refusal("postgresql://keeper:hunter@host").message


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_open__any_spelling_of_the_scheme__opens(scheme: str) -> None:
    with SqlStore.open(empty_postgres_store().replace("postgresql", scheme)) as store:
        assert store.slots() == ()


def test_open__driver_not_installed__names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = refusal("postgresql://keeper:hunter@host/navoracle")
    assert "psycopg" in error.message
    assert "pip install 'navoracle[postgres]'" in error.advice


def test_open__reader_without_rights_to_write__may_look_and_not_keep(server: PostgresServer, store: SqlStore) -> None:
    claim(store)
    server.execute(
        "DROP ROLE IF EXISTS looker; CREATE ROLE looker LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker",
        database="migrated",
    )
    url = server.url("migrated").replace("postgres@", "looker@")
    with pytest.raises(StoreError, match="may not do that"):
        SqlStore.open(url)
    with SqlStore.open_existing(url) as looker:
        assert len(looker.slots()) == 1
    server.execute("DROP OWNED BY looker; DROP ROLE looker", database="migrated")


def test_open__read_only_server__says_so(server: PostgresServer) -> None:
    url = empty_postgres_store() + "&options=-cdefault_transaction_read_only%3Don"
    with pytest.raises(StoreError, match="read-only") as failed:
        SqlStore.open(url)
    assert "primary" in failed.value.advice


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("53100", "disk is full"),
        ("53300", "no connection left"),
        ("40001", "came first"),
        ("40P01", "came first"),
        ("55P03", "locked by another process"),
        ("57P01", "is restarting"),
        ("57P02", "is restarting"),
        ("57P03", "is restarting"),
        ("08006", "is restarting"),
        ("25P03", "stood still"),
        ("25006", "read-only"),
        ("28P01", "refused the user or the password"),
        ("28000", "refused the user or the password"),
        ("3D000", "no database of that name"),
        ("57014", "cancelled the statement"),
        ("58030", "disk failed"),
        ("XX001", "damaged"),
        ("23505", "already recorded"),
        ("23503", "is not recorded"),
        ("42501", "may not do that"),
        ("22012", "the database refused: division"),
    ],
)
def test_store_errors__any_known_state__is_named_with_a_remedy(state: str, message: str) -> None:
    class Cause(psycopg.Error):
        sqlstate = state

    backend = PostgresqlBackend(make_url("postgresql://host/navoracle"))
    with pytest.raises(StoreError, match=message) as failed, store_errors(backend):
        raise OperationalError("INSERT", None, Cause("division"))
    assert failed.value.message.startswith("postgresql://host/navoracle: ")
    assert failed.value.advice


def cut(server: PostgresServer) -> None:
    """Let the server end every connection to the database."""
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'migrated'")


def test_any_call__server_ended_the_connections__works_again(server: PostgresServer, store: SqlStore) -> None:
    claim(store)
    cut(server)
    assert len(store.slots()) == 1
    cut(server)
    claim(store, "beta")
    assert len(store.slots()) == 2


def test_write__connection_ends_halfway__keeps_nothing_and_the_next_one_works(
    server: PostgresServer, store: SqlStore
) -> None:
    def write() -> None:
        with database_of(store).write() as connection:
            connection.execute(tables.events.insert(), {"at": 1, "kind": "k", "severity": "info", **_SAID})
            cut(server)
            connection.execute(tables.events.insert(), {"at": 2, "kind": "k", "severity": "info", **_SAID})

    with pytest.raises(StoreError, match="is restarting") as failed:
        write()
    assert "nothing of this write was kept" in failed.value.message
    assert store.events() == ()
    store.append_event(HELD)


_SAID = {"message": "m", "advice": "", "data": {}}


def test_transaction__connection_ends_halfway__keeps_nothing_and_says_so(
    server: PostgresServer, store: SqlStore
) -> None:
    def group() -> None:
        with store.transaction():
            claim(store)
            cut(server)
            with pytest.raises(StoreError, match="is restarting"):
                claim(store, "beta")
            with pytest.raises(StoreError, match="undone by an earlier failure"):
                store.slots()

    with pytest.raises(StoreError, match="undone by an earlier failure"):
        group()
    assert store.slots() == ()


@pytest.mark.parametrize("kept", [False, True])
def test_write__connection_ends_while_it_is_made_final__says_that_nobody_knows(
    server: PostgresServer, store: SqlStore, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = database_of(store)._backend.engine.dialect
    commit = dialect.do_commit

    def lose(connection: PoolProxiedConnection) -> None:
        if kept:
            commit(connection)
            connection.dbapi_connection.close()  # type: ignore[union-attr]
            raise psycopg.OperationalError("the connection is lost")  # with the server's answer
        cut(server)
        commit(connection)

    lane = lane_of(store)
    with monkeypatch.context() as patched:
        patched.setattr(dialect, "do_commit", lose)
        with pytest.raises(StoreError, match="it is not known whether the write was kept") as failed:
            claim(store)
    assert "safe" in failed.value.advice
    assert len(store.slots()) == int(kept)
    store.renew_lane(lane, 60)


def test_write__row_locked_for_too_long__gives_up_and_names_it(
    server: PostgresServer, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = lane_of(store)
    begin = text(str(postgresql._BEGIN).replace("10s", "50ms"))
    monkeypatch.setattr(postgresql, "_BEGIN", begin)
    with psycopg.connect(server.url("migrated")) as other:
        other.execute("SELECT * FROM lanes FOR UPDATE")
        with pytest.raises(StoreError, match="locked by another process"):
            store.renew_lane(lane, 60)
    store.renew_lane(lane, 60)


def test_write__keeper_stands_still_within_it__does_not_keep_the_others_waiting(
    server: PostgresServer, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_of(store).write() as connection:
        settings = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("lock_timeout", "idle_in_transaction_session_timeout")
        ]
    assert settings == ["10s", "30s"]
    with database_of(store)._backend.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "0"


@pytest.mark.parametrize("change", ["UPDATE events SET message = ''", "DELETE FROM events", "TRUNCATE events"])
def test_events__changed_past_the_store__refuse(store: SqlStore, change: str) -> None:
    store.append_event(HELD)
    with pytest.raises(StoreError, match="append-only"), database_of(store).write() as connection:
        connection.exec_driver_sql(change)
    assert [row.event for row in store.events()] == [HELD]


def test_connection__any_write__leaves_nothing_behind_on_it(store: SqlStore) -> None:
    """A pooler may hand the connection to somebody else after each transaction."""
    lane_of(store)
    claim(store)
    with database_of(store)._backend.engine.connect() as connection:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert connection.exec_driver_sql(held).scalar_one() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar_one() == 0


def test_any_log__of_the_driver_and_the_engine__shows_no_password(
    server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    refusal(with_password(server))
    assert "hunter" not in caplog.text


def test_sqlite_url__driver_not_installed__needs_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    SqlStore.open(url_of(path)).close()


def test_order__of_text__does_not_depend_on_the_language_of_the_database() -> None:
    query = select(tables.slots.c.fund).order_by(ByteOrder(tables.slots.c.fund))
    dialect = PostgresqlBackend(make_url("postgresql://host/navoracle")).engine.dialect
    assert str(query.compile(dialect=dialect)).endswith('ORDER BY slots.fund COLLATE "C"')
