"""Plain elements with text, made so that text is never anything but text."""

from __future__ import annotations

from nicegui.elements.mixins.text_element import TextElement


class Text(TextElement):
    """An element with text: `Text("h2", "Prices")`.

    Args:
        classes: of the style sheet.
        attributes: HTML attributes; underscores stand for hyphens.
    """

    def __init__(self, tag: str, text: str = "", classes: str = "", **attributes: str) -> None:
        super().__init__(tag=tag, text=text)
        if classes:
            self.classes(classes)
        for name, value in attributes.items():
            self.props[name.replace("_", "-")] = value

    def say(self, text: str, *, classes: str | None = None) -> None:
        """Show another text, with other classes where they are given."""
        if self.text != text:
            self.set_text(text)
        if classes is not None:
            self.classes(replace=classes)

    def set_attribute(self, name: str, value: str | None) -> None:
        """Set an attribute, or remove it."""
        if self.props.get(name) != value:
            self.props.set_optional(name, value)
            self.update()
