"""The secrets that this process holds, so that none of them is ever written: not in a log, an event or a traceback.

The configuration registers its own when it is loaded. A secret is found as it is, and as a URL, JSON or Python would
write it. What is shorter than six characters is a word of any text and cannot be hidden; configuration refuses tokens
that short.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote

HIDDEN: Final = "***"
SHORTEST: Final = 6
_LONG: Final = 24
_SEPARATORS: Final = re.compile(r"[/@:?&=#;,]+")
_ADDRESSED: Final = re.compile(r"^(?:https?|wss?|postgres(?:ql)?|mysql|sqlite)(?:\+\w+)?$", re.IGNORECASE)
_WORDS: Final = re.compile(r"[a-z]+(?:[-_.][a-z]+)*\d{0,2}", re.IGNORECASE)
_HOST: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F]{32,}")


class _Live:
    """What is registered, and the pattern that finds it."""

    def __init__(self) -> None:
        self.words: set[str] = set()
        self.pattern: re.Pattern[str] | None = None

    def add(self, words: Iterable[str]) -> None:
        new = {word for word in words if len(word) >= SHORTEST} - self.words
        if new:
            self.words |= new
            # Longest first: a secret may be part of another one.
            longest = sorted(self.words, key=lambda word: (-len(word), word))
            self.pattern = re.compile("|".join(map(_pattern_of, longest)))


_live = _Live()


def register_secrets(*secrets: str) -> None:
    """Hide these values from now on, in every form in which they may be written."""
    _live.add(form for secret in secrets for form in _forms(secret))


def register_url(url: str) -> None:
    """Hide what is secret in a URL: its password, and those of its other parts that are no plain words."""
    register_secrets(*secret_parts(url))


def secret_parts(url: str) -> tuple[str, ...]:
    """What is secret in a URL. The host is none where the scheme is one of the web or of a database."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return (url,)
    place, slash, path = rest.partition("/")
    account, at, host = place.rpartition("@")
    user, _, password = account.partition(":")
    parts = [user] if not scheme.lower().startswith(("postgres", "mysql")) else []
    parts += [] if _ADDRESSED.match(scheme) else _SEPARATORS.split(host if at else place)
    if not scheme.lower().startswith("sqlite"):
        parts += _SEPARATORS.split(path if slash else "")
        parts += _SEPARATORS.split(host.partition("?")[2])
    found = [part for part in parts if _looks_secret(part)]
    return tuple(dict.fromkeys([*found, *([password] if password else [])]))


def mask(text: str) -> str:
    """The text without any registered secret."""
    return text if _live.pattern is None else _live.pattern.sub(HIDDEN, text)


def forget_secrets() -> None:
    """Hide nothing more. For tests: a process that runs on never does this."""
    _live.words, _live.pattern = set(), None


def _looks_secret(part: str) -> bool:
    """Whether a part of a URL is rather a key than a word, a name of a host, or a number."""
    if len(part) < SHORTEST or (part.isdecimal() and len(part) < _LONG):
        return False
    return len(part) >= _LONG or not (_WORDS.fullmatch(part) or _HOST.fullmatch(part))


def _forms(secret: str) -> Iterable[str]:
    """A secret as it may be written; a key of several lines also line by line."""
    stripped = secret.strip()
    lines = [line for line in stripped.splitlines() if len(line) >= _LONG] if "\n" in stripped else []
    for value in (secret, stripped, *lines):
        digits = value.removeprefix("0x")
        yield from (
            value,
            digits if _HEX.fullmatch(value) else value,
            unquote(value),
            quote(value, safe=""),
            quote(value),
        )
        yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
        yield b64encode(value.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def _pattern_of(word: str) -> str:
    if word.isdecimal():
        return rf"(?<!\d){word}(?!\d)"  # an account's number, not a part of an amount
    return rf"(?i:{re.escape(word)})" if _HEX.fullmatch(word) else re.escape(word)
