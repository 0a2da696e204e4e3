"""From the database's errors to a StoreError with a remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, StatementError

from navoracle.domain.errors import StoreError

_UNCHANGED: Final = "nothing of this write was kept"

# SQLite's primary result code: what is wrong, and what to do about it.
_KNOWN: Final = {
    sqlite3.SQLITE_FULL: (
        f"the disk is full; {_UNCHANGED}",
        "Free space on the database's disk; the keeper goes on with the next slot.",
    ),
    sqlite3.SQLITE_IOERR: (
        f"the disk failed; {_UNCHANGED}",
        "Check the disk and its free space; keep the database on a local disk, not on a network share.",
    ),
    sqlite3.SQLITE_READONLY: (
        "the database is read-only",
        "Give the keeper's user write access to the database file and to its directory.",
    ),
    sqlite3.SQLITE_BUSY: (
        f"the database is locked by another process; {_UNCHANGED}",
        "Stop the other process, or let one keeper alone write to this database.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the database cannot be opened",
        "Check that the directory exists and that the keeper's user may write to it.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "this is not a database of navoracle",
        "Name another file, or restore the database from a backup.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "the database is damaged",
        "Stop the keeper and restore the database from a backup; the chain holds what was posted.",
    ),
}
_CONSTRAINTS: Final = {
    "SQLITE_CONSTRAINT_UNIQUE": f"this is already recorded; {_UNCHANGED}",
    "SQLITE_CONSTRAINT_PRIMARYKEY": f"this is already recorded; {_UNCHANGED}",
    "SQLITE_CONSTRAINT_FOREIGNKEY": f"the frame or post that this belongs to is not recorded; {_UNCHANGED}",
}


@contextmanager
def store_errors(place: str) -> Iterator[None]:
    """Raise the database's errors as StoreError; `place` names the database in the message."""
    try:
        yield
    except DBAPIError as error:
        raise store_error(place, error) from error
    except StatementError as error:
        raise StoreError(
            f"{place}: a value cannot be stored: {error.orig}", advice="Report this as a defect; nothing was written."
        ) from error


def is_busy(error: DBAPIError) -> bool:
    """Whether another connection holds the lock."""
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def store_error(place: str, error: DBAPIError) -> StoreError:
    """The StoreError for one error of the database driver."""
    cause = error.orig
    name = getattr(cause, "sqlite_errorname", type(cause).__name__)
    known = _KNOWN.get(_primary_code(error))
    if known is not None:
        message, advice = known
    else:
        message = _CONSTRAINTS.get(name, f"the database refused: {cause}")
        advice = "Nothing was written. Report this as a defect, with the command and the log."
    return StoreError(f"{place}: {message} ({name})", advice=advice)


def _primary_code(error: DBAPIError) -> int:
    code = getattr(error.orig, "sqlite_errorcode", None)
    # The low byte is the primary code, the rest says which kind of it.
    return code & 0xFF if isinstance(code, int) else sqlite3.SQLITE_ERROR
