"""Cursors: where a page ends, as text that only this module reads."""

from __future__ import annotations

import base64
import binascii
import json

from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.store_port import FrameKey, SlotKey

LARGEST: int = 2**63 - 1
"""The largest number that a database compares with."""


def cursor_of(*key: int | str) -> str:
    """The cursor of a key."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def number_of(cursor: str | None) -> int | None:
    """The number in a cursor. Raises UsageError for one that was not given out for such a list."""
    return None if cursor is None else _parts(cursor, "n")[0]


def slot_key_of(cursor: str | None) -> SlotKey | None:
    """The slot in a cursor. Raises UsageError as `number_of`."""
    if cursor is None:
        return None
    slot_time, fund = _parts(cursor, "ns")
    return SlotKey(Timestamp(slot_time), fund)


def frame_key_of(cursor: str | None) -> FrameKey | None:
    """The frame and fund in a cursor. Raises UsageError as `number_of`."""
    if cursor is None:
        return None
    now, clock, frame, fund = _parts(cursor, "nnss")
    return FrameKey(Timestamp(now), Timestamp(clock), frame, fund)


def _parts(cursor: str, shape: str) -> list:  # type: ignore[type-arg] # numbers and texts, as the shape says
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if not isinstance(found, list) or "".join(_letter(part) for part in found) != shape:
        raise UsageError("this is no cursor of this list", advice="Give back `next` of the page before as it is.")
    return found


def _letter(part: object) -> str:
    if isinstance(part, int) and not isinstance(part, bool) and abs(part) <= LARGEST:
        return "n"
    return "s" if isinstance(part, str) and part.isprintable() else "?"
