"""The hash chain of the event files: every line carries the hash of the line before it, so that an edit shows.

A line ends with its `previous` and its `hash`, 64 hex digits each:

    hash = SHA-256 of the line's own bytes as they stand, without `,"hash":"..."` and without the line break

`previous` is the hash of the component's line before, in the same file or in the one before it; `GENESIS` in its first.
Beside a component's files lies its head: the hash that the first line kept goes back to (the anchor), and the hash of
the last line that was made safe. Nothing here is secret: a chain shows edits; who rebuilds all of it and its head is
found by the database alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final, NamedTuple

GENESIS: Final = "0" * 64
"""What the first line of a component goes back to."""

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_BEFORE_HASH: Final = b',"hash":"'
_BEFORE_PREVIOUS: Final = b',"previous":"'
_END: Final = b'"}'
_HASH_MEMBER: Final = len(_BEFORE_HASH) + 64 + len(_END)
_PREVIOUS_MEMBER: Final = len(_BEFORE_PREVIOUS) + 64 + len(_END)


class Sealed(NamedTuple):
    """A line taken apart: the event's document as it was before it was sealed, and what the line says of the chain.

    `intact` is whether the hash is that of the line.
    """

    document: bytes
    previous: str
    hash: str
    intact: bool


class Head(NamedTuple):
    """A component's chain from outside: what its first line kept goes back to, and its last line that is safe."""

    anchor: str
    last: str


def seal(document: bytes, previous: str) -> tuple[bytes, str]:
    """Chain an event's document, one JSON object, to the line before it; the line without its break, and its hash."""
    body = document[:-1] + _BEFORE_PREVIOUS + previous.encode() + _END
    digest = hashlib.sha256(body).hexdigest()
    return body[:-1] + _BEFORE_HASH + digest.encode() + _END, digest


def unseal(line: bytes) -> Sealed | None:
    """Take a line apart, without its break; None where it does not end as a sealed line does."""
    body, digest = line[:-_HASH_MEMBER] + b"}", _member(line, _BEFORE_HASH, _HASH_MEMBER)
    previous = _member(body, _BEFORE_PREVIOUS, _PREVIOUS_MEMBER)
    if digest is None or previous is None:
        return None
    document = body[:-_PREVIOUS_MEMBER] + b"}"
    return Sealed(document, previous, digest, hashlib.sha256(body).hexdigest() == digest)


def head_of(component: str, head: Head) -> bytes:
    """A head as it is written: always of the same length for a component, so that it is written over in place."""
    said = {"component": component, "anchor": head.anchor, "last": head.last}
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def parse_head(component: str, content: bytes) -> Head | None:
    """Read a head; None where it is not one of this component, byte for byte as it is written."""
    try:
        said = json.loads(content)
        head = Head(str(said["anchor"]), str(said["last"]))
    except (ValueError, KeyError, TypeError):
        return None
    hashes = all(_HASH.fullmatch(each) is not None for each in head)
    return head if hashes and head_of(component, head) == content else None


def _member(line: bytes, before: bytes, length: int) -> str | None:
    """The hash in the last member of an object, where that member is the one that is asked for."""
    member = line[-length:]
    if len(member) != length or not member.startswith(before) or not member.endswith(_END):
        return None
    found = member[len(before) : -len(_END)].decode("ascii", "replace")
    return found if _HASH.fullmatch(found) is not None else None
