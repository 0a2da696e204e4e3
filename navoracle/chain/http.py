"""A node behind HTTP, through web3's asynchronous provider."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientPayloadError,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)
from web3 import AsyncHTTPProvider
from web3.providers.rpc.utils import ExceptionRetryConfiguration
from web3.types import RPCEndpoint

from navoracle.chain.rpc import READ_METHODS, redact_url, result_of
from navoracle.domain.errors import ChainError, ConfigurationError

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024

# At DEBUG it prints the whole URL, which often carries a key.
logging.getLogger("web3.providers.AsyncHTTPProvider").setLevel(logging.INFO)


class HttpEndpoint:
    """One node's HTTP endpoint.

    Reads are asked up to `attempts` times, each within `timeout` seconds, all within `deadline` seconds. Anything that
    could change state, above all `eth_sendRawTransaction`, is sent once: web3's own retries would send it again after
    a time-out and report a failure for a transaction that the node had taken.

    Raises:
        ConfigurationError: the URL is not http or https.
    """

    def __init__(self, url: str, *, timeout: float = 10.0, deadline: float = 25.0, attempts: int = 3) -> None:
        self.name = redact_url(url)
        if not url.startswith(("http://", "https://")) or "?" in self.name:
            raise ConfigurationError(
                f"{self.name} is not an HTTP endpoint", advice="Give the RPC URL as http://... or https://..."
            )
        self._deadline = deadline
        self._sessions = _Sessions(timeout)
        self.provider = _Provider(url, self._sessions, attempts)

    def __repr__(self) -> str:
        return f"HttpEndpoint({self.name})"

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Ask the node. Raises NodeRefused when it answers with an error, ChainError when it does not answer."""
        try:
            async with asyncio.timeout(self._deadline):
                response = await self.provider.make_request(RPCEndpoint(method), list(params))
        except ClientResponseError as error:
            raise self._unreachable(method, f"HTTP {error.status}") from None
        except TimeoutError:
            raise self._unreachable(method, "no answer in time") from None
        except (ClientError, OSError) as error:
            raise self._unreachable(method, _describe(error)) from None
        except ValueError:
            raise self._unreachable(method, "the answer is not JSON") from None
        return result_of(response, self.name, method)

    async def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        await self._sessions.close()

    def _unreachable(self, method: str, what: str) -> ChainError:
        # Raised without its cause: the cause's text holds the URL, and with it a key.
        return ChainError(
            f"{self.name}: {method} failed: {what}",
            advice="Check that the node is up, that the URL and its key are right, and that the quota is not used up.",
        )


class _Sessions:
    """One session per event loop, with connections that are kept.

    In place of web3's: that opens a connection for every request, and a cancelled request can leave its lock taken.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = ClientTimeout(total=timeout)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: ClientSession | None = None

    async def async_make_post_request(self, url: str, data: bytes, **options: Any) -> bytes:
        """Post, and return the body. Raises aiohttp's errors, also for a status that is none of success."""
        body = bytearray()
        async with self._current().post(url, data=data, **options) as response:
            async for part in response.content.iter_any():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise ClientPayloadError
        return bytes(body)

    def _current(self) -> ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            self._loop = loop
            self._session = ClientSession(
                raise_for_status=True,
                timeout=self._timeout,
                connector=TCPConnector(limit=32, keepalive_timeout=15),
            )
        return self._session

    async def close(self) -> None:
        """Close the session of the running loop."""
        if self._session is not None:
            await self._session.close()
        self._session = None


class _Provider(AsyncHTTPProvider):
    def __init__(self, url: str, sessions: _Sessions, attempts: int) -> None:
        super().__init__(
            url,
            exception_retry_configuration=ExceptionRetryConfiguration(
                errors=(ClientError, TimeoutError),
                retries=attempts,
                backoff_factor=0.2,
                method_allowlist=READ_METHODS,
            ),
        )
        self._request_session_manager = sessions  # type: ignore[assignment]


def _describe(error: Exception) -> str:
    # The text of an error may hold the URL; its kind and the system's own words do not.
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    words = cause.strerror if isinstance(cause, OSError) else None
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
