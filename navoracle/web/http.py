"""HTTP services behind the off-chain port: a GET either gives the body's bytes or says why there are none.

Nothing that a failure says holds a key: hosts are named without path and query, and errors by their kind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin, urlsplit

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from yarl import URL

from navoracle.domain.errors import SourceDown, Unauthorized
from navoracle.hosts import is_loopback
from navoracle.ports import Answer, HttpGet
from navoracle.redaction import redact_url
from navoracle.web.pace import Pace

MAX_REDIRECTS: Final = 3
_UNAUTHORIZED: Final = frozenset({401, 403})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be gone when asked again, unless the service says to wait longer than we do."""
_HEADERS: Final = {"Accept": "application/json", "User-Agent": "navoracle"}


@dataclass(frozen=True, slots=True)
class Credential:
    """A header that opens a service; its value is shown nowhere."""

    header: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a request may cost.

    Attributes:
        deadline: seconds for the whole of it: its turn, all attempts and the waits between them.
        attempts: how often it is sent at most.
        back_off: seconds before the second attempt; twice as many before each further one.
        max_bytes: size of a body, unpacked.
        concurrency, per_second: the pace at which one host is asked.
    """

    deadline: float = 10.0
    attempts: int = 3
    back_off: float = 0.25
    max_bytes: int = 4 * 1024 * 1024
    concurrency: int = 4
    per_second: float = 5.0


class _Refused(Exception):
    """An answer that is none; `again` says whether another attempt may help."""

    def __init__(self, what: str, *, again: bool, code: str = SourceDown.code) -> None:
        super().__init__(what)
        self.what = what
        self.again = again
        self.code = code


class HttpReader:
    """Answers `HttpGet`: one deadline for each request, at most two further attempts, no other host than asked.

    A 401 or 403 is "unauthorized"; every other way of not answering is "source_down".

    Args:
        credentials: by the name that requests use.
    """

    def __init__(self, credentials: Mapping[str, Credential], limits: HttpLimits | None = None) -> None:
        self._credentials = dict(credentials)
        self._limits = HttpLimits() if limits is None else limits
        self._paces: dict[str, Pace] = {}
        self._session: ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(self, requests: Sequence[HttpGet]) -> tuple[Answer, ...]:
        """Answer all requests at once, in order."""
        return tuple(await asyncio.gather(*(self.answer(request) for request in requests)))

    async def answer(self, request: HttpGet) -> Answer:
        """Answer one request."""
        place = redact_url(request.url)
        try:
            headers = self._headers(request)
            async with asyncio.timeout(self._limits.deadline):
                return Answer(await self._body(URL(request.url, encoded=True), headers))
        except _Refused as refused:
            return Answer(b"", f"{refused.code}: {place}: {refused.what}")
        except TimeoutError:
            return Answer(b"", f"{SourceDown.code}: {place}: no answer within {self._limits.deadline:g} s")

    async def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    def _headers(self, request: HttpGet) -> dict[str, str]:
        parts = urlsplit(request.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise _Refused("not asked: neither https nor this machine", again=False)
        if request.credential is None:
            return dict(_HEADERS)
        credential = self._credentials.get(request.credential)
        if credential is None:
            what = f"not asked: credentials.{request.credential} is not configured"
            raise _Refused(what, again=False, code=Unauthorized.code)
        return {**_HEADERS, credential.header: credential.value}

    async def _body(self, url: URL, headers: Mapping[str, str]) -> bytes:
        attempt = 1
        while True:
            try:
                async with self._pace(url).turn():
                    return await self._attempt(url, headers)
            except _Refused as refused:
                if attempt >= self._limits.attempts or not refused.again:
                    raise
            await asyncio.sleep(self._limits.back_off * 2 ** (attempt - 1))
            attempt += 1

    async def _attempt(self, url: URL, headers: Mapping[str, str]) -> bytes:
        try:
            for _ in range(MAX_REDIRECTS + 1):
                async with self._sessions().get(url, headers=headers, allow_redirects=False) as response:
                    if response.status not in _REDIRECTS:
                        return await self._read(response)
                    url = _same_host(url, response.headers.get("Location", ""))
        except (ClientError, OSError) as error:
            raise _Refused(_kind(error), again=not isinstance(error, ClientSSLError)) from None
        raise _Refused(f"more than {MAX_REDIRECTS} redirects", again=False)

    async def _read(self, response: ClientResponse) -> bytes:
        status = response.status
        if status in _UNAUTHORIZED:
            raise _Refused(f"HTTP {status}", again=False, code=Unauthorized.code)
        if status != 200:
            wait = response.headers.get("Retry-After", "0")
            soon = len(wait) <= 6 and wait.isdecimal() and int(wait) <= self._limits.back_off
            raise _Refused(f"HTTP {status}", again=soon and status in _PASSING)
        body = bytearray()
        async for part in response.content.iter_any():
            body += part
            if len(body) > self._limits.max_bytes:
                raise _Refused(f"more than {self._limits.max_bytes} bytes", again=False)
        return bytes(body)

    def _pace(self, url: URL) -> Pace:
        self._sessions()
        host = f"{url.host}:{url.port}"
        if host not in self._paces:
            self._paces[host] = Pace(concurrency=self._limits.concurrency, per_second=self._limits.per_second)
        return self._paces[host]

    def _sessions(self) -> ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            self._loop = loop
            self._paces = {}
            # The deadline around it is the one that counts.
            self._session = ClientSession(
                timeout=ClientTimeout(total=None, connect=None, sock_read=None, sock_connect=None),
                connector=TCPConnector(limit=64, keepalive_timeout=15),
                cookie_jar=DummyCookieJar(),
            )
        return self._session


def _same_host(url: URL, location: str) -> URL:
    """Where a redirect leads, if it stays with the host: a credential goes nowhere else."""
    try:
        target = URL(urljoin(str(url), location), encoded=True)
        stays = bool(location) and (target.scheme, target.host, target.port) == (url.scheme, url.host, url.port)
    except ValueError:
        raise _Refused("redirects to no address", again=False) from None
    if not stays:
        raise _Refused("redirects to another host", again=False)
    return target


def _kind(error: Exception) -> str:
    # The text of an error may hold the URL; its kind and the system's own words do not.
    match error:
        case ClientConnectorCertificateError() | ClientSSLError():
            return "no trusted connection (TLS)"
        case ClientConnectorDNSError():
            return "the host's name is not known (DNS)"
        case ClientPayloadError():
            return "the answer was cut off"
        case ClientConnectorError():
            return f"no connection: {error.os_error.strerror or type(error).__name__}"
        case _:
            return type(error).__name__
