"""Prices of assets: the newest of each, and how one came about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from navoracle.domain.units import Timestamp, wad_text
from navoracle.read_model.derived_rates import DerivedRate, derived_rate
from navoracle.read_model.estimates import Estimate, PriceWord, QuoteRecord, SideWord, estimates_in, max_age_of
from navoracle.read_model.evidence import parsed
from navoracle.read_model.paging import offset_page_of
from navoracle.read_model.records import OffsetPage, Record, Time, WadText
from navoracle.read_model.sources import Sources
from navoracle.store_port import EstimateRow, Span

RECENT: Final = 86_400
"""Seconds up to the newest frame within which an asset's newest estimate is looked for."""

LOOKED_AT: Final = 50
"""Funds of a frame in whose evidence an asset is looked for at most."""


class PriceRow(Record):
    """An asset's newest price on one side."""

    asset: str
    side: SideWord
    price: WadText | None
    """In the unit of account for one whole unit; null where there is none."""
    confidence_bps: int
    status: PriceWord
    reason: str | None
    """Why there is no live price; null where there is."""
    spread_bps: int | None
    as_of: Time | None
    """The oldest observation that it rests on."""
    frame: str
    now: Time
    """The frame's time."""


class PolicyRecord(Record):
    """The limits of the aggregation."""

    max_age: int
    max_future: int
    min_confidence: int
    outlier_bps: int
    wide_bps: int
    min_sources: int
    method: str


class PricePoint(Record):
    """A price of the past."""

    time: Time
    price: WadText | None
    status: PriceWord
    confidence_bps: int | None
    """Null for a sample: only its price is kept."""
    source: Literal["frame", "sample"]


class PriceDetail(Record):
    """An asset's price, its votes and its past."""

    asset: str
    frame: str
    now: Time
    sides: list[PriceRow]
    estimates: list[Estimate] | None
    """Votes, quotes and exclusions; null where no evidence of the frame can be read."""
    quotes: list[QuoteRecord]
    policy: PolicyRecord | None
    derived: DerivedRate | None
    """Null for an asset that is priced by sources."""
    history: list[PricePoint]
    """Oldest first: frames, and the samples between them."""
    unknown: dict[str, str]
    """Why a place is null, by its JSON pointer."""


def prices(
    sources: Sources, *, text: str | None = None, assets: Collection[str] | None = None, offset: int, limit: int
) -> OffsetPage[PriceRow]:
    """The newest price of every asset (or of some) and side, sorted. Raises StoreError."""
    needle = "" if text is None else text.casefold()
    rows = [
        row
        for row in sources.store.newest_estimates(RECENT)
        if needle in row.asset.casefold() and (assets is None or row.asset in assets)
    ]
    return offset_page_of(rows, price_row, offset=offset, limit=limit)


def price_detail(sources: Sources, asset: str, *, seconds: int, limit: int) -> PriceDetail | None:
    """An asset; None where no frame of the last day estimated it.

    Args:
        seconds: of its past, up to the frame.
        limit: points of its past at most, the newest.

    Raises:
        StoreError: the database cannot be read.
    """
    store = sources.store
    rows = [row for row in store.newest_estimates(RECENT) if row.asset == asset]
    if not rows:
        return None
    newest = max(rows, key=lambda row: row.now)
    rows = [row for row in rows if row.frame == newest.frame]
    document = _document_with(sources, newest.frame, asset)
    plan = None if document is None else document["plan"]["assets"].get(asset)
    estimates = None if document is None else [each for each in estimates_in(document) if each.asset == asset]
    unknown = {} if document is not None else dict.fromkeys(("/estimates", "/policy", "/derived"), _NO_EVIDENCE)
    if plan is not None and plan["derived"] is None:
        unknown["/derived"] = "the asset is priced by its sources"
    return PriceDetail(
        asset=asset,
        frame=newest.frame,
        now=newest.now,
        sides=[price_row(row) for row in rows],
        estimates=estimates,
        quotes=_quotes(sources, newest, document),
        policy=None if plan is None else PolicyRecord(**_policy(plan["policy"])),
        derived=None if document is None or plan is None else derived_rate(plan, document["reads"]),
        history=_past(sources, newest, seconds, limit),
        unknown=unknown,
    )


_NO_EVIDENCE: Final = "no evidence of the frame that has the asset can be read"


def price_row(row: EstimateRow) -> PriceRow:
    """An asset's price in a frame."""
    return PriceRow(
        asset=row.asset,
        side=row.side,
        price=wad_text(row.price),
        confidence_bps=row.confidence,
        status=row.status.value,
        reason=row.reason,
        spread_bps=row.spread_bps,
        as_of=row.as_of,
        frame=row.frame,
        now=row.now,
    )


def _quotes(sources: Sources, newest: EstimateRow, document: Mapping[str, Any] | None) -> list[QuoteRecord]:
    """What the sources said, by the store; their limits are in the evidence alone."""
    limits: dict[str, int] = {}
    if document is not None:
        limits = {quote["source"]: max_age_of(quote, document) for quote in document["result"]["quotes"]}
    return [
        QuoteRecord(
            source=row.source,
            group=row.group,
            price=wad_text(row.price),
            confidence_bps=row.confidence,
            observed_at=row.observed_at,
            age=newest.now - row.observed_at,
            max_age=limits.get(row.source),
            published_at=row.published_at,
            used=row.used,
            excluded=row.excluded,
        )
        for row in sources.store.quotes_of(newest.frame, newest.asset)
    ]


def _policy(found: Mapping[str, str]) -> dict[str, Any]:
    return {name: found[name] if name == "method" else int(found[name]) for name in PolicyRecord.model_fields}


def _document_with(sources: Sources, frame: str, asset: str) -> Mapping[str, Any] | None:
    """The evidence of a fund of the frame that has the asset; funds that are known to need it are looked at first."""
    configured = sources.funds()
    rows = [row.fund for row in sources.store.fund_frames(frame=frame) if row.evidence_hash is not None]
    rows.sort(key=lambda fund: fund not in configured or asset not in configured[fund].assets)
    for fund in rows[:LOOKED_AT]:
        document = parsed(sources.store, frame, fund)
        if document is not None and asset in document["plan"]["assets"]:
            return document
    return None


def _past(sources: Sources, newest: EstimateRow, seconds: int, limit: int) -> list[PricePoint]:
    since = Timestamp(newest.now - seconds)
    points = [
        PricePoint(
            time=row.now,
            price=wad_text(row.price),
            status=row.status.value,
            confidence_bps=row.confidence,
            source="frame",
        )
        for row in sources.store.estimates_of(newest.asset, newest.side, Span(since, newest.now), limit)
    ]
    framed = {point.time for point in points}
    points += [
        PricePoint(time=sample.time, price=wad_text(sample.price), status="live", confidence_bps=None, source="sample")
        for sample in sources.store.load_samples(since)
        if sample.asset == newest.asset and sample.time not in framed and newest.side == "asset"
    ]
    return sorted(points, key=lambda point: point.time)[-limit:]
