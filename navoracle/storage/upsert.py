"""Inserts that meet a row with the same key: SQLite and PostgreSQL write them alike, so one form serves both."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert

__all__ = ["Insert", "keeping", "replacing", "upsert"]


def keeping(table: Table, *key: str) -> Insert:
    """An insert that does nothing where there is a row with the same key."""
    return upsert(table).on_conflict_do_nothing(index_elements=key)


def replacing(table: Table, key: tuple[str, ...], values: tuple[str, ...], *, not_older: str | None = None) -> Insert:
    """An insert that replaces the values of a row with the same key, unless the new `not_older` is below the old."""
    statement = upsert(table)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=key,
        set_={name: new[name] for name in values},
        where=None if not_older is None else new[not_older] >= table.c[not_older],
    )
