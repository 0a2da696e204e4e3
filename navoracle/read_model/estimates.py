"""Prices in evidence: what every source said, what counted and why not, how old and how far apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from navoracle.read_model.records import Record, Time, WadText, number

SideWord = Literal["asset", "debt"]
PriceWord = Literal["live", "estimated", "unavailable"]


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


def estimates_in(document: Mapping[str, Any]) -> list[Estimate]:
    """Every estimate of an evidence document, sorted by asset and side."""
    return [
        _estimate(found, key.rpartition("/")[2], document)
        for key, found in sorted(document["result"]["estimates"].items())
    ]


def max_age_of(quote: Mapping[str, Any], document: Mapping[str, Any]) -> int:
    """The age up to which a quote of an evidence document is taken, in seconds: its source's own, or the policy's."""
    own = number(quote["max_age"])
    return int(document["plan"]["assets"][quote["asset"]]["policy"]["max_age"]) if own is None else own


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
    return QuoteRecord(
        source=quote["source"],
        group=quote["group"],
        price=quote["price"],
        confidence_bps=int(quote["confidence"]),
        observed_at=observed,
        age=int(document["now"]) - observed,
        max_age=max_age_of(quote, document),
        published_at=number(quote["published_at"]),
        used=used,
        excluded=excluded,
    )
