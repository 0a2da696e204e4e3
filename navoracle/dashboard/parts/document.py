"""A document to take away: shown as it is, with buttons to copy it and to save it as a file."""

from __future__ import annotations

from nicegui.element import Element

from navoracle.dashboard import markup


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

    def drawn(self, now: int) -> str:
        """See `first_paint.Drawn`; `document.js` makes the same."""
        label, classes = self.props["label"], " ".join(("document", *self.classes))
        shown = {"tabindex": 0, "role": "region", "aria-label": label}
        buttons = [markup.tag("button", {"type": "button", "aria-label": f"Copy {label}"}, "Copy")]
        if self.props["file"]:
            buttons.append(markup.tag("button", {"type": "button", "aria-label": f"Save {label}"}, "Save as a file"))
        return markup.tag(
            "div",
            {"class": classes},
            markup.tag("pre", shown, markup.text(self.props["text"])),
            markup.tag("div", {"class": "controls"}, *buttons, markup.tag("span", {"class": "note", "role": "status"})),
        )
