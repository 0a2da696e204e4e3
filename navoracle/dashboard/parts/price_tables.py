"""Rows of prices: estimates, votes, sources with their ages and what excluded them, and the limits they are held to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from navoracle.dashboard import addresses, formats
from navoracle.dashboard.parts.records import Column, exact, link, since, toned, unknown
from navoracle.dashboard.words import PRICE_TONES, tone_of
from navoracle.read_model.estimates import Estimate, QuoteRecord
from navoracle.read_model.prices import PolicyRecord, PriceRow

NEAR: Final = 80
"""Percent of its limit from which an age is worth a warning."""

REASONS: Final[Mapping[str, str]] = {
    "non_positive": "it is not above zero",
    "low_confidence": "its confidence is under the limit",
    "future": "it is ahead of the block's time",
    "stale": "it is older than its limit",
    "outlier": "it is too far from the median",
    "no_quotes": "no source answered",
    "no_majority": "half of the votes or more were outliers",
    "no_quorum": "too few independent groups remained",
    "native_halt": "too far from the protocol's own rate",
    "too_old": "the last valid price is too old to rest on",
}
"""The reasons of exclusion and of an estimate, for people."""

NEWEST: Final = (
    Column("asset", "Asset", head=True),
    Column("side", "Side"),
    Column("price", "Price", "number"),
    Column("status", "Status"),
    Column("confidence", "Confidence", "number"),
    Column("spread", "Spread", "number"),
    Column("as_of", "Oldest reading", "number"),
    Column("now", "Frame", "number"),
)
ESTIMATES: Final = (
    Column("side", "Side", head=True),
    Column("price", "Price", "number"),
    Column("undecayed", "Before decay", "number"),
    Column("status", "Status"),
    Column("confidence", "Confidence", "number"),
    Column("spread", "Spread", "number"),
    Column("as_of", "Oldest reading", "number"),
    Column("published", "Round published", "number"),
    Column("native", "From protocol's rate", "number"),
)
VOTES: Final = (
    Column("side", "Side"),
    Column("group", "Group", head=True),
    Column("price", "Price", "number"),
    Column("distance", "From the estimate", "number"),
    Column("confidence", "Confidence", "number"),
    Column("sources", "Sources"),
)
SOURCES: Final = (
    Column("source", "Source", head=True),
    Column("group", "Group"),
    Column("price", "Price", "number"),
    Column("distance", "From the estimate", "number"),
    Column("confidence", "Confidence", "number"),
    Column("age", "Age and limit"),
    Column("published", "Round published", "number"),
    Column("counts", "Counts"),
)


LIMITS: Final = (
    "Age of a reading",
    "Ahead of time",
    "Confidence of a source",
    "Outlier beyond",
    "Wide beyond",
    "Independent groups",
    "Method",
)


def limits_of(policy: PolicyRecord) -> dict[str, str]:
    """The limits of an aggregation, as text by their names."""
    return {
        "Age of a reading": f"at most {policy.max_age:,d} s, unless its source says otherwise",
        "Ahead of time": f"at most {policy.max_future:,d} s",
        "Confidence of a source": f"at least {formats.basis_points(policy.min_confidence)}",
        "Outlier beyond": f"{formats.basis_points(policy.outlier_bps)} from the median",
        "Wide beyond": f"{formats.basis_points(policy.wide_bps)} of spread: confidence at most 50 %",
        "Independent groups": f"at least {policy.min_sources}",
        "Method": formats.word(policy.method),
    }


def newest_row(row: PriceRow) -> dict[str, Any]:
    return {
        **side_row(row),
        "key": f"{row.asset}/{row.side}",
        "asset": link(row.asset, addresses.prices_page(row.asset)),
        "now": since(row.now),
    }


def side_row(row: PriceRow) -> dict[str, Any]:
    """What is known of a side without its evidence."""
    return {
        "key": row.side,
        "side": row.side,
        "price": _money(row.price, explained(row.reason)),
        "undecayed": unknown("no evidence"),
        "status": _status(row.status, row.reason),
        "confidence": formats.basis_points(row.confidence_bps),
        "spread": unknown("no live price") if row.spread_bps is None else formats.basis_points(row.spread_bps),
        "as_of": unknown("no price") if row.as_of is None else since(row.as_of),
        "published": unknown("no evidence"),
        "native": unknown("no evidence"),
    }


def estimate_row(found: Estimate) -> dict[str, Any]:
    gap = found.native_gap_bps
    return {
        "key": found.side,
        "side": found.side,
        "price": _money(found.price, explained(found.reason)),
        "undecayed": _money(found.undecayed_price, explained(found.reason)),
        "status": _status(found.status, found.reason),
        "confidence": formats.basis_points(found.confidence_bps),
        "spread": unknown("no live price") if found.spread_bps is None else formats.basis_points(found.spread_bps),
        "as_of": unknown("no price") if found.as_of is None else since(found.as_of),
        "published": unknown("no source with rounds") if found.published_at is None else since(found.published_at),
        "native": unknown("the asset has no rate of a protocol")
        if gap is None
        else toned(formats.signed_bps(gap), "warning", "alarm")
        if found.native_alarm
        else formats.signed_bps(gap),
    }


def vote_rows(found: Estimate) -> list[dict[str, Any]]:
    return [
        {
            "key": f"{found.side}/{vote.group}",
            "side": found.side,
            "group": vote.group,
            "price": _money(vote.price, ""),
            "distance": _distance(vote.price, found.price),
            "confidence": formats.basis_points(vote.confidence_bps),
            "sources": ", ".join(vote.sources),
        }
        for vote in found.votes
    ]


def source_row(quote: QuoteRecord, reference: str | None) -> dict[str, Any]:
    return {
        "key": quote.source,
        "source": quote.source,
        "group": quote.group,
        "price": _money(quote.price, ""),
        "distance": _distance(quote.price, reference),
        "confidence": formats.basis_points(quote.confidence_bps),
        "age": age_against_limit(quote.age, quote.max_age),
        "published": unknown("not a source with rounds") if quote.published_at is None else since(quote.published_at),
        "counts": toned("counts", "good")
        if quote.used
        else toned("excluded", "bad", explained(quote.excluded) or "not among those used"),
    }


def age_against_limit(age: int, limit: int | None) -> dict[str, Any]:
    """An age at the frame's time as a cell, with a word where it is near its limit or beyond."""
    if limit is None:
        return {"text": f"{age:,d} s", "note": "limit n/a"}
    text = f"{age:,d} s of {limit:,d} s"
    if age > limit:
        return toned(text, "bad", "too old")
    return toned(text, "warning", "nearly too old") if age * 100 >= limit * NEAR else {"text": text}


def explained(reason: str | None) -> str:
    """A reason for people."""
    return "" if reason is None else REASONS.get(reason, formats.word(reason))


def _status(status: str, reason: str | None) -> dict[str, Any]:
    return toned(status, tone_of(PRICE_TONES, status), explained(reason))


def _money(wad: str | None, why: str) -> dict[str, Any]:
    text = formats.of_wad(wad)
    return unknown(why) if text is None else exact(formats.price(text), text)


def _distance(price: str, reference: str | None) -> dict[str, Any] | str:
    """How far a price is from the estimate, in percent of it."""
    part = formats.change_of(formats.of_wad(price), formats.of_wad(reference))
    return unknown("there is no price to compare with") if part is None else part
