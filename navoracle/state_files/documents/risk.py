"""`risk.json`: the risk report of the frame, its alerts, the stress table, and how the status came about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from navoracle.domain.failures import Failure
from navoracle.domain.risk.report import DeltaRisk, LimitRisk, RiskReport
from navoracle.redaction import redact_text
from navoracle.state_files.documents.header import Header, beginning
from navoracle.state_files.documents.risk_accounts import LendingEntry, MarginEntry, lending_entry, margin_entry
from navoracle.state_files.documents.stress import StressEntry, stress_entry
from navoracle.state_files.facts import LEVELS, Facts, RiskLevel
from navoracle.state_files.values import DOCUMENT, Decimal, Time, Unknown, decimal

NOT_WATCHED = "no_risk_monitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaEntry:
    """The net exposure to one asset, in whole units of it."""

    __pydantic_config__ = DOCUMENT

    unit: str
    """The asset."""
    status: RiskLevel
    """By the drift."""
    net_delta: Decimal
    """What the fund is exposed to."""
    target: Decimal
    """What it wants to be exposed to."""
    drift: Decimal
    """Net delta less target."""
    equity: Decimal
    """NAV in the unit."""
    drift_pct: Decimal | None
    """Size of the drift over equity: a fraction; null where there is no equity."""
    limit: Decimal
    """The drift that is critical: a fraction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitEntry:
    """One limit of the fund as a whole."""

    __pydantic_config__ = DOCUMENT

    name: str
    """leverage, exposure, drawdown or funding_cost."""
    subject: str
    """The asset that an exposure is to; empty otherwise."""
    status: RiskLevel
    """How the figure stands to the limit."""
    value: Decimal | None
    """The figure: a fraction; null where the NAV is not positive."""
    limit: Decimal
    """What it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEntry:
    """A limit that was crossed, or something that could not be read."""

    __pydantic_config__ = DOCUMENT

    name: str
    """For example AAVE_LTV_CRITICAL."""
    watch: str
    """The account or rule that it is about."""
    status: RiskLevel
    """How bad it is."""
    message: str
    """Figure and limit, for people."""
    advice: str
    """What can be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureEntry:
    """What could not be read or computed."""

    __pydantic_config__ = DOCUMENT

    reader: str
    """What failed."""
    code: str
    """The error's code."""
    message: str
    """What is wrong."""
    advice: str
    """What can be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskHistoryEntry:
    """The status from a time on."""

    __pydantic_config__ = DOCUMENT

    t: Time
    """The valuation time from which it was so, in Unix seconds."""
    status: RiskLevel
    """The worst of all risks."""
    alerts: list[str]
    """The names of the alerts."""
    frame: str
    """The frame that found it."""


@dataclass(frozen=True, kw_only=True)
class RiskDocument(Header):
    """The risks of a fund; all of it is empty and `risk_status` "unknown" for a fund without a risk monitor."""

    __pydantic_config__ = DOCUMENT

    configured: bool | None
    """Whether the frame has a risk report; null without a frame."""
    risk_status: Literal["safe", "warning", "urgent", "critical", "unknown"]
    """The worst of all; at least warning where something could not be read."""
    is_complete: bool | None
    """Whether everything that is watched could be read and computed at this frame."""
    health: Literal["healthy", "degraded", "unhealthy", "unknown"]
    """Whether the risk monitor does its work, by its last 100 updates; of all funds."""
    error_rate: Decimal | None
    """Its updates that had an error, by updates: a fraction."""
    lending: list[LendingEntry]
    """Accounts at lenders."""
    margin: list[MarginEntry]
    """Accounts at exchanges."""
    worst_margin_ratio: Decimal | None
    """The lowest of all venues; null without exposure."""
    delta: DeltaEntry | None
    """Net exposure; null where the fund's mode does not watch it."""
    limits: list[LimitEntry]
    """Limits of the fund as a whole."""
    alerts: list[AlertEntry]
    """What is not in order, the worst first."""
    failures: list[FailureEntry]
    """What could not be read or computed."""
    stress: list[StressEntry] | None
    """The stress table at this frame's prices; null where there is none."""
    history: list[RiskHistoryEntry]
    """Every change of the status or of the alerts, oldest first, as many as `state_files.history` says."""


def risk_document(facts: Facts) -> RiskDocument:
    """The document of these facts."""
    unknown = Unknown()
    report = None if facts.part is None else facts.part.risk
    none = "no_frame" if facts.part is None else NOT_WATCHED
    return RiskDocument(
        **beginning(facts, unknown.reasons),
        configured=unknown.other("/configured", None if facts.part is None else report is not None, none),
        risk_status="unknown" if report is None else LEVELS[report.status],
        is_complete=unknown.other("/is_complete", None if report is None else not report.failures, none),
        health="unknown" if facts.monitor is None else facts.monitor.status,
        error_rate=unknown.wad(
            "/error_rate", None if facts.monitor is None else facts.monitor.error_rate, "no_monitor_runs"
        ),
        lending=[] if report is None else [lending_entry(each, at, unknown) for at, each in enumerate(report.lending)],
        margin=[] if report is None else [margin_entry(each, at, unknown) for at, each in enumerate(report.margin)],
        worst_margin_ratio=unknown.wad(
            "/worst_margin_ratio",
            None if report is None else report.worst_margin_ratio,
            none if report is None else "no_exposure",
        ),
        delta=unknown.other("/delta", _delta(report, unknown), none if report is None else "not_watched"),
        limits=[] if report is None else [_limit(each, at, unknown) for at, each in enumerate(report.limits)],
        alerts=[]
        if report is None
        else [
            AlertEntry(
                name=each.name,
                watch=each.watch,
                status=LEVELS[each.status],
                message=redact_text(each.message),
                advice=each.advice,
            )
            for each in report.alerts
        ],
        failures=[] if report is None else _failures(report.failures),
        stress=unknown.other(
            "/stress",
            None if facts.stress is None else [stress_entry(each, at, unknown) for at, each in enumerate(facts.stress)],
            none if report is None else facts.unvalued if facts.valuation is None else "not_configured",
        ),
        history=[
            RiskHistoryEntry(t=each.time, status=each.status, alerts=list(each.alerts), frame=each.frame)
            for each in facts.risk_history
        ],
        unknown=unknown.reasons,
    )


def _delta(report: RiskReport | None, unknown: Unknown) -> DeltaEntry | None:
    risk: DeltaRisk | None = None if report is None else report.delta
    if risk is None:
        return None
    return DeltaEntry(
        unit=risk.unit,
        status=LEVELS[risk.status],
        net_delta=decimal(risk.net_delta),
        target=decimal(risk.target),
        drift=decimal(risk.drift),
        equity=decimal(risk.equity),
        drift_pct=unknown.wad("/delta/drift_pct", risk.drift_part, "no_equity"),
        limit=decimal(risk.limit),
    )


def _limit(risk: LimitRisk, at: int, unknown: Unknown) -> LimitEntry:
    return LimitEntry(
        name=risk.name,
        subject=risk.subject,
        status=LEVELS[risk.status],
        value=unknown.wad(f"/limits/{at}/value", risk.value, "no_nav"),
        limit=decimal(risk.limit),
    )


def _failures(failures: Iterable[Failure]) -> list[FailureEntry]:
    return [
        FailureEntry(reader=each.reader, code=each.code, message=redact_text(each.message), advice=each.advice)
        for each in failures
    ]
