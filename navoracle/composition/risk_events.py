"""Events of the risk monitor and of the NAV gates, made from what the monitor saw; the same live and in a replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from navoracle.composition.risk_documents import gate_document
from navoracle.composition.service_events import error_event
from navoracle.domain.errors import ErrorSeverity
from navoracle.domain.risk.gates import GateDecision
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.units import Timestamp, Wad, format_wad, wad_text
from navoracle.keeper.risk_looks import Trigger
from navoracle.risk.health import ComponentHealth
from navoracle.risk.monitor import AlertChange, HealedPeak, Observation, RiskReading, VetoChange
from navoracle.store_port import Event, Severity
from navoracle.telemetry.components import STATE_UPDATE

MOST_SAFE_FUNDS: Final = 20
"""Funds without any limit crossed that a state update describes; the others are counted."""

_SEVERITIES: Final = {
    RiskStatus.SAFE: Severity.INFO,
    RiskStatus.WARNING: Severity.WARNING,
    RiskStatus.URGENT: Severity.WARNING,
    RiskStatus.CRITICAL: Severity.CRITICAL,
}


def risk_events(
    seen: Observation, health: ComponentHealth, trigger: Trigger, seconds: float, at: Timestamp
) -> Iterator[Event]:
    """Everything that an observation tells, in the order in which it is told; an error that lasts is told once."""
    yield _state_update(seen, health, trigger, seconds, at)
    for each in (error for error in seen.errors if error.is_new):
        code = each.error.code
        yield error_event(
            "risk",
            f"risk of {each.fund}",
            code=code,
            message=each.error.message,
            severity=each.error.severity,
            advice=each.error.advice,
            at=at,
        )
        if each.error.severity is ErrorSeverity.CRITICAL:
            yield _about(each.fund, "risk_health_factor_critical", Severity.CRITICAL, each.error.message, code, at)
        elif each.error.severity is ErrorSeverity.HIGH:
            yield _about(each.fund, "risk_calculation_failed", Severity.WARNING, each.error.message, code, at)
    yield from (_alert(change, seen, at) for change in seen.alerts)
    yield from (_veto(change, seen, at) for change in seen.vetoes)
    yield from (_healed(peak, seen, at) for peak in seen.healed)


def _state_update(seen: Observation, health: ComponentHealth, trigger: Trigger, seconds: float, at: Timestamp) -> Event:
    told, safe = dict[str, object](), 0
    for fund, reading in seen.readings.items():
        is_safe = reading.report is None or reading.report.status is RiskStatus.SAFE
        safe += is_safe
        if not is_safe or safe <= MOST_SAFE_FUNDS:
            told[fund] = _figures(reading)
    data = {
        "trigger_source": trigger,
        "frame": seen.frame,
        "valued_at": seen.at,
        "funds": told,
        "safe_funds": safe,
        "health": health.status.value,
        "error_rate": str(health.error_rate),
        "processing_time_ms": round(seconds * 1_000),
    }
    return Event(at, STATE_UPDATE, None, Severity.INFO, f"risk of {len(seen.readings)} funds, {safe} safe", data=data)


def _figures(reading: RiskReading) -> Mapping[str, object]:
    report, gate = reading.report, reading.gate
    return {
        "status": None if report is None else report.status.value,
        "ltv_ratio": {}
        if report is None
        else {loan.watch: wad_text(loan.account.loan_to_value) for loan in report.lending},
        "health_factor": {}
        if report is None
        else {loan.watch: wad_text(loan.account.health_factor) for loan in report.lending},
        "margin_ratio": {}
        if report is None
        else {venue.watch: wad_text(venue.margin_ratio) for venue in report.margin},
        "delta_drift": None if report is None or report.delta is None else wad_text(report.delta.drift_part),
        "drawdown": None if gate is None else wad_text(gate.drawdown),
        "vetoes": [] if gate is None else list(gate.vetoes),
    }


def _about(fund: str, kind: str, severity: Severity, message: str, code: str, at: Timestamp) -> Event:
    advice = "Repay debt or add collateral now." if severity is Severity.CRITICAL else "Its account is looked at again."
    return Event(at, kind, fund, severity, message, advice, {"error_code": code})


def _alert(change: AlertChange, seen: Observation, at: Timestamp) -> Event:
    alert = change.alert
    data = {"alert": alert.name, "watch": alert.watch, "status": alert.status.value, "frame": seen.frame}
    if not change.is_raised:
        return Event(at, "risk_alert_over", change.fund, Severity.INFO, f"{alert.name} is over", data=data)
    return Event(
        at, "risk_alert", change.fund, _SEVERITIES[alert.status], f"{alert.name}: {alert.message}", alert.advice, data
    )


def _veto(change: VetoChange, seen: Observation, at: Timestamp) -> Event:
    data = {"veto": change.veto, "frame": seen.frame, **gate_document(change.decision)}
    if not change.is_raised:
        return Event(at, "nav_gate_cleared", change.fund, Severity.INFO, f"{change.veto} is over", data=data)
    stops = ", ".join(change.decision.stops) or "nothing"
    return Event(
        at,
        "nav_gate_vetoed",
        change.fund,
        Severity.CRITICAL,
        f"{change.veto}: {sentence_of(change.decision)}; stops {stops}",
        "Find out what lost the money; the veto ends when the NAV is fresh and back within its limit.",
        data,
    )


def sentence_of(decision: GateDecision) -> str:
    """What a gate saw, in words: "drawdown 12.5000 %, day's loss 3.0000 %"."""
    parts = []
    if decision.drawdown is not None:
        parts.append(f"drawdown {format_wad(Wad(decision.drawdown * 100), 4)} %")
    if decision.daily_loss is not None:
        parts.append(f"day's loss {format_wad(Wad(decision.daily_loss * 100), 4)} %")
    if not decision.health.fresh:
        parts.append("the NAV is not fresh")
    return ", ".join(parts) or "no NAV is known"


def _healed(peak: HealedPeak, seen: Observation, at: Timestamp) -> Event:
    message = f"the peak of {peak.fund} was set anew: {peak.how.replace('_', ' ')}"
    data = {"frame": seen.frame, **gate_document(peak.decision)}
    return Event(at, "nav_gate_peak_healed", peak.fund, Severity.INFO, message, data=data)
