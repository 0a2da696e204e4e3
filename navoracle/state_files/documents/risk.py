"""`risk.json`: the risk report of the frame, its alerts, the stress table, and how the status came about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from navoracle.domain.failures import Failure
from navoracle.domain.risk.report import DeltaRisk, LendingRisk, LimitRisk, MarginRisk, RiskReport
from navoracle.redaction import redact_text
from navoracle.state_files.documents.header import Header, beginning
from navoracle.state_files.facts import LEVELS, Facts, RiskLevel, StressLine
from navoracle.state_files.values import DOCUMENT, Decimal, Time, Unknown, decimal, decimal_of

NOT_WATCHED = "no_risk_monitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class LendingEntry:
    """One account at a lender; amounts are in its base unit (US dollars at Aave, the loan's token at Morpho)."""

    __pydantic_config__ = DOCUMENT

    watch: str
    """Its name in alerts."""
    label: str
    """What its alerts begin with."""
    protocol: Literal["aave_v3", "morpho_blue", "positions"]
    """Who says the figures; "positions": the fund's own."""
    status: RiskLevel
    """The worse of the next two."""
    ltv_status: RiskLevel
    """By the loan-to-value."""
    health_factor_status: RiskLevel
    """By the health factor."""
    collateral: Decimal
    """What the collateral is worth."""
    debt: Decimal
    """What is owed."""
    ltv: Decimal | None
    """Debt over collateral: a fraction, rounded up; null where the collateral is worth nothing."""
    target_ltv: Decimal
    """Where the operator wants it."""
    max_ltv: Decimal
    """Up to which the lender lends."""
    liquidation_threshold: Decimal
    """From which the account can be liquidated."""
    liquidation_bonus: Decimal
    """What a liquidator takes beyond the debt that it repays."""
    health_factor: Decimal | None
    """Liquidation is possible below 1; null without debt."""
    buffer_to_max_ltv: Decimal | None
    """What the loan-to-value may still rise until nothing more can be borrowed; negative beyond."""
    buffer_to_liquidation: Decimal | None
    """What the loan-to-value may still rise until the threshold; negative beyond."""
    move_to_liquidation: Decimal | None
    """How far collateral may fall against debt until the health factor is 1; null without debt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginEntry:
    """One account at an exchange; amounts are whole units of `asset`."""

    __pydantic_config__ = DOCUMENT

    watch: str
    """Its name in alerts."""
    venue: str
    """What its alerts begin with."""
    asset: str
    """What it settles in."""
    status: RiskLevel
    """By the margin ratio."""
    balance: Decimal
    """Equity: wallet and unrealized profit; negative when it is owed."""
    exposure: Decimal
    """All notionals, long and short."""
    margin_ratio: Decimal | None
    """Balance over exposure; null without exposure."""
    required_margin: Decimal
    """Initial margin of the exposure."""
    free_margin: Decimal
    """Balance less required margin."""
    maintenance_margin: Decimal
    """The ratio at which the venue liquidates."""
    buffer_to_liquidation: Decimal | None
    """Margin ratio less maintenance margin; null without exposure."""
    funding_per_year: Decimal | None
    """What holding the positions costs in 365 days; negative when it earns; null where it is not counted."""


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
class StressEntry:
    """One line of the stress table: these assets fall together, nobody reacts, one round of liquidations."""

    __pydantic_config__ = DOCUMENT

    name: str
    """Of its block."""
    assets: list[str]
    """What falls."""
    fall: Decimal
    """By how much: a fraction."""
    nav: Decimal | None
    """NAV without queued deposits afterwards; null where a part could not be computed."""
    nav_per_share: Decimal | None
    """That NAV over shares."""
    change_pct: Decimal | None
    """Change of the NAV: a fraction, negative for a loss."""
    liquidated: list[str]
    """Loans and venues that would be liquidated."""
    cost: Decimal
    """What these liquidations would cost, in the unit of account."""
    failures: list[str]
    """What could not be computed."""


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
    """Its errors by update: a fraction."""
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
        lending=[] if report is None else [_lending(each, at, unknown) for at, each in enumerate(report.lending)],
        margin=[] if report is None else [_margin(each, at, unknown) for at, each in enumerate(report.margin)],
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
            None if facts.stress is None else [_stress(each, at, unknown) for at, each in enumerate(facts.stress)],
            none if report is None else facts.unvalued if facts.valuation is None else "not_configured",
        ),
        history=[
            RiskHistoryEntry(t=each.time, status=each.status, alerts=list(each.alerts), frame=each.frame)
            for each in facts.risk_history
        ],
        unknown=unknown.reasons,
    )


def _lending(risk: LendingRisk, at: int, unknown: Unknown) -> LendingEntry:
    account, place = risk.account, f"/lending/{at}"
    return LendingEntry(
        watch=risk.watch,
        label=risk.label,
        protocol=account.protocol,
        status=LEVELS[risk.status],
        ltv_status=LEVELS[risk.ltv_status],
        health_factor_status=LEVELS[risk.health_factor_status],
        collateral=decimal_of(account.collateral, account.base_decimals),
        debt=decimal_of(account.debt, account.base_decimals),
        ltv=unknown.wad(f"{place}/ltv", account.loan_to_value, "no_collateral"),
        target_ltv=decimal(risk.target_ltv),
        max_ltv=decimal(account.max_ltv),
        liquidation_threshold=decimal(account.liquidation_threshold),
        liquidation_bonus=decimal(account.liquidation_bonus),
        health_factor=unknown.wad(f"{place}/health_factor", account.health_factor, "no_debt"),
        buffer_to_max_ltv=unknown.wad(f"{place}/buffer_to_max_ltv", account.buffer_to_max_ltv, "no_collateral"),
        buffer_to_liquidation=unknown.wad(
            f"{place}/buffer_to_liquidation", account.buffer_to_liquidation, "no_collateral"
        ),
        move_to_liquidation=unknown.wad(f"{place}/move_to_liquidation", account.move_to_liquidation, "no_debt"),
    )


def _margin(risk: MarginRisk, at: int, unknown: Unknown) -> MarginEntry:
    place = f"/margin/{at}"
    return MarginEntry(
        watch=risk.watch,
        venue=risk.venue,
        asset=risk.asset,
        status=LEVELS[risk.status],
        balance=decimal(risk.balance),
        exposure=decimal(risk.exposure),
        margin_ratio=unknown.wad(f"{place}/margin_ratio", risk.margin_ratio, "no_exposure"),
        required_margin=decimal(risk.required_margin),
        free_margin=decimal(risk.free_margin),
        maintenance_margin=decimal(risk.maintenance_margin),
        buffer_to_liquidation=unknown.wad(f"{place}/buffer_to_liquidation", risk.buffer_to_liquidation, "no_exposure"),
        funding_per_year=unknown.wad(f"{place}/funding_per_year", risk.funding_per_year, "not_counted"),
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


def _stress(line: StressLine, at: int, unknown: Unknown) -> StressEntry:
    place, why = f"/stress/{at}", "; ".join(line.failures) or "no_nav"
    return StressEntry(
        name=line.name,
        assets=list(line.assets),
        fall=decimal(line.fall),
        nav=unknown.wad(f"{place}/nav", line.nav, why),
        nav_per_share=unknown.wad(f"{place}/nav_per_share", line.nav_per_share, why),
        change_pct=unknown.wad(f"{place}/change_pct", line.change, why),
        liquidated=list(line.liquidated),
        cost=decimal(line.cost),
        failures=list(line.failures),
    )
