"""A table of records: semantic HTML, every cell text, sorted by whoever holds the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from navoracle.dashboard import formats, markup

Tone = Literal["good", "warning", "bad", "plain"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` is its place in a row, `head` whether its cells name their row.

    Attributes:
        kind: "number" stands to the right; "time" is broken before the time of day alone; "prose" may be broken
            anywhere, as in a hash.
    """

    key: str
    label: str
    kind: Literal["text", "number", "time", "prose"] = "text"
    sortable: bool = False
    head: bool = False

    def document(self) -> dict[str, Any]:
        """As the browser takes it."""
        return {
            "key": self.key,
            "label": self.label,
            "kind": self.kind,
            "sortable": self.sortable,
            "head": self.head,
        }


def toned(text: str, tone: Tone, note: str = "") -> dict[str, Any]:
    """A cell as a coloured word; the word says it too."""
    return {"text": text, "tone": tone, "note": note}


def link(text: str, href: str) -> dict[str, Any]:
    """A cell that leads to another page."""
    return {"text": text, "href": href}


def since(at: int) -> dict[str, Any]:
    """A cell with an age that counts up in the browser."""
    return {"text": "", "since": str(at)}


def action(text: str, key: str, title: str) -> dict[str, Any]:
    """A cell with a button; `on_act` hears the key, `title` says to those who cannot see the row what it does."""
    return {"text": text, "action": key, "title": title}


def exact(text: str, title: str) -> dict[str, Any]:
    """A cell with rounded text; the title has it whole."""
    return {"text": text, "title": title}


def unknown(reason: str = "") -> dict[str, Any]:
    """A cell without a figure, and why."""
    return {"text": "n/a", "unknown": True, "title": reason}


class Records(Element, component="records.js"):
    """The table.

    Args:
        caption: what it lists; read aloud, not shown.
        empty: what stands there when there are no rows.
        on_sort: hears of a column whose heading was pressed.
        on_act: hears the key of a cell's button that was pressed.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        caption: str,
        empty: str = "nothing",
        on_sort: Callable[[str], object] | None = None,
        on_act: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self.props["columns"] = [column.document() for column in columns]
        self.props["caption"] = caption
        self.props["empty"] = empty
        self.props["rows"] = []
        if on_sort is not None:
            self.on("sort", lambda event: on_sort(_word(event)))
        if on_act is not None:
            self.on("act", lambda event: on_act(_word(event)))

    def show(self, rows: Sequence[dict[str, Any]], *, sort: str = "", descending: bool = False) -> None:
        """Show these rows; nothing is sent when they are the same."""
        found = {"rows": list(rows), "sort": sort, "descending": descending}
        if any(self.props.get(name) != value for name, value in found.items()):
            self.props.update(found)
            self.update()

    def drawn(self, now: int) -> str:
        """See `first_paint.Drawn`; `records.js` makes the same."""
        columns, rows = self.props["columns"], self.props["rows"]
        caption = self.props["caption"]
        head = "".join(self._heading(column) for column in columns)
        body = "".join(
            markup.tag("tr", {}, *(_cell(row.get(column["key"], ""), column, now) for column in columns))
            for row in rows
        ) or markup.tag(
            "tr",
            {},
            markup.tag("td", {"colspan": len(columns), "class": "unknown"}, markup.text(self.props["empty"])),
        )
        return markup.tag(
            "div",
            {
                "class": " ".join(("records", *self.classes)),
                "tabindex": 0,
                "role": "region",
                "aria-label": caption,
            },
            markup.tag(
                "table",
                {},
                markup.tag("caption", {"class": "visually-hidden"}, markup.text(caption)),
                markup.tag("thead", {}, markup.tag("tr", {}, head)),
                markup.tag("tbody", {}, body),
            ),
        )

    def _heading(self, column: Mapping[str, Any]) -> str:
        is_sorted = column["sortable"] and self.props.get("sort") == column["key"]
        is_descending = bool(self.props.get("descending"))
        label = markup.text(column["label"])
        if column["sortable"]:
            arrow = (" ▼" if is_descending else " ▲") if is_sorted else ""
            label = markup.tag("button", {"type": "button"}, label, markup.tag("span", {"aria-hidden": "true"}, arrow))
        attributes = {
            "scope": "col",
            "class": "number" if column["kind"] == "number" else "",
            "aria-sort": ("descending" if is_descending else "ascending") if is_sorted else None,
        }
        return markup.tag("th", attributes, label)


def _cell(value: Any, column: Mapping[str, Any], now: int) -> str:
    found: Mapping[str, Any] = value if isinstance(value, dict) else {"text": value}
    said = markup.text(found.get("text") or "")
    if found.get("tone"):
        inner = markup.tag("span", {"class": f"tone tone-{found['tone']}"}, said)
    elif found.get("href"):
        inner = markup.tag("a", {"href": found["href"]}, said)
    elif found.get("action"):
        inner = markup.tag("button", {"type": "button", "aria-label": found.get("title")}, said)
    elif found.get("since"):
        age = formats.duration(max(0, now - int(found["since"])))
        inner = markup.tag("span", {"data-since": found["since"]}, age)
    else:
        inner = said
    if found.get("note"):
        inner += markup.tag("span", {"class": "note"}, markup.text(f" {found['note']}"))
    classes = [column["kind"] if column["kind"] != "text" else "", "unknown" if found.get("unknown") else ""]
    return markup.tag(
        "th" if column["head"] else "td",
        {
            "scope": "row" if column["head"] else None,
            "class": " ".join(filter(None, classes)),
            "data-label": column["label"],
            "title": None if found.get("action") else found.get("title"),
        },
        markup.tag("span", {"class": "cell"}, inner),
    )


def _word(event: GenericEventArguments) -> str:
    return str(event.args)
