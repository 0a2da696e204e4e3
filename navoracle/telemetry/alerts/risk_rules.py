"""Which rule tells of an alert of the risk monitor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.report import RiskAlert
from navoracle.telemetry.alerts.rule import RuleName

_BY_NAME: Final[tuple[tuple[Callable[[str], bool], RuleName], ...]] = (
    (lambda name: name.endswith("_UNREAD"), "RiskUnread"),
    (lambda name: "_HEALTH_FACTOR_" in name, "HealthFactorLow"),
    (lambda name: "_LTV_" in name, "LoanToValueHigh"),
    (lambda name: "_MARGIN_" in name, "MarginLow"),
    (lambda name: name.startswith("DELTA_DRIFT_"), "DeltaDrift"),
    (lambda name: name.startswith("MAX_DRAWDOWN_"), "DrawdownBreach"),
)

RISK_RULES: Final[frozenset[RuleName]] = frozenset(
    {
        "HealthFactorLow",
        "LoanToValueHigh",
        "MarginLow",
        "DeltaDrift",
        "DrawdownBreach",
        "RiskLimitExceeded",
        "RiskWarning",
        "RiskUnread",
    }
)
"""Rules that alerts of the monitor are told by."""


def rule_of(alert: RiskAlert) -> RuleName:
    """The rule that an alert of the monitor is told by: a warning wants a look today, the others wake somebody up."""
    rule: RuleName = next((rule for matches, rule in _BY_NAME if matches(alert.name)), "RiskLimitExceeded")
    return "RiskWarning" if alert.status is RiskStatus.WARNING and rule != "RiskUnread" else rule


def subject_of(fund: str, alert: RiskAlert) -> str:
    """What an alert of the monitor is about: fund, name and watch, none of which has a colon in it."""
    return f"{fund}:{alert.name}:{alert.watch}"


def told_status(name: str) -> RiskStatus:
    """How bad an alert of the monitor is, by its name; what could not be read is a warning."""
    level = name.rpartition("_")[2].lower()
    return next((status for status in RiskStatus if status.value == level), RiskStatus.WARNING)


def fund_of(subject: str) -> str | None:
    """The fund of an alert of the monitor; None of the gate's own `DrawdownBreach`, whose subject is the fund alone."""
    fund, colon, _ = subject.partition(":")
    return fund if colon else None
