"""The page as it first looks: its elements as HTML in the answer itself, before any script has run.

The browser replaces it by the same elements once the scripts are there, which then follow what changes.
"""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from navoracle.dashboard import formats, markup

_LAYOUT: Final = {"q-layout": "div", "q-page-container": "div", "q-page": "main"}
"""What becomes of the elements that NiceGUI puts every page into; their own attributes are for their scripts."""


@runtime_checkable
class Drawn(Protocol):
    """An element with a browser side of our own, which says how that first looks."""

    def drawn(self, now: int) -> str:
        """Its HTML at a time, in Unix seconds."""


def first_paint(element: Element, now: int) -> str:
    """An element and all that is in it, as HTML.

    Args:
        now: the keeper's time, Unix seconds, from which ages count.
    """
    if isinstance(element, Drawn):
        return element.drawn(now)
    is_layout = element.tag in _LAYOUT
    attributes = {} if is_layout else {name: value for name, value in element.props.items() if value is not None}
    classes = " ".join(element.classes)
    inner = "".join(first_paint(child, now) for child in element.default_slot.children)
    said = told_time(attributes, now)
    if said is None:
        said = element.text if isinstance(element, TextElement) else ""
    name = _LAYOUT.get(element.tag, "div" if element.component else element.tag)
    return markup.tag(name, {"class": classes or None, **attributes}, markup.text(said), inner)


def told_time(attributes: dict[str, object], now: int) -> str | None:
    """What stands in an element that counts, as `dashboard.js` writes it; None in one that does not."""
    since, until = attributes.get("data-since"), attributes.get("data-until")
    if since is not None:
        return formats.duration(max(0, now - int(str(since))))
    if until is None:
        return None
    left = int(str(until)) - now
    return f"in {formats.duration(left)}" if left > 0 else f"due {formats.duration(-left)} ago"
