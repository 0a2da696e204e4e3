"""Assets under management: a donut, and the same slices in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from nicegui import ui

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.chart import TOOLTIP, Chart
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.field import Field
from navoracle.dashboard.parts.records import Column, Records, exact, unknown
from navoracle.read_model.documents import Documents, reason_of
from navoracle.state_files.documents.aum import AssetAmount, DonutSlice, Slice
from navoracle.state_files.documents.nav import NavDocument

By = Literal["slices", "asset", "venue", "chain", "offexchange"]
CHOICES: Final[Sequence[tuple[By, str]]] = (
    ("slices", "exchanges and assets"),
    ("asset", "asset"),
    ("venue", "venue"),
    ("chain", "chain"),
    ("offexchange", "asset, off exchanges alone"),
)
COLOURS: Final = [f"--slice-{number}" for number in range(1, 9)]

Part = tuple[str, str, str | None]
"""A slice: what it is of, its worth in the unit of account, and in the reporting currency."""


class AumCard:
    """The card."""

    def __init__(self) -> None:
        self._by: By = "slices"
        self._shown: Documents | None = None
        with Card("aum", "Assets under management", "half"):
            with ui.element("div").classes("controls"):
                Field("Slices by", self._by, self._choose, options=CHOICES)
            self._total = Text("p", "", "note", id="aum-total")
            self._chart = Chart({}, label="Assets under management").classes("chart ring")
            self._table = Records(
                [
                    Column("label", "Slice", head=True),
                    Column("usd", "Worth", "number"),
                    Column("part", "Part", "number"),
                    Column("reporting", "Reporting", "number"),
                ],
                caption="Assets under management, by slice",
                empty="nothing that is known",
            )

    def show(self, documents: Documents) -> None:
        """Show what a fund holds, as its files have it."""
        self._shown = documents
        self._draw(documents)

    def _draw(self, documents: Documents) -> None:
        document = documents.nav
        parts = [] if document is None else parts_of(document, self._by)
        total = None if document is None else document.aum.total_usd
        unit = "" if document is None else document.unit
        currency = "" if document is None or document.fx is None else str(document.fx["currency"])
        self._total.say(total_text(documents, unit, currency))
        said = "; ".join(f"{label} {formats.amount(usd)} {unit}" for label, usd, _ in parts)
        drawn = sum(formats.is_positive(usd) for _, usd, _ in parts)
        self._chart.set_visibility(drawn > 0)
        self._chart.show(donut(parts), label=f"Assets under management: {said or 'not known'}")
        self._table.show([_row(part, total, unit, currency) for part in parts])

    def _choose(self, by: str) -> None:
        self._by = next(value for value, _ in CHOICES if value == by)
        if self._shown is not None:
            self._draw(self._shown)


def parts_of(document: NavDocument, by: By) -> list[Part]:
    """The slices of a kind, the largest first."""
    aum = document.aum
    if by == "offexchange":
        return _largest_first([_part_of(label, each) for label, each in aum.offexchange.items()])
    kinds: Mapping[By, Sequence[Slice | DonutSlice]] = {
        "slices": aum.slices,
        "asset": aum.by_asset,
        "venue": aum.by_venue,
        "chain": aum.by_chain,
    }
    return _largest_first([_part_of(formats.word(each.label), each) for each in kinds[by]])


def donut(parts: Sequence[Part]) -> dict[str, Any]:
    """The options of the chart; a slice without worth is not drawn."""
    return {
        "color": COLOURS,
        "tooltip": {**TOOLTIP, "trigger": "item", "formatter": "{b}\n{c} ({d} %)"},
        "series": [
            {
                "type": "pie",
                "radius": ["46%", "72%"],  # leaves a phone room for the labels beside it
                "label": {"color": "--text", "textBorderWidth": 0, "formatter": "{b}", "overflow": "truncate"},
                "labelLine": {"length": 8, "length2": 6, "lineStyle": {"color": "--quiet"}},
                "itemStyle": {"borderColor": "--surface", "borderWidth": 2},
                "data": [
                    {"name": label, "value": float(formats.rounded(usd, 2))}
                    for label, usd, _ in parts
                    if formats.is_positive(usd)
                ],
            }
        ],
    }


def _part_of(label: str, each: Slice | DonutSlice | AssetAmount) -> Part:
    return label, each.usd, each.reporting


def _largest_first(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: formats.rounded(part[1], 18), reverse=True)


def total_text(documents: Documents, unit: str, currency: str) -> str:
    """What is held in all and owed, or why that is not known."""
    document = documents.nav
    if document is None:
        return f"n/a: {reason_of(documents, 'nav')}"
    if document.aum.total_usd is None:
        return "n/a: the fund could not be valued"
    aum = document.aum
    reporting = "" if aum.total_reporting is None else f" = {formats.amount(aum.total_reporting)} {currency}"
    return (
        f"{formats.amount(aum.total_usd)} {unit}{reporting}; owed {formats.amount(aum.liabilities_usd)}, "
        f"fees {formats.amount(aum.fees_usd)}"
    )


def _row(part: Part, total: str | None, unit: str, currency: str) -> dict[str, Any]:
    label, usd, reporting = part
    share = formats.part_of(usd, total)
    return {
        "key": label,
        "label": label,
        "usd": exact(f"{formats.amount(usd)} {unit}", usd),
        "part": unknown() if share is None else formats.percent(share, 1),
        "reporting": unknown("no reporting currency, or no rate")
        if reporting is None
        else exact(f"{formats.amount(reporting)} {currency}", reporting),
    }
