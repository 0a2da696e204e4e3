"""`nav_state.json`: the NAV, its peak and its fall, how old it is, and how it came here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp, Wad
from navoracle.state_files.documents.falls import Falls, falls_of
from navoracle.state_files.documents.header import Header, beginning
from navoracle.state_files.facts import Facts, NavPoint, Source, Status
from navoracle.state_files.values import DOCUMENT, BasisPoints, Decimal, Time, Unknown, decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the fund's contract serves."""

    __pydantic_config__ = DOCUMENT

    nav: Decimal | None
    """The NAV that it holds; null for a contract that keeps a price alone."""
    price_per_share: Decimal
    """The price per share that it serves."""
    valuation_time: Time
    """What it is the value of, in Unix seconds."""
    age_s: int
    """Seconds from `valuation_time` to the writing of the file."""
    held: bool
    """Whether the contract holds the fund: it serves the old value, and takes no new one."""
    live: bool
    """False for a fund that the contract has closed."""
    block_number: int
    """The block in which it was read."""
    nav_difference: Decimal | None
    """The frame's NAV less this one."""
    price_per_share_difference: Decimal | None
    """The frame's price per share less this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """A point of the NAV's history."""

    __pydantic_config__ = DOCUMENT

    t: Time
    """The valuation time, in Unix seconds."""
    nav: Decimal | None
    """The NAV with queued deposits; null for a frame that could not value the fund."""
    price_per_share: Decimal | None
    """NAV before queued deposits over shares, rounded down."""
    status: Status
    """What the frame said of it."""
    frame: str | None
    """The frame; null for a point that was seeded from what the chain serves."""
    source: Source
    """Where it comes from; of looks between slots only the newest is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A limit that is overridden while the keeper runs."""

    __pydantic_config__ = DOCUMENT

    value: Any
    """What counts."""
    instead_of: Any
    """What the configuration says; null where it says nothing."""
    expires_at: int | None
    """From when on it counts no longer; null where it lasts."""


@dataclass(frozen=True, kw_only=True)
class NavStateDocument(Falls, Header):
    """The NAV of a fund, its peak and its fall, how old it is, and its history."""

    __pydantic_config__ = DOCUMENT

    nav_source: Literal["frame", "confirmed", "unknown"]
    """Whether the figures are the frame's, or, where it could not value the fund, what the chain serves."""
    total_equity: Decimal | None
    """The NAV with queued deposits: what the contract is given as the NAV. The same as `nav`."""
    nav: Decimal | None
    """The NAV with queued deposits."""
    nav_before: Decimal | None
    """The NAV without queued deposits: that of the shares outstanding."""
    price_per_share: Decimal | None
    """NAV before queued deposits over shares, rounded down."""
    shares: Decimal | None
    """Shares outstanding."""
    undecayed_nav: Decimal | None
    """The NAV without queued deposits and without the haircuts of prices past their time."""
    confidence_bps: BasisPoints | None
    """How sure it is, in basis points: the mean of the positions', weighted by value, rounded down."""
    slot_time: Time | None
    """The slot that the frame belongs to; a look between slots has its own time here."""
    cadence: str | None
    """Of the slot: hourly, high_volatility or emergency."""
    confirmed: Served | None
    """What the fund's contract serves; null where it serves nothing, or could not be read since the start."""
    overrides: dict[str, Override]
    """Limits of the fund that are overridden while the keeper runs, by their path in the configuration."""
    series: list[SeriesPoint]
    """Oldest first, as many as `state_files.history` says."""


