"""The gate before the dashboard: names and origins that may call it, its headers, and the login.

It stands before everything below the dashboard's path, pages, files and the live connection alike.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Collection
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from navoracle.dashboard.access import SESSION_SECONDS, Password, Sessions
from navoracle.dashboard.policy import new_nonce, policy
from navoracle.hosts import is_called_by
from navoracle.web_service.limits import BodyTooLarge, read_body

PREFIX: Final = "/dashboard"
STATIC: Final = f"{PREFIX}/static"
LOGIN: Final = f"{PREFIX}/login"
LOGOUT: Final = f"{PREFIX}/logout"
COOKIE: Final = "navoracle_session"
LARGEST_FORM: Final = 2_048
FORM_SECONDS: Final = 10.0

HEADERS: Final = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in.

    Attributes:
        password: None lets everybody in who can reach the port.
        hosts: the names by which it may be called; None for any.
        origin: the address that browsers show, where a proxy stands before the dashboard; it may call too.
    """

    password: Password | None
    hosts: Collection[str] | None
    origin: str | None = None
    sessions: Sessions = field(default_factory=Sessions)

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https."""
        return self.origin is not None and self.origin.startswith("https://")


class Gate:
    """The middleware."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or answer it."""
        if scope["type"] not in ("http", "websocket") or not _is_below(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request({**scope, "type": "http", "method": scope.get("method", "GET")}, receive)
        refused = self._refused(request)
        if refused is None and scope["type"] == "http" and scope["path"] in (LOGIN, LOGOUT):
            refused = await self._log_in_or_out(request)
        if refused is None and not self._is_known(request) and not scope["path"].startswith(f"{STATIC}/"):
            refused = RedirectResponse(f"{LOGIN}?next={quote(scope['path'])}", 303)
        if refused is None:
            await self._pass_on(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refused(scope, receive, _with_headers(send, None))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        nonce = new_nonce(Request(scope))
        await self._app(scope, receive, _with_headers(send, policy(nonce)))

    def _refused(self, request: Request) -> Response | None:
        """A call by a wrong name, or from another site's page."""
        host = request.headers.get("host", "")
        if self._access.hosts is not None and not is_called_by(host, self._names()):
            return PlainTextResponse("This dashboard is not called by that name.", 421)
        origin = request.headers.get("origin")
        if origin is not None and origin != self._access.origin and urlsplit(origin).netloc != host:
            return PlainTextResponse("Another site's page may not call this.", 403)
        return None

    def _names(self) -> set[str]:
        own = set() if self._access.origin is None else {urlsplit(self._access.origin).netloc}
        return own | set(self._access.hosts or ())

    def _is_known(self, request: Request) -> bool:
        secret = _cookie(request.headers)
        return self._access.password is None or (secret is not None and self._access.sessions.holds(secret))

    async def _log_in_or_out(self, request: Request) -> Response:
        access = self._access
        if access.password is None:
            return RedirectResponse(f"{PREFIX}/", 303)
        if request.method == "GET" and request.url.path == LOGIN:
            return _login_page(request.query_params.get("next", ""))
        if request.method != "POST":
            return PlainTextResponse("This is asked with POST.", 405)
        if request.url.path == LOGOUT:
            access.sessions.end(_cookie(request.headers) or "")
            return _without_cookie(RedirectResponse(LOGIN, 303))
        try:
            form = parse_qs((await read_body(request.stream(), LARGEST_FORM, FORM_SECONDS)).decode(), max_num_fields=4)
        except (BodyTooLarge, TimeoutError, ValueError):
            return PlainTextResponse("This is no login.", 400)
        following = form.get("next", [""])[0]
        if not access.sessions.may_try(request.client.host if request.client is not None else "?"):
            return _login_page(following, "Too many attempts. Wait a minute.", 429)
        if not await asyncio.to_thread(access.password.matches, form.get("password", [""])[0]):
            return _login_page(following, "That is not the password.", 401)
        response = RedirectResponse(following if _is_below(following) else f"{PREFIX}/", 303)
        response.set_cookie(
            COOKIE,
            access.sessions.begin(),
            max_age=SESSION_SECONDS,
            path=PREFIX,
            secure=access.is_secure or request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response


def _is_below(path: str) -> bool:
    """Whether a path is the dashboard's; never another host's, which `//` would begin."""
    return path == PREFIX or (path.startswith(f"{PREFIX}/") and "//" not in path and "\\" not in path)


def _cookie(headers: Headers) -> str | None:
    cookies = SimpleCookie()
    try:
        cookies.load(headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookies.get(COOKIE)
    return None if found is None else found.value


def _without_cookie(response: Response) -> Response:
    response.delete_cookie(COOKIE, path=PREFIX)
    return response


def _login_page(following: str, message: str = "", status: int = 200) -> Response:
    page = files("navoracle.dashboard").joinpath("static", "login.html").read_text("utf-8")
    page = page.replace("{message}", html.escape(message)).replace("{next}", html.escape(following))
    return HTMLResponse(page, status)


def _with_headers(send: Send, content_policy: str | None) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers["content-security-policy"] = content_policy or policy()
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sent
