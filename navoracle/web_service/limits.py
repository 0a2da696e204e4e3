"""Who may ask, how often, and how much: bearer tokens, rates, sizes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from navoracle.domain.errors import ConfigurationError
from navoracle.live_secrets import register_secrets

SHORTEST_TOKEN: Final = 20
SOURCES: Final = 1_024
"""Askers whose rate is remembered; the one that was seen longest ago is forgotten first."""


class BodyTooLarge(Exception):
    """The body is larger than it may be."""


class Tokens:
    """The bearer tokens that open the API. Only their hashes are kept, and all are compared in constant time.

    Raises:
        ConfigurationError: one of them is too short to be a secret.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        found = [token for token in (token.strip() for token in tokens) if token and not token.startswith("#")]
        register_secrets(*found)
        for number, token in enumerate(found, 1):
            if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
                raise ConfigurationError(
                    f"token {number} of the HTTP API is shorter than {SHORTEST_TOKEN} characters, or not one word",
                    advice="Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'.",
                )
        self._hashes = tuple(_hash(token) for token in found)

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def accepts(self, authorization: str | None) -> str | None:
        """A short name of the token in an `Authorization` header; None when it is not one of these."""
        scheme, _, given = (authorization or "").partition(" ")
        hashed = _hash(given.strip())
        found = [hmac.compare_digest(hashed, known) for known in self._hashes]
        return hashed[:4].hex() if scheme.lower() == "bearer" and any(found) else None


class RateLimit:
    """At most so many requests a minute from each source, and as many at once."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_minute / 60
        self._burst = float(per_minute)
        self._monotonic = monotonic
        self._sources: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, source: str) -> bool:
        """Count a request; False when it is one too many."""
        now = self._monotonic()
        left, since = self._sources.pop(source, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        allowed = left >= 1
        self._sources[source] = (left - 1 if allowed else left, now)
        while len(self._sources) > SOURCES:
            self._sources.popitem(last=False)
        return allowed


async def read_body(stream: AsyncIterator[bytes], limit: int, seconds: float) -> bytes:
    """The body of a request.

    Raises:
        BodyTooLarge: it has more than `limit` bytes; no more than that were kept.
        TimeoutError: it did not arrive within `seconds`.
    """
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(seconds):
        async for part in stream:
            size += len(part)
            if size > limit:
                raise BodyTooLarge
            parts.append(part)
    return b"".join(parts)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
