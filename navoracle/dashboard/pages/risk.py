"""Risks: what the monitor found, how far it is to a liquidation, and what a fall of prices would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from nicegui import ui

from navoracle.dashboard import addresses, formats
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.facts import Facts
from navoracle.dashboard.parts.fund_list import Asked, FundList, choose
from navoracle.dashboard.parts.records import Column, Records, Tone, toned
from navoracle.dashboard.parts.risk_tables import RiskTables
from navoracle.dashboard.parts.stress_card import StressCard
from navoracle.dashboard.reasons import explained, why
from navoracle.dashboard.words import RISK_TONES, tone_of
from navoracle.read_model.gates import PeaksRecord
from navoracle.read_model.model import ReadModel
from navoracle.read_model.records import OffsetPage
from navoracle.read_model.risk import FundRisk, RiskRow
from navoracle.state_files.documents.risk import AlertEntry, RiskDocument

HISTORY: Final = 30
"""Changes of the status that the page shows, the newest."""

_HEALTH_TONES: Final = {"healthy": "safe", "degraded": "warning", "unhealthy": "critical", "unknown": "unknown"}
_CHANGES: Final = (
    Column("time", "From", "time", head=True),
    Column("status", "Status"),
    Column("alerts", "Alerts"),
    Column("frame", "Frame"),
)
_STANDING: Final = ("Status", "Complete", "Monitor", "Error rate", "Worst margin ratio", "Figures of")
_GATE: Final = ("Gate", "Drawdown", "Daily loss", "Stops", "Peak", "Peak of the day")


@dataclass(frozen=True, slots=True)
class Risks:
    """What the page shows; `detail` is None where nothing is known of the fund."""

    fund: str | None
    rows: OffsetPage[RiskRow]
    detail: FundRisk | None
    price: str | None = None
    """The NAV per share of the report's own frame; None where that frame has none."""


def load(model: ReadModel, asked: Asked) -> Risks:
    """Read the page. Raises StoreError."""
    name, rows = choose(model, asked)
    row, detail = (None, None) if name is None else (model.fund_row(name), model.risk(name))
    report = None if detail is None else detail.risk
    is_same = row is not None and report is not None and row.frame == report.frame and row.nav_source == "frame"
    return Risks(name, rows, detail, formats.of_wad(row.price_per_share) if row is not None and is_same else None)


def build(view: View[Any, Risks], first: Risks) -> Callable[[Risks], None]:
    """Make the page."""

    def asked() -> Asked:
        found = view.parameters
        return found if isinstance(found, Asked) else Asked()

    async def search(text: str) -> None:
        await view.change(Asked(asked().fund, text))

    async def move(offset: int) -> None:
        await view.change(replace(asked(), offset=offset))

    Text("h1", "Risk")
    choice = FundList(asked().text, addresses.risk_page, search, move)
    title = Text("h2", "", id="fund")
    missing = Text("p", "", "note")
    with ui.element("div").classes("cards") as cards:
        standing, alerts = _Standing(), _Alerts()
        stress, tables, changes = StressCard(), RiskTables(), _Changes()

    def update(data: Risks) -> None:
        choice.show(data.rows, data.fund)
        title.say(data.fund or "")
        detail = data.detail
        document = None if detail is None else detail.risk
        cards.set_visibility(detail is not None and document is not None)
        missing.say(_missing(data))
        if detail is None or document is None:
            return
        standing.show(detail, document)
        alerts.show(document.alerts)
        stress.show(document.stress, why(document.unknown, "stress"), data.price)
        tables.show(document)
        changes.show(document)

    return update


def _missing(data: Risks) -> str:
    if data.fund is None:
        return "No fund is known yet."
    if data.detail is None:
        return f"There is no fund {data.fund}, and nothing is known of one."
    return "" if data.detail.risk is not None else f"n/a: {why(data.detail.unknown, 'risk')}"


