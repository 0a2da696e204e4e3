"""`kpis.json`: a few figures for a dashboard, with the telemetry of routers and executors merged in.

What the keeper computes itself is never replaced by telemetry; telemetry fills what the keeper does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from navoracle.domain.units import WAD, Rounding, Wad, mul_div
from navoracle.state_files.documents.falls import drawdown_state
from navoracle.state_files.documents.header import Header, beginning
from navoracle.state_files.documents.holdings import position_rows
from navoracle.state_files.documents.nav_state import best_nav
from navoracle.state_files.external import ExternalPart, decimal_text
from navoracle.state_files.facts import Facts
from navoracle.state_files.price_ranges import regime_of
from navoracle.state_files.values import DOCUMENT, Decimal, Time, Unknown, escaped

UNKNOWN: Final = "unknown"
ROUTER_FIGURES: Final = ("maker_fill_rate", "fallback_ratio", "slip_q50_bps")
SYMBOL_FIGURES: Final = ("dd_today_pct", "atr_ratio", "atr_pct")
SYMBOL_STATES: Final = ("dd_state", "atr_regime")


@dataclass(frozen=True, slots=True, kw_only=True)
class NavKpis:
    """The NAV at a glance."""

    __pydantic_config__ = DOCUMENT

    nav: Decimal | None
    """The NAV with queued deposits, or what the chain serves."""
    price_per_share: Decimal | None
    """NAV before queued deposits over shares."""
    status: str
    """What the frame says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskKpis:
    """Fall, range and fees at a glance."""

    __pydantic_config__ = DOCUMENT

    dd_state: Literal["normal", "caution", "breached", "unknown"]
    """How the drawdown stands to the gate's limit: caution above 60 % of it, breached beyond it."""
    drawdown_pct: Decimal | None
    """(peak - NAV) / peak, per share: a fraction."""
    daily_loss_pct: Decimal | None
    """(daily peak - NAV) / daily peak, per share: a fraction."""
    atr_ratio: Decimal | None
    """Average true range over the day's mean true range: the mean of the assets' ratios, weighted by what is held and
    owed of each."""
    atr_regime: str
    """quiet below 0.5, wild above 1.5, normal between, unknown."""
    fee_pnl_ratio: Decimal | None
    """Fees that came to be owed since the last post, over the profit before them; of a fund with a vault of its own, or
    from telemetry."""
    status: str
    """The risk monitor's status, or unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterKpis:
    """What an order router measured."""

    __pydantic_config__ = DOCUMENT

    state: Literal["known", "unknown"]
    """Whether there is telemetry that counts."""
    maker_fill_rate: Decimal | None
    """Part of orders that were filled as maker."""
    fallback_ratio: Decimal | None
    """Part of orders that fell back to taking."""
    slip_q50_bps: Decimal | None
    """Median slippage, in basis points."""
    more: dict[str, Any]
    """Everything else that the file says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolKpis:
    """One asset."""

    __pydantic_config__ = DOCUMENT

    dd_state: str
    """How today's fall stands to the gate's limit of a day's loss: normal, caution, breached, unknown."""
    dd_today_pct: Decimal | None
    """(the UTC day's highest price - price) / highest: a fraction."""
    atr_ratio: Decimal | None
    """Average true range over the day's mean true range."""
    atr_pct: Decimal | None
    """Average true range over the price: a fraction."""
    atr_regime: str
    """quiet below 0.5, wild above 1.5, normal between, unknown."""
    source: Literal["keeper", "external", "both"]
    """Who says it."""
    more: dict[str, Any]
    """Everything else that telemetry says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySource:
    """One file of telemetry."""

    __pydantic_config__ = DOCUMENT

    state: Literal["known", "unknown"]
    """Whether it counts."""
    reason: str
    """Why not: not_configured, no_file, too_old, unreadable; empty where it does."""
    updated_at: Time | None
    """When it was written, in Unix seconds."""
    age_s: int | None
    """Seconds from `updated_at` to the writing of this file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySources:
    """The files of telemetry."""

    __pydantic_config__ = DOCUMENT

    router: TelemetrySource
    """`state_files.external.router`."""
    symbols: TelemetrySource
    """`state_files.external.symbols`."""
    execution: TelemetrySource
    """`state_files.external.execution`."""


@dataclass(frozen=True, kw_only=True)
class KpisDocument(Header):
    """Figures for a dashboard."""

    __pydantic_config__ = DOCUMENT

    nav: NavKpis
    """The NAV."""
    risk: RiskKpis
    """Fall, range, fees."""
    router: RouterKpis
    """What an order router measured."""
    execution: dict[str, Any]
    """What an executor measured, as its file says; empty without one."""
    symbols: dict[str, SymbolKpis]
    """By asset: those that the fund holds or owes, and those of telemetry."""
    telemetry: TelemetrySources
    """Where the telemetry comes from."""


def kpis_document(facts: Facts) -> KpisDocument:
    """The document of these facts."""
    unknown = Unknown()
    nav, price, _ = best_nav(facts)
    return KpisDocument(
        **beginning(facts, unknown.reasons),
        nav=NavKpis(
            nav=unknown.wad("/nav/nav", nav, facts.unvalued),
            price_per_share=unknown.wad("/nav/price_per_share", price, facts.unvalued),
            status=facts.status,
        ),
        risk=_risk(facts, unknown),
        router=_router(facts.external.router, unknown),
        execution=dict(facts.external.execution.values),
        symbols=_symbols(facts, unknown),
        telemetry=TelemetrySources(
            router=_source("router", facts.external.router, facts, unknown),
            symbols=_source("symbols", facts.external.symbols, facts, unknown),
            execution=_source("execution", facts.external.execution, facts, unknown),
        ),
        unknown=unknown.reasons,
    )


