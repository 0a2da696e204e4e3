"""One SQLite database: how it is opened, read and written.

Write-ahead log, foreign keys on, ten seconds of patience for another writer. A write takes the lock at its beginning
(BEGIN IMMEDIATE), so it never fails half-way for another one. A plain write survives a crash of the process; a durable
one also survives a loss of power, with everything that was written before it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from navoracle.domain.errors import StoreError
from navoracle.storage.failures import is_busy, store_errors
from navoracle.storage.schema import migrate

BUSY_SECONDS: Final = 10
_BEGIN: Final = "navoracle_begin"
_SYNCHRONOUS: Final = "navoracle_synchronous"


class Database:
    """An open database; make it with `Database.open`.

    Attributes:
        place: the name of the file, for messages.
    """

    def __init__(self, engine: Engine, place: str) -> None:
        self.place = place
        self._engine = engine
        self._writer = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._durable_writer = self._writer.execution_options(**{_SYNCHRONOUS: "FULL"})
        self._active = threading.local()

    @classmethod
    def open(cls, url: str, *, create: bool) -> Database:
        """Open `url` ("sqlite:///path/to/file.db") and bring its schema to the newest revision.

        Args:
            create: whether a missing file is made.

        Raises:
            StoreError: the URL, the directory, the file or its schema cannot be used; the file is left as it was.
        """
        place = _place(url)
        if place.is_dir():
            raise StoreError(f"{place} is a directory", advice="Name a file in it, for example navoracle.db.")
        if not place.parent.is_dir():
            raise StoreError(
                f"{place}: the directory {place.parent} does not exist", advice="Create it, or correct the path."
            )
        if not create and not place.exists():
            raise StoreError(
                f"{place}: there is no database",
                advice="Name the database that the keeper writes to; `navoracle demo` leaves one to look at.",
            )
        database = cls(_engine(url), str(place))
        try:
            with store_errors(database.place):
                migrate(database._engine, database._writer, database.place)
                if create:
                    database._prepare_for_writing()
        except StoreError:
            database.close()
            raise
        return database

    def _prepare_for_writing(self) -> None:
        """Switch to the write-ahead log, and find out now rather than in a slot whether the file can be written."""
        # The switch needs the file for itself, and SQLite does not wait for that: two openers at once must.
        deadline = time.monotonic() + BUSY_SECONDS
        while not self._switch_to_write_ahead_log(last_try=time.monotonic() >= deadline):
            time.sleep(0.02)
        with self._writer.begin() as connection:
            # BEGIN IMMEDIATE alone succeeds on a read-only file; a write does not, even one that touches no row.
            connection.exec_driver_sql("DELETE FROM flows WHERE 0")

    def _switch_to_write_ahead_log(self, *, last_try: bool) -> bool:
        # The journal's mode cannot be changed within a transaction.
        with self._engine.execution_options(**{_BEGIN: ""}).connect() as connection:
            if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal":
                return True
            try:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            except OperationalError as error:
                if last_try or not is_busy(error):
                    raise
                return False
            return True

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database."""
        group = self._group()
        with store_errors(self.place):
            if group is not None:
                yield group.connection
                return
            with self._engine.connect() as connection:
                yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """A transaction, kept whole or rolled back whole; inside `transaction()`, whole within that one."""
        group = self._group()
        with store_errors(self.place):
            if group is not None:
                with group.savepoint():
                    yield group.connection
                return
            with (self._durable_writer if durable else self._writer).begin() as connection:
                yield connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group this thread's reads and writes into one durable transaction."""
        if self._group() is not None:
            yield
            return
        with self.write(durable=True) as connection:
            group = self._active.group = _Group(connection, self.place)
            try:
                yield
                group.check()
            finally:
                self._active.group = None

    def close(self) -> None:
        """Close every connection; the last one of all processes folds the write-ahead log into the file."""
        self._engine.dispose()

    def _group(self) -> _Group | None:
        group: _Group | None = getattr(self._active, "group", None)
        if group is not None:
            group.check()
        return group


@dataclass(slots=True)
class _Group:
    """The open transaction of `Database.transaction`. A full disk makes SQLite end it on its own: then it is `lost`."""

    connection: Connection
    place: str
    lost: bool = False

    def check(self) -> None:
        """Raise StoreError when the transaction is lost: what followed would be written on its own, or not at all."""
        if self.lost:
            raise StoreError(
                f"{self.place}: the transaction was undone by an earlier failure; nothing of it was kept",
                advice="Look at the failure before this one, and write all of it again.",
            )

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """One write of the group, undone alone when it fails."""
        savepoint = self.connection.begin_nested()
        try:
            yield
        except BaseException:
            driver: Any = self.connection.connection.dbapi_connection
            if driver is not None and driver.in_transaction:
                savepoint.rollback()
            else:
                self.lost = True
            raise
        savepoint.commit()


def _place(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(
            f"{url!r} is not a database URL", advice="Write it as sqlite:///relative.db or sqlite:////absolute/path.db."
        ) from error
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StoreError(
            f"{parsed.render_as_string()}: not an SQLite file",
            advice="Write the URL as sqlite:///relative.db or sqlite:////absolute/path.db.",
        )
    return Path(parsed.database.removeprefix("file:"))


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    patience = {} if "timeout" in parsed.query else {"timeout": BUSY_SECONDS}
    engine = create_engine(parsed, connect_args=patience)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        # The driver's own BEGIN comes too late and is never immediate; on_begin says it instead.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        synchronous = options.get(_SYNCHRONOUS, "NORMAL")
        if connection.info.get(_SYNCHRONOUS) != synchronous:  # `info` lives as long as the driver's connection
            connection.exec_driver_sql(f"PRAGMA synchronous = {synchronous}")
            connection.info[_SYNCHRONOUS] = synchronous
        if begin := options.get(_BEGIN, "BEGIN"):
            connection.exec_driver_sql(begin)

    return engine
