"""A fund's risks and its gate as plain JSON: Wad as strings, times and ages in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from navoracle.domain.failures import Failure
from navoracle.domain.risk.gates import AssetLine, GateDecision, NavHealth
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.report import DeltaRisk, LendingRisk, LimitRisk, MarginRisk, RiskAlert, RiskReport
from navoracle.risk.health import ComponentHealth
from navoracle.risk.monitor import RiskMonitor


def text(amount: int | None) -> str | None:
    """An integer in quotes; null for what is not known."""
    return None if amount is None else str(int(amount))


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
    """Whether the monitor does its work; the error rate is errors by update (Wad)."""
    return {
        "status": health.status.value,
        "updates": health.updates,
        "errors": health.errors,
        "error_rate": text(health.error_rate),
    }


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
        "peak": text(decision.peak),
        "daily_peak": text(decision.daily_peak),
        "drawdown": text(decision.drawdown),
        "daily_loss": text(decision.daily_loss),
        "vetoes": list(decision.vetoes),
        "warnings": list(decision.warnings),
        "stops": list(decision.stops),
    }


def nav_health_document(health: NavHealth) -> Mapping[str, Any]:
    """The NAV that a gate went by, and how fresh it was."""
    return {
        "nav": text(health.nav),
        "price_per_share": text(health.price_per_share),
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
        "amount": text(line.amount),
        "mark_price": text(line.mark_price),
        "value": text(line.value),
        "included": line.included,
    }


def report_document(report: RiskReport) -> dict[str, Any]:
    """Everything that a report says."""
    return {
        "status": report.status.value,
        "lending": [lending_document(loan) for loan in report.lending],
        "margin": [margin_document(venue) for venue in report.margin],
        "worst_margin_ratio": text(report.worst_margin_ratio),
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
        "target_ltv": text(risk.target_ltv),
        **account_document(risk.account),
    }


def account_document(account: LendingAccount) -> dict[str, Any]:
    """An account at a lender; collateral and debt in its base unit, which has `base_decimals`."""
    return {
        "protocol": account.protocol,
        "collateral": text(account.collateral),
        "debt": text(account.debt),
        "base_decimals": account.base_decimals,
        "loan_to_value": text(account.loan_to_value),
        "max_ltv": text(account.max_ltv),
        "liquidation_threshold": text(account.liquidation_threshold),
        "liquidation_bonus": text(account.liquidation_bonus),
        "health_factor": text(account.health_factor),
        "move_to_liquidation": text(account.move_to_liquidation),
        "buffer_to_max_ltv": text(account.buffer_to_max_ltv),
        "buffer_to_liquidation": text(account.buffer_to_liquidation),
    }


def margin_document(risk: MarginRisk) -> dict[str, Any]:
    """An account at an exchange, and how it was judged; amounts in whole units of its asset (Wad)."""
    return {
        "watch": risk.watch,
        "venue": risk.venue,
        "asset": risk.asset,
        "status": risk.status.value,
        "balance": text(risk.balance),
        "exposure": text(risk.exposure),
        "margin_ratio": text(risk.margin_ratio),
        "required_margin": text(risk.required_margin),
        "free_margin": text(risk.free_margin),
        "maintenance_margin": text(risk.maintenance_margin),
        "buffer_to_liquidation": text(risk.buffer_to_liquidation),
        "funding_per_year": text(risk.funding_per_year),
    }


def delta_document(risk: DeltaRisk) -> dict[str, Any]:
    """Net exposure, in whole units (Wad)."""
    return {
        "unit": risk.unit,
        "status": risk.status.value,
        "net_delta": text(risk.net_delta),
        "target": text(risk.target),
        "drift": text(risk.drift),
        "equity": text(risk.equity),
        "drift_part": text(risk.drift_part),
        "limit": text(risk.limit),
    }


def limit_document(risk: LimitRisk) -> dict[str, Any]:
    """A limit of the fund as a whole."""
    return {
        "name": risk.name,
        "status": risk.status.value,
        "value": text(risk.value),
        "limit": text(risk.limit),
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
