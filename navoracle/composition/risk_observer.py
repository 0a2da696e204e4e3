"""What is told of the risk monitor: events, metrics and the alerts that wake people."""

from __future__ import annotations

from collections import Counter

from navoracle.composition.chain_observer import ChainObserver
from navoracle.composition.risk_documents import health_sentence
from navoracle.composition.risk_events import risk_events, sentence_of
from navoracle.keeper.risk_looks import Trigger
from navoracle.risk.health import ComponentHealth, HealthStatus
from navoracle.risk.monitor import Observation
from navoracle.telemetry.alerts.risk_rules import RISK_RULES, fund_of, rule_of, subject_of


class MonitorObserver(ChainObserver):
    """The part of the service's observer that hears of the risk monitor."""

    def risk_observed(self, seen: Observation, health: ComponentHealth, trigger: Trigger, seconds: float) -> None:
        """The monitor has seen a frame."""
        for event in risk_events(seen, health, trigger, seconds, self._clock.now()):
            self.keep(event)
        self._metrics.observe_risk(seen)
        self._risk_alerts(seen)
        self._gate_alerts(seen)
        self._risk_health(health)

    def risk_unseen(self, health: ComponentHealth) -> None:
        """A look failed as a whole, or there was nothing to look at."""
        self._risk_health(health)

    def _risk_health(self, health: ComponentHealth) -> None:
        self._metrics.observe_risk_health(health)
        if health.status is HealthStatus.UNHEALTHY:
            self._alerts.raise_("RiskMonitorUnhealthy", "", health_sentence(health))
        else:
            self._alerts.clear("RiskMonitorUnhealthy", "")

    def _risk_alerts(self, seen: Observation) -> None:
        """Raise what stands, and end what does not: also what an earlier process raised and did not see the end of."""
        standing: set[tuple[str, str]] = set()
        for fund, alerts in seen.standing.items():
            if seen.readings[fund].report is not None:
                told = Counter(rule_of(alert) for alert in alerts)
                self._metrics.observe_risk_alerts(fund, {rule: told[rule] for rule in RISK_RULES})
            for alert in alerts:
                rule, subject = rule_of(alert), subject_of(fund, alert)
                standing.add((rule, subject))
                self._alerts.raise_(rule, subject, alert.message, advice=alert.advice)
        known = [row for row in self._alerts.open_alerts() if fund_of(row.subject) in seen.standing]
        for rule in RISK_RULES:
            for row in known:
                if row.rule == rule and (rule, row.subject) not in standing:
                    self._alerts.clear(rule, row.subject)

    def _gate_alerts(self, seen: Observation) -> None:
        for fund, reading in seen.readings.items():
            if reading.gate is None:
                continue
            falls = [veto for veto in reading.gate.vetoes if veto != "nav_stale"]
            if falls:
                self._alerts.raise_("DrawdownBreach", fund, sentence_of(reading.gate))
            else:
                self._alerts.clear("DrawdownBreach", fund)
            if reading.gate.vetoes and reading.gate.stops:
                vetoes, stops = ", ".join(reading.gate.vetoes), ", ".join(reading.gate.stops)
                self._alerts.raise_("GateBlocking", fund, f"{vetoes} stops {stops}")
            else:
                self._alerts.clear("GateBlocking", fund)
