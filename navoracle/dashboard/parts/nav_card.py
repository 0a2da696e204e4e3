"""The NAV of a fund: what it is worth, how sure and how fresh that is, and what the chain says."""

from __future__ import annotations

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.facts import Facts
from navoracle.dashboard.words import NAV_TONES, tone_of
from navoracle.read_model.fund import FundDetail

_DIFFERENCES = ("Difference", "Per share diff.")
"""Exact to the wei, so that they need a line each."""

_FACTS = (
    "Reporting",
    "On chain",
    "Per share",
    "Chain per share",
    "Age",
    "Chain age",
    "Status",
    "Expires on chain",
    "Next slot",
    "Cadence",
    "Confidence",
    *_DIFFERENCES,
)
"""What was computed stands beside what the chain serves."""


class NavCard:
    """The card."""

    def __init__(self) -> None:
        with Card("net-asset-value", "Net asset value", "half"):
            with Text("p", "", "figure"):
                self._nav = Text("span", "n/a", id="nav")
                self._unit = Text("span", "", "unit")
            self._facts = Facts(*_FACTS, in_pairs=True, whole=_DIFFERENCES)

    def show(self, detail: FundDetail) -> None:
        """Show a fund."""
        row, facts, unknown = detail.fund, self._facts, detail.fund.unknown
        nav = formats.of_wad(row.nav)
        self._nav.say(formats.amount(nav))
        self._nav.set_attribute("title", nav)
        state = detail.documents.nav_state
        self._unit.say("" if state is None or nav is None else f" {state.unit}")
        self._show_reporting(detail)
        price = formats.of_wad(row.price_per_share)
        facts.say(
            "Per share",
            None if price is None else formats.per_share(price),
            why=unknown.get("/price_per_share", ""),
            title=price or "",
        )
        reason = f": {row.reason}" if row.reason else ""
        facts.say("Status", f"{row.status}{reason}", tone=tone_of(NAV_TONES, row.status))
        facts.say(
            "Confidence",
            None if row.confidence_bps is None else formats.basis_points(row.confidence_bps),
            why=unknown.get("/confidence_bps", ""),
        )
        facts.say_time("Age", row.nav_updated_at, why=unknown.get("/nav_updated_at", ""))
        self._show_chain(detail)
        following = detail.next_slot
        cadence = following.cadence if following is not None else None if state is None else state.cadence
        facts.say("Cadence", None if cadence is None else formats.word(cadence), why="no slot yet")
        facts.say_time(
            "Next slot",
            None if following is None else following.slot_time,
            ahead=True,
            why=detail.unknown.get("/next_slot", ""),
        )

    def _show_reporting(self, detail: FundDetail) -> None:
        document = detail.documents.nav
        fx = None if document is None else document.fx
        if document is None or fx is None:
            self._facts.say("Reporting", None, why="no reporting currency")
            return
        total, currency = document.aum.nav_reporting, fx["currency"]
        rate = f" at {formats.units(fx['rate'])}" if fx["rate"] is not None else ""
        mark = {"live": "", "last_valid": ", last valid rate", "fallback": ", configured rate"}.get(fx["source"], "")
        self._facts.say(
            "Reporting",
            None if total is None else f"{formats.amount(total)} {currency}{rate}{mark}",
            why=str(fx["reason"]),
        )

    def _show_chain(self, detail: FundDetail) -> None:
        served, facts = detail.on_chain, self._facts
        if served is None:
            for name in (
                "On chain",
                "Chain per share",
                *_DIFFERENCES,
                "Chain age",
                "Expires on chain",
            ):
                facts.say(name, None, why=detail.unknown.get("/on_chain", ""))
            return
        nav, price = formats.of_wad(served.nav), formats.of_wad(served.price_per_share)
        held = " (held)" if served.held else "" if served.live else " (closed)"
        facts.say(
            "On chain",
            None if nav is None else formats.amount(nav) + held,
            why=f"the contract keeps a price alone{held}",
            title=nav or "",
        )
        facts.say("Chain per share", formats.per_share(price), title=price or "")
        for name, found in (
            ("Difference", served.nav_difference),
            ("Per share diff.", served.price_per_share_difference),
        ):
            difference = formats.of_wad(found)
            facts.say(name, None if difference is None else formats.wei(difference), why="nothing to compare")
        facts.say_time("Chain age", served.valuation_time)
        facts.say_time("Expires on chain", served.expires_at, ahead=True, why="the contract says no time")
