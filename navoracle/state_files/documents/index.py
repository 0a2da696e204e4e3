"""`index.json`: every fund in one line, for lists of many funds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from navoracle.redaction import redact_text
from navoracle.state_files.documents.header import updated_of
from navoracle.state_files.documents.nav_state import best_nav
from navoracle.state_files.facts import LEVELS, Facts, RiskLevel, Source, Status
from navoracle.state_files.names import folder_name
from navoracle.state_files.values import DOCUMENT, BasisPoints, Decimal, Time, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """A fund's line. The figures are those of its `nav_state.json` and `risk.json`."""

    __pydantic_config__ = DOCUMENT

    folder: str
    """The name of its folder."""
    frame: str | None
    """The frame that its files are of; null where they are seeded from what the chain serves."""
    source: Source
    """What its files are made from: the frame of a slot, a look between slots, or what the chain serves."""
    status: Status
    """What the frame says of the NAV; "confirmed" where there is no frame."""
    reason: str
    """Why the NAV may not be posted; empty where it may."""
    updated_at: Time
    """The valuation time of the frame, or of what the chain serves where there is none, in Unix seconds."""
    nav_source: Literal["frame", "confirmed", "unknown"]
    """Whether the NAV is the frame's, or, where it could not value the fund, what the chain serves."""
    nav_updated_at: Time
    """The time that `nav` and `price_per_share` are the value of, in Unix seconds."""
    nav: Decimal | None
    """The NAV with queued deposits."""
    price_per_share: Decimal | None
    """NAV before queued deposits over shares, rounded down."""
    confidence_bps: BasisPoints | None
    """How sure the NAV is, in basis points."""
    risk_status: RiskLevel | Literal["unknown"]
    """The worst of the risk monitor; unknown without one."""
    drawdown_pct: Decimal | None
    """(peak - NAV) / peak, per share: a fraction; rounded up."""
    held: bool | None
    """Whether the fund's contract holds it; null where it serves nothing, or could not be read since the start."""
    unknown: dict[str, str]
    """Why a place is null, by its JSON pointer."""


ENTRY: Final[TypeAdapter[IndexEntry]] = TypeAdapter(IndexEntry)


def index_entry(facts: Facts) -> IndexEntry:
    """The line of these facts."""
    unknown = Unknown()
    valuation, gate, served = facts.valuation, facts.gate, facts.confirmed
    nav, price, at = best_nav(facts)
    report = None if facts.part is None else facts.part.risk
    none = facts.unvalued
    return IndexEntry(
        folder=folder_name(facts.view.fund),
        frame=unknown.other("/frame", None if facts.frame is None else facts.frame.id, "no_frame"),
        source=facts.source,
        status=facts.status,
        reason="" if facts.part is None else redact_text(facts.part.reason or ""),
        updated_at=updated_of(facts),
        nav_source="frame" if valuation is not None else "unknown" if served is None else "confirmed",
        nav_updated_at=updated_of(facts) if at is None else at,
        nav=unknown.wad("/nav", nav, none),
        price_per_share=unknown.wad("/price_per_share", price, none),
        confidence_bps=unknown.other("/confidence_bps", None if valuation is None else valuation.confidence, none),
        risk_status="unknown" if report is None else LEVELS[report.status],
        drawdown_pct=unknown.wad(
            "/drawdown_pct", None if gate is None else gate.drawdown, facts.ungated if gate is None else "no_peak"
        ),
        held=unknown.other("/held", None if served is None else served.held, "not_served"),
        unknown=unknown.reasons,
    )


def entry_json(entry: IndexEntry) -> dict[str, Any]:
    """A line as plain JSON."""
    plain: dict[str, Any] = ENTRY.dump_python(entry, mode="json")
    return plain


def is_entry(value: object) -> bool:
    """Whether something is a line of this version."""
    return isinstance(value, dict) and set(value) == _NAMES and isinstance(value["updated_at"], int)


_NAMES: Final = frozenset(IndexEntry.__dataclass_fields__)
