"""What frames found for funds in one line each, newest first."""

from __future__ import annotations

from navoracle.domain.units import wad_text
from navoracle.read_model.cursors import frame_key_of
from navoracle.read_model.paging import page_of
from navoracle.read_model.records import Page, Record, Time, WadText
from navoracle.store_port import FrameQuestion, FundFrameRow, PageStore


class FrameRecord(Record):
    """What a frame found for a fund."""

    frame: str
    fund: str
    slot_time: Time
    now: Time
    """The valuation time."""
    status: str
    reason: str | None
    nav_before: WadText | None
    """Without queued deposits."""
    nav: WadText | None
    """With them."""
    price_per_share: WadText | None
    shares: WadText | None
    confidence_bps: int | None
    estimated: bool | None
    evidence_hash: str | None


def frames(store: PageStore, ask: FrameQuestion, *, cursor: str | None, limit: int) -> Page[FrameRecord]:
    """What frames found, newest first. Raises StoreError, UsageError for a cursor of another list."""
    found = store.frame_page(ask, before=frame_key_of(cursor), limit=limit + 1)
    return page_of(found, lambda row: frame_record(row[0]), limit=limit, key=lambda row: row[1])


def frame_record(row: FundFrameRow) -> FrameRecord:
    """What a frame found for a fund."""
    values = row.values
    return FrameRecord(
        frame=row.frame,
        fund=row.fund,
        slot_time=row.slot_time,
        now=row.now,
        status=row.status.value,
        reason=row.reason,
        nav_before=None if values is None else wad_text(values.nav_before),
        nav=None if values is None else wad_text(values.nav_after),
        price_per_share=None if values is None else wad_text(values.price_per_share),
        shares=None if values is None else wad_text(values.shares),
        confidence_bps=None if values is None else values.confidence,
        estimated=None if values is None else values.estimated,
        evidence_hash=row.evidence_hash,
    )
