"""SQLite: one file on a local disk.

Write-ahead log, foreign keys on, ten seconds of patience for another writer. A write takes the lock at its beginning
(BEGIN IMMEDIATE), so it never fails half-way for another one. A plain write survives a crash of the process; a durable
one also survives a loss of power, with everything that was written before it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from navoracle.domain.errors import StoreError
from navoracle.storage.backend import DEFECT, PATIENCE_SECONDS, UNCHANGED, Explanation, TransactionState

FORM: Final = "Write the URL as sqlite:///relative.db or sqlite:////absolute/path.db."
_BEGIN: Final = "navoracle_begin"
_PRAGMAS: Final = "navoracle_pragmas"
_USUAL: Final = {"foreign_keys": "ON", "synchronous": "NORMAL"}

# SQLite's primary result code: what is wrong, and what to do about it.
_KNOWN: Final = {
    sqlite3.SQLITE_FULL: Explanation(
        f"the disk is full; {UNCHANGED}",
        "Free space on the database's disk; the keeper goes on with the next slot.",
    ),
    sqlite3.SQLITE_IOERR: Explanation(
        f"the disk failed; {UNCHANGED}",
        "Check the disk and its free space; keep the database on a local disk, not on a network share.",
    ),
    sqlite3.SQLITE_READONLY: Explanation(
        "the database is read-only",
        "Give the keeper's user write access to the database file and to its directory.",
    ),
    sqlite3.SQLITE_BUSY: Explanation(
        f"the database is locked by another process; {UNCHANGED}",
        "Stop the other process, or let one keeper alone write to this database.",
    ),
    sqlite3.SQLITE_CANTOPEN: Explanation(
        "the database cannot be opened",
        "Check that the directory exists and that the keeper's user may write to it.",
    ),
    sqlite3.SQLITE_NOTADB: Explanation(
        "this is not a database of navoracle",
        "Name another file, or restore the database from a backup.",
    ),
    sqlite3.SQLITE_CORRUPT: Explanation(
        "the database is damaged",
        "Stop the keeper and restore the database from a backup; the chain holds what was posted.",
    ),
}
_CONSTRAINTS: Final = {
    "SQLITE_CONSTRAINT_UNIQUE": f"this is already recorded; {UNCHANGED}",
    "SQLITE_CONSTRAINT_PRIMARYKEY": f"this is already recorded; {UNCHANGED}",
    "SQLITE_CONSTRAINT_FOREIGNKEY": f"the frame, post or transaction that this belongs to is not recorded; {UNCHANGED}",
}


class SqliteBackend:
    """A database in a file."""

    def __init__(self, url: URL) -> None:
        if not url.database or url.database == ":memory:":
            raise StoreError(f"{url.render_as_string()}: not an SQLite file", advice=FORM)
        self._path = Path(url.database.removeprefix("file:"))
        self.place = str(self._path)
        self.engine = self.reader = _engine(url)
        self._writer = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._durable_writer = self._writer.execution_options(**{_PRAGMAS: {"synchronous": "FULL"}})
        # A table that others refer to is rebuilt by dropping it, which SQLite refuses while it watches the references.
        self._migrator = self._writer.execution_options(**{_PRAGMAS: {"synchronous": "FULL", "foreign_keys": "OFF"}})

    def find(self, *, create: bool) -> None:
        """See `Backend`."""
        if self._path.is_dir():
            raise StoreError(f"{self.place} is a directory", advice="Name a file in it, for example navoracle.db.")
        if not self._path.parent.is_dir():
            raise StoreError(
                f"{self.place}: the directory {self._path.parent} does not exist",
                advice="Create it, or correct the path.",
            )
        if not create and not self._path.exists():
            raise StoreError(
                f"{self.place}: there is no database",
                advice="Name the database that the keeper writes to; `navoracle demo` leaves one to look at.",
            )

    def exists(self) -> bool:
        """See `Backend`."""
        return self._path.exists()

    def writer(self, *, durable: bool) -> Engine:
        """See `Backend`."""
        return self._durable_writer if durable else self._writer

    def begin(self, connection: Connection) -> None:
        """BEGIN IMMEDIATE has done it."""

    def lock(self, connection: Connection, name: str) -> None:
        """There is one writer at a time anyway."""

    @contextmanager
    def migration(self) -> Iterator[Connection]:
        """See `Backend`."""
        with self._migrator.begin() as connection:
            yield connection
            if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                raise StoreError(
                    f"{self.place}: {len(broken)} rows of {broken[0][0]} refer to rows that are not there",
                    advice="The database was left as it was. Restore it from a backup, and report this as a defect.",
                )

    def prepare_for_writing(self) -> None:
        """Switch to the write-ahead log, and write."""
        # The switch needs the file for itself, and SQLite does not wait for that: two openers at once must.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._switch_to_write_ahead_log(last_try=time.monotonic() >= deadline):
            time.sleep(0.02)
        with self._writer.begin() as connection:
            # BEGIN IMMEDIATE alone succeeds on a read-only file; a write does not, even one that touches no row.
            connection.exec_driver_sql("DELETE FROM flows WHERE 0")

    def _switch_to_write_ahead_log(self, *, last_try: bool) -> bool:
        # The journal's mode cannot be changed within a transaction.
        with self.engine.execution_options(**{_BEGIN: ""}).connect() as connection:
            if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal":
                return True
            try:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            except OperationalError as error:
                if last_try or _primary_code(error) != sqlite3.SQLITE_BUSY:
                    raise
                return False
            return True

    def transaction_state(self, driver: Any) -> TransactionState:
        """A full disk makes SQLite end a transaction on its own."""
        return TransactionState.OPEN if driver.in_transaction else TransactionState.ENDED

    def explain(self, error: DBAPIError) -> Explanation:
        """See `Backend`."""
        cause = error.orig
        name = getattr(cause, "sqlite_errorname", type(cause).__name__)
        known = _KNOWN.get(_primary_code(error))
        if known is None:
            known = Explanation(_CONSTRAINTS.get(name, f"the database refused: {cause}"), DEFECT)
        return Explanation(f"{known.message} ({name})", known.advice)


def _primary_code(error: DBAPIError) -> int:
    code = getattr(error.orig, "sqlite_errorcode", None)
    # The low byte is the primary code, the rest says which kind of it.
    return code & 0xFF if isinstance(code, int) else sqlite3.SQLITE_ERROR


def _engine(url: URL) -> Engine:
    patience = {} if "timeout" in url.query else {"timeout": PATIENCE_SECONDS}
    engine = create_engine(url, connect_args=patience)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        # The driver's own BEGIN comes too late and is never immediate; on_begin says it instead.
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        wanted = _USUAL | options.get(_PRAGMAS, {})
        if connection.info.get(_PRAGMAS) != wanted:  # `info` lives as long as the driver's connection
            for pragma, value in wanted.items():
                connection.exec_driver_sql(f"PRAGMA {pragma} = {value}")
            connection.info[_PRAGMAS] = wanted
        if begin := options.get(_BEGIN, "BEGIN"):
            connection.exec_driver_sql(begin)

    return engine