def _risk(facts: Facts, unknown: Unknown) -> RiskKpis:
    gate, policy = facts.gate, facts.view.gate
    why = facts.ungated if gate is None else "no_peak"
    fall = None if gate is None else gate.drawdown
    is_sound = gate is not None and gate.peak_state not in ("stale", "unknown")
    ratio, reason = fund_ratio(facts)
    report = None if facts.part is None else facts.part.risk
    return RiskKpis(
        dd_state=drawdown_state(fall if is_sound else None, None if policy is None else policy.max_drawdown),
        drawdown_pct=unknown.wad("/risk/drawdown_pct", fall, why),
        daily_loss_pct=unknown.wad("/risk/daily_loss_pct", None if gate is None else gate.daily_loss, why),
        atr_ratio=unknown.wad("/risk/atr_ratio", ratio, reason),
        atr_regime=regime_of(ratio),
        fee_pnl_ratio=_fees_over_profit(facts, unknown),
        status=UNKNOWN if report is None else report.status.value,
    )


def fund_ratio(facts: Facts) -> tuple[Wad | None, str]:
    """The mean of the assets' ratios by absolute value, rounded down; else None and why.

    The unit of account does not move, and has no weight. A single asset that is not known leaves all unknown.
    """
    weights: dict[str, int] = {}
    for row in position_rows(facts):
        if row.row.asset != facts.view.unit:
            weights[row.row.asset] = weights.get(row.row.asset, 0) + abs(row.row.value)
    total = sum(weights.values())
    if not total:
        return None, facts.unvalued if facts.valuation is None else "nothing_that_moves"
    weighted = 0
    for asset, weight in sorted(weights.items()):
        known = facts.ranges.get(asset)
        if known is None or known.ratio is None:
            return None, f"{asset}: {'no_prices' if known is None else known.reason}"
        weighted += weight * known.ratio
    return Wad(weighted // total), ""


def _fees_over_profit(facts: Facts, unknown: Unknown) -> str | None:
    """Fees over the profit before them, by the bridge from the last post, or else as telemetry says."""
    place = "/risk/fee_pnl_ratio"
    bridge = None if facts.part is None else facts.part.bridge
    if bridge is not None and bridge.unexplained is not None:
        profit = bridge.price + bridge.income + bridge.unexplained
        ratio = mul_div(-bridge.fees, WAD, profit, Rounding.UP) if profit > 0 else None
        return unknown.wad(place, ratio, "no_profit")
    told = _figure(facts.external.execution.values.get("fee_pnl_ratio"))
    if told is not None:
        return told
    why = "no_frame" if facts.part is None else "no_bridge" if bridge is None else "flows_not_known"
    return unknown.other(place, None, why)


def _router(part: ExternalPart, unknown: Unknown) -> RouterKpis:
    figures = {
        name: unknown.other(f"/router/{name}", _figure(part.values.get(name)), part.reason or "not_stated")
        for name in ROUTER_FIGURES
    }
    more = {name: value for name, value in part.values.items() if name not in ROUTER_FIGURES}
    return RouterKpis(state="known" if part.is_known else UNKNOWN, **figures, more=more)


def _symbols(facts: Facts, unknown: Unknown) -> dict[str, SymbolKpis]:
    own = {row.row.asset for row in position_rows(facts)} - {facts.view.unit}
    told = {name: each for name, each in facts.external.symbols.values.items() if isinstance(each, Mapping)}
    return {
        asset: _symbol(asset, facts, told.get(asset), unknown, is_own=asset in own) for asset in sorted(own | {*told})
    }


def _symbol(asset: str, facts: Facts, told: Mapping[str, Any] | None, unknown: Unknown, *, is_own: bool) -> SymbolKpis:
    known, said, place = facts.ranges.get(asset) if is_own else None, told or {}, f"/symbols/{escaped(asset)}"
    limit = None if facts.view.gate is None else facts.view.gate.max_day_loss
    fall = None if known is None else known.day_fall
    states = {
        "dd_state": drawdown_state(fall, limit),
        "atr_regime": regime_of(None if known is None else known.ratio),
    }
    own: dict[str, str | None] = {}
    why = "not_held" if not is_own else "no_prices" if known is None else known.reason
    for name, amount in (
        ("dd_today_pct", fall),
        ("atr_ratio", None if known is None else known.ratio),
        ("atr_pct", None if known is None else known.average_range),
    ):
        figure = unknown.wad(f"{place}/{name}", amount, why)
        if figure is None and (figure := _figure(said.get(name))) is not None:
            del unknown.reasons[f"{place}/{name}"]
        own[name] = figure
    for name in SYMBOL_STATES:
        if states[name] == UNKNOWN and isinstance(said.get(name), str):
            states[name] = said[name]
    more = {name: value for name, value in said.items() if name not in (*SYMBOL_FIGURES, *SYMBOL_STATES)}
    return SymbolKpis(
        **own,
        dd_state=states["dd_state"],
        atr_regime=states["atr_regime"],
        source="external" if not is_own else "keeper" if told is None else "both",
        more=more,
    )


def _figure(value: object) -> str | None:
    return decimal_text(value) if isinstance(value, str) else None


def _source(name: str, part: ExternalPart, facts: Facts, unknown: Unknown) -> TelemetrySource:
    age = None if part.updated_at is None else facts.now - part.updated_at
    return TelemetrySource(
        state="known" if part.is_known else UNKNOWN,
        reason=part.reason,
        updated_at=unknown.other(f"/telemetry/{name}/updated_at", part.updated_at, part.reason),
        age_s=unknown.other(f"/telemetry/{name}/age_s", age, part.reason),
    )
