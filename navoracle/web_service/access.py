"""Who may ask: by the address that is listened at, never by what a header claims.

On loopback without tokens everybody on the machine may read, and nobody may change anything. With tokens every question
but those about health needs one. Bound elsewhere without tokens, nothing but health is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from navoracle.web_service.answers import Refused, error
from navoracle.web_service.limits import RateLimit, Tokens

REQUESTS_A_MINUTE: Final = 60
FAILURES_A_MINUTE: Final = 20
READS_A_MINUTE: Final = 600

_BEARER: Final = HTTPBearer(auto_error=False, description="A token of `service.http.token_file`.")


class Access:
    """Lets those in who may, as often as they may.

    Args:
        on_loopback: whether the service listens where this machine alone can reach it.
    """

    def __init__(self, tokens: Tokens, monotonic: Callable[[], float], *, on_loopback: bool) -> None:
        self._tokens = tokens
        self._on_loopback = on_loopback
        self._changes = RateLimit(REQUESTS_A_MINUTE, monotonic)
        self._reads = RateLimit(READS_A_MINUTE, monotonic)
        self._failures = RateLimit(FAILURES_A_MINUTE, monotonic)

    def read(self, request: Request) -> None:
        """Count a question. Raises Refused."""
        is_open = self._on_loopback and not self._tokens
        asker = client_of(request) if is_open else self._token(request)
        if not self._reads.allows(asker):
            raise Refused(error(429, "too_often", f"more than {READS_A_MINUTE} questions a minute", "Wait a minute."))

    def change(self, request: Request) -> str:
        """Count a request that changes something; a short name of its token. Raises Refused."""
        token = self._token(request)
        if not self._changes.allows(token):
            raise Refused(error(429, "too_often", f"more than {REQUESTS_A_MINUTE} a minute", "Wait a minute."))
        return token

    def _token(self, request: Request) -> str:
        if not self._tokens:
            raise Refused(
                error(403, "no_tokens", "the API has no tokens, so nobody may use it", "Set `service.http.token_file`.")
            )
        token = self._tokens.accepts(request.headers.get("authorization"))
        if token is not None:
            return token
        client = client_of(request)
        if not self._failures.allows(client):
            raise Refused(error(429, "too_often", "too many refused tokens", "Wait a minute."))
        structlog.get_logger("navoracle.web").warning(
            "token_refused",
            path=request.url.path,
            client=client,
            advice="If it was none of yours, find out who calls this port.",
        )
        refused = error(401, "unauthorized", "a bearer token is missing or wrong", "Send `Authorization: Bearer`.")
        refused.headers["www-authenticate"] = "Bearer"
        raise Refused(refused)


async def reading(request: Request, _shown: Annotated[object, Depends(_BEARER)]) -> None:
    """Lets a question pass that changes nothing. A POST of a page of another origin is none. Raises Refused."""
    access: Access = request.app.state.access
    origin = request.headers.get("origin")
    if request.method == "POST" and origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise Refused(error(403, "other_origin", "a page of another origin asked", "Ask from the service's own pages."))
    access.read(request)


async def changing(request: Request, _shown: Annotated[object, Depends(_BEARER)]) -> str:
    """Lets a request pass that changes something; a short name of its token. Raises Refused."""
    access: Access = request.app.state.access
    return access.change(request)


def client_of(request: Request) -> str:
    """The address that asks."""
    return request.client.host if request.client is not None else "?"
