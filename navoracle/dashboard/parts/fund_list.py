"""The funds to choose from on pages that are of one fund: searched and paged, the riskiest first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nicegui import ui

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.field import Field
from navoracle.dashboard.parts.pager import OffsetPager
from navoracle.dashboard.parts.records import Column, Records, link, since, toned, unknown
from navoracle.dashboard.words import RISK_TONES, tone_of
from navoracle.read_model.model import ReadModel
from navoracle.read_model.records import OffsetPage
from navoracle.read_model.risk import RiskRow

ROWS: Final = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """Which fund, and which ones to choose from."""

    fund: str | None = None
    text: str = ""
    offset: int = 0


def parameters(address: Mapping[str, str]) -> Asked:
    """The fund of the address; None for the riskiest."""
    return Asked(address.get("fund") or None, address.get("text", ""))


def choose(model: ReadModel, asked: Asked) -> tuple[str | None, OffsetPage[RiskRow]]:
    """The fund to show, the riskiest unless one was named, and those to choose from. Raises StoreError."""
    rows = model.risks(text=asked.text or None, offset=asked.offset, limit=ROWS)
    return asked.fund or next((row.fund for row in rows.items), None), rows


class FundList:
    """The list.

    Args:
        text: what is searched for.
        address: where a fund's page is.
        on_text: hears what to search for.
        on_offset: hears from which row on to show.
    """

    def __init__(
        self,
        text: str,
        address: Callable[[str], str],
        on_text: Callable[[str], Awaitable[None]],
        on_offset: Callable[[int], Awaitable[None]],
    ) -> None:
        self._address = address
        with Card("funds", "Funds, the riskiest first"):
            with ui.element("div").classes("controls"):
                Field("Search name, chain or reason", text, on_text)
            self._table = Records(
                (
                    Column("fund", "Fund", head=True),
                    Column("risk", "Risk"),
                    Column("alerts", "Risk alerts", "number"),
                    Column("drawdown", "Drawdown", "number"),
                    Column("held", "Contract"),
                    Column("age", "Age", "number"),
                ),
                caption="Funds to choose from",
                empty="No fund matches.",
            )
            self._pager = OffsetPager("funds", ROWS, on_offset)

    def show(self, page: OffsetPage[RiskRow], chosen: str | None) -> None:
        """Show funds; `chosen` is the one that the page is of."""
        self._table.show([self._row(each, chosen) for each in page.items])
        self._pager.show(page)

    def _row(self, row: RiskRow, chosen: str | None) -> dict[str, Any]:
        fall = formats.of_wad(row.drawdown)
        return {
            "key": row.fund,
            "fund": {**link(row.fund, self._address(row.fund)), "note": "shown below" if row.fund == chosen else ""},
            "risk": toned(row.risk_status, tone_of(RISK_TONES, row.risk_status)),
            "alerts": str(row.alerts),
            "drawdown": unknown(row.unknown.get("/drawdown", "")) if fall is None else formats.percent(fall),
            "held": unknown(row.unknown.get("/held", ""))
            if row.held is None
            else toned("held", "bad")
            if row.held
            else toned("serves", "good"),
            "age": unknown(row.unknown.get("/updated_at", "")) if row.updated_at is None else since(row.updated_at),
        }
