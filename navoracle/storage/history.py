"""What was recorded, for people: slots, frames, posts, evidence, and the three joined."""

from __future__ import annotations

import zlib
from collections import defaultdict
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, func, select

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import tables
from navoracle.storage.columns import ByteOrder
from navoracle.storage.database import Database
from navoracle.storage.rows import frame_row, fund_frame_row, history_row, post_row, slot_row
from navoracle.storage.transactions import attempts_of
from navoracle.store_port.records import (
    FrameRow,
    FundFrameRow,
    HistoryRow,
    PostRow,
    SlotRow,
    SlotState,
    StatusRow,
)
from navoracle.store_port.states import TransactionState

POSTS: Final = select(
    tables.posts,
    tables.transactions.c.state,
    tables.transactions.c.hash.label("transaction_hash"),
    tables.transactions.c.block_number,
    tables.transactions.c.error,
).join(tables.transactions, tables.transactions.c.id == tables.posts.c.transaction)
"""Posts with what became of their transactions."""


class HistoryStore:
    """The part of the store that answers questions. Rows come newest first."""

    _database: Database

    def slots(
        self, fund: str | None = None, since: Timestamp | None = None, limit: int | None = None
    ) -> tuple[SlotRow, ...]:
        """Slots, of one fund or all, from the slot time `since` on."""
        table = tables.slots
        query = _of_slots(select(table), fund, since).limit(limit)
        with self._database.read() as connection:
            return tuple(map(slot_row, connection.execute(query).mappings()))

    def frames(
        self, since: Timestamp | None = None, limit: int | None = None, *, samples: bool = False
    ) -> tuple[FrameRow, ...]:
        """Frames valued at `since` or later; those of the sampler only when asked for."""
        table = tables.frames
        query = select(table).order_by(table.c.now.desc(), table.c.clock.desc(), ByteOrder(table.c.id)).limit(limit)
        if since is not None:
            query = query.where(table.c.now >= since)
        if not samples:
            query = query.where(table.c.stop_after.is_(None))
        with self._database.read() as connection:
            return tuple(map(frame_row, connection.execute(query).mappings()))

    def fund_frames(
        self,
        fund: str | None = None,
        frame: str | None = None,
        since: Timestamp | None = None,
        limit: int | None = None,
    ) -> tuple[FundFrameRow, ...]:
        """What frames found for a fund, or a frame for its funds."""
        table, frames = tables.fund_frames, tables.frames
        query = (
            select(table, frames.c.slot_time, frames.c.now)
            .join(frames, frames.c.id == table.c.frame)
            .order_by(frames.c.now.desc(), frames.c.clock.desc(), ByteOrder(frames.c.id), ByteOrder(table.c.fund))
            .limit(limit)
        )
        if fund is not None:
            query = query.where(table.c.fund == fund)
        if frame is not None:
            query = query.where(table.c.frame == frame)
        if since is not None:
            query = query.where(frames.c.now >= since)
        with self._database.read() as connection:
            return tuple(map(fund_frame_row, connection.execute(query).mappings()))

    def evidence(self, frame_id: str, fund: str) -> bytes:
        """The canonical evidence document, byte for byte.

        Raises:
            StoreError: there is none, or it is damaged.
        """
        table = tables.evidence
        query = select(table.c.document).where(table.c.frame == frame_id, table.c.fund == fund)
        with self._database.read() as connection:
            document: bytes | None = connection.execute(query).scalar_one_or_none()
        if document is None:
            raise StoreError(
                f"{self._database.place}: no evidence of {fund} in frame {frame_id}",
                advice="List the frames and funds with `navoracle history`.",
            )
        try:
            return zlib.decompress(document)
        except zlib.error as error:
            raise StoreError(
                f"{self._database.place}: the evidence of {fund} in frame {frame_id} is damaged ({error})",
                advice="Restore the database from a backup; evidence that cannot be read proves nothing.",
            ) from error

    def posts(self, fund: str | None = None, frame: str | None = None, limit: int | None = None) -> tuple[PostRow, ...]:
        """Posts, of one fund or frame or all, whole."""
        table, funds = tables.posts, tables.post_funds
        query = POSTS.order_by(table.c.id.desc()).limit(limit)
        if fund is not None:
            query = query.where(table.c.id.in_(select(funds.c.post).where(funds.c.fund == fund)))
        if frame is not None:
            query = query.where(table.c.frame == frame)
        with self._database.read() as connection:
            return post_rows(connection, query)

    def unfinished_posts(self) -> tuple[PostRow, ...]:
        """Posts whose transaction has not ended, or that were not read back after it was confirmed; oldest first."""
        posts, state = tables.posts, tables.transactions.c.state
        unread = (state == TransactionState.CONFIRMED.value) & posts.c.finished_at.is_(None)
        query = POSTS.where(state.in_(tables.OPEN_STATES) | unread).order_by(posts.c.id)
        with self._database.read() as connection:
            return post_rows(connection, query)

    def history(
        self, fund: str | None = None, since: Timestamp | None = None, limit: int | None = None
    ) -> tuple[HistoryRow, ...]:
        """Slots, each with what its frame found and where it was posted."""
        query = _of_slots(HISTORY, fund, since).limit(limit)
        with self._database.read() as connection:
            return tuple(map(history_row, connection.execute(query).mappings()))

    def status(self) -> tuple[StatusRow, ...]:
        """Every fund's newest slot and the newest one that was posted, sorted by fund."""
        with self._database.read() as connection:
            latest = _newest(connection, posted=False)
            posted = _newest(connection, posted=True)
        return tuple(StatusRow(fund, row, posted.get(fund)) for fund, row in sorted(latest.items()))


