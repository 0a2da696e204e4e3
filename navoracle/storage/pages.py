"""Pages of what was recorded: see `navoracle.store_port.pages`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from navoracle.domain.prices import PriceStatus, Side
from navoracle.domain.units import Bps, Timestamp
from navoracle.storage import tables
from navoracle.storage.columns import ByteOrder
from navoracle.storage.database import Database
from navoracle.storage.history import HISTORY, POSTS, post_rows
from navoracle.storage.requests import request_row
from navoracle.storage.rows import event_row, fund_frame_row, history_row, slot_row
from navoracle.storage.transactions import transaction_rows
from navoracle.store_port.pages import (
    EstimateRow,
    EventQuestion,
    FrameKey,
    FrameQuestion,
    QuoteRow,
    Rows,
    SlotKey,
    SlotQuestion,
    Span,
)
from navoracle.store_port.records import EventRow, FundFrameRow, HistoryRow, PostRow, SlotRow
from navoracle.store_port.requests import RequestRow
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import TransactionRow


class PageStore:
    """The part of the store that answers in pages."""

    _database: Database

    def event_page(self, ask: EventQuestion, *, before: int | None, limit: int) -> Rows[EventRow]:
        """Events, the last one stored first."""
        table = tables.events
        where = _within(table.c.at, ask.span)
        for column, wanted in ((table.c.fund, ask.fund), (table.c.kind, ask.kind)):
            if wanted is not None:
                where.append(column == wanted)
        if ask.severity is not None:
            where.append(table.c.severity == ask.severity.value)
        if ask.text:
            where.append(table.c.message.icontains(ask.text, autoescape=True))
        query = select(table).where(*where).order_by(table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.id < before)
        with self._database.read() as connection:
            total = connection.execute(_count(select(table.c.id).where(*where))).scalar_one()
            return Rows(tuple(map(event_row, connection.execute(query).mappings())), total)

    def events_after(self, event: int, limit: int) -> tuple[EventRow, ...]:
        """The next events after an id, oldest first."""
        table = tables.events
        query = select(table).where(table.c.id > event).order_by(table.c.id).limit(limit)
        with self._database.read() as connection:
            return tuple(map(event_row, connection.execute(query).mappings()))

    def newest_event(self) -> int:
        """The id of the last event; 0 before the first."""
        with self._database.read() as connection:
            found: int = connection.execute(select(func.coalesce(func.max(tables.events.c.id), 0))).scalar_one()
        return found

    def slot_page(self, ask: SlotQuestion, *, before: SlotKey | None, limit: int) -> Rows[SlotRow]:
        """Slots, newest first, and of one time by fund."""
        table = tables.slots
        with self._database.read() as connection:
            total = connection.execute(_count(select(table.c.id).where(*_of(ask)))).scalar_one()
            query = _slots_page(select(table), ask, before).limit(limit)
            return Rows(tuple(map(slot_row, connection.execute(query).mappings())), total)

    def history_page(self, ask: SlotQuestion, *, before: SlotKey | None, limit: int) -> Rows[HistoryRow]:
        """The same slots with their frames and posts."""
        table = tables.slots
        with self._database.read() as connection:
            total = connection.execute(_count(select(table.c.id).where(*_of(ask)))).scalar_one()
            query = _slots_page(HISTORY, ask, before).limit(limit)
            return Rows(tuple(map(history_row, connection.execute(query).mappings())), total)

    def frame_page(
        self, ask: FrameQuestion, *, before: FrameKey | None, limit: int
    ) -> Rows[tuple[FundFrameRow, FrameKey]]:
        """What frames found for funds, newest first, each with its key."""
        table, frames = tables.fund_frames, tables.frames
        where = _within(frames.c.now, ask.span)
        if ask.fund is not None:
            where.append(table.c.fund == ask.fund)
        if ask.status is not None:
            where.append(table.c.status == ask.status.value)
        joined = select(table, frames.c.slot_time, frames.c.now, frames.c.clock).join(
            frames, frames.c.id == table.c.frame
        )
        frame, fund = ByteOrder(frames.c.id), ByteOrder(table.c.fund)
        query = joined.where(*where).order_by(frames.c.now.desc(), frames.c.clock.desc(), frame, fund).limit(limit)
        if before is not None:
            query = query.where(
                _after(
                    (frames.c.now, before.now, False),
                    (frames.c.clock, before.clock, False),
                    (frame, before.frame, True),
                    (fund, before.fund, True),
                )
            )
        with self._database.read() as connection:
            total = connection.execute(_count(joined.where(*where).with_only_columns(table.c.frame))).scalar_one()
            found = connection.execute(query).mappings().all()
        keyed = ((fund_frame_row(row), FrameKey(row["now"], row["clock"], row["frame"], row["fund"])) for row in found)
        return Rows(tuple(keyed), total)

    def post_page(
        self, fund: str | None, state: TransactionState | None, *, before: int | None, limit: int
    ) -> Rows[PostRow]:
        """Posts, newest first."""
        table, funds = tables.posts, tables.post_funds
        query = POSTS
        if fund is not None:
            query = query.where(table.c.id.in_(select(funds.c.post).where(funds.c.fund == fund)))
        if state is not None:
            query = query.where(tables.transactions.c.state == state.value)
        page = _older(query, table.c.id, before, limit)
        with self._database.read() as connection:
            total = connection.execute(_count(query.with_only_columns(table.c.id))).scalar_one()
            return Rows(post_rows(connection, page), total)

    def transaction_page(self, chain: str | None, *, before: int | None, limit: int) -> Rows[TransactionRow]:
        """Transactions, newest first."""
        table = tables.transactions
        query = select(table)
        if chain is not None:
            query = query.where(table.c.chain == chain)
        page = _older(query, table.c.id, before, limit)
        with self._database.read() as connection:
            total = connection.execute(_count(query.with_only_columns(table.c.id))).scalar_one()
            return Rows(transaction_rows(connection, page), total)

    def request_page(self, fund: str | None, *, before: int | None, limit: int) -> Rows[tuple[RequestRow, int]]:
        """Requests, newest first, each with its number."""
        table = tables.requests
        query = select(table)
        if fund is not None:
            query = query.where(table.c.fund == fund)
        page = _older(query, table.c.number, before, limit)
        with self._database.read() as connection:
            total = connection.execute(_count(query.with_only_columns(table.c.number))).scalar_one()
            found = connection.execute(page).mappings().all()
        return Rows(tuple((request_row(row), row["number"]) for row in found), total)

    def newest_estimates(self, within: int) -> tuple[EstimateRow, ...]:
        """The newest estimate of each asset and side in the last seconds up to the newest frame, sorted."""
        table, frames = tables.estimates, tables.frames
        newest_frame = select(func.max(frames.c.now)).where(frames.c.stop_after.is_(None)).scalar_subquery()
        ranked = select(
            table,
            frames.c.now,
            func.row_number()
            .over(
                partition_by=(table.c.asset, table.c.side),
                order_by=(frames.c.now.desc(), frames.c.clock.desc(), ByteOrder(frames.c.id)),
            )
            .label("place"),
        ).join(frames, frames.c.id == table.c.frame)
        newest = ranked.where(frames.c.now >= newest_frame - within).subquery()
        query = select(newest).where(newest.c.place == 1).order_by(ByteOrder(newest.c.asset), newest.c.side)
        with self._database.read() as connection:
            return tuple(_estimate(row) for row in connection.execute(query).mappings())

    def estimates_of(self, asset: str, side: Side, span: Span, limit: int) -> tuple[EstimateRow, ...]:
        """The newest estimates of an asset, newest first."""
        table, frames = tables.estimates, tables.frames
        query = (
            select(table, frames.c.now)
            .join(frames, frames.c.id == table.c.frame)
            .where(table.c.asset == asset, table.c.side == side, *_within(frames.c.now, span))
            .order_by(frames.c.now.desc(), frames.c.clock.desc(), ByteOrder(frames.c.id))
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(_estimate(row) for row in connection.execute(query).mappings())

    def quotes_of(self, frame: str, asset: str) -> tuple[QuoteRow, ...]:
        """What the sources of an asset said in a frame, sorted by source."""
        table = tables.quotes
        query = select(table).where(table.c.frame == frame, table.c.asset == asset).order_by(ByteOrder(table.c.source))
        with self._database.read() as connection:
            found = connection.execute(query).mappings().all()
        return tuple(
            QuoteRow(
                asset=row["asset"],
                source=row["source"],
                group=row["group"],
                price=row["price"],
                confidence=Bps(row["confidence"]),
                observed_at=Timestamp(row["observed_at"]),
                published_at=row["published_at"],
                used=row["used"],
                excluded=row["excluded_reason"],
            )
            for row in found
        )


def _estimate(row: Any) -> EstimateRow:
    return EstimateRow(
        frame=row["frame"],
        now=row["now"],
        asset=row["asset"],
        side=row["side"],
        price=row["price"],
        confidence=Bps(row["confidence"]),
        status=PriceStatus(row["status"]),
        reason=row["reason"],
        spread_bps=row["spread_bps"],
        as_of=row["as_of"],
    )


def _older(query: Select[Any], number: ColumnElement[int], before: int | None, limit: int) -> Select[Any]:
    """The newest rows below `before`, or of all."""
    page = query.order_by(number.desc()).limit(limit)
    return page if before is None else page.where(number < before)


def _count(query: Select[Any]) -> Select[Any]:
    return select(func.count()).select_from(query.order_by(None).subquery())


def _within(column: ColumnElement[Any], span: Span) -> list[ColumnElement[bool]]:
    found = [] if span.since is None else [column >= span.since]
    return found if span.until is None else [*found, column <= span.until]


def _of(ask: SlotQuestion) -> list[ColumnElement[bool]]:
    table = tables.slots
    where = _within(table.c.slot_time, ask.span)
    if ask.fund is not None:
        where.append(table.c.fund == ask.fund)
    if ask.states is not None:
        where.append(table.c.state.in_([state.value for state in ask.states]))
    if ask.cadence is not None:
        where.append(table.c.cadence == ask.cadence.value)
    return where


def _slots_page(query: Select[Any], ask: SlotQuestion, before: SlotKey | None) -> Select[Any]:
    table = tables.slots
    fund = ByteOrder(table.c.fund)
    query = query.where(*_of(ask)).order_by(table.c.slot_time.desc(), fund)
    if before is None:
        return query
    return query.where(_after((table.c.slot_time, before.slot_time, False), (fund, before.fund, True)))


def _after(*columns: tuple[ColumnElement[Any], object, bool]) -> ColumnElement[bool]:
    """Rows that come after a key; a column is (itself, the key's value, whether it rises)."""
    choices = []
    for place, (column, value, rises) in enumerate(columns):
        same = [other == given for other, given, _ in columns[:place]]
        choices.append(and_(*same, column > value if rises else column < value))
    return or_(*choices)
