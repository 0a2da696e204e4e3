"""The funds that need attention, in a line of links, the worst first."""

from __future__ import annotations

from nicegui import ui

from navoracle.dashboard import addresses
from navoracle.dashboard.parts.elements import Text
from navoracle.read_model.attention import Attention, AttentionRow


class AttentionList:
    """The line; nothing where no fund but the one that is shown needs attention."""

    def __init__(self) -> None:
        self._shown: tuple[list[AttentionRow], int, str] | None = None
        self._place = Text("nav", "", "attention chips", aria_label="Funds that need attention")

    def show(self, found: Attention, chosen: str) -> None:
        """Show them; `chosen` is the fund that the page is of."""
        others = [row for row in found.items if row.fund != chosen]
        self._place.set_visibility(bool(others))
        if self._shown == (others, found.total, chosen):
            return
        self._shown = (others, found.total, chosen)
        self._place.clear()
        with self._place:
            Text("span", "Also needs attention:" if len(others) == 1 else "Also need attention:", "note")
            for row in others:
                with ui.element("span"):
                    Text("a", row.fund, href=addresses.overview_of(row.fund))
                    Text("span", " ")
                    Text("span", why(row), f"tone tone-{'bad' if row.level == 'critical' else 'warning'}")
            beyond = found.total - len(found.items)
            if beyond > 0:
                Text("a", f"and {beyond:,d} more", href=addresses.funds_page())


def why(row: AttentionRow) -> str:
    """What is wrong with a fund, in a few words, the gravest alone."""
    said = {
        "critical": (
            ("held by its contract", row.held is True),
            (row.status, row.status in ("insolvent", "suspicious", "halted")),
            (f"risk {row.risk_status}", row.risk_status in ("critical", "urgent")),
            ("critical alert", row.alert == "critical"),
        ),
        "warning": (
            (f"NAV {row.status}", row.status in ("estimated", "unknown")),
            ("risk warning", row.risk_status == "warning"),
            ("alert", row.alert == "warning"),
        ),
    }[row.level]
    return ", ".join(word for word, holds in said if holds)
