"""Look-through on the terminal and as JSON: the tree from a number down to the raw bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

if TYPE_CHECKING:
    from navoracle.keeper.explain import Line

LONGEST: Final = 74
"""Characters of raw bytes that a terminal shows; JSON has them whole."""


def line_document(line: Line) -> dict[str, Any]:
    """The tree as plain JSON."""
    return {
        "what": line.what,
        "value": line.value,
        "notes": list(line.notes),
        "children": [line_document(child) for child in line.children],
    }


def show_line(out: Console, line: Line) -> None:
    """Draw the tree."""
    root = Tree(_text(line), guide_style="dim")
    _grow(root, line)
    out.print(root)


def _grow(branch: Tree, line: Line) -> None:
    for child in line.children:
        _grow(branch.add(_text(child)), child)


def _text(line: Line) -> Text:
    text = Text(line.what, style="bold" if line.children else "")
    if line.value is not None:
        text.append(f"  {_short(line.value)}", style="cyan")
    for note in line.notes:
        text.append(f"  {_short(note)}", style="dim")
    return text


def _short(text: str) -> str:
    """Raw bytes cut to what a line holds; everything else whole."""
    start, prefix, digits = text.partition("0x")
    if not prefix or len(digits) <= LONGEST:
        return text
    return f"{start}0x{digits[:LONGEST]}… ({len(digits) // 2} bytes)"