def _of_slots(query: Select[Any], fund: str | None, since: Timestamp | None) -> Select[Any]:
    table = tables.slots
    query = query.order_by(table.c.slot_time.desc(), ByteOrder(table.c.fund))
    if fund is not None:
        query = query.where(table.c.fund == fund)
    if since is not None:
        query = query.where(table.c.slot_time >= since)
    return query


def _history_query() -> Select[Any]:
    slots, found, posts, transactions = tables.slots, tables.fund_frames, tables.posts, tables.transactions
    attempts = tables.attempts
    signed = (
        select(attempts.c.hash)
        .where(attempts.c.transaction == transactions.c.id)
        .order_by(attempts.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            slots.c.fund,
            slots.c.slot_time,
            slots.c.cadence,
            slots.c.state,
            slots.c.reason,
            slots.c.frame,
            found.c.status,
            found.c.nav_after,
            found.c.price_per_share,
            found.c.confidence,
            func.coalesce(transactions.c.hash, signed).label("transaction_hash"),
            transactions.c.block_number,
        )
        .outerjoin(found, (found.c.frame == slots.c.frame) & (found.c.fund == slots.c.fund))
        .outerjoin(posts, posts.c.id == slots.c.post)
        .outerjoin(transactions, transactions.c.id == posts.c.transaction)
    )


HISTORY: Final = _history_query()
"""Slots with what their frames found and what became of their posts."""


def _newest(connection: Connection, *, posted: bool) -> dict[str, HistoryRow]:
    table = tables.slots
    times = select(table.c.fund, func.max(table.c.slot_time).label("slot_time")).group_by(table.c.fund)
    if posted:
        times = times.where(table.c.state == SlotState.POSTED.value)
    newest = times.subquery()
    query = HISTORY.join(newest, (newest.c.fund == table.c.fund) & (newest.c.slot_time == table.c.slot_time))
    return {row["fund"]: history_row(row) for row in connection.execute(query).mappings()}


def post_rows(connection: Connection, query: Select[Any]) -> tuple[PostRow, ...]:
    """The posts of a query made from `POSTS`, whole."""
    rows = connection.execute(query).mappings().all()
    posts, table = tables.posts, tables.post_funds
    attempts = attempts_of(connection, select(query.with_only_columns(posts.c.transaction).subquery()))
    chosen = select(query.with_only_columns(posts.c.id).subquery())
    funds: dict[int, list[RowMapping]] = defaultdict(list)
    for row in connection.execute(
        select(table).where(table.c.post.in_(chosen)).order_by(table.c.post, table.c.place)
    ).mappings():
        funds[row["post"]].append(row)
    return tuple(post_row(row, attempts[row["transaction"]], funds[row["id"]]) for row in rows)
