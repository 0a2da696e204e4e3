"""Prices: what every source said, what counted and why not, how old and how far apart; and how a price came here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Literal

from navoracle.domain.units import Timestamp
from navoracle.read_model.evidence import parsed
from navoracle.read_model.records import OffsetPage, Record, Time, WadText, number, wad_text
from navoracle.read_model.sources import Sources
from navoracle.store_port import EstimateRow, Span

RECENT: Final = 86_400
"""Seconds up to the newest frame within which an asset's newest estimate is looked for."""

LOOKED_AT: Final = 50
"""Funds of a frame in whose evidence an asset is looked for at most."""

SideWord = Literal["asset", "debt"]
PriceWord = Literal["live", "estimated", "unavailable"]


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


class VoteRecord(Record):
    """One group's say."""

    group: str
    price: WadText
    confidence_bps: int
    sources: list[str]


class Exclusion(Record):
    """A source that does not count."""

    source: str
    reason: str


class QuoteRecord(Record):
    """What one source said."""

    source: str
    group: str
    price: WadText
    confidence_bps: int
    observed_at: Time
    age: int
    """Seconds from `observed_at` to the frame's time."""
    max_age: int | None
    """The age up to which it is taken; null where the evidence that says so cannot be read."""
    published_at: Time | None
    """A heartbeat feed's true time of its round."""
    used: bool
    excluded: str | None
    """Why it does not count."""


class Estimate(Record):
    """A price on one side, and how it came about."""

    asset: str
    side: SideWord
    price: WadText | None
    undecayed_price: WadText | None
    status: PriceWord
    reason: str | None
    confidence_bps: int
    spread_bps: int | None
    as_of: Time | None
    published_at: Time | None
    votes: list[VoteRecord]
    used: list[str]
    excluded: list[Exclusion]
    native_gap_bps: int | None
    """Distance from the protocol's own rate, signed."""
    native_alarm: bool
    quotes: list[QuoteRecord]


class PolicyRecord(Record):
    """The limits of the aggregation."""

    max_age: int
    max_future: int
    min_confidence: int
    outlier_bps: int
    wide_bps: int
    min_sources: int
    method: str


class DerivedRate(Record):
    """A rate that a price is derived through; of a Pendle market spot beside its average."""

    kind: str
    base: str
    spot_rate: WadText | None
    twap_rate: WadText | None
    twap_seconds: int | None
    gap_bps: int | None
    """Spot less average, of the average, in basis points, rounded away from zero."""


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
    return OffsetPage(
        items=[price_row(row) for row in rows[offset : offset + limit]],
        total=len(rows),
        offset=offset,
        limit=limit,
        next=offset + limit if offset + limit < len(rows) else None,
    )


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
        derived=None if document is None or plan is None or plan["derived"] is None else _derived(document, plan),
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


def estimates_in(document: Mapping[str, Any]) -> list[Estimate]:
    """Every estimate of an evidence document, sorted by asset and side."""
    return [
        _estimate(found, key.rpartition("/")[2], document)
        for key, found in sorted(document["result"]["estimates"].items())
    ]


def _estimate(found: Mapping[str, Any], side: str, document: Mapping[str, Any]) -> Estimate:
    excluded = [Exclusion(source=source, reason=reason) for source, reason in found["excluded"]]
    reasons = {each.source: each.reason for each in excluded}
    return Estimate(
        asset=found["asset"],
        side="debt" if side == "debt" else "asset",
        price=found["price"],
        undecayed_price=found["undecayed_price"],
        status=found["status"],
        reason=found["reason"],
        confidence_bps=int(found["confidence"]),
        spread_bps=number(found["spread_bps"]),
        as_of=number(found["as_of"]),
        published_at=number(found["published_at"]),
        votes=[
            VoteRecord(
                group=vote["group"],
                price=vote["price"],
                confidence_bps=int(vote["confidence"]),
                sources=vote["sources"],
            )
            for vote in found["votes"]
        ],
        used=found["used"],
        excluded=excluded,
        native_gap_bps=number(found["native_gap_bps"]),
        native_alarm=found["native_alarm"],
        quotes=[
            _quote(quote, document, used=quote["source"] in found["used"], excluded=reasons.get(quote["source"]))
            for quote in document["result"]["quotes"]
            if quote["asset"] == found["asset"]
        ],
    )


def _quote(quote: Mapping[str, Any], document: Mapping[str, Any], *, used: bool, excluded: str | None) -> QuoteRecord:
    observed = int(quote["observed_at"])
    limit = number(quote["max_age"])
    plan = document["plan"]["assets"][quote["asset"]]
    return QuoteRecord(
        source=quote["source"],
        group=quote["group"],
        price=quote["price"],
        confidence_bps=int(quote["confidence"]),
        observed_at=observed,
        age=int(document["now"]) - observed,
        max_age=int(plan["policy"]["max_age"]) if limit is None else limit,
        published_at=number(quote["published_at"]),
        used=used,
        excluded=excluded,
    )


def _quotes(sources: Sources, newest: EstimateRow, document: Mapping[str, Any] | None) -> list[QuoteRecord]:
    """What the sources said, by the store; their limits are in the evidence alone."""
    limits: dict[str, int] = {}
    if document is not None:
        limits = {
            quote["source"]: _quote(quote, document, used=False, excluded=None).max_age or 0
            for quote in document["result"]["quotes"]
        }
    return [
        QuoteRecord(
            source=row.source,
            group=row.group,
            price=str(int(row.price)),
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


def _derived(document: Mapping[str, Any], plan: Mapping[str, Any]) -> DerivedRate:
    found = plan["derived"]
    seconds = number(found.get("twap_seconds"))
    spot, average = (None, None) if seconds is None else _pendle_rates(document["reads"], found, seconds)
    return DerivedRate(
        kind=found["kind"],
        base=found["base"],
        spot_rate=wad_text(spot),
        twap_rate=wad_text(average),
        twap_seconds=seconds,
        gap_bps=None if spot is None or not average else _gap(spot, average),
    )


def _pendle_rates(
    reads: Iterable[Mapping[str, Any]], found: Mapping[str, Any], seconds: int
) -> tuple[int | None, int | None]:
    """Spot and average of a Pendle market as its oracle answered: the same function asked for 0 s and for `seconds`."""
    market, oracle = str(found["market"])[2:].lower().rjust(64, "0"), str(found["oracle"]).lower()
    answers: dict[str, dict[int, int]] = {}
    for read in reads:
        request = read["request"]
        data = str(request.get("data", "")).lower()
        if read["kind"] != "call" or not read["ok"] or str(request["target"]).lower() != oracle:
            continue
        if len(data) == 2 + 8 + 128 and data[10:74] == market and len(read["data"]) == 66:
            answers.setdefault(data[:10], {})[int(data[74:], 16)] = int(read["data"], 16)
    rates = next((each for each in answers.values() if 0 in each and seconds in each), {})
    return rates.get(0), rates.get(seconds)


def _gap(spot: int, average: int) -> int:
    """Spot less average in basis points of the average, rounded away from zero."""
    size = -(-abs(spot - average) * 10_000 // average)
    return size if spot >= average else -size


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
        PricePoint(time=sample.time, price=str(int(sample.price)), status="live", confidence_bps=None, source="sample")
        for sample in sources.store.load_samples(since)
        if sample.asset == newest.asset and sample.time not in framed and newest.side == "asset"
    ]
    return sorted(points, key=lambda point: point.time)[-limit:]
