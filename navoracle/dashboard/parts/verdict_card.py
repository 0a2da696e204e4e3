"""The verdict over the overview: right, fresh, safe, and what to do, each leading to where it is explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from nicegui import ui

from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.verdict import Answer, Name, Since, Words

EXPLAINED_IN: Final[Mapping[Name, str]] = {
    "Right": "#net-asset-value-heading",
    "Fresh": "#net-asset-value-heading",
    "Safe": "#safety-heading",
    "Do": "#alerts-heading",
}
"""The card of the page that explains an answer."""


class VerdictCard:
    """The four answers."""

    def __init__(self) -> None:
        self._shown: tuple[Answer, ...] = ()
        self._place = Text("section", "", "verdict", id="verdict", aria_label="Verdict")

    def show(self, answers: Sequence[Answer]) -> None:
        """Show answers; nothing where there are none, and nothing is sent while they are the same."""
        self._place.set_visibility(bool(answers))
        if self._shown == tuple(answers):
            return
        self._shown = tuple(answers)
        self._place.clear()
        with self._place:
            for answer in answers:
                with Text("div", "", f"answer answer-{answer.tone}", id=f"answer-{answer.name.lower()}"):
                    with Text("p", "", "asked"):
                        Text("a", answer.name, href=EXPLAINED_IN[answer.name])
                        Text("span", answer.word, f"tone tone-{answer.tone}")
                    with ui.element("p"):
                        for part in answer.why:
                            _say(part)


def _say(part: Words) -> None:
    if isinstance(part, str):
        Text("span", part)
    elif isinstance(part, Since):
        Text("span", " ", data_since=str(part.at))
    else:
        Text("span", " ", data_until=str(part.at))
