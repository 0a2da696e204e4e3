"""Rows in pages: how an answer is cut, and where the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from navoracle.read_model.cursors import cursor_of
from navoracle.read_model.records import OffsetPage, Page
from navoracle.store_port import Rows

T = TypeVar("T")
R = TypeVar("R")


def page_of(
    found: Rows[T], record: Callable[[T], R], *, limit: int, key: Callable[[T], tuple[int | str, ...]]
) -> Page[R]:
    """The first `limit` rows; a row beyond them, which has to be asked for, says that there is another page.

    Args:
        key: where a row stands in the list.
    """
    shown = found.rows[:limit]
    following = cursor_of(*key(shown[-1])) if len(found.rows) > limit else None
    return Page(items=[record(row) for row in shown], total=found.total, limit=limit, next=following)


def offset_page_of(rows: Sequence[T], record: Callable[[T], R], *, offset: int, limit: int) -> OffsetPage[R]:
    """At most `limit` of all rows that match, without the first `offset`."""
    end = offset + limit
    return OffsetPage(
        items=[record(row) for row in rows[offset:end]],
        total=len(rows),
        offset=offset,
        limit=limit,
        next=end if end < len(rows) else None,
    )
