"""What stands on every page: the navigation, and how fresh the state is."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from navoracle.dashboard import formats
from navoracle.dashboard.assets import address_of
from navoracle.dashboard.gate import LOGOUT, PREFIX
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.standing import Standing

Entry = tuple[str, str]
"""A page in the navigation: its path below the dashboard's, and its title."""


def add_files() -> None:
    """The script, from the package itself; the style sheet stands in the page."""
    ui.add_head_html(f'<script defer src="{address_of("dashboard.js")}"></script>')


def header(pages: Sequence[Entry], current: str, *, with_logout: bool) -> None:
    """The head of the page: skip link, name, navigation, colours, and the way out."""
    layout = ui.context.client.layout
    with layout, Text("header", classes="top") as top:  # NiceGUI's own header needs its browser to compile a template
        Text("a", "Skip to the content", "skip", href="#content")
        Text("a", "navoracle", "brand", href=f"{PREFIX}/")
        with Text("nav", aria_label="Pages"), ui.element("ul"):
            for path, title in pages:
                with ui.element("li"):
                    entry = Text("a", title, href=f"{PREFIX}{path}")
                    entry.set_attribute("aria-current", "page" if path == current else None)
        with ui.element("div").classes("tools"):
            Text("button", "Dark", id="theme", type="button")
            if with_logout:
                with Text("form", method="post", action=LOGOUT):
                    Text("button", "Log out", type="submit")
    top.move(layout, target_index=0)


class Head:
    """How fresh the page is, and the banners over it; `dashboard.js` lets the age count up and looks for both."""

    def __init__(self) -> None:
        self._clock = Text("span", "", "visually-hidden", id="clock", aria_hidden="true")
        Text("div", "", "banner", id="connection", role="alert")
        self._keeper = Text("div", "", "banner", id="keeper", role="alert")
        with Text("p", "", "freshness"):
            self._updated = Text("span", "No state yet")
            self._age = Text("span", "", "age")

    def show(self, standing: Standing) -> None:
        """Tell the keeper's time, the newest state's, and why what is below cannot be relied on."""
        self._clock.set_attribute("data-now", str(standing.now))
        self._keeper.say(standing.trouble)
        known = standing.updated_at is not None
        self._updated.say(f"Newest state: {formats.moment(standing.updated_at)}, age " if known else "No state yet")
        self._age.set_attribute("data-since", str(standing.updated_at) if known else None)
