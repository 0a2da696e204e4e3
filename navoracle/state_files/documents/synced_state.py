"""`synced_state.json`: the baseline that tools start from: NAV, peak, and what the gate decided on which grounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navoracle.domain.risk.gates import GateWarning, Stop, Veto
from navoracle.state_files.documents.falls import Falls, falls_of
from navoracle.state_files.documents.header import Header, beginning
from navoracle.state_files.documents.health import (
    FreshnessSection,
    GateAsset,
    NavMode,
    freshness_section,
    gate_assets,
    health_of,
    mode_of,
)
from navoracle.state_files.documents.holdings import position_rows
from navoracle.state_files.documents.nav_state import Override, best_nav, overrides_of
from navoracle.state_files.facts import Facts
from navoracle.state_files.values import DOCUMENT, Decimal, Time, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class NavHealthSection:
    """The NAV that the gate goes by."""

    __pydantic_config__ = DOCUMENT

    nav: Decimal | None
    """Of what the gate includes, without queued deposits."""
    price_per_share: Decimal | None
    """That NAV over shares, rounded down."""
    nav_mode: NavMode
    """"enhanced" where the gate has settings of what counts, "confirmed" where the frame has no valuation."""
    measure: str | None
    """What the NAV is of: "*" for everything, or the assets that count."""
    sources_ok: bool | None
    """Whether the fund was valued with every price live."""
    freshness: FreshnessSection
    """Ages of what it rests on."""


@dataclass(frozen=True, kw_only=True)
class PeakSection(Falls):
    """Peaks and falls, with the times of the peaks."""

    __pydantic_config__ = DOCUMENT

    peak_at: Time | None
    """When the peak was reached, in Unix seconds."""
    daily_peak_at: Time | None
    """When the UTC day's peak was reached."""
    peak_updated_at: Time | None
    """The last frame that held the NAV against the peak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FallSection:
    """One fall and its limit."""

    __pydantic_config__ = DOCUMENT

    value: Decimal | None
    """The fall: a fraction, 0.2 is 20 %."""
    limit: Decimal | None
    """What it may be; null where it is not limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """The grounds of the gate's decision."""

    __pydantic_config__ = DOCUMENT

    nav_health: NavHealthSection
    """The NAV that it goes by."""
    peak_state: PeakSection
    """The peaks that it is held against."""
    drawdown: FallSection
    """From the peak."""
    daily_loss: FallSection
    """From the UTC day's peak."""
    assets: list[GateAsset]
    """What counts in its NAV and what it leaves out; empty without a gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSection:
    """What the gate decided."""

    __pydantic_config__ = DOCUMENT

    configured: bool
    """Whether the fund has a gate."""
    vetoes: list[Veto]
    """Why something is stopped."""
    warnings: list[GateWarning]
    """What is not in order and stops nothing."""
    stops: list[Stop]
    """What is not done while there is a veto."""
    diagnostics: Diagnostics
    """On which grounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineNav:
    """The NAV that tools start from."""

    __pydantic_config__ = DOCUMENT

    nav: Decimal | None
    """The NAV with queued deposits."""
    total_equity: Decimal | None
    """The same."""
    price_per_share: Decimal | None
    """NAV before queued deposits over shares, rounded down."""
    source: Literal["frame", "confirmed", "unknown"]
    """Whether it is the frame's, or what the chain serves."""
    ts: Time | None
    """What it is the value of, in Unix seconds."""


@dataclass(frozen=True, kw_only=True)
class SyncedStateDocument(Header):
    """The baseline of a fund for tools."""

    __pydantic_config__ = DOCUMENT

    nav: BaselineNav
    """The NAV."""
    peak_state: PeakSection
    """Its peaks."""
    gate: GateSection
    """What the gate decided."""
    positions_count: int | None
    """Rows of the valuation, queued deposits included."""
    overrides: dict[str, Override]
    """Limits of the fund that are overridden while the keeper runs, by their path in the configuration."""


