"""Figures with their names, in the order in which they were named."""

from __future__ import annotations

from collections.abc import Collection

from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.records import Tone


class Facts:
    """A list of names and figures. Made where it stands; `say` fills it.

    Args:
        in_pairs: two of them in a line where there is room.
        whole: those of them that have a line of their own, for long figures.
    """

    def __init__(self, *names: str, in_pairs: bool = False, whole: Collection[str] = ()) -> None:
        self._values: dict[str, Text] = {}
        with Text("dl", "", "facts pairs" if in_pairs else "facts"):
            for name in names:
                line = "whole" if name in whole else ""
                with Text("dt", "", line):
                    Text("span", name)
                with Text("dd", "", line):
                    self._values[name] = Text("span", "n/a", "unknown")

    def say(self, name: str, text: str | None, *, why: str = "", title: str = "", tone: Tone | None = None) -> None:
        """Show a figure; None shows "n/a", with the reason where it is known."""
        value = self._values[name]
        value.set_attribute("data-since", None)
        value.set_attribute("data-until", None)
        if text is None:
            value.say(f"n/a{f' ({why})' if why else ''}", classes="unknown")
            value.set_attribute("title", None)
            return
        value.say(text, classes="" if tone is None else f"tone tone-{tone}")
        value.set_attribute("title", title or None)

    def say_time(self, name: str, at: int | None, *, ahead: bool = False, why: str = "") -> None:
        """Show how long ago a time is, or how long it is until then; the browser keeps it going."""
        if at is None:
            self.say(name, None, why=why)
            return
        value = self._values[name]
        value.say(" ", classes="")
        value.set_attribute("data-until" if ahead else "data-since", str(at))
