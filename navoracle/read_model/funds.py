"""All funds: a list that is filtered and sorted at once, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from navoracle.domain.units import to_wad, wad_text
from navoracle.read_model.documents import NOT_CONFIGURED, NOT_WRITTEN, Index
from navoracle.read_model.paging import offset_page_of
from navoracle.read_model.records import NavWord, OffsetPage, Record, RiskWord, Time, WadText, wad_of
from navoracle.read_model.sources import FundFacts, Sources
from navoracle.store_port import HistoryRow

FundColumn = Literal[
    "fund",
    "chain",
    "status",
    "risk_status",
    "nav",
    "price_per_share",
    "confidence_bps",
    "drawdown",
    "updated_at",
    "held",
]
"""By what the list of funds can be sorted."""

_RISKS: Final = {"safe": 0, "warning": 1, "urgent": 2, "critical": 3}
_FIGURES: Final[Mapping[str, str]] = {"nav": "nav", "price_per_share": "price_per_share", "drawdown": "drawdown_pct"}
_PLACES: Final = {"/drawdown_pct": "/drawdown"}

Entry = Mapping[str, Any]
"""A fund's line of the index of the state files, or the same from the store."""


class FundRow(Record):
    """A fund in one line."""

    fund: str
    chain: str | None
    """Null for a fund that is on none, or is no longer configured."""
    status: NavWord
    """What the newest frame says of the NAV; "confirmed" where only the chain does."""
    reason: str
    """Why the NAV may not be posted; empty where it may."""
    frame: str | None
    source: Literal["slot", "look", "confirmed", "unknown"]
    """Whether that is the frame of a slot, a look between slots, or what the chain serves."""
    updated_at: Time | None
    """The valuation time of the frame; of a fund without state files, the time of its newest slot."""
    nav: WadText | None
    """With queued deposits."""
    price_per_share: WadText | None
    nav_source: Literal["frame", "confirmed", "unknown"]
    """Whether NAV and price are the frame's, or, where it could not value the fund, what the chain serves."""
    nav_updated_at: Time | None
    """The time that they are the value of: their age counts from here."""
    confidence_bps: int | None
    risk_status: RiskWord
    drawdown: WadText | None
    """(peak - NAV) / peak, per share: a ratio."""
    held: bool | None
    """Whether the fund's contract holds it."""
    unknown: dict[str, str]
    """Why a place is null, by its JSON pointer."""


@dataclass(frozen=True, slots=True)
class FundsQuestion:
    """Which funds, in which order; those that match all that is said.

    Attributes:
        text: stands in the name, the chain or the reason, whatever its case.
        descending: from the greatest to the least; what is not known comes last either way.
    """

    text: str | None = None
    status: NavWord | None = None
    risk_status: RiskWord | None = None
    chain: str | None = None
    sort: FundColumn = "fund"
    descending: bool = False


class Funds:
    """The list of funds. Any thread may ask."""

    def __init__(self, sources: Sources, index: Index) -> None:
        self._sources = sources
        self._index = index

    def names(self) -> list[str]:
        """Every fund that is configured, or of which something is known. Raises StoreError."""
        return sorted(self.entries())

    def page(self, ask: FundsQuestion, *, offset: int, limit: int) -> OffsetPage[FundRow]:
        """The funds that match. Raises StoreError."""
        configured, lines = self._sources.funds(), self.entries()
        found = [name for name, entry in lines.items() if _matches(ask, name, configured.get(name), entry)]
        ordered = _ordered(found, _key_of(ask.sort, configured, lines), descending=ask.descending)
        return offset_page_of(
            ordered, lambda name: _row(name, configured.get(name), lines[name]), offset=offset, limit=limit
        )

    def row(self, fund: str) -> FundRow | None:
        """One fund; None for one of which nothing is known. Raises StoreError."""
        entry = self.entries().get(fund)
        return None if entry is None else _row(fund, self._sources.funds().get(fund), entry)

    def entries(self) -> Mapping[str, Entry]:
        """Every fund's line by its name, as it is kept. Raises StoreError."""
        """What is known of every fund: by the index, or else by the store."""
        entries, configured = self._index.entries(), self._sources.funds()
        missing = configured.keys() - entries.keys()
        if entries and not missing:
            return entries
        why = NOT_CONFIGURED if self._sources.state_folder is None else NOT_WRITTEN
        stored = {row.fund: row.latest for row in self._sources.store.status()}
        names = missing | (stored.keys() - entries.keys())
        return {**entries, **{name: _stored_entry(stored.get(name), why) for name in names}}


