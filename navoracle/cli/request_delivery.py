"""The ways by which a signed request reaches a keeper: its drop folder, its HTTP API, or its database."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar

from navoracle.cli.runtime import Loaded, Runtime
from navoracle.composition.registry_decisions import registry_of
from navoracle.composition.requests import request_desk
from navoracle.composition.stores import open_store
from navoracle.composition.system import chain_access
from navoracle.domain.errors import (
    ChainError,
    ConfigurationError,
    NavoracleError,
    RequestRefused,
    SourceDown,
    UsageError,
)
from navoracle.hosts import is_loopback
from navoracle.live_secrets import register_secrets
from navoracle.private_file import read_private
from navoracle.redaction import redact_url
from navoracle.requests.document import SignedRequest
from navoracle.requests.drop_folder import drop_document

PATH: Final = "/api/v1/requests"
SECONDS: Final = 30
_LARGEST_ANSWER: Final = 64 * 1024
_REFUSED: Final = frozenset({400, 403, 409, 413, 415, 422, 429})


async def into_database(signed: SignedRequest, loaded: Loaded, runtime: Runtime) -> str:
    """Verify the request here, and queue it in the keeper's database.

    Raises:
        RequestRefused: it is not valid, not allowed, or was used before.
        ChainError, StoreError, ConfigurationError: it could not be verified or kept.
    """
    name, section, _ = registry_of(loaded.config, signed.request.fund)
    config = loaded.config.model_copy(
        update={"funds": {fund: part for fund, part in loaded.config.funds.items() if part.chain == name}}
    )
    access = dict(runtime.chains or {})
    opened = None if name in access else chain_access(name, section, live=False, clock=runtime.clock)
    if opened is not None:
        access[name] = opened
    try:
        with open_store(loaded.database.get_secret_value()) as store:
            desk = request_desk(config, access, store, runtime.clock)
            await desk.receive(signed.document(), "navoracle emergency")
    finally:
        if opened is not None:
            await opened.reader.close()
    return "the keeper's database"


def into_folder(signed: SignedRequest, folder: Path) -> str:
    """Put the request into the keeper's drop folder. Raises ConfigurationError."""
    return str(drop_document(folder, signed))


async def over_http(signed: SignedRequest, url: str, token: str) -> str:
    """Send the request to the keeper's HTTP API.

    Raises:
        UsageError: the URL is none, or would carry the token in clear to another machine.
        RequestRefused: the keeper refused it. ConfigurationError: it does not know the token.
        SourceDown, ChainError: it did not answer, or cannot verify anything now.
    """
    place = redact_url(url)
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise UsageError(
            f"--url {place}: neither https nor this machine",
            advice="The token would be readable on the way: use https, or a tunnel to the keeper's machine.",
        )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        async with (
            asyncio.timeout(SECONDS),
            ClientSession(timeout=ClientTimeout(total=SECONDS), cookie_jar=DummyCookieJar()) as session,
            session.post(
                url.rstrip("/") + PATH, data=signed.document(), headers=headers, allow_redirects=False
            ) as response,
        ):
            if response.status == 202:
                return place
            raise _refusal(response.status, await _body(response), place)
    except (ClientError, OSError, TimeoutError) as error:
        # Its text may hold the URL.
        raise SourceDown(
            f"{place} does not answer: {type(error).__name__}",
            advice="Nobody may have seen the request: send it again, it is taken once; or use another way.",
        ) from None


def token_from(file: Path | None) -> str:
    """The bearer token in a private file. Raises UsageError without a file, ConfigurationError for a bad one."""
    if file is None:
        raise UsageError("--url needs a token", advice="Add --token-file FILE: one of the keeper's tokens, mode 600.")
    try:
        token = read_private(file, "token file").decode("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    if not token or not token.isprintable() or " " in token:
        raise ConfigurationError(f"token file {file} does not hold one token", advice="Put one token in it.")
    register_secrets(token)
    return token


async def _body(response: ClientResponse) -> dict[str, str]:
    """What the keeper says is wrong; empty where it says nothing that can be understood."""
    body = await response.content.read(_LARGEST_ANSWER)
    try:
        error = json.loads(body)["error"]
        return {name: str(error[name])[:500] for name in ("code", "message", "advice")}
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}


def _refusal(status: int, said: dict[str, str], place: str) -> NavoracleError:
    message = said.get("message", f"HTTP {status}")
    advice = said.get("advice") or "Check that the URL is the keeper's, and look into its log."
    if status == 401:
        return ConfigurationError(f"{place}: {message}", advice="Use one of the tokens of `service.http.token_file`.")
    if status in _REFUSED and said:
        return RequestRefused(said["code"], f"{place}: {message}", advice=advice)
    if status == 503:
        return ChainError(f"{place} cannot take it now: {message}", advice=advice)
    return SourceDown(f"{place} does not answer as a keeper: {message}", advice=advice)
