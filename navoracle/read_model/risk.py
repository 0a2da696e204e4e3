"""Risks: one line for each fund, and all of one fund."""

from __future__ import annotations

from collections import Counter

from navoracle.read_model.documents import documents_of
from navoracle.read_model.events import AlertRecord, alert_record
from navoracle.read_model.funds import FundColumn, Funds, FundsQuestion
from navoracle.read_model.gates import GateRecord, PeaksRecord, gate_record, peaks_record
from navoracle.read_model.records import OffsetPage, Record, RiskWord, Time, WadText
from navoracle.read_model.sources import Sources
from navoracle.state_files.documents.risk import RiskDocument
from navoracle.store_port import AlertRow
from navoracle.telemetry.alerts.risk_rules import RISK_RULES, fund_of


class RiskRow(Record):
    """The risks of a fund in one line."""

    fund: str
    risk_status: RiskWord
    drawdown: WadText | None
    held: bool | None
    updated_at: Time | None
    alerts: int
    """Alerts of the risk monitor that stand."""
    unknown: dict[str, str]
    """Why a place is null, by its JSON pointer."""


class FundRisk(Record):
    """All risks of a fund."""

    fund: str
    risk: RiskDocument | None
    """The fund's `risk.json`: lending, margin, delta, limits, stress table, changes of the status."""
    alerts: list[AlertRecord]
    """Of the risk monitor, those that stand."""
    gate: GateRecord | None
    peaks: PeaksRecord | None
    unknown: dict[str, str]
    """Why a place is null, by its JSON pointer."""


def risks(
    sources: Sources,
    funds: Funds,
    *,
    text: str | None = None,
    risk_status: RiskWord | None = None,
    sort: FundColumn = "risk_status",
    descending: bool = True,
    offset: int,
    limit: int,
) -> OffsetPage[RiskRow]:
    """The risks of every fund, the worst first unless asked otherwise. Raises StoreError."""
    page = funds.page(
        FundsQuestion(text=text, risk_status=risk_status, sort=sort, descending=descending), offset=offset, limit=limit
    )
    standing = Counter(fund_of(row.subject) for row in _standing(sources))
    return OffsetPage(
        items=[
            RiskRow(
                fund=row.fund,
                risk_status=row.risk_status,
                drawdown=row.drawdown,
                held=row.held,
                updated_at=row.updated_at,
                alerts=standing[row.fund],
                unknown={
                    place: why for place, why in row.unknown.items() if place in ("/drawdown", "/held", "/updated_at")
                },
            )
            for row in page.items
        ],
        total=page.total,
        offset=page.offset,
        limit=page.limit,
        next=page.next,
    )


def fund_risk(sources: Sources, funds: Funds, fund: str) -> FundRisk | None:
    """All risks of a fund; None for one of which nothing is known. Raises StoreError."""
    if funds.row(fund) is None:
        return None
    store = sources.store
    documents = documents_of(sources.state_folder, fund)
    found = store.fund_frames(fund=fund, limit=1)
    gate = found[0].gate if found else None
    peaks = store.load_peaks([fund]).get(fund)
    unknown = {} if documents.risk is not None else {"/risk": documents.unknown["/risk"]}
    if gate is None:
        unknown["/gate"] = "no_gate"
    if peaks is None:
        unknown["/peaks"] = "no_peak"
    return FundRisk(
        fund=fund,
        risk=documents.risk,
        alerts=[alert_record(row) for row in _standing(sources) if fund_of(row.subject) == fund],
        gate=None if gate is None else gate_record(gate),
        peaks=None if peaks is None else peaks_record(peaks),
        unknown=unknown,
    )


def _standing(sources: Sources) -> list[AlertRow]:
    return [row for row in sources.store.alerts(open_only=True) if row.rule in RISK_RULES]
