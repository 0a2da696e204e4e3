"""Alerts over restarts: one row for each thing that is wrong, so that nobody is told twice and nothing is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from navoracle.domain.units import Timestamp
from navoracle.store_port.records import Severity


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One thing that is, or was, wrong. `key` names it: the rule, and the fund, chain or asset.

    `notified_at` is when somebody was last told, `count` how often it was seen, `resolved_at` when it ended.
    """

    key: str
    rule: str
    subject: str
    severity: Severity
    message: str
    advice: str
    first_at: Timestamp
    last_at: Timestamp
    count: int
    notified_at: Timestamp | None
    escalated_at: Timestamp | None
    acknowledged_at: Timestamp | None
    acknowledged_by: str | None
    resolved_at: Timestamp | None


class AlertStore(Protocol):
    """What the store knows of alerts."""

    def save_alert(self, alert: AlertRow) -> None:
        """Keep an alert under its key, in the place of the one before."""

    def alerts(self, *, open_only: bool = False, limit: int | None = None) -> tuple[AlertRow, ...]:
        """Alerts, the one seen last first."""

    def acknowledge_alert(self, key: str, by: str, at: Timestamp) -> bool:
        """Somebody has seen it and takes care; False when no open alert has this key."""
