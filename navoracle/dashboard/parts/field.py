"""One field with its label: a choice, or text to search for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from nicegui.element import Element

from navoracle.dashboard import markup


class Field(Element, component="field.js"):
    """The field.

    Args:
        options: value and text of each choice; None takes any text.
        on_value: hears of what was chosen, or typed once typing pauses.
    """

    def __init__(
        self,
        label: str,
        value: str,
        on_value: Callable[[str], Awaitable[None] | None],
        *,
        options: Sequence[tuple[str, str]] | None = None,
    ) -> None:
        super().__init__()
        self.props["label"] = label
        self.props["value"] = value
        if options is not None:
            self.props["options"] = [list(option) for option in options]
        self.on("value", lambda event: on_value(str(event.args)))

    def offer(self, value: str, options: Sequence[tuple[str, str]]) -> None:
        """Change what can be chosen, and what is."""
        found = [list(option) for option in options]
        if self.props["value"] != value or self.props.get("options") != found:
            self.props.update({"value": value, "options": found})
            self.update()

    def drawn(self, now: int) -> str:
        """See `first_paint.Drawn`; `field.js` makes the same. Nobody hears it yet, so nothing can be put in."""
        value, options = self.props["value"], self.props.get("options")
        if options is None:
            field = markup.tag("input", {"type": "search", "value": value, "inert": True})
        else:
            chosen = (
                markup.tag("option", {"value": each, "selected": each == value}, markup.text(text))
                for each, text in options
            )
            field = markup.tag("select", {"inert": True}, *chosen)
        return markup.tag("label", {"class": "field"}, markup.tag("span", {}, markup.text(self.props["label"])), field)