def synced_state_document(facts: Facts) -> SyncedStateDocument:
    """The document of these facts."""
    unknown = Unknown()
    return SyncedStateDocument(
        **beginning(facts, unknown.reasons),
        nav=_baseline(facts, unknown),
        peak_state=_peaks(facts, unknown, "/peak_state"),
        gate=_gate(facts, unknown),
        positions_count=unknown.other(
            "/positions_count", None if facts.valuation is None else len(position_rows(facts)), facts.unvalued
        ),
        overrides=overrides_of(facts),
        unknown=unknown.reasons,
    )


def _baseline(facts: Facts, unknown: Unknown) -> BaselineNav:
    nav, price, served_at = best_nav(facts)
    at = facts.frame.now if facts.frame is not None and facts.valuation is not None else served_at
    return BaselineNav(
        nav=unknown.wad("/nav/nav", nav, facts.unvalued),
        total_equity=unknown.wad("/nav/total_equity", nav, facts.unvalued),
        price_per_share=unknown.wad("/nav/price_per_share", price, facts.unvalued),
        source="frame" if facts.valuation is not None else "unknown" if facts.confirmed is None else "confirmed",
        ts=unknown.other("/nav/ts", at, facts.unvalued),
    )


def _peaks(facts: Facts, unknown: Unknown, place: str) -> PeakSection:
    peaks = None if facts.gate is None else facts.gate.peaks
    why = facts.ungated if facts.gate is None else "no_peak"
    return PeakSection(
        **vars(falls_of(facts, unknown, place)),
        peak_at=unknown.other(f"{place}/peak_at", None if peaks is None else peaks.peak_at, why),
        daily_peak_at=unknown.other(f"{place}/daily_peak_at", None if peaks is None else peaks.daily_peak_at, why),
        peak_updated_at=unknown.other(f"{place}/peak_updated_at", None if peaks is None else peaks.updated_at, why),
    )


def _gate(facts: Facts, unknown: Unknown) -> GateSection:
    gate = facts.gate
    return GateSection(
        configured=facts.view.gate is not None,
        vetoes=[] if gate is None else list(gate.vetoes),
        warnings=[] if gate is None else list(gate.warnings),
        stops=[] if gate is None else list(gate.stops),
        diagnostics=_diagnostics(facts, unknown, "/gate/diagnostics"),
    )


def _diagnostics(facts: Facts, unknown: Unknown, place: str) -> Diagnostics:
    gate, policy, health, why = facts.gate, facts.view.gate, health_of(facts), facts.ungated
    no_limit = "no_gate" if policy is None else "not_limited"
    no_fall = why if gate is None else "no_peak"

    def figure(name: str, amount: int | None) -> str | None:
        return unknown.wad(f"{place}/nav_health/{name}", amount, why if health is None else "not_valued")

    return Diagnostics(
        nav_health=NavHealthSection(
            nav=figure("nav", None if health is None else health.nav),
            price_per_share=figure("price_per_share", None if health is None else health.price_per_share),
            nav_mode=mode_of(facts),
            measure=unknown.other(f"{place}/nav_health/measure", None if health is None else health.measure, why),
            sources_ok=unknown.other(
                f"{place}/nav_health/sources_ok", None if health is None else health.sources_ok, why
            ),
            freshness=freshness_section(facts, unknown, f"{place}/nav_health/freshness"),
        ),
        peak_state=_peaks(facts, unknown, f"{place}/peak_state"),
        drawdown=FallSection(
            value=unknown.wad(f"{place}/drawdown/value", None if gate is None else gate.drawdown, no_fall),
            limit=unknown.wad(f"{place}/drawdown/limit", None if policy is None else policy.max_drawdown, no_limit),
        ),
        daily_loss=FallSection(
            value=unknown.wad(f"{place}/daily_loss/value", None if gate is None else gate.daily_loss, no_fall),
            limit=unknown.wad(f"{place}/daily_loss/limit", None if policy is None else policy.max_day_loss, no_limit),
        ),
        assets=gate_assets(facts),
    )
