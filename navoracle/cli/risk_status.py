"""What the database knows of a fund's risks: alerts that stand, what its newest gate decided, and its peaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from navoracle.cli.output import plain
from navoracle.cli.risk_tables import part, status_word
from navoracle.domain.risk.levels import worst

if TYPE_CHECKING:
    from navoracle.store_port import AlertRow, GateRow, KeptPeaks, StatusRow, Store


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
    from navoracle.telemetry.alerts.risk_rules import RISK_RULES, fund_of

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
    from navoracle.read_model.gates import gate_record, peaks_record
    from navoracle.telemetry.alerts.risk_rules import told_status

    return {
        "worst_alert": worst(told_status(_name(row)) for row in risk.alerts).value if risk.alerts else None,
        "alerts": [_alert(row) for row in risk.alerts],
        "gate": None if risk.gate is None else gate_record(risk.gate).model_dump(exclude={"measure"}),
        "peaks": None if risk.peaks is None else peaks_record(risk.peaks).model_dump(),
    }


def risk_word(risk: KnownRisk) -> str:
    """The worst alert that stands, and how many do."""
    from navoracle.telemetry.alerts.risk_rules import told_status

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
    from navoracle.telemetry.alerts.risk_rules import told_status

    _, name, watch = row.subject.split(":", 2)
    return {
        "name": name,
        "watch": watch,
        "status": told_status(name).value,
        "message": row.message,
        "advice": row.advice,
        "since": row.first_at,
    }
