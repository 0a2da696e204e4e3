"""A fund's risks and its gate as plain JSON: Wad as strings, times and ages in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from navoracle.domain.failures import Failure
from navoracle.domain.risk.gates import AssetLine, GateDecision, NavHealth
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.report import DeltaRisk, LendingRisk, LimitRisk, MarginRisk, RiskAlert, RiskReport
from navoracle.domain.units import wad_text
from navoracle.risk.health import ComponentHealth
from navoracle.risk.monitor import RiskMonitor


def standing_document(monitor: RiskMonitor, fund: str) -> dict[str, Any] | None:
    """What the monitor knows of a fund now; None where it has not seen it."""
    newest = monitor.latest(fund)
    if newest is None:
        return None
    return {
        "status": None if newest.report is None else newest.report.status.value,
        "valued_at": newest.at,
        "frame": newest.frame,
        "alerts": [alert_document(alert) for alert in monitor.standing(fund)],
        "gate": None if newest.gate is None else gate_document(newest.gate),
    }


def health_document(health: ComponentHealth) -> dict[str, Any]:
    """Whether the monitor does its work; errors are updates with one, by update (Wad); the newest one's age."""
    return {
        "status": health.status.value,
        "updates": health.updates,
        "errors": health.errors,
        "error_rate": wad_text(health.error_rate),
        "age": health.age,
    }


def health_sentence(health: ComponentHealth) -> str:
    """What the monitor is judged by, in words."""
    if not health.is_fresh:
        return f"no look at risk has ended for {health.age} s"
    return f"{health.errors} of the last {health.updates} looks had an error"


def alert_document(alert: RiskAlert) -> dict[str, str]:
    """A limit that was crossed."""
    return {
        "name": alert.name,
        "watch": alert.watch,
        "status": alert.status.value,
        "message": alert.message,
        "advice": alert.advice,
    }


def gate_document(decision: GateDecision) -> dict[str, Any]:
    """What a gate decided, and its grounds."""
    return {
        "nav_health": nav_health_document(decision.health),
        "assets": [_asset(line) for line in decision.health.assets],
        "peak_state": decision.peak_state,
        "peak": wad_text(decision.peak),
        "daily_peak": wad_text(decision.daily_peak),
        "drawdown": wad_text(decision.drawdown),
        "daily_loss": wad_text(decision.daily_loss),
        "vetoes": list(decision.vetoes),
        "warnings": list(decision.warnings),
        "stops": list(decision.stops),
    }


def nav_health_document(health: NavHealth) -> Mapping[str, Any]:
    """The NAV that a gate went by, and how fresh it was."""
    return {
        "nav": wad_text(health.nav),
        "price_per_share": wad_text(health.price_per_share),
        "nav_mode": health.nav_mode,
        "fresh": health.fresh,
        "sources_ok": health.sources_ok,
        "balances_age": health.balances_age,
        "marks_age": health.marks_age,
        "cache_age": health.cache_age,
    }


def _asset(line: AssetLine) -> dict[str, Any]:
    return {
        "asset": line.asset,
        "amount": wad_text(line.amount),
        "mark_price": wad_text(line.mark_price),
        "value": wad_text(line.value),
        "included": line.included,
    }


def report_document(report: RiskReport) -> dict[str, Any]:
    """Everything that a report says."""
    return {
        "status": report.status.value,
        "lending": [lending_document(loan) for loan in report.lending],
        "margin": [margin_document(venue) for venue in report.margin],
        "worst_margin_ratio": wad_text(report.worst_margin_ratio),
        "delta": None if report.delta is None else delta_document(report.delta),
        "limits": [limit_document(limit) for limit in report.limits],
        "alerts": [alert_document(alert) for alert in report.alerts],
        "failures": [failure_document(failure) for failure in report.failures],
    }


def lending_document(risk: LendingRisk) -> dict[str, Any]:
    """A loan, and how it was judged."""
    return {
        "watch": risk.watch,
        "label": risk.label,
        "status": risk.status.value,
        "ltv_status": risk.ltv_status.value,
        "health_factor_status": risk.health_factor_status.value,
        "target_ltv": wad_text(risk.target_ltv),
        **account_document(risk.account),
    }


def account_document(account: LendingAccount) -> dict[str, Any]:
    """An account at a lender; collateral and debt in its base unit, which has `base_decimals`."""
    return {
        "protocol": account.protocol,
        "collateral": wad_text(account.collateral),
        "debt": wad_text(account.debt),
        "base_decimals": account.base_decimals,
        "loan_to_value": wad_text(account.loan_to_value),
        "max_ltv": wad_text(account.max_ltv),
        "liquidation_threshold": wad_text(account.liquidation_threshold),
        "liquidation_bonus": wad_text(account.liquidation_bonus),
        "health_factor": wad_text(account.health_factor),
        "move_to_liquidation": wad_text(account.move_to_liquidation),
        "buffer_to_max_ltv": wad_text(account.buffer_to_max_ltv),
        "buffer_to_liquidation": wad_text(account.buffer_to_liquidation),
    }


def margin_document(risk: MarginRisk) -> dict[str, Any]:
    """An account at an exchange, and how it was judged; amounts in whole units of its asset (Wad)."""
    return {
        "watch": risk.watch,
        "venue": risk.venue,
        "asset": risk.asset,
        "status": risk.status.value,
        "balance": wad_text(risk.balance),
        "exposure": wad_text(risk.exposure),
        "margin_ratio": wad_text(risk.margin_ratio),
        "required_margin": wad_text(risk.required_margin),
        "free_margin": wad_text(risk.free_margin),
        "maintenance_margin": wad_text(risk.maintenance_margin),
        "buffer_to_liquidation": wad_text(risk.buffer_to_liquidation),
        "funding_per_year": wad_text(risk.funding_per_year),
    }


def delta_document(risk: DeltaRisk) -> dict[str, Any]:
    """Net exposure, in whole units (Wad)."""
    return {
        "unit": risk.unit,
        "status": risk.status.value,
        "net_delta": wad_text(risk.net_delta),
        "target": wad_text(risk.target),
        "drift": wad_text(risk.drift),
        "equity": wad_text(risk.equity),
        "drift_part": wad_text(risk.drift_part),
        "limit": wad_text(risk.limit),
    }


def limit_document(risk: LimitRisk) -> dict[str, Any]:
    """A limit of the fund as a whole."""
    return {
        "name": risk.name,
        "status": risk.status.value,
        "value": wad_text(risk.value),
        "limit": wad_text(risk.limit),
        "subject": risk.subject,
    }


def failure_document(failure: Failure) -> dict[str, str]:
    """What could not be read or computed."""
    return {
        "watch": failure.reader,
        "code": failure.code,
        "message": failure.message,
        "advice": failure.advice,
    }
