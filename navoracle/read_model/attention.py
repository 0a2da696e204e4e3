"""Which funds need somebody's attention, the worst first, and which open alerts are of which fund."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from navoracle.read_model.events import AlertRecord, alert_record
from navoracle.read_model.funds import Funds
from navoracle.read_model.records import NavWord, Record, RiskWord
from navoracle.read_model.sources import Sources
from navoracle.store_port import AlertRow, Severity

Level = Literal["critical", "warning"]

_SEVERITIES: Final = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
_STATUSES: Final[Mapping[str, int]] = {
    "insolvent": 2,
    "suspicious": 2,
    "halted": 2,
    "unknown": 1,
    "estimated": 1,
}
_RISKS: Final[Mapping[str, int]] = {"critical": 2, "urgent": 2, "warning": 1}
_LEVELS: Final[Mapping[int, Level]] = {1: "warning", 2: "critical"}


class AttentionRow(Record):
    """A fund that needs attention, and by what."""

    fund: str
    level: Level
    status: NavWord
    risk_status: RiskWord
    held: bool | None
    alert: Level | None
    """Of its gravest open alert; null where none is open, or none above info."""


class Attention(Record):
    """Where to look first."""

    items: list[AttentionRow]
    """The worst first, and of equally bad ones by name."""
    total: int
    """All funds that need attention."""
    first: str | None
    """The fund that needs it most; where none does, the first by name; null without any fund."""
    counts: dict[NavWord, int]
    """Funds by status, all of them."""
    general: list[AlertRecord]
    """Open alerts that are of no single fund, the gravest first."""
    own: dict[str, list[AlertRecord]]
    """Open alerts by the fund that they are of, the gravest first."""


def attention(sources: Sources, funds: Funds, *, limit: int) -> Attention:
    """Where to look first, of all funds. Raises StoreError."""
    entries = funds.entries()
    own: dict[str, list[AlertRow]] = {}
    general: list[AlertRow] = []
    for row in sorted(sources.store.alerts(open_only=True), key=_gravest_first):
        fund = fund_among(row.subject, entries)
        (general if fund is None else own.setdefault(fund, [])).append(row)
    ranked = sorted(
        (-level, -causes, name)
        for name, entry in entries.items()
        for level, causes in (_rank(entry, own.get(name, ())),)
        if level
    )
    return Attention(
        items=[_row(name, entries[name], -level, own.get(name, ())) for level, _, name in ranked[:limit]],
        total=len(ranked),
        first=ranked[0][2] if ranked else min(entries, default=None),
        counts=dict(Counter(entry["status"] for entry in entries.values())),
        general=[alert_record(row) for row in general],
        own={name: [alert_record(row) for row in rows] for name, rows in own.items()},
    )


def fund_among(subject: str, funds: Collection[str]) -> str | None:
    """The fund that an alert's subject names, whole or before a colon; None where it names another thing."""
    named = (subject, subject.removeprefix("fund:"), subject.partition(":")[0])
    return next((name for name in named if name in funds), None)


def _gravest_first(row: AlertRow) -> tuple[bool, int, int]:
    """What somebody takes care of comes after what nobody does."""
    return row.acknowledged_by is not None, -_SEVERITIES[row.severity], -row.last_at


def _rank(entry: Mapping[str, Any], alerts: Collection[AlertRow]) -> tuple[int, int]:
    """How bad it is, and how many things are so."""
    found = [
        _STATUSES.get(entry["status"], 0),
        _RISKS.get(entry["risk_status"], 0),
        2 if entry["held"] else 0,
        *(_SEVERITIES[row.severity] for row in alerts),
    ]
    worst = max(found)
    return worst, found.count(worst)


def _row(name: str, entry: Mapping[str, Any], level: int, alerts: Collection[AlertRow]) -> AttentionRow:
    gravest = max((_SEVERITIES[row.severity] for row in alerts), default=0)
    return AttentionRow(
        fund=name,
        level=_LEVELS[level],
        status=entry["status"],
        risk_status=entry["risk_status"],
        held=entry["held"],
        alert=_LEVELS.get(gravest),
    )
