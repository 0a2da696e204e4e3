"""Column types for numbers that SQL's own types cannot hold."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Dialect, Text
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
