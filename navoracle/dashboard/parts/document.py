"""A document to take away: shown as it is, with buttons to copy it and to save it as a file."""

from __future__ import annotations

from nicegui.element import Element


class Document(Element, component="document.js"):
    """The document.

    Args:
        label: what it is, for those who hear it, and before what the buttons say.
        file: the name under which it is saved; None where it is only to copy.
    """

    def __init__(self, label: str, file: str | None = None) -> None:
        super().__init__()
        self.props.update({"label": label, "file": file, "text": ""})

    def show(self, text: str) -> None:
        """Show another text."""
        if self.props["text"] != text:
            self.props["text"] = text
            self.update()