def nav_state_document(facts: Facts) -> NavStateDocument:
    """The document of these facts.

    A frame without a valuation leaves the NAV that the chain serves as the figure, with that one's own time.
    """
    unknown = Unknown()
    valuation, frame, served = facts.valuation, facts.frame, facts.confirmed
    nav, price, at = best_nav(facts)
    none = facts.unvalued
    return NavStateDocument(
        **beginning(facts, unknown.reasons, at),
        **vars(falls_of(facts, unknown, "")),
        nav_source="frame" if valuation is not None else "unknown" if served is None else "confirmed",
        total_equity=unknown.wad("/total_equity", nav, none),
        nav=unknown.wad("/nav", nav, none),
        nav_before=unknown.wad("/nav_before", None if valuation is None else valuation.before.nav, none),
        price_per_share=unknown.wad("/price_per_share", price, none),
        shares=unknown.wad("/shares", None if valuation is None else valuation.shares, none),
        undecayed_nav=unknown.wad("/undecayed_nav", None if valuation is None else valuation.undecayed_nav, none),
        confidence_bps=unknown.other("/confidence_bps", None if valuation is None else valuation.confidence, none),
        slot_time=unknown.other("/slot_time", None if frame is None else frame.slot_time, "no_frame"),
        cadence=unknown.other("/cadence", None if frame is None else frame.cadence.value, "no_frame"),
        confirmed=unknown.other("/confirmed", _served(facts, unknown), "not_served"),
        overrides=overrides_of(facts),
        series=[_point(point) for point in series_of(facts.series, unknown)],
        unknown=unknown.reasons,
    )


def best_nav(facts: Facts) -> tuple[Wad | None, Wad | None, Timestamp | None]:
    """NAV and price per share by the frame, or else as the chain serves them, and the time of those."""
    if facts.valuation is not None:
        return facts.valuation.after.nav, facts.valuation.price_per_share, None
    if facts.confirmed is None:
        return None, None, None
    return facts.confirmed.nav, facts.confirmed.price_per_share, facts.confirmed.valuation_time


def series_of(points: tuple[NavPoint, ...], unknown: Unknown) -> tuple[NavPoint, ...]:
    """The points, with the reasons of what is null in them."""
    for name, is_missing, reason in (
        ("nav", any(point.nav is None for point in points), "not_valued"),
        ("price_per_share", any(point.price_per_share is None for point in points), "not_valued"),
        ("frame", any(point.frame is None for point in points), "no_frame"),
    ):
        if is_missing:
            unknown.reasons[f"/series/*/{name}"] = reason
    return points


def overrides_of(facts: Facts) -> dict[str, Override]:
    """The overrides of this fund."""
    own = f"funds.{facts.view.fund}."
    return {path: _override(said) for path, said in facts.overrides.items() if path.startswith(own)}


def _override(said: Mapping[str, Any]) -> Override:
    return Override(value=said.get("value"), instead_of=said.get("instead_of"), expires_at=said.get("expires_at"))


def _point(point: NavPoint) -> SeriesPoint:
    return SeriesPoint(
        t=point.time,
        nav=None if point.nav is None else decimal(point.nav),
        price_per_share=None if point.price_per_share is None else decimal(point.price_per_share),
        status=point.status,
        frame=point.frame,
        source=point.source,
    )


def _served(facts: Facts, unknown: Unknown) -> Served | None:
    served: ConfirmedNav | None = facts.confirmed
    if served is None:
        return None
    valuation = facts.valuation
    nav = None if valuation is None or served.nav is None else Wad(valuation.after.nav - served.nav)
    price = None if valuation is None else Wad(valuation.price_per_share - served.price_per_share)
    return Served(
        nav=unknown.wad("/confirmed/nav", served.nav, "contract_keeps_a_price"),
        price_per_share=decimal(served.price_per_share),
        valuation_time=served.valuation_time,
        age_s=facts.now - served.valuation_time,
        held=served.held,
        live=served.live,
        block_number=served.block_number,
        nav_difference=unknown.wad(
            "/confirmed/nav_difference", nav, facts.unvalued if valuation is None else "contract_keeps_a_price"
        ),
        price_per_share_difference=unknown.wad("/confirmed/price_per_share_difference", price, facts.unvalued),
    )
