"""Who may see the dashboard: anybody on this machine where it listens there alone, else who knows the password.

The password file holds a salted scrypt hash and never the password. Sessions live in memory: a restart ends them all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from navoracle.domain.errors import ConfigurationError
from navoracle.web_service.limits import RateLimit

SHORTEST_PASSWORD: Final = 12
ATTEMPTS_A_MINUTE: Final = 5
SESSION_SECONDS: Final = 12 * 3_600
SESSIONS: Final = 256
"""Sessions at once; the one that began first ends when there is one too many."""

_COST: Final = 2**14
_BLOCK: Final = 8
_SCHEME: Final = "scrypt"


def hashed(password: str, salt: bytes | None = None) -> str:
    """The line of a password file for a password.

    Raises:
        ConfigurationError: it is too short.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise ConfigurationError(
            f"the dashboard's password has fewer than {SHORTEST_PASSWORD} characters",
            advice="Take a longer one: python3 -c 'import secrets; print(secrets.token_urlsafe(18))' makes one.",
        )
    salt = secrets.token_bytes(16) if salt is None else salt
    return "$".join((_SCHEME, _text(salt), _text(_derived(password, salt))))


class Password:
    """A password by its hash.

    Raises:
        ConfigurationError: the line is none that `hashed` made.
    """

    def __init__(self, line: str) -> None:
        try:
            scheme, salt, derived = line.strip().split("$")
            self._salt, self._derived = base64.b64decode(salt, validate=True), base64.b64decode(derived, validate=True)
        except (ValueError, binascii.Error):
            scheme = ""
        if scheme != _SCHEME:
            raise ConfigurationError(
                "the dashboard's password file holds no hash of a password",
                advice="Make one: navoracle dashboard --set-password FILE.",
            )

    def matches(self, given: str) -> bool:
        """Whether it is this one; takes some 50 ms, and as long for a wrong one."""
        return hmac.compare_digest(_derived(given, self._salt), self._derived)


class Sessions:
    """Those who have logged in, by the hash of what their cookie holds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ends: OrderedDict[bytes, float] = OrderedDict()
        self._rate = RateLimit(ATTEMPTS_A_MINUTE, monotonic)

    def may_try(self, client: str) -> bool:
        """Count an attempt; False for one too many within a minute."""
        return self._rate.allows(client)

    def begin(self) -> str:
        """A new session's secret."""
        secret = secrets.token_urlsafe(32)
        self._ends[_key(secret)] = self._monotonic() + SESSION_SECONDS
        while len(self._ends) > SESSIONS:
            self._ends.popitem(last=False)
        return secret

    def holds(self, secret: str) -> bool:
        """Whether a session has this secret and has not ended."""
        end = self._ends.get(_key(secret))
        return end is not None and self._monotonic() < end

    def end(self, secret: str) -> None:
        """Log out."""
        self._ends.pop(_key(secret), None)


def _derived(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK, p=1, dklen=32)


def _key(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
