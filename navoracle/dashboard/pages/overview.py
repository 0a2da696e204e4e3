"""The overview: is the NAV right, fresh and safe, and what must I do?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nicegui import ui

from navoracle.dashboard import addresses
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.alerts_card import AlertsCard
from navoracle.dashboard.parts.aum_card import AumCard
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.field import Field
from navoracle.dashboard.parts.history_card import HistoryCard
from navoracle.dashboard.parts.nav_card import NavCard
from navoracle.dashboard.parts.safety_card import SafetyCard
from navoracle.dashboard.words import NAV_TONES, tone_of
from navoracle.read_model import FundsQuestion, ReadModel
from navoracle.read_model.events import AlertRecord
from navoracle.read_model.fund import FundDetail
from navoracle.read_model.history import HistoryPoint
from navoracle.read_model.records import NavWord
from navoracle.store_port import SlotQuestion

POINTS: Final = 200
"""Slots that the history shows."""

ALERTS: Final = 20
CHOICES: Final = 200
"""Funds that can be chosen from; all of them are on the page of funds."""

WORST_FIRST: Final[tuple[NavWord, ...]] = (
    "insolvent",
    "suspicious",
    "halted",
    "unknown",
    "estimated",
    "verified",
    "confirmed",
    "live",
)


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows; `detail` is None where no fund is known, or none of that name."""

    asked: str | None
    detail: FundDetail | None
    funds: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    points: tuple[HistoryPoint, ...]
    alerts: tuple[AlertRecord, ...]
    alerts_total: int


def parameters(address: Mapping[str, str]) -> str | None:
    """The fund that is asked for; None for the one that needs a look first."""
    return address.get("fund") or None


def load(model: ReadModel, asked: str | None) -> Overview:
    """Read the page. Raises StoreError."""
    pages = {status: model.funds(FundsQuestion(status=status), limit=1) for status in WORST_FIRST}
    worst = next((page.items[0].fund for page in pages.values() if page.items), None)
    name = asked or worst
    detail = None if name is None else model.fund(name)
    points = [] if name is None else model.history(SlotQuestion(name), limit=POINTS).items
    alerts = model.alerts(open_only=True, limit=ALERTS)
    return Overview(
        asked=asked,
        detail=detail,
        funds=tuple(row.fund for row in model.funds(limit=CHOICES).items),
        counts=tuple((status, page.total) for status, page in pages.items() if page.total),
        points=tuple(points),
        alerts=tuple(alerts.items),
        alerts_total=alerts.total,
    )


def build(view: View[Any, Overview], first: Overview) -> Callable[[Overview], None]:
    """Make the page."""
    with ui.element("div").classes("head"):
        title = Text("h1", "")
        strip = ui.element("div").classes("chips")
    with ui.element("div").classes("controls"):
        choice = Field("Fund", "", view.change, options=())
        more = Text("a", "This fund in full")
    missing = Text("p", "", "note")
    with ui.element("div").classes("cards") as cards:
        nav, safety = NavCard(), SafetyCard()
    with ui.element("div").classes("cards"):
        alerts = AlertsCard("")
    with ui.element("div").classes("cards") as pictures:
        aum, history = AumCard(), HistoryCard(POINTS)
    counted: list[tuple[tuple[str, int], ...]] = []

    def update(data: Overview) -> None:
        if counted != [data.counts]:
            counted[:] = [data.counts]
            strip.clear()
            with strip:
                _show_counts(data)
        alerts.show(data.alerts, data.alerts_total)
        detail = data.detail
        for part in (cards, pictures):
            part.set_visibility(detail is not None)
        missing.say("" if detail is not None else _missing(data))
        name = detail.fund.fund if detail is not None else data.asked or ""
        title.say(name or "Overview")
        choice.offer(name, [(each, each) for each in dict.fromkeys((*data.funds, name)) if each])
        more.set_attribute("href", addresses.fund_page(name) if detail is not None else None)
        more.set_visibility(detail is not None)
        if detail is not None:
            nav.show(detail)
            safety.show(detail)
            aum.show(detail.documents.nav)
            history.show(data.points)

    return update


def _show_counts(data: Overview) -> None:
    total = sum(count for _, count in data.counts)
    Text("a", f"{total} fund{'' if total == 1 else 's'}", href=addresses.funds_page())
    for status, count in data.counts:
        Text(
            "a",
            f"{count} {status}",
            f"tone tone-{tone_of(NAV_TONES, status)}",
            href=addresses.funds_page(status=status),
        )


def _missing(data: Overview) -> str:
    if data.asked is not None:
        return f"There is no fund {data.asked}."
    return "No fund is known yet: the keeper has not begun, or the configuration names none."
