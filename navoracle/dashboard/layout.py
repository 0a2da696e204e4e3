"""What stands on every page: the navigation, the keeper's clock, and how fresh the state is."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from navoracle.dashboard.gate import LOGOUT, PREFIX, STATIC
from navoracle.dashboard.parts.elements import Text

Entry = tuple[str, str]
"""A page in the navigation: its path below the dashboard's, and its title."""


def add_files() -> None:
    """The style sheet and the script, from the package itself."""
    ui.add_head_html(f'<link rel="stylesheet" href="{STATIC}/dashboard.css">')
    ui.add_head_html(f'<script defer src="{STATIC}/dashboard.js"></script>')


def header(pages: Sequence[Entry], current: str, *, with_logout: bool) -> None:
    """The head of the page: skip link, name, navigation, colours, and the way out."""
    with ui.header(fixed=False, elevated=False):
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


class Standing:
    """The keeper's clock and the banner of a keeper that does not move; `dashboard.js` looks at both."""

    def __init__(self) -> None:
        self._clock = Text("span", "", "visually-hidden", id="clock", aria_hidden="true")
        Text("div", "", "banner", id="connection", role="alert")
        self._keeper = Text("div", "", "banner", id="keeper", role="alert")

    def show(self, now: int, trouble: str) -> None:
        """Tell the keeper's time, and why what is below cannot be relied on; an empty text where it can."""
        self._clock.set_attribute("data-now", str(now))
        self._keeper.say(trouble)
