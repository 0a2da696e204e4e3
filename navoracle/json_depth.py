"""Text of a stranger is looked at before it is parsed: deeply nested JSON can bring the interpreter down.

Importing the Ethereum libraries raises Python's recursion limit, so that a parser's stack ends before its error does.
"""

from __future__ import annotations

import re
from typing import Final

MAX_DEPTH: Final = 100
"""Nesting beyond which a document is refused unread."""

_BRACKET = re.compile(rb"[\[\]{}]")


def require_shallow(document: bytes, limit: int = MAX_DEPTH) -> None:
    """Refuse JSON that is nested more than `limit` deep; brackets in text count too.

    Raises:
        ValueError: it is.
    """
    if document.count(b"[") + document.count(b"{") <= limit:
        return
    deepest = depth = 0
    for bracket in _BRACKET.finditer(document):
        depth += 1 if bracket.group() in b"[{" else -1
        deepest = max(deepest, depth)
    if deepest > limit:
        raise ValueError(f"nested more than {limit} deep")
