"""Prices: what every source said, what counted, what did not and why, how old it all is, and how the price moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from nicegui import ui

from navoracle.dashboard import formats
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.facts import Facts
from navoracle.dashboard.parts.field import Field
from navoracle.dashboard.parts.pager import OffsetPager
from navoracle.dashboard.parts.price_chart import PriceChart
from navoracle.dashboard.parts.price_tables import (
    ESTIMATES,
    LIMITS,
    NEWEST,
    SOURCES,
    VOTES,
    estimate_row,
    limits_of,
    newest_row,
    side_row,
    source_row,
    vote_rows,
)
from navoracle.dashboard.parts.records import Records
from navoracle.read_model.derived_rates import DerivedRate
from navoracle.read_model.model import ReadModel
from navoracle.read_model.prices import PolicyRecord, PriceDetail, PriceRow
from navoracle.read_model.records import OffsetPage

ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """Which asset, and which ones to choose from."""

    asset: str | None = None
    text: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Prices:
    """What the page shows; `detail` is None where nothing is known of the asset."""

    asset: str | None
    rows: OffsetPage[PriceRow]
    detail: PriceDetail | None


def parameters(address: Mapping[str, str]) -> Asked:
    """The asset of the address; None for the first one."""
    return Asked(address.get("asset") or None, address.get("text", ""))


def load(model: ReadModel, asked: Asked) -> Prices:
    """Read the page. Raises StoreError."""
    rows = model.prices(asked.text or None, offset=asked.offset, limit=ROWS)
    name = asked.asset or next((row.asset for row in rows.items), None)
    return Prices(name, rows, None if name is None else model.price(name))


def build(view: View[Any, Prices], first: Prices) -> Callable[[Prices], None]:
    """Make the page."""

    def asked() -> Asked:
        found = view.parameters
        return found if isinstance(found, Asked) else Asked()

    async def search(text: str) -> None:
        await view.change(Asked(asked().asset, text))

    async def move(offset: int) -> None:
        await view.change(replace(asked(), offset=offset))

    Text("h1", "Prices")
    with Card("all", "Newest price of every asset"):
        with ui.element("div").classes("controls"):
            Field("Search asset", asked().text, search)
        every = Records(NEWEST, caption="Newest prices", empty="No frame of the last day has such a price.")
        pager = OffsetPager("prices", ROWS, move)
    title = Text("h2", "", id="asset")
    missing = Text("p", "", "note")
    with ui.element("div").classes("cards") as cards:
        parts = _Parts()

    def update(data: Prices) -> None:
        every.show([newest_row(each) for each in data.rows.items])
        pager.show(data.rows)
        detail = data.detail
        cards.set_visibility(detail is not None)
        title.say(data.asset or "")
        missing.say(_missing(data))
        if detail is not None:
            parts.show(detail)

    return update


class _Parts:
    """The cards of one asset."""

    def __init__(self) -> None:
        self._history = PriceChart()
        with Card("estimate", "How it came about"):
            self._note = Text("p", "", "note")
            self._estimates = Records(ESTIMATES, caption="The price on each side", empty="n/a")
        with Card("votes", "Votes that counted: one for each independent group") as votes:
            self._votes = Records(VOTES, caption="Votes", empty="None: no source counts.")
        with Card("sources", "What every source said") as sources:
            self._sources = Records(SOURCES, caption="Sources", empty="No source answered.")
        self._of_sources: Final = (votes, sources)
        with Card("policy", "Limits", "half"):
            self._limits = Facts(*LIMITS)
        with Card("derived", "Spot against time-weighted average", "half") as self._of_a_rate:
            self._derived = Facts("Kind", "Base", "Spot rate", "Average rate", "Averaged over", "Gap")

    def show(self, detail: PriceDetail) -> None:
        """Show an asset."""
        at = f"Frame {formats.short_hash(detail.frame)}, valued at {formats.moment(detail.now)}. "
        estimates = detail.estimates or []
        self._note.say(at + detail.unknown.get("/estimates", ""))
        self._estimates.show([estimate_row(each) for each in estimates] or [side_row(each) for each in detail.sides])
        self._votes.show([row for each in estimates for row in vote_rows(each)])
        reference = next((side.price for side in detail.sides if side.price is not None), None)
        self._sources.show([source_row(each, reference) for each in detail.quotes])
        self._show_policy(detail.policy, detail.unknown.get("/policy", "the asset is not in the frame's plan"))
        self._show_derived(detail.derived, detail.unknown.get("/derived", ""))
        # An asset is priced by sources or from a base: the cards of the other are left out where that is known.
        self._of_a_rate.set_visibility(detail.derived is not None or detail.estimates is None)
        for card in self._of_sources:
            card.set_visibility(detail.derived is None or bool(detail.quotes))
        self._history.show(detail.asset, detail.history)

    def _show_policy(self, policy: PolicyRecord | None, why: str) -> None:
        for name, text in (dict.fromkeys(LIMITS) if policy is None else limits_of(policy)).items():
            self._limits.say(name, text, why=why)

    def _show_derived(self, found: DerivedRate | None, why: str) -> None:
        facts, none = self._derived, why or "not of this kind"
        facts.say("Kind", None if found is None else formats.word(found.kind), why=none)
        facts.say("Base", None if found is None else found.base, why=none)
        for name, rate in (
            ("Spot rate", None if found is None else found.spot_rate),
            ("Average rate", None if found is None else found.twap_rate),
        ):
            text = formats.of_wad(rate)
            facts.say(name, None if text is None else formats.amount(text, 9), why=none, title=text or "")
        seconds = None if found is None else found.twap_seconds
        facts.say("Averaged over", None if seconds is None else f"{seconds:,d} s", why=none)
        gap = None if found is None else found.gap_bps
        facts.say("Gap", None if gap is None else formats.signed_bps(gap), why=none)


def _missing(data: Prices) -> str:
    if data.detail is not None:
        return ""
    if data.asset is None:
        return "No price is known yet: the keeper has not begun, or it prices nothing."
    return f"No frame of the last day priced {data.asset}."