class _Standing:
    """The status, the monitor's own health, and the gate."""

    def __init__(self) -> None:
        with Card("standing", "How it stands", "half"):
            self._facts = Facts(*_STANDING)
        with Card("gate", "Gate and peaks", "half"):
            self._gate = Facts(*_GATE)

    def show(self, detail: FundRisk, document: RiskDocument) -> None:
        """Show a fund."""
        facts, unknown = self._facts, document.unknown
        if document.configured:
            facts.say("Status", document.risk_status, tone=tone_of(RISK_TONES, document.risk_status))
        else:
            facts.say("Status", None, why=why(unknown, "configured") or explained("no_risk_monitor"))
        complete = document.is_complete
        facts.say(
            "Complete",
            None if complete is None else "everything could be read" if complete else "not everything could be read",
            why=why(unknown, "is_complete"),
            tone=None if complete is None else "good" if complete else "warning",
        )
        facts.say("Monitor", document.health, tone=tone_of(RISK_TONES, _HEALTH_TONES[document.health]))
        for name, place, figure in (
            ("Error rate", "error_rate", document.error_rate),
            ("Worst margin ratio", "worst_margin_ratio", document.worst_margin_ratio),
        ):
            facts.say(name, None if figure is None else formats.percent(figure), why=why(unknown, place))
        facts.say("Figures of", formats.moment(document.updated_at), title=document.frame or "")
        self._show_gate(detail)

    def _show_gate(self, detail: FundRisk) -> None:
        gate, facts = detail.gate, self._gate
        none = why(detail.unknown, "gate")
        if gate is None:
            for name in _GATE[:4]:
                facts.say(name, None, why=none)
        else:
            said = [formats.word(each) for each in (*gate.vetoes, *gate.warnings)]
            tone: Tone = "bad" if gate.vetoes else "warning" if gate.warnings else "good"
            facts.say("Gate", ", ".join(said) or "no veto", tone=tone)
            for name, fall in (("Drawdown", gate.drawdown), ("Daily loss", gate.daily_loss)):
                text = formats.of_wad(fall)
                facts.say(name, None if text is None else formats.percent(text), why=explained("no_peak"))
            facts.say("Stops", ", ".join(map(formats.word, gate.stops)) or "nothing")
        self._show_peaks(detail.peaks, why(detail.unknown, "peaks"))

    def _show_peaks(self, peaks: PeaksRecord | None, none: str) -> None:
        if peaks is None:
            for name in _GATE[4:]:
                self._gate.say(name, None, why=none)
            return
        for name, peak, at in (
            ("Peak", peaks.peak, peaks.peak_at),
            ("Peak of the day", peaks.daily_peak, peaks.daily_peak_at),
        ):
            text = formats.of_wad(peak)
            self._gate.say(name, f"{formats.per_share(text)} at {formats.moment(at)}", title=text or "")


class _Alerts:
    """What is not in order, with what can be done about it."""

    def __init__(self) -> None:
        self._shown: Sequence[AlertEntry] | None = None
        with Card("alerts", "Alerts of the monitor"):
            self._place = ui.element("div")
            self._place.props["aria-live"] = "polite"

    def show(self, alerts: Sequence[AlertEntry]) -> None:
        """Show alerts, the worst first."""
        if self._shown == alerts:
            return
        self._shown = alerts
        self._place.clear()
        with self._place:
            if not alerts:
                Text("p", "None. No limit is crossed.", "note")
            for alert in alerts:
                with Text("div", "", f"alert {'critical' if alert.status in ('urgent', 'critical') else ''}".strip()):
                    with ui.element("p"):
                        Text("span", alert.status, f"tone tone-{tone_of(RISK_TONES, alert.status)}")
                        Text("span", f" {alert.name} · {alert.watch}")
                    Text("p", alert.message)
                    Text("p", f"What to do: {alert.advice}")


class _Changes:
    """How the status came about."""

    def __init__(self) -> None:
        with Card("changes", "Changes of the status, the newest first"):
            self._table = Records(
                _CHANGES, caption="Changes of the status", empty="The status has not been judged yet."
            )

    def show(self, document: RiskDocument) -> None:
        """Show the newest changes."""
        self._table.show(
            [
                {
                    "key": f"{each.t}/{each.frame}",
                    "time": formats.moment(each.t),
                    "status": toned(each.status, tone_of(RISK_TONES, each.status)),
                    "alerts": ", ".join(each.alerts) or "none",
                    "frame": formats.short_hash(each.frame),
                }
                for each in reversed(document.history[-HISTORY:])
            ]
        )
