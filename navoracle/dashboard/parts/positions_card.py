"""What a fund holds and owes, position by position, with what is known of each asset's day."""

from __future__ import annotations

from typing import Any, Final

from navoracle.dashboard import formats
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.records import Column, Records, exact, toned, unknown
from navoracle.dashboard.words import FALL_TONES, tone_of
from navoracle.read_model.documents import Documents, reason_of
from navoracle.state_files.documents.kpis import SymbolKpis
from navoracle.state_files.documents.positions import PositionEntry

COLUMNS: Final = (
    Column("position", "Position", head=True),
    Column("symbol", "Asset"),
    Column("component", "Component"),
    Column("place", "Where"),
    Column("amount", "Amount", "number"),
    Column("notional", "Notional", "number"),
    Column("pnl", "PnL", "number"),
    Column("dd_state", "DD state"),
    Column("dd_today_pct", "DD today", "number"),
    Column("atr_ratio", "ATR ratio", "number"),
    Column("atr_regime", "ATR regime"),
)


class PositionsCard:
    """The card."""

    def __init__(self) -> None:
        with Text("section", "", "card", aria_labelledby="positions-heading"):
            Text("h2", "Positions", id="positions-heading")
            self._missing = Text("p", "", "note")
            self._table = Records(COLUMNS, caption="Positions", empty="n/a: no frame has valued the fund")

    def show(self, documents: Documents, fund: str) -> None:
        """Show a fund's positions, as its files have them."""
        positions = None if documents.positions is None else documents.positions.positions
        self._missing.say("" if documents.positions is not None else f"n/a: {reason_of(documents, 'positions')}")
        self._table.set_visibility(documents.positions is not None)
        symbols = {} if documents.kpis is None else documents.kpis.symbols
        self._table.show(
            [position_row(at, each, symbols.get(each.symbol), fund) for at, each in enumerate(positions or ())],
        )


def position_row(at: int, entry: PositionEntry, kpis: SymbolKpis | None, fund: str) -> dict[str, Any]:
    """A position's row; its name without the fund's, which every one of the page begins with."""
    owed = "-" if entry.side == "debt" else ""
    return {
        "key": f"{at}",
        "position": exact(entry.position.removeprefix(f"{fund}."), entry.position),
        "symbol": entry.symbol,
        "component": formats.word(entry.component) + ("" if entry.epoch is None else f", epoch {entry.epoch}"),
        "place": formats.word(entry.venue) + ("" if entry.chain is None else f" on {entry.chain}"),
        "amount": exact(formats.units(entry.amount), entry.amount),
        "notional": exact(f"{owed}{formats.amount(entry.notional)}", entry.notional),
        "pnl": unknown("no entry price is known") if entry.pnl is None else exact(formats.amount(entry.pnl), entry.pnl),
        **_day(kpis),
    }


def _day(kpis: SymbolKpis | None) -> dict[str, Any]:
    """The asset's day; "n/a" and "unknown" where there is no telemetry, never a zero."""
    if kpis is None:
        return {name: unknown("no telemetry") for name in ("dd_state", "dd_today_pct", "atr_ratio", "atr_regime")}
    return {
        "dd_state": toned(kpis.dd_state, tone_of(FALL_TONES, kpis.dd_state)),
        "dd_today_pct": unknown("no prices of the day")
        if kpis.dd_today_pct is None
        else formats.percent(kpis.dd_today_pct),
        "atr_ratio": unknown("too few prices") if kpis.atr_ratio is None else formats.amount(kpis.atr_ratio),
        "atr_regime": kpis.atr_regime,
    }
