"""Alerts as configured: who is told, and when."""

from __future__ import annotations

from navoracle.config.alerts import AlertsSection, TargetSection
from navoracle.store_port import Severity
from navoracle.telemetry.alerts.carrier import Address, AppriseNotifier
from navoracle.telemetry.alerts.notices import Target
from navoracle.telemetry.alerts.policy import AlertPolicy


def alert_notifier(section: AlertsSection) -> AppriseNotifier:
    """What carries messages to the configured targets. Raises ConfigurationError: a target's URL is none."""
    addresses = [_address(target, escalation=False) for target in section.targets]
    addresses += [_address(target, escalation=True) for target in section.escalation]
    return AppriseNotifier(addresses, seconds=section.send_seconds)


def alert_policy(section: AlertsSection) -> AlertPolicy:
    """When people are told."""
    return AlertPolicy(
        repeat=section.repeat_minutes * 60, escalate=section.escalate_minutes * 60, settle=section.settle_seconds
    )


def _address(section: TargetSection, *, escalation: bool) -> Address:
    target = Target(section.name, Severity(section.min_severity), escalation)
    return Address(target, section.url.get_secret_value())
