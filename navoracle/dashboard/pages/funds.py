"""All funds: filtered, sorted and paged where they are kept, so that the page is quick however many there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from nicegui import ui

from navoracle.dashboard import addresses, formats
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.field import Field
from navoracle.dashboard.parts.records import Column, Records, exact, link, since, toned, unknown
from navoracle.dashboard.words import NAV_TONES, RISK_TONES, tone_of
from navoracle.read_model.funds import FundColumn, FundRow, FundsQuestion
from navoracle.read_model.model import ALL_FUNDS, ReadModel
from navoracle.read_model.records import NavWord, OffsetPage, RiskWord

ROWS: Final = 50
COLUMNS: Final = (
    Column("fund", "Fund", sortable=True, head=True),
    Column("chain", "Chain", sortable=True),
    Column("status", "Status", sortable=True),
    Column("risk_status", "Risk", sortable=True),
    Column("nav", "NAV", "number", sortable=True),
    Column("price_per_share", "Per share", "number", sortable=True),
    Column("confidence_bps", "Confidence", "number", sortable=True),
    Column("drawdown", "Drawdown", "number", sortable=True),
    Column("updated_at", "Age", "number", sortable=True),
    Column("held", "Contract", sortable=True),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which funds, and from which row on."""

    question: FundsQuestion = ALL_FUNDS
    offset: int = 0


def parameters(address: Mapping[str, str]) -> Asked:
    """Filters from the address; what is none is left out."""
    status = next((word for word in get_args(NavWord) if word == address.get("status")), None)
    risk = next((word for word in get_args(RiskWord) if word == address.get("risk")), None)
    return Asked(FundsQuestion(text=address.get("text") or None, status=status, risk_status=risk))


def load(model: ReadModel, asked: Asked) -> OffsetPage[FundRow]:
    """Read the page. Raises StoreError."""
    return model.funds(asked.question, offset=asked.offset, limit=ROWS)


def build(view: View[Any, OffsetPage[FundRow]], first: OffsetPage[FundRow]) -> Callable[[OffsetPage[FundRow]], None]:
    """Make the page."""

    def asked() -> Asked:
        found = view.parameters
        return found if isinstance(found, Asked) else Asked()

    async def narrow(**change: Any) -> None:
        await view.change(Asked(replace(asked().question, **change)))

    async def sort(column: str) -> None:
        question = asked().question
        chosen: FundColumn = next(each for each in get_args(FundColumn) if each == column)
        await narrow(sort=chosen, descending=question.sort == chosen and not question.descending)

    async def move(rows: int) -> None:
        await view.change(replace(asked(), offset=max(0, asked().offset + rows)))

    question = asked().question
    Text("h1", "Funds")
    with ui.element("div").classes("controls"):
        Field("Search name, chain or reason", question.text or "", lambda text: narrow(text=text or None))
        Field(
            "Status",
            question.status or "",
            lambda word: narrow(status=word or None),
            options=[("", "all"), *((word, word) for word in get_args(NavWord))],
        )
        Field(
            "Risk",
            question.risk_status or "",
            lambda word: narrow(risk_status=word or None),
            options=[("", "all"), *((word, word) for word in get_args(RiskWord))],
        )
    with Text("section", "", "card", aria_label="Funds"):
        table = Records(COLUMNS, caption="Funds", empty="No fund matches.", on_sort=sort)
        with ui.element("div").classes("controls"):
            before = Text("button", "Previous", type="button")
            before.on("click", lambda: move(-ROWS))
            shown = Text("p", "", role="status")
            after = Text("button", "Next", type="button")
            after.on("click", lambda: move(ROWS))

    def update(page: OffsetPage[FundRow]) -> None:
        question = asked().question
        table.show([_row(each) for each in page.items], sort=question.sort, descending=question.descending)
        last = page.offset + len(page.items)
        shown.say(f"{page.offset + 1:,d} to {last:,d} of {page.total:,d}" if page.items else f"0 of {page.total:,d}")
        before.set_attribute("disabled", None if page.offset else "disabled")
        after.set_attribute("disabled", None if page.next is not None else "disabled")

    return update


def _row(row: FundRow) -> dict[str, Any]:
    nav, price, fall = (formats.of_wad(each) for each in (row.nav, row.price_per_share, row.drawdown))
    why = row.unknown
    return {
        "key": row.fund,
        "fund": link(row.fund, addresses.fund_page(row.fund)),
        "chain": row.chain or unknown(why.get("/chain", "")),
        "status": toned(row.status, tone_of(NAV_TONES, row.status), row.reason),
        "risk_status": toned(row.risk_status, tone_of(RISK_TONES, row.risk_status)),
        "nav": unknown(why.get("/nav", "")) if nav is None else exact(formats.amount(nav), nav),
        "price_per_share": unknown(why.get("/price_per_share", ""))
        if price is None
        else exact(formats.per_share(price), price),
        "confidence_bps": unknown(why.get("/confidence_bps", ""))
        if row.confidence_bps is None
        else formats.basis_points(row.confidence_bps),
        "drawdown": unknown(why.get("/drawdown", "")) if fall is None else formats.percent(fall),
        "updated_at": unknown(why.get("/updated_at", "")) if row.updated_at is None else since(row.updated_at),
        "held": unknown(why.get("/held", "")) if row.held is None else _contract(held=row.held),
    }


def _contract(*, held: bool) -> dict[str, Any]:
    return toned("held", "bad") if held else toned("serves", "good")
