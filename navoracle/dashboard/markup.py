"""HTML as text, made so that what comes from outside is never anything but text."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final

VOID: Final = frozenset({"br", "hr", "img", "input"})
"""Elements that have no end tag."""


def text(found: object) -> str:
    """Text between tags."""
    return html.escape(str(found), quote=False)


def tag(name: str, attributes: Mapping[str, object], *inner: str) -> str:
    """An element; an attribute that is None or False is left out, and one that is True has no value."""
    said = "".join(
        f" {key}" if value is True else f' {key}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return f"<{name}{said}>" if name in VOID else f"<{name}{said}>{''.join(inner)}</{name}>"
