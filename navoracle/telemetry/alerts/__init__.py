"""What people are told without asking: rules, who is told when, and how the message gets there."""

from navoracle.telemetry.alerts.engine import Alerts
from navoracle.telemetry.alerts.notices import Notice, NoticeKind, Notifier, Target
from navoracle.telemetry.alerts.policy import AlertPolicy
from navoracle.telemetry.alerts.rule import Rule, RuleName
from navoracle.telemetry.alerts.rules import RULES

__all__ = ["RULES", "AlertPolicy", "Alerts", "Notice", "NoticeKind", "Notifier", "Rule", "RuleName", "Target"]
