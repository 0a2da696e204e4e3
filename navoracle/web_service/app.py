"""The routes. What is asked with GET changes nothing; requests are taken with POST and a bearer token alone.

GET  /livez               the loop moves
GET  /readyz              the store, the nodes, the sources and the lanes answer
GET  /healthz             every fund's NAV on chain is young enough and no component is unhealthy; says why where not
GET  /metrics             Prometheus
GET  /api/v1/status       the keeper's state as JSON; with a token where there are any
POST /api/v1/requests     a signed request (EIP-712), as `navoracle emergency` sends it
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response

from navoracle.domain.errors import NavoracleError, RequestRefused
from navoracle.redaction import redact_text
from navoracle.web_service.limits import BodyTooLarge, RateLimit, Tokens, read_body
from navoracle.web_service.view import Check, Component, FundHealth, MetricsText, RequestReceiver, ServiceView

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names under which a page in somebody's browser cannot reach the service by a name of its own."""

LARGEST_BODY: Final = 16_384
BODY_SECONDS: Final = 10.0
REQUESTS_A_MINUTE: Final = 60
FAILURES_A_MINUTE: Final = 20

HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

_REFUSALS: Final[Mapping[str, int]] = {
    "malformed": 400,
    "bad_signature": 403,
    "wrong_role": 403,
    "wrong_chain": 422,
    "wrong_contract": 422,
    "unknown_fund": 422,
    "expired": 422,
    "too_early": 422,
    "too_long": 422,
    "replayed": 409,
    "too_often": 429,
}


