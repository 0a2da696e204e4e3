"""What is wrong now, who takes care of it, and what was wrong before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from nicegui import ui

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.field import Field
from navoracle.dashboard.parts.pager import OffsetPager
from navoracle.dashboard.parts.records import Column, Records, action, since, toned, unknown
from navoracle.dashboard.words import SEVERITY_TONES, tone_of
from navoracle.domain.errors import NavoracleError
from navoracle.read_model.events import Acknowledged, AlertRecord
from navoracle.read_model.records import OffsetPage

LONGEST_NAME: Final = 100

_OPEN: Final = (
    Column("rule", "Alert", head=True),
    Column("severity", "Severity"),
    Column("message", "What is wrong, and what to do", "prose"),
    Column("since", "Open for", "number"),
    Column("count", "Times seen", "number"),
    Column("care", "Who takes care"),
)
_PAST: Final = (
    Column("rule", "Alert", head=True),
    Column("severity", "Severity"),
    Column("message", "What was wrong", "prose"),
    Column("first", "Began", "time"),
    Column("end", "Ended", "time"),
    Column("care", "Who took care"),
)


class Incidents:
    """The cards.

    Args:
        acknowledge: notes that somebody takes care of an alert; waits for the disk.
        refresh: shows the page anew.
        rows: of a page of past alerts.
    """

    def __init__(
        self,
        acknowledge: Callable[[str, str], Acknowledged | None],
        refresh: Callable[[], Awaitable[None]],
        rows: int,
        *,
        on_text: Callable[[str], Awaitable[None]],
        on_offset: Callable[[int], Awaitable[None]],
    ) -> None:
        self._acknowledge, self._refresh, self._name = acknowledge, refresh, ""
        with Card("incidents", "Open alerts"):
            with ui.element("div").classes("controls"):
                Field("Your name, for taking care of an alert", "", self._named)
            self._recorded = Text("p", recorded_as(""), "note", id="recorded-as", aria_live="polite")
            self._open = Records(
                _OPEN, caption="Open alerts", empty="None. Nothing needs to be done.", on_act=self._take
            )
            self._more = Text("p", "", "note")
            self._said = Text("p", "", "", role="status", id="acknowledged")
        with Card("alerts", "Alerts of the past and present"):
            with ui.element("div").classes("controls"):
                Field("Search alert or message", "", on_text)
            self._past = Records(_PAST, caption="Alerts of the past and present", empty="No alert matches.")
            self._pager = OffsetPager("alerts", rows, on_offset)

    def show(self, standing: OffsetPage[AlertRecord], past: OffsetPage[AlertRecord]) -> None:
        """Show alerts."""
        worst = sorted(standing.items, key=lambda alert: (alert.severity != "critical", -alert.last_at))
        self._open.show([_open_row(alert) for alert in worst])
        rest = standing.total - len(standing.items)
        self._more.say(f"{rest:,d} more; the list below has all of them." if rest else "")
        self._past.show([_past_row(alert) for alert in past.items])
        self._pager.show(past)

    def _named(self, name: str) -> None:
        self._name = "".join(letter for letter in name if letter.isprintable()).strip()[:LONGEST_NAME]
        self._recorded.say(recorded_as(self._name))

    async def _take(self, key: str) -> None:
        if not self._name:
            self._said.say("Write your name first, so that others know who takes care.", classes="tone tone-warning")
            return
        try:
            found = await asyncio.to_thread(self._acknowledge, key, self._name)
        except NavoracleError as error:
            self._said.say(f"Not noted: {error.message}. {error.advice}", classes="trouble")
            return
        if found is None:
            self._said.say(f"{key} is not open any more.", classes="tone tone-plain")
        else:
            self._said.say(f"Noted: {found.by} takes care of {found.key}.", classes="tone tone-good")
        await self._refresh()


def recorded_as(name: str) -> str:
    """Whose name is noted beside an alert that is taken, and what that name is worth."""
    whose = f"Noted is the name {name}" if name else "Noted is the name that you write here"
    return (
        f"{whose}. Nobody checks it: whoever can open this page can take care of an alert under any name, and without "
        "a password that is everybody on this machine. An alert that is taken is neither repeated nor escalated."
    )


def _open_row(alert: AlertRecord) -> dict[str, Any]:
    return {
        "key": alert.key,
        "rule": _rule(alert),
        "severity": toned(alert.severity, tone_of(SEVERITY_TONES, alert.severity)),
        "message": {"text": alert.message, "note": f"What to do: {alert.advice}" if alert.advice else ""},
        "since": since(alert.first_at),
        "count": f"{alert.count:,d}",
        "care": action("Take care", alert.key, f"Take care of {alert.key}")
        if alert.acknowledged_by is None
        else {"text": alert.acknowledged_by, "note": f"since {formats.moment(alert.acknowledged_at)}"},
    }


def _past_row(alert: AlertRecord) -> dict[str, Any]:
    return {
        "key": f"{alert.key}/{alert.first_at}",
        "rule": _rule(alert),
        "severity": toned(alert.severity, tone_of(SEVERITY_TONES, alert.severity)),
        "message": alert.message,
        "first": formats.moment(alert.first_at),
        "end": toned("open", "warning") if alert.resolved_at is None else formats.moment(alert.resolved_at),
        "care": unknown("nobody took care") if alert.acknowledged_by is None else alert.acknowledged_by,
    }


def _rule(alert: AlertRecord) -> dict[str, Any]:
    return {"text": alert.rule, "note": alert.subject}
