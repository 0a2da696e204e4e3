"""A database: opened, read and written in transactions, whatever kind it is of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from navoracle.domain.errors import StoreError
from navoracle.redaction import redact_database_url
from navoracle.storage import postgresql, sqlite
from navoracle.storage.backend import Backend, TransactionState
from navoracle.storage.failures import outcome_unknown, store_errors
from navoracle.storage.postgresql import PostgresqlBackend
from navoracle.storage.schema import migrate
from navoracle.storage.sqlite import SqliteBackend


class Database:
    """An open database; make it with `Database.open`.

    Attributes:
        place: what it is called in messages.
    """

    def __init__(self, backend: Backend) -> None:
        self.place = backend.place
        self._backend = backend
        self._active = threading.local()

    @classmethod
    def open(cls, url: str, *, create: bool) -> Database:
        """Open `url` ("sqlite:///path/to/file.db", "postgresql://...") and bring its schema to the newest revision.

        Args:
            create: whether a missing file, or the schema of an empty database, is made.

        Raises:
            StoreError: the URL, the file, the server or the schema cannot be used; the database is left as it was.
        """
        backend = backend_of(url)
        backend.find(create=create)
        database = cls(backend)
        try:
            with store_errors(backend):
                migrate(backend, create=create)
                if create:
                    backend.prepare_for_writing()
        except StoreError:
            database.close()
            raise
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database."""
        group = self._group()
        with store_errors(self._backend):
            if group is not None:
                yield group
                return
            with self._backend.reader.connect() as connection:
                yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """A transaction, kept whole or rolled back whole; inside `transaction()`, whole within that one.

        Raises:
            StoreError: nothing was kept; or, where the message says so, the server went away while the transaction was
                being made final and nobody knows whether it was.
        """
        group = self._group()
        with store_errors(self._backend):
            if group is not None:
                with self._savepoint(group):
                    yield group
                return
            with self._backend.writer(durable=durable).connect() as connection:
                transaction = connection.begin()
                try:
                    self._backend.begin(connection)
                    yield connection
                    self._require_open(connection)
                except BaseException:
                    transaction.rollback()
                    raise
                try:
                    transaction.commit()
                except DBAPIError as error:
                    if error.connection_invalidated:
                        raise outcome_unknown(self._backend, error) from error
                    raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group this thread's reads and writes into one durable transaction."""
        if self._group() is not None:
            yield
            return
        with self.write(durable=True) as connection:
            self._active.group = connection
            try:
                yield
            finally:
                self._active.group = None

    def lock(self, connection: Connection, name: str) -> None:
        """Let one writing transaction at a time pass this name."""
        self._backend.lock(connection, name)

    def close(self) -> None:
        """Close every connection; the last one of all processes folds SQLite's write-ahead log into the file."""
        self._backend.engine.dispose()

    def _group(self) -> Connection | None:
        """The connection of this thread's `transaction()`; None outside of one."""
        connection: Connection | None = getattr(self._active, "group", None)
        if connection is not None:
            self._require_open(connection)
        return connection

    @contextmanager
    def _savepoint(self, connection: Connection) -> Iterator[None]:
        """One write of a group, undone alone when it fails."""
        savepoint = connection.begin_nested()
        try:
            yield
        except BaseException:
            if self._state(connection) is not TransactionState.ENDED:
                savepoint.rollback()
            raise
        savepoint.commit()

    def _require_open(self, connection: Connection) -> None:
        """Refuse to go on in a transaction that is lost: what followed would be kept on its own, or not at all."""
        if self._state(connection) is not TransactionState.OPEN:
            raise StoreError(
                f"{self.place}: the transaction was undone by an earlier failure; nothing of it was kept",
                advice="Look at the failure before this one, and write all of it again.",
            )

    def _state(self, connection: Connection) -> TransactionState:
        if connection.invalidated:
            return TransactionState.ENDED
        return self._backend.transaction_state(connection.connection.dbapi_connection)


def backend_of(url: str) -> Backend:
    """The kind of database that a URL names; nothing is opened. Raises StoreError."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(
            f"{redact_database_url(url)} is not a database URL", advice=f"{sqlite.FORM} {postgresql.FORM}"
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            return SqliteBackend(parsed)
        case "postgresql" | "postgres":
            return PostgresqlBackend(parsed)
        case other:
            raise StoreError(
                f"{other} is not a kind of database that navoracle uses", advice=f"{sqlite.FORM} {postgresql.FORM}"
            )
