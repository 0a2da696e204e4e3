"""A fund's risks as gauges: what is not known is absent, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from prometheus_client import Gauge

from navoracle.domain.risk.gates import Stop, Veto
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.units import WAD
from navoracle.risk.health import HealthStatus
from navoracle.risk.monitor import RiskReading
from navoracle.telemetry.metric_families import Families

HEALTH_LEVELS: Final[Mapping[HealthStatus, float]] = {
    HealthStatus.HEALTHY: 1.0,
    HealthStatus.DEGRADED: 0.5,
    HealthStatus.UNHEALTHY: 0.0,
}


def show_risk(families: Families, fund: str, reading: RiskReading) -> None:
    """Show what one frame said of a fund."""
    report, gate = reading.report, reading.gate
    if report is not None:
        for status in RiskStatus:
            families.risk_status.labels(fund, status.value).set(status is report.status)
        for loan in report.lending:
            _show(families.health_factor, loan.account.health_factor, fund, loan.watch)
            _show(families.loan_to_value, loan.account.loan_to_value, fund, loan.watch)
        for venue in report.margin:
            _show(families.margin_ratio, venue.margin_ratio, fund, venue.watch)
        unread = {failure.reader for failure in report.failures}
        for gauge in (families.health_factor, families.loan_to_value, families.margin_ratio):
            for name in unread:
                _hide(gauge, fund, name)
        _show(families.delta, None if report.delta is None else report.delta.drift_part, fund)
    if gate is not None:
        _show(families.drawdown, gate.drawdown, fund)
        _show(families.daily_loss, gate.daily_loss, fund)
        for veto in get_args(Veto):
            families.gate_blocked.labels(fund, veto).set(veto in gate.vetoes)
        for stop in get_args(Stop):
            families.gate_stops.labels(fund, stop).set(stop in gate.stops)


def _show(gauge: Gauge, ratio: int | None, *labels: str) -> None:
    if ratio is None:
        _hide(gauge, *labels)
    else:
        gauge.labels(*labels).set(ratio / WAD)


def _hide(gauge: Gauge, *labels: str) -> None:
    gauge.labels(*labels)  # removing what was never there is an error
    gauge.remove(*labels)