def _stored_entry(row: HistoryRow | None, why: str) -> Entry:
    """The line of a fund without state files: what its newest slot found."""
    valued = row is not None and row.nav_after is not None
    reason = "no slot has ended yet" if row is None else row.reason or why
    places = ("/nav", "/price_per_share", "/confidence_bps", "/updated_at", "/nav_updated_at")
    unknown = {} if valued else dict.fromkeys(places, reason)
    if row is None or row.frame is None:
        unknown["/frame"] = reason
    return {
        "frame": None if row is None else row.frame,
        "source": "unknown" if row is None or row.frame is None else "slot",
        "status": "unknown" if row is None or row.status is None else row.status.value,
        "reason": "" if row is None else row.reason or "",
        "updated_at": row.slot_time if row is not None and valued else None,
        "nav_source": "frame" if valued else "unknown",
        "nav_updated_at": row.slot_time if row is not None and valued else None,
        "nav_wad": None if row is None else row.nav_after,
        "price_per_share_wad": None if row is None else row.price_per_share,
        "confidence_bps": None if row is None else row.confidence,
        "risk_status": "unknown",
        "held": None,
        "unknown": {**unknown, "/drawdown_pct": why, "/held": why},
    }


def _figure(entry: Entry, name: str) -> str | None:
    return wad_text(entry.get(f"{name}_wad")) if f"{name}_wad" in entry else wad_of(entry.get(name))


def _row(name: str, facts: FundFacts | None, entry: Entry) -> FundRow:
    unknown = {_PLACES.get(place, place): why for place, why in entry["unknown"].items()}
    if facts is None or facts.chain is None:
        unknown["/chain"] = "the fund is not configured" if facts is None else "the fund is on no chain"
    return FundRow(
        fund=name,
        chain=None if facts is None else facts.chain,
        status=entry["status"],
        reason=entry["reason"],
        frame=entry["frame"],
        source=entry["source"],
        updated_at=entry["updated_at"],
        nav=_figure(entry, "nav"),
        price_per_share=_figure(entry, "price_per_share"),
        nav_source=entry["nav_source"],
        nav_updated_at=entry["nav_updated_at"],
        confidence_bps=entry["confidence_bps"],
        risk_status=entry["risk_status"],
        drawdown=_figure(entry, "drawdown_pct"),
        held=entry["held"],
        unknown=unknown,
    )


def _matches(ask: FundsQuestion, name: str, facts: FundFacts | None, entry: Entry) -> bool:
    chain = None if facts is None else facts.chain
    return (
        (ask.status is None or entry["status"] == ask.status)
        and (ask.risk_status is None or entry["risk_status"] == ask.risk_status)
        and (ask.chain is None or chain == ask.chain)
        and (not ask.text or ask.text.casefold() in f"{name}\n{chain or ''}\n{entry['reason']}".casefold())
    )


def _key_of(
    column: FundColumn, configured: Mapping[str, FundFacts], lines: Mapping[str, Entry]
) -> Callable[[str], Any]:
    """What a fund is sorted by; None where it is not known."""
    if column == "fund":
        return lambda name: name
    if column == "chain":
        return lambda name: configured[name].chain if name in configured else None
    if column == "risk_status":
        return lambda name: _RISKS.get(lines[name]["risk_status"])
    if column in _FIGURES:
        field = _FIGURES[column]
        return lambda name: _integer(lines[name], field)
    return lambda name: lines[name][column]


def _integer(entry: Entry, field: str) -> int | None:
    text = entry.get(field)
    found: int | None = entry.get(f"{field}_wad") if text is None else to_wad(text)
    return found


def _ordered(names: Iterable[str], key: Callable[[str], Any], *, descending: bool) -> list[str]:
    """Sorted by the key, then by name; what has no key comes last."""
    known: list[tuple[Any, str]] = []
    rest: list[str] = []
    for name in sorted(names):
        value = key(name)
        if value is None:
            rest.append(name)
        else:
            known.append((value, name))
    known.sort(key=lambda pair: pair[0], reverse=descending)  # stable: of one value by name either way
    return [name for _, name in known] + rest
