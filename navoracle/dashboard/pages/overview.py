"""The overview: is the NAV right, fresh and safe, and what must I do?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from nicegui import ui

from navoracle.dashboard import addresses
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.alerts_card import AlertsCard
from navoracle.dashboard.parts.attention_list import AttentionList
from navoracle.dashboard.parts.aum_card import AumCard
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.field import Field
from navoracle.dashboard.parts.history_card import HistoryCard
from navoracle.dashboard.parts.nav_card import NavCard
from navoracle.dashboard.parts.safety_card import SafetyCard
from navoracle.dashboard.parts.verdict_card import VerdictCard
from navoracle.dashboard.verdict import Answer, verdict
from navoracle.dashboard.words import NAV_TONES, tone_of
from navoracle.read_model.attention import Attention
from navoracle.read_model.events import AlertRecord
from navoracle.read_model.fund import FundDetail
from navoracle.read_model.history import HistoryPoint
from navoracle.read_model.model import ReadModel
from navoracle.read_model.records import NavWord
from navoracle.store_port import SlotQuestion

POINTS: Final = 200
"""Slots that the history shows."""

ALERTS: Final = 20
CHOICES: Final = 200
"""Funds that can be chosen from; all of them are on the page of funds."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows; `detail` is None where no fund is known, or none of that name."""

    asked: str | None
    detail: FundDetail | None
    answers: tuple[Answer, ...]
    funds: tuple[str, ...]
    attention: Attention
    points: tuple[HistoryPoint, ...]
    alerts: tuple[AlertRecord, ...]
    alerts_total: int


def parameters(address: Mapping[str, str]) -> str | None:
    """The fund that is asked for; None for the one that needs attention most."""
    return address.get("fund") or None


def load(model: ReadModel, asked: str | None) -> Overview:
    """Read the page. Raises StoreError."""
    attention = model.attention()
    name = asked or attention.first
    detail = None if name is None else model.fund(name)
    own = attention.own.get(name or "", [])
    points = [] if name is None else model.history(SlotQuestion(name), limit=POINTS).items
    others = [alert for fund, alerts in attention.own.items() if fund != name for alert in alerts]
    alerts = (*own, *attention.general, *others)
    return Overview(
        asked=asked,
        detail=detail,
        answers=() if detail is None else verdict(detail, own, attention.general, model.sources.now()),
        funds=tuple(row.fund for row in model.funds(limit=CHOICES).items),
        attention=attention,
        points=tuple(points),
        alerts=alerts[:ALERTS],
        alerts_total=len(alerts),
    )


def build(view: View[Any, Overview], first: Overview) -> Callable[[Overview], None]:
    """Make the page."""
    with ui.element("div").classes("head"):
        title = Text("h1", "")
        with ui.element("div").classes("controls"):
            choice = Field("Fund", "", view.change, options=())
            more = Text("a", "This fund in full", "beside-field")
        strip = ui.element("div").classes("chips")
    answers = VerdictCard()
    others = AttentionList()
    missing = Text("p", "", "note")
    with ui.element("div").classes("cards overview"):
        with ui.element("div").classes("group") as cards:
            nav, safety = NavCard(), SafetyCard()
        alerts = AlertsCard("")
        with ui.element("div").classes("group") as pictures:
            history, aum = HistoryCard(POINTS), AumCard()
    counted: list[Mapping[NavWord, int]] = []

    def update(data: Overview) -> None:
        if counted != [data.attention.counts]:
            counted[:] = [data.attention.counts]
            strip.clear()
            with strip:
                _show_counts(data.attention.counts)
        alerts.show(data.alerts, data.alerts_total)
        answers.show(data.answers)
        detail = data.detail
        for part in (cards, pictures):
            part.set_visibility(detail is not None)
        missing.say("" if detail is not None else _missing(data))
        name = detail.fund.fund if detail is not None else data.asked or ""
        title.say(name or "Overview")
        others.show(data.attention, name)
        choice.offer(name, [(each, each) for each in dict.fromkeys((*data.funds, name)) if each])
        more.set_attribute("href", addresses.fund_page(name) if detail is not None else None)
        more.set_visibility(detail is not None)
        if detail is not None:
            nav.show(detail)
            safety.show(detail)
            aum.show(detail.documents)
            history.show(data.points)

    return update


def _show_counts(counts: Mapping[NavWord, int]) -> None:
    total = sum(counts.values())
    Text("a", f"{total} fund{'' if total == 1 else 's'}", href=addresses.funds_page())
    for status in get_args(NavWord):
        if status in counts:
            Text(
                "a",
                f"{counts[status]} {status}",
                f"tone tone-{tone_of(NAV_TONES, status)}",
                href=addresses.funds_page(status=status),
            )


def _missing(data: Overview) -> str:
    if data.asked is not None:
        return f"There is no fund {data.asked}."
    return "No fund is known yet: the keeper has not begun, or the configuration names none."
