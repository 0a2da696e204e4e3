"""Through a long list page by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from navoracle.dashboard.parts.elements import Text
from navoracle.read_model.records import OffsetPage, Page


class CursorPager:
    """Newest and older rows of a list that grows.

    Args:
        what: what is listed, for those who hear the buttons.
        on_cursor: hears where to go on from; None is the newest page.
    """

    def __init__(self, what: str, on_cursor: Callable[[str | None], Awaitable[None]]) -> None:
        self._next: str | None = None
        with ui.element("div").classes("controls"):
            self._newest = Text("button", "Newest", type="button", aria_label=f"Newest {what}")
            self._newest.on("click", lambda: on_cursor(None))
            self._older = Text("button", "Older", type="button", aria_label=f"Older {what}")
            self._older.on("click", lambda: on_cursor(self._next))
            self._total = Text("p", "", role="status")

    def show(self, page: Page[Any], cursor: str | None) -> None:
        """Show where a page is that began at this cursor."""
        self._next = page.next
        place = "the newest" if cursor is None else "older ones:"
        self._total.say(f"{place} {len(page.items):,d} of {page.total:,d}" if page.total else "")
        self._newest.set_attribute("disabled", None if cursor is not None else "disabled")
        self._older.set_attribute("disabled", None if page.next is not None else "disabled")


class OffsetPager:
    """Forward and back in a list that is sorted as asked.

    Args:
        what: what is listed, for those who hear the buttons.
        on_offset: hears from which row on to show.
    """

    def __init__(self, what: str, rows: int, on_offset: Callable[[int], Awaitable[None]]) -> None:
        self._offset = 0
        with ui.element("div").classes("controls") as self._bar:
            self._before = Text("button", "Previous", type="button", aria_label=f"Previous {what}")
            self._before.on("click", lambda: on_offset(max(0, self._offset - rows)))
            self._total = Text("p", "", role="status")
            self._after = Text("button", "Next", type="button", aria_label=f"Next {what}")
            self._after.on("click", lambda: on_offset(self._offset + rows))

    def show(self, page: OffsetPage[Any]) -> None:
        """Show where a page is; nothing where everything fits on one."""
        self._offset = page.offset
        last = page.offset + len(page.items)
        self._bar.set_visibility(page.offset > 0 or page.next is not None)
        self._total.say(f"{page.offset + 1:,d} to {last:,d} of {page.total:,d}")
        self._before.set_attribute("disabled", None if page.offset else "disabled")
        self._after.set_attribute("disabled", None if page.next is not None else "disabled")
