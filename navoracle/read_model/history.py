"""Slots, and what was found and posted in them, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from navoracle.domain.cadence import Cadence
from navoracle.domain.units import wad_text
from navoracle.read_model.cursors import slot_key_of
from navoracle.read_model.paging import page_of
from navoracle.read_model.records import Page, Record, Time, WadText
from navoracle.store_port import HistoryRow, PageStore, SlotKey, SlotQuestion, SlotRow, SlotState


class SlotRecord(Record):
    """A slot and how it ended."""

    fund: str
    slot_time: Time
    cadence: str
    state: str
    reason: str | None
    """Why nothing was accepted; null where something was."""
    frame: str | None
    post: int | None
    claimed_at: Time
    finished_at: Time | None
    owner: str | None
    """The keeper that has it, or had it."""
    epoch: int
    """It grows with every claim."""


class Annotation(Record):
    """What is worth a mark at a point of the history."""

    kind: Literal["post", "hold", "skip", "failure", "missed", "emergency", "high_volatility"]
    text: str


class HistoryPoint(Record):
    """A slot with what its frame found and where it was posted."""

    fund: str
    slot_time: Time
    cadence: str
    state: str
    reason: str | None
    frame: str | None
    status: str | None
    """What the frame said of the NAV; null where no frame was run."""
    nav: WadText | None
    """With queued deposits; null where the fund could not be valued."""
    price_per_share: WadText | None
    confidence_bps: int | None
    transaction: str | None
    """The transaction that was mined, or else the newest that was signed."""
    block: int | None
    annotations: list[Annotation]


_MARKS: Final[dict[SlotState, Literal["post", "hold", "skip", "failure", "missed"]]] = {
    SlotState.POSTED: "post",
    SlotState.HELD: "hold",
    SlotState.SKIPPED: "skip",
    SlotState.FAILED: "failure",
    SlotState.MISSED: "missed",
}


def slots(store: PageStore, ask: SlotQuestion, *, cursor: str | None, limit: int) -> Page[SlotRecord]:
    """Slots, newest first. Raises StoreError, UsageError for a cursor of another list."""
    found = store.slot_page(ask, before=slot_key_of(cursor), limit=limit + 1)
    return page_of(found, slot_record, limit=limit, key=_key)


def history(store: PageStore, ask: SlotQuestion, *, cursor: str | None, limit: int) -> Page[HistoryPoint]:
    """Slots with frames and posts, newest first. Raises as `slots`."""
    found = store.history_page(ask, before=slot_key_of(cursor), limit=limit + 1)
    return page_of(found, history_point, limit=limit, key=_key)


def _key(row: SlotRow | HistoryRow) -> SlotKey:
    return SlotKey(row.slot_time, row.fund)


def slot_record(row: SlotRow) -> SlotRecord:
    """A slot."""
    return SlotRecord(
        fund=row.fund,
        slot_time=row.slot_time,
        cadence=row.cadence.value,
        state=row.state.value,
        reason=row.reason,
        frame=row.frame,
        post=row.post,
        claimed_at=row.claimed_at,
        finished_at=row.finished_at,
        owner=row.owner,
        epoch=row.epoch,
    )


def history_point(row: HistoryRow) -> HistoryPoint:
    """A slot with its frame and post."""
    return HistoryPoint(
        fund=row.fund,
        slot_time=row.slot_time,
        cadence=row.cadence.value,
        state=row.state.value,
        reason=row.reason,
        frame=row.frame,
        status=None if row.status is None else row.status.value,
        nav=wad_text(row.nav_after),
        price_per_share=wad_text(row.price_per_share),
        confidence_bps=row.confidence,
        transaction=row.transaction_hash,
        block=row.block_number,
        annotations=list(_annotations(row)),
    )


def _annotations(row: HistoryRow) -> Iterator[Annotation]:
    said = row.state.value if row.reason is None else f"{row.state.value}: {row.reason}"
    if row.state in _MARKS:
        yield Annotation(kind=_MARKS[row.state], text=said)
    if row.cadence is Cadence.EMERGENCY:
        yield Annotation(kind="emergency", text="an emergency slot")
    if row.cadence is Cadence.HIGH_VOLATILITY:
        yield Annotation(kind="high_volatility", text="a slot of a volatile period")
