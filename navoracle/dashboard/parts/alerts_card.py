"""What is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.words import SEVERITY_TONES, tone_of
from navoracle.read_model.events import AlertRecord


class AlertsCard:
    """The card: open alerts."""

    def __init__(self, width: str) -> None:
        self._shown: tuple[AlertRecord, ...] | None = None
        with Card("alerts", "Open alerts", width):
            self._place = ui.element("div")
            self._place.props["aria-live"] = "polite"

    def show(self, alerts: Sequence[AlertRecord], total: int) -> None:
        """Show alerts in this order, and how many there are beyond these."""
        found = tuple(alerts)
        if self._shown == found:
            return
        self._shown = found
        self._place.clear()
        with self._place:
            if not found:
                Text("p", "No alert is open.", "note")
            for alert in found:
                self._show_one(alert)
            if total > len(found):
                Text("p", f"{total - len(found)} more.", "note")

    @staticmethod
    def _show_one(alert: AlertRecord) -> None:
        with Text("div", "", f"alert {alert.severity}"):
            with ui.element("p"):
                Text("span", alert.severity, f"tone tone-{tone_of(SEVERITY_TONES, alert.severity)}")
                Text("span", f" {alert.rule}{f' · {alert.subject}' if alert.subject else ''}")
            Text("p", alert.message)
            if alert.advice:
                Text("p", f"What to do: {alert.advice}")
            with Text("p", "", "note"):
                Text("span", "Open for ")
                Text("span", " ", data_since=str(alert.first_at))
                taken = alert.acknowledged_by
                seen = "once" if alert.count == 1 else f"{alert.count} times"
                Text("span", f", seen {seen}{f', {taken} takes care' if taken else ''}")
