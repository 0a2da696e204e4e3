"""The web service: health and metrics here, the API in `navoracle.web_service.api`. A GET changes nothing.

GET  /livez               the loop moves
GET  /readyz              the store, the nodes, the sources and the lanes answer
GET  /healthz             every fund's NAV on chain is young enough and no component is unhealthy; says why where not
GET  /metrics             Prometheus; with a token where the service listens beyond this machine
     /api/v1/...          see docs/api.md
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from navoracle import __version__
from navoracle.domain.errors import NavoracleError, UsageError
from navoracle.hosts import LOCAL_HOSTS, is_called_by
from navoracle.read_model.model import ReadModel
from navoracle.web_service import api
from navoracle.web_service.access import Access
from navoracle.web_service.answers import HEADERS, OWN, Refused, error, plain
from navoracle.web_service.keeper import Keeper, keeper_of
from navoracle.web_service.limits import Tokens
from navoracle.web_service.view import (
    Check,
    Component,
    FundHealth,
    FundRiskStatus,
    MetricsText,
    RequestReceiver,
    ServiceView,
)


def build_app(
    state: ServiceView,
    desk: RequestReceiver | None,
    metrics: MetricsText,
    tokens: Collection[str],
    *,
    model: ReadModel | None = None,
    hosts: Collection[str] | None = LOCAL_HOSTS,
    on_loopback: bool = True,
    monotonic: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The web service of one keeper.

    Args:
        desk: where signed requests go; None takes none.
        tokens: the bearer tokens, in clear; without any, nothing is changed, and nothing is read beyond loopback.
        model: what the API answers from; without it there is only status and the intake of requests.
        hosts: the names by which it may be called (the `Host` header without its port); None for any.
        on_loopback: whether the address that it listens at is this machine's alone.

    Raises:
        ConfigurationError: a token is too short.
    """
    app = FastAPI(
        title="navoracle", version=__version__, description=api.DESCRIPTION, docs_url=None, redoc_url=None,
        openapi_url=None,
    )  # fmt: skip

    @app.middleware("http")
    async def frame(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
        host = request.headers.get("host", "")
        if hosts is not None and not is_called_by(host, hosts):
            response = error(421, "wrong_host", "this service is not called by that name", "Call it by its address.")
        else:
            response = await follow(request)
        for name, value in HEADERS.items():
            if name not in OWN or name not in response.headers:
                response.headers[name] = value
        return response

    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.state.access = Access(Tokens(tokens), monotonic, on_loopback=on_loopback)
    app.state.keeper = Keeper(state, desk, metrics, model)
    app.state.closing = asyncio.Event()
    for path, answer in _HEALTH:
        app.add_api_route(path, answer, methods=["GET"], include_in_schema=False)
    app.add_api_route("/metrics", _public_metrics if on_loopback else _metrics, include_in_schema=False)
    for router in api.routers(with_model=model is not None):
        app.include_router(router)
    return app


async def _livez(request: Request) -> Response:
    found = keeper_of(request).view.liveness()
    alive = found.heartbeat_age <= found.limit
    document = {"status": _word(alive), "heartbeat_age": round(found.heartbeat_age, 3), "limit": found.limit}
    return plain(200 if alive else 503, document)


async def _readyz(request: Request) -> Response:
    checks = keeper_of(request).view.readiness()
    ready = all(check.ok for check in checks)
    reasons = [f"{check.name}: {check.detail}" for check in checks if not check.ok]
    document = {"status": _word(ready), "reasons": reasons, "checks": [_check(check) for check in checks]}
    return plain(200 if ready else 503, document)


async def _healthz(request: Request) -> Response:
    view = keeper_of(request).view
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
        "risks": [_risk(risk) for risk in view.risks()],
        "troubles": [_check(check) for check in view.troubles()],
    }
    return plain(200 if healthy else 503, document)


async def _public_metrics(request: Request) -> Response:
    metrics = keeper_of(request).metrics
    return Response(metrics.render(), headers={"content-type": metrics.content_type})


async def _metrics(request: Request) -> Response:
    access: Access = request.app.state.access
    access.read(request)
    return await _public_metrics(request)


_HEALTH: Final = (("/livez", _livez), ("/readyz", _readyz), ("/healthz", _healthz))


async def _refused(_request: Request, why: Exception) -> Response:
    if not isinstance(why, Refused):
        raise why
    return why.response


async def _failed(_request: Request, why: Exception) -> Response:
    if not isinstance(why, NavoracleError):
        raise why
    status = 422 if isinstance(why, UsageError) else 503
    return error(status, why.code, why.message, why.advice)


async def _malformed(_request: Request, why: Exception) -> Response:
    if not isinstance(why, RequestValidationError):
        raise why
    said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in why.errors())
    return error(422, "malformed", said, "The API's page says what each question takes.")


async def _unreadable(_request: Request, _why: Exception) -> Response:
    return error(400, "malformed", "the body cannot be read", "Send one JSON document in UTF-8.")


async def _unknown(_request: Request, _why: Exception) -> Response:
    return error(404, "unknown_path", "there is nothing at this path", "The guide lists the paths.")


async def _wrong_method(request: Request, why: Exception) -> Response:
    refused = error(405, "wrong_method", "this path is asked in another way", "The guide says how.")
    if isinstance(why, HTTPException) and why.headers is not None:
        refused.headers["allow"] = api.ALLOWED.get(request.url.path, why.headers["Allow"])
    return refused


_HANDLERS: Final[dict[int | type[Exception], Any]] = {
    Refused: _refused,
    NavoracleError: _failed,
    RequestValidationError: _malformed,
    400: _unreadable,
    404: _unknown,
    405: _wrong_method,
}


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


def _risk(risk: FundRiskStatus) -> dict[str, Any]:
    return {"fund": risk.fund, "status": risk.status.value, "valued_at": risk.valued_at, "alerts": list(risk.alerts)}


def _check(check: Check) -> dict[str, Any]:
    return {"name": check.name, "ok": check.ok, "detail": check.detail, "advice": check.advice}


def _word(good: bool) -> str:
    return "ok" if good else "failing"
