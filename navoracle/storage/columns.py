"""Column types for what SQL's own types cannot hold, and expressions that each database writes in its own way."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

MAX_BIG_INTEGER: Final = 2**63 - 1


class IntegerText(TypeDecorator[int]):
    """An integer of any size (Wad, and anything else beyond 64 bits) as decimal text.

    Raises:
        TypeError: on binding anything but an integer; it reaches the caller as a StoreError.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        """The integer's decimal digits."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{value!r} is not an integer")
        return str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:
        """The integer."""
        return None if value is None else int(value)


class SourceTime(TypeDecorator[int]):
    """A time as an outside source claims it, stored as 64 bits: one beyond them is stored as the greatest or smallest.

    A contract can answer with a time of 256 bits. Such a quote is refused as "future", and its evidence keeps the exact
    number; the record of a whole frame must not fail for it.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        """The time within 64 bits."""
        return None if value is None else max(-MAX_BIG_INTEGER, min(value, MAX_BIG_INTEGER))


class FreeText(TypeDecorator[str]):
    """Text that a node, a service or a person wrote: what no database takes is replaced, so that its record is kept.

    PostgreSQL refuses a zero character, every database half a surrogate pair.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text as every database takes it."""
        return None if value is None else value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class DatabaseClock(FunctionElement[int]):
    """The database's own clock now, in milliseconds since 1970: leases of several machines are measured by it alone."""

    inherit_cache = True
    type = BigInteger()


@compiles(DatabaseClock, "sqlite")
def _sqlite_clock(element: DatabaseClock, compiler: SQLCompiler, **_: object) -> str:
    # A Julian day of today has a resolution of 0.04 ms.
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


@compiles(DatabaseClock, "postgresql")
def _postgresql_clock(element: DatabaseClock, compiler: SQLCompiler, **_: object) -> str:
    # Not now(): that is when the transaction began, and it may have waited for a lock since.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


class ByteOrder(FunctionElement[str]):
    """A text column in the order of its characters' numbers, whatever the language of the database."""

    inherit_cache = True
    type = Text()


@compiles(ByteOrder, "sqlite")
def _sqlite_byte_order(element: ByteOrder, compiler: SQLCompiler, **options: object) -> str:
    return compiler.process(element.clauses, **options)


@compiles(ByteOrder, "postgresql")
def _postgresql_byte_order(element: ByteOrder, compiler: SQLCompiler, **options: object) -> str:
    return f'{compiler.process(element.clauses, **options)} COLLATE "C"'
