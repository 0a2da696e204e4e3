"""Key figures: falls, ranges, routers, executors, fees. What nobody measured is "n/a" or "unknown", never zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from nicegui import ui

from navoracle.dashboard import addresses, formats
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.facts import Facts
from navoracle.dashboard.parts.fund_list import Asked, FundList, choose
from navoracle.dashboard.parts.records import Column, Records, exact, toned, unknown
from navoracle.dashboard.reasons import explained, why
from navoracle.dashboard.words import FALL_TONES, NAV_TONES, REGIME_TONES, RISK_TONES, tone_of
from navoracle.read_model.documents import Documents
from navoracle.read_model.model import ReadModel
from navoracle.read_model.records import OffsetPage
from navoracle.read_model.risk import RiskRow
from navoracle.state_files.documents.kpis import KpisDocument, SymbolKpis, TelemetrySource
from navoracle.state_files.documents.nav import NavDocument

_NAV: Final = ("NAV", "Per share", "Status")
_RISK: Final = ("Drawdown state", "Drawdown", "Daily loss", "ATR ratio", "ATR regime", "Risk status")
_ROUTER: Final = ("Telemetry", "Maker fill", "Fallback", "Median slippage")
_FEES: Final = ("Fees over profit", "Management", "Performance", "Withdrawal", "Payable in all")
_SYMBOLS: Final = (
    Column("symbol", "Symbol", head=True),
    Column("dd_state", "Drawdown state"),
    Column("dd_today_pct", "Drawdown today", "number"),
    Column("atr_ratio", "ATR ratio", "number"),
    Column("atr_pct", "ATR of price", "number"),
    Column("atr_regime", "ATR regime"),
    Column("source", "Said by"),
    Column("more", "Else"),
)
_TOLD: Final = (Column("name", "Figure", head=True), Column("value", "Value"))
_SOURCES: Final = (
    Column("name", "Telemetry", head=True),
    Column("state", "State"),
    Column("age", "Age when read", "number"),
    Column("updated", "Written"),
)


@dataclass(frozen=True, slots=True)
class Kpis:
    """What the page shows; `documents` is None where no fund is known."""

    fund: str | None
    rows: OffsetPage[RiskRow]
    documents: Documents | None


def load(model: ReadModel, asked: Asked) -> Kpis:
    """Read the page. Raises StoreError."""
    name, rows = choose(model, asked)
    known = name is not None and model.fund_row(name) is not None
    return Kpis(name, rows, model.documents(name) if name is not None and known else None)


def build(view: View[Any, Kpis], first: Kpis) -> Callable[[Kpis], None]:
    """Make the page."""

    def asked() -> Asked:
        found = view.parameters
        return found if isinstance(found, Asked) else Asked()

    async def search(text: str) -> None:
        await view.change(Asked(asked().fund, text))

    async def move(offset: int) -> None:
        await view.change(replace(asked(), offset=offset))

    Text("h1", "KPIs")
    choice = FundList(asked().text, addresses.kpis_page, search, move)
    title = Text("h2", "", id="fund")
    missing = Text("p", "", "note")
    with ui.element("div").classes("cards") as cards:
        parts = _Parts()

    def update(data: Kpis) -> None:
        choice.show(data.rows, data.fund)
        title.say(data.fund or "")
        documents = data.documents
        kpis = None if documents is None else documents.kpis
        cards.set_visibility(kpis is not None)
        missing.say(_missing(data))
        if documents is not None and kpis is not None:
            parts.show(kpis, documents.nav)

    return update


def _missing(data: Kpis) -> str:
    if data.fund is None:
        return "No fund is known yet."
    if data.documents is None:
        return f"There is no fund {data.fund}, and nothing is known of one."
    return "" if data.documents.kpis is not None else f"n/a: {why(data.documents.unknown, 'kpis')}"


class _Parts:
    """The cards."""

    def __init__(self) -> None:
        with Card("nav", "NAV", "third"):
            self._nav = Facts(*_NAV)
        with Card("risk", "Risk", "third"):
            self._risk = Facts(*_RISK)
        with Card("router", "Router", "third"):
            self._router = Facts(*_ROUTER)
            self._routed = Records(_TOLD, caption="What else the router says", empty="nothing else")
        with Card("symbols", "Symbols"):
            self._symbols = Records(
                _SYMBOLS, caption="Symbols", empty="The fund holds nothing, and no telemetry speaks."
            )
        with Card("fees", "Fees", "half"):
            self._fees = Facts(*_FEES)
        with Card("execution", "Execution", "half"):
            self._execution = Records(_TOLD, caption="What the executor measured", empty="unknown: no telemetry")
        with Card("telemetry", "Where telemetry comes from"):
            self._sources = Records(_SOURCES, caption="Telemetry")

    def show(self, kpis: KpisDocument, nav: NavDocument | None) -> None:
        """Show a fund."""
        self._show_nav(kpis)
        self._show_risk(kpis)
        self._show_router(kpis)
        self._show_fees(kpis, nav)
        self._symbols.show([symbol_row(name, each, kpis.unknown) for name, each in kpis.symbols.items()])
        self._execution.show(told(kpis.execution))
        self._sources.show(
            [
                _source(name, each)
                for name, each in (
                    ("router", kpis.telemetry.router),
                    ("symbols", kpis.telemetry.symbols),
                    ("execution", kpis.telemetry.execution),
                )
            ]
        )

    def _show_nav(self, kpis: KpisDocument) -> None:
        nav, facts = kpis.nav, self._nav
        facts.say(
            "NAV",
            None if nav.nav is None else f"{formats.amount(nav.nav)} {kpis.unit}",
            why=why(kpis.unknown, "nav", "nav"),
            title=nav.nav or "",
        )
        facts.say(
            "Per share",
            None if nav.price_per_share is None else formats.per_share(nav.price_per_share),
            why=why(kpis.unknown, "nav", "price_per_share"),
            title=nav.price_per_share or "",
        )
        facts.say("Status", nav.status, tone=tone_of(NAV_TONES, nav.status))

    def _show_risk(self, kpis: KpisDocument) -> None:
        risk, facts = kpis.risk, self._risk
        facts.say("Drawdown state", risk.dd_state, tone=tone_of(FALL_TONES, risk.dd_state))
        for name, place, figure in (
            ("Drawdown", "drawdown_pct", risk.drawdown_pct),
            ("Daily loss", "daily_loss_pct", risk.daily_loss_pct),
        ):
            facts.say(name, None if figure is None else formats.percent(figure), why=why(kpis.unknown, "risk", place))
        facts.say(
            "ATR ratio",
            None if risk.atr_ratio is None else formats.amount(risk.atr_ratio, 3),
            why=why(kpis.unknown, "risk", "atr_ratio"),
        )
        facts.say("ATR regime", risk.atr_regime, tone=tone_of(REGIME_TONES, risk.atr_regime))
        facts.say("Risk status", risk.status, tone=tone_of(RISK_TONES, risk.status))

    def _show_router(self, kpis: KpisDocument) -> None:
        router, facts = kpis.router, self._router
        facts.say("Telemetry", router.state, tone="good" if router.state == "known" else "plain")
        for name, place, text in (
            ("Maker fill", "maker_fill_rate", _percent(router.maker_fill_rate)),
            ("Fallback", "fallback_ratio", _percent(router.fallback_ratio)),
            (
                "Median slippage",
                "slip_q50_bps",
                None if router.slip_q50_bps is None else f"{formats.amount(router.slip_q50_bps)} bps",
            ),
        ):
            facts.say(name, text, why=why(kpis.unknown, "router", place))
        self._routed.show(told(router.more))

    def _show_fees(self, kpis: KpisDocument, nav: NavDocument | None) -> None:
        facts, ratio = self._fees, kpis.risk.fee_pnl_ratio
        facts.say("Fees over profit", _percent(ratio), why=why(kpis.unknown, "risk", "fee_pnl_ratio"))
        fees = None if nav is None else nav.fees
        none = explained("no_frame") if nav is None else why(nav.unknown, "fees")
        for name, fee in (
            ("Management", None if fees is None else fees.management),
            ("Performance", None if fees is None else fees.performance),
            ("Withdrawal", None if fees is None else fees.withdrawal),
            ("Payable in all", None if fees is None else fees.total),
        ):
            text = None if fee is None else f"{formats.amount(fee)} {kpis.unit}"
            facts.say(name, text, why=none, title=fee or "")


def symbol_row(name: str, each: SymbolKpis, unknown_places: Mapping[str, str]) -> dict[str, Any]:
    """A symbol; a figure that nobody knows is "n/a" with the reason, a state "unknown"."""

    def figure(place: str, text: str | None) -> Any:
        return {**unknown(), "note": why(unknown_places, "symbols", name, place)} if text is None else text

    return {
        "key": name,
        "symbol": name,
        "dd_state": toned(each.dd_state, tone_of(FALL_TONES, each.dd_state)),
        "dd_today_pct": figure("dd_today_pct", _percent(each.dd_today_pct)),
        "atr_ratio": figure("atr_ratio", None if each.atr_ratio is None else formats.amount(each.atr_ratio, 3)),
        "atr_pct": figure("atr_pct", _percent(each.atr_pct)),
        "atr_regime": toned(each.atr_regime, tone_of(REGIME_TONES, each.atr_regime)),
        "source": each.source,
        "more": ", ".join(f"{row['name']}: {row['value']}" for row in told(each.more)) or "nothing",
    }


def told(values: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """What telemetry says beyond the figures that are known by name, as it says it."""
    return [{"key": name, "name": formats.word(name), "value": _plain(value)} for name, value in sorted(values.items())]


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{formats.word(str(name))}: {_plain(each)}" for name, each in value.items()) or "nothing"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(each) for each in value) or "nothing"
    return formats.UNKNOWN if value is None else str(value)


def _source(name: str, each: TelemetrySource) -> dict[str, Any]:
    return {
        "key": name,
        "name": name,
        "state": toned("known", "good") if each.state == "known" else toned("unknown", "plain", explained(each.reason)),
        "age": unknown(explained(each.reason)) if each.age_s is None else f"{each.age_s:,d} s",
        "updated": unknown(explained(each.reason))
        if each.updated_at is None
        else exact(formats.moment(each.updated_at), str(each.updated_at)),
    }


def _percent(fraction: str | None) -> str | None:
    return None if fraction is None else formats.percent(fraction)
