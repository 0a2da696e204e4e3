"""A node behind HTTP, through web3's asynchronous provider."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from aiohttp import ClientConnectorError, ClientError, ClientResponseError, ClientSession, ClientTimeout, TCPConnector
from web3 import AsyncHTTPProvider
from web3.providers.rpc.utils import ExceptionRetryConfiguration
from web3.types import RPCEndpoint

from navoracle.chain.rpc import READ_METHODS, redact_url, result_of
from navoracle.domain.errors import ChainError, ConfigurationError

# At DEBUG these print the whole URL, which often carries a key.
for _name in ("web3.providers.AsyncHTTPProvider", "web3._utils.http_session_manager.HTTPSessionManager"):
    logging.getLogger(_name).setLevel(logging.INFO)

_TRANSIENT: Final = (ClientError, TimeoutError)


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
        self._url = url
        self._deadline = deadline
        self._loop: asyncio.AbstractEventLoop | None = None
        self.provider = AsyncHTTPProvider(
            url,
            request_kwargs={"timeout": ClientTimeout(total=timeout)},
            exception_retry_configuration=ExceptionRetryConfiguration(
                errors=_TRANSIENT, retries=attempts, backoff_factor=0.2, method_allowlist=READ_METHODS
            ),
        )

    def __repr__(self) -> str:
        return f"HttpEndpoint({self.name})"

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Ask the node. Raises NodeRefused when it answers with an error, ChainError when it does not answer."""
        try:
            async with asyncio.timeout(self._deadline):
                await self._open_session()
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
        self._loop = None
        await self.provider.disconnect()

    async def _open_session(self) -> None:
        # web3's own session opens a new connection for every request; one session per event loop keeps them.
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            session = ClientSession(raise_for_status=True, connector=TCPConnector(limit=32, keepalive_timeout=15))
            if await self.provider.cache_async_session(session) is not session:
                await session.close()

    def _unreachable(self, method: str, what: str) -> ChainError:
        # Raised without its cause: the cause's text holds the URL, and with it a key.
        return ChainError(
            f"{self.name}: {method} failed: {what}",
            advice="Check that the node is up, that the URL and its key are right, and that the quota is not used up.",
        )


def _describe(error: Exception) -> str:
    # The text of an error may hold the URL; its kind and the system's own words do not.
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    words = cause.strerror if isinstance(cause, OSError) else None
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
