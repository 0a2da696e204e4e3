"""What people and logs may see of an endpoint or a message: no password, no key, nothing that opens something."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from navoracle.live_secrets import HIDDEN as HIDDEN
from navoracle.live_secrets import mask

_SHORTEST_SECRET: Final = 6
_NO_URL: Final = SplitResult("", "", "", "", "")

_URL = re.compile(r"\b(?!sqlite|file:)[a-z][a-z0-9+.-]{1,24}://[^\s'\"<>]+", re.IGNORECASE)
_KNOWN_SCHEME = re.compile(r"(?:https?|wss?|postgresql|postgres|mysql)(?:\+\w+)?", re.IGNORECASE)
# A "token" alone is an ERC-20 token.
_KEY_NAME = r"(?:key|secret|password|passphrase|mnemonic|(?:api|auth|access|bot)[ _-]?token)"
# Every repetition is bounded, so that a long text takes time in proportion to its length.
_NAMED_KEY = re.compile(
    rf"({_KEY_NAME}\w{{0,32}}['\"]?\s{{0,8}}(?:[=:]|\bis\b)?\s{{0,8}}['\"]?)((?:0x)?[0-9a-fA-F]{{64}})\b", re.IGNORECASE
)
_SECRET_FIELD = re.compile(rf"^(?:[a-z]+[ _-])?{_KEY_NAME}s?$", re.IGNORECASE)


def redact_url(url: str) -> str:
    """A URL without what may be secret: user, password, path and query."""
    parts = _split(url)
    if parts.scheme and not _KNOWN_SCHEME.fullmatch(parts.scheme):
        return f"{parts.scheme}://{HIDDEN}"  # where the schemes of messengers have tokens, others have a host
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ":?"
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or "?"
    hidden = f"/{HIDDEN}" if parts.path.strip("/") or parts.query or parts.fragment else ""
    return f"{parts.scheme or '?'}://{host}{port}{hidden}"


def host_of(url: str) -> str:
    """The host of a URL, "?" where it names none."""
    return (_split(url).hostname or "").rstrip(".") or "?"


def secrets_of_url(url: str) -> tuple[str, ...]:
    """The parts of a URL that may be secret, longest first; too short ones, that are words of any text, left out."""
    parts = _split(url)
    found = {parts.username, parts.password, *parts.path.split("/"), *re.split("[=&]", parts.query), parts.fragment}
    found |= {unquote(part) for part in found if part}
    return tuple(sorted((part for part in found if part and len(part) >= _SHORTEST_SECRET), key=len, reverse=True))


def redact_parts(text: str, secrets: tuple[str, ...]) -> str:
    """A message with its URLs and these words hidden: a provider may repeat the key in its refusal."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return redact_text(text)


def redact_database_url(url: str) -> str:
    """A database URL without its user, password and query; the path of a file is no secret."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return HIDDEN
    if rest.startswith("/"):
        return url
    account, at, place = rest.rpartition("@")
    place = place.partition("?")[0]
    return f"{scheme}://{HIDDEN}@{place}" if at and account else f"{scheme}://{place}"


def redact_text(text: str) -> str:
    """A message with its URLs redacted, and with 32-byte hex hidden where a word like "key" stands before it.

    Secrets that are in use (`navoracle.live_secrets`) are hidden wherever they stand.
    What no terminal, log or database takes (half a surrogate pair, which JSON can hold) becomes a question mark.
    Hashes of blocks and transactions look like private keys; only their name tells them apart.
    """
    written = text.encode("utf-8", "replace").decode()
    shorter = mask(_URL.sub(lambda match: redact_url(match.group(0)), written))
    return _NAMED_KEY.sub(rf"\1{HIDDEN}", shorter)


def is_secret_name(name: str) -> bool:
    """Whether a field of that name holds a secret: "key", "private_key", "password", "token"."""
    return _SECRET_FIELD.match(name.rsplit(".", 1)[-1]) is not None


def _split(url: str) -> SplitResult:
    """The parts of a URL; none of a text that only looks like one."""
    try:
        return urlsplit(url)
    except ValueError:
        return _NO_URL
