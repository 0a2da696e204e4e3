"""What the database knows of a fund's risks: alerts that stand, what its newest gate decided, and its peaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from navoracle.cli.documents import wad
from navoracle.cli.output import plain
from navoracle.cli.risk_tables import part, status_word
from navoracle.domain.risk.levels import worst
from navoracle.store_port import AlertRow, GateRow, KeptPeaks, StatusRow, Store
from navoracle.telemetry.alerts.risk_rules import RISK_RULES, fund_of, told_status


@dataclass(frozen=True, slots=True)
class KnownRisk:
    """Of one fund.

    Attributes:
        alerts: of the risk monitor, those that stand.
        gate: of the frame of its newest slot; None where that has none.
        peaks: as they are kept; None where none are.
    """

    alerts: tuple[AlertRow, ...]
    gate: GateRow | None
    peaks: KeptPeaks | None


def known_risks(store: Store, rows: Iterable[StatusRow]) -> dict[str, KnownRisk]:
    """By fund. Raises StoreError."""
    newest = {row.fund: row.latest.frame for row in rows}
    gates = {
        (found.frame, found.fund): found.gate
        for frame in {frame for frame in newest.values() if frame is not None}
        for found in store.fund_frames(frame=frame)
    }
    standing: dict[str | None, list[AlertRow]] = defaultdict(list)
    for row in store.alerts(open_only=True):
        if row.rule in RISK_RULES:
            standing[fund_of(row.subject)].append(row)
    peaks = store.load_peaks(newest.keys())
    return {
        fund: KnownRisk(
            tuple(standing[fund]),
            None if frame is None else gates.get((frame, fund)),
            peaks.get(fund),
        )
        for fund, frame in newest.items()
    }


def risk_document(risk: KnownRisk) -> dict[str, Any]:
    """As JSON; `worst_alert` is null where no alert stands."""
    peaks = None if risk.peaks is None else risk.peaks.state
    return {
        "worst_alert": worst(told_status(_name(row)) for row in risk.alerts).value if risk.alerts else None,
        "alerts": [_alert(row) for row in risk.alerts],
        "gate": None if risk.gate is None else _gate(risk.gate),
        "peaks": None
        if peaks is None
        else {
            "measure": peaks.measure,
            "peak": wad(peaks.peak),
            "peak_at": peaks.peak_at,
            "daily_peak": wad(peaks.daily_peak),
            "daily_peak_at": peaks.daily_peak_at,
            "updated_at": peaks.updated_at,
        },
    }


def risk_word(risk: KnownRisk) -> str:
    """The worst alert that stands, and how many do."""
    if not risk.alerts:
        return "-"
    return f"{status_word(worst(told_status(_name(row)) for row in risk.alerts))} ({len(risk.alerts)})"


def gate_word(risk: KnownRisk) -> str:
    """How far the NAV has fallen, and what its gate vetoes."""
    gate = risk.gate
    if gate is None:
        return "-"
    fallen = "" if gate.drawdown is None else f"{part(gate.drawdown)} down"
    vetoes = f"[red]{plain(', '.join(gate.vetoes))}[/]" if gate.vetoes else ""
    return ", ".join(word for word in (fallen, vetoes) if word) or "-"


def _name(row: AlertRow) -> str:
    return row.subject.split(":")[1]


def _alert(row: AlertRow) -> Mapping[str, Any]:
    _, name, watch = row.subject.split(":", 2)
    return {
        "name": name,
        "watch": watch,
        "status": told_status(name).value,
        "message": row.message,
        "advice": row.advice,
        "since": row.first_at,
    }


def _gate(gate: GateRow) -> Mapping[str, Any]:
    return {
        "price_per_share": wad(gate.price_per_share),
        "healthy": gate.healthy,
        "drawdown": wad(gate.drawdown),
        "daily_loss": wad(gate.daily_loss),
        "vetoes": list(gate.vetoes),
        "warnings": list(gate.warnings),
        "stops": list(gate.stops),
    }