def build_app(
    state: ServiceView,
    desk: RequestReceiver | None,
    metrics: MetricsText,
    tokens: Collection[str],
    *,
    hosts: Collection[str] | None = LOCAL_HOSTS,
    monotonic: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The web service of one keeper.

    Args:
        desk: where signed requests go; None takes none.
        tokens: the bearer tokens, in clear; without any, no request is taken.
        hosts: the names by which it may be called (the `Host` header without its port); None for any.

    Raises:
        ConfigurationError: a token is too short.
    """
    app = FastAPI(title="navoracle", docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def frame(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
        host = request.headers.get("host", "")
        if hosts is not None and not {host, host.rpartition(":")[0]} & set(hosts):
            response = _error(421, "wrong_host", "this service is not called by that name", "Call it by its address.")
        else:
            response = await follow(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(NavoracleError)
    async def failed(_request: Request, error: Exception) -> Response:
        if not isinstance(error, NavoracleError):
            raise error
        return _error(503, error.code, error.message, error.advice)

    @app.exception_handler(404)
    async def unknown(_request: Request, _why: Exception) -> Response:
        return _error(404, "unknown_path", "there is nothing at this path", "The guide lists the paths.")

    @app.exception_handler(405)
    async def wrong_method(_request: Request, _why: Exception) -> Response:
        return _error(405, "wrong_method", "this path is asked in another way", "The guide says how.")

    app.state.keeper = _Keeper(state, desk, metrics, _Guard(Tokens(tokens), monotonic))
    for path, method, answer in _ROUTES:
        app.add_api_route(path, answer, methods=[method])
    return app


@dataclass(frozen=True, slots=True)
class _Keeper:
    """What the routes answer from. They are functions of the module: FastAPI's caches never let go of one they saw."""

    view: ServiceView
    desk: RequestReceiver | None
    metrics: MetricsText
    guard: _Guard


def _keeper(request: Request) -> _Keeper:
    keeper: _Keeper = request.app.state.keeper
    return keeper


async def _livez(request: Request) -> Response:
    found = _keeper(request).view.liveness()
    alive = found.heartbeat_age <= found.limit
    document = {"status": _word(alive), "heartbeat_age": round(found.heartbeat_age, 3), "limit": found.limit}
    return _json(200 if alive else 503, document)


async def _readyz(request: Request) -> Response:
    checks = _keeper(request).view.readiness()
    ready = all(check.ok for check in checks)
    reasons = [f"{check.name}: {check.detail}" for check in checks if not check.ok]
    document = {"status": _word(ready), "reasons": reasons, "checks": [_check(check) for check in checks]}
    return _json(200 if ready else 503, document)


async def _healthz(request: Request) -> Response:
    view = _keeper(request).view
    funds = view.health()
    components = view.components()
    healthy = all(fund.ok for fund in funds) and all(component.ok for component in components)
    document = {
        "status": _word(healthy),
        "reasons": [
            *(reason_of(fund) for fund in funds if not fund.ok),
            *(f"{part.name}: {part.detail}" for part in components if not part.ok),
        ],
        "components": [_component(component) for component in components],
        "funds": [_fund(fund) for fund in funds],
        "troubles": [_check(check) for check in view.troubles()],
    }
    return _json(200 if healthy else 503, document)


async def _prometheus(request: Request) -> Response:
    metrics = _keeper(request).metrics
    return Response(metrics.render(), headers={"content-type": metrics.content_type})


async def _status(request: Request) -> Response:
    keeper = _keeper(request)
    if keeper.guard.tokens:
        refusal, _ = keeper.guard.check(request)
        if refusal is not None:
            return refusal
    return _json(200, keeper.view.status())


async def _requests(request: Request) -> Response:
    keeper = _keeper(request)
    refusal, token = keeper.guard.check(request)
    if refusal is not None:
        return refusal
    if keeper.desk is None:
        return _error(503, "no_requests", "this keeper takes no requests", "Send it to the keeper that posts.")
    return await _take(request, keeper.desk, f"http {_client(request)} token {token}")


_ROUTES: Final = (
    ("/livez", "GET", _livez),
    ("/readyz", "GET", _readyz),
    ("/healthz", "GET", _healthz),
    ("/metrics", "GET", _prometheus),
    ("/api/v1/status", "GET", _status),
    ("/api/v1/requests", "POST", _requests),
)


async def _take(request: Request, desk: RequestReceiver, source: str) -> Response:
    """Hand a request's body to the desk, and say what became of it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _error(415, "malformed", "a request is JSON", "Send it with content-type: application/json.")
    try:
        body = await read_body(request.stream(), LARGEST_BODY, BODY_SECONDS)
    except BodyTooLarge:
        return _error(413, "malformed", f"a request has at most {LARGEST_BODY} bytes", "Send one request at a time.")
    except TimeoutError:
        return _error(408, "malformed", "the request did not arrive in time", "Send it again.")
    try:
        taken = await desk.receive(body, source)
    except RequestRefused as error:
        return _error(_REFUSALS.get(error.reason, 403), error.reason, error.message, error.advice)
    document = {"request": taken.id, "fund": taken.fund, "action": taken.action, "signer": taken.signer}
    return _json(202, document)


class _Guard:
    """Lets those in who have a token, as often as they may."""

    def __init__(self, tokens: Tokens, monotonic: Callable[[], float]) -> None:
        self.tokens = tokens
        self._rate = RateLimit(REQUESTS_A_MINUTE, monotonic)
        self._failures = RateLimit(FAILURES_A_MINUTE, monotonic)

    def check(self, request: Request) -> tuple[Response | None, str]:
        """Why the caller is refused (None when it is not), and a short name of its token."""
        if not self.tokens:
            return _error(
                403, "no_tokens", "the API has no tokens, so nobody may use it", "Set `service.http.token_file`."
            ), ""
        token = self.tokens.accepts(request.headers.get("authorization"))
        if token is None:
            client = _client(request)
            if not self._failures.allows(client):
                return _error(429, "too_often", "too many refused tokens", "Wait a minute."), ""
            structlog.get_logger("navoracle.web").warning(
                "token_refused",
                path=request.url.path,
                client=client,
                advice="If it was none of yours, find out who calls this port.",
            )
            refused = _error(401, "unauthorized", "a bearer token is missing or wrong", "Send `Authorization: Bearer`.")
            refused.headers["www-authenticate"] = "Bearer"
            return refused, ""
        if not self._rate.allows(token):
            return _error(429, "too_often", f"more than {REQUESTS_A_MINUTE} a minute", "Wait a minute."), token
        return None, token


def reason_of(fund: FundHealth) -> str:
    """Why a fund is not healthy, in one line."""
    if fund.age is None:
        age = "no NAV on chain is known"
    else:
        age = f"its NAV on chain is {fund.age} s old, over {fund.limit} s"
    return f"{fund.fund}: {age}" + (f": {fund.why}" if fund.why else "")


def _fund(fund: FundHealth) -> dict[str, Any]:
    return {
        "fund": fund.fund,
        "ok": fund.ok,
        "age": fund.age,
        "limit": fund.limit,
        "held": fund.held,
        "price_per_share": None if fund.price_per_share is None else str(int(fund.price_per_share)),
        "why": fund.why,
        "advice": fund.advice,
    }


def _component(part: Component) -> dict[str, Any]:
    return {"name": part.name, "status": part.status, "detail": part.detail, "advice": part.advice}


def _check(check: Check) -> dict[str, Any]:
    return {"name": check.name, "ok": check.ok, "detail": check.detail, "advice": check.advice}


def _word(good: bool) -> str:
    return "ok" if good else "failing"


def _client(request: Request) -> str:
    return request.client.host if request.client is not None else "?"


def _error(status: int, code: str, message: str, advice: str) -> Response:
    return _json(status, {"error": {"code": code, "message": message, "advice": advice}})


def _json(status: int, document: Mapping[str, object]) -> Response:
    """An answer; secrets that slipped into a text are hidden."""
    text = redact_text(json.dumps(document, ensure_ascii=False))
    return Response(text, status_code=status, headers={"content-type": "application/json; charset=utf-8"})
