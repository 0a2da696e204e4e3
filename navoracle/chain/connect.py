"""An endpoint by its URL."""

from __future__ import annotations

from navoracle.chain.http import HttpEndpoint
from navoracle.chain.rpc import Endpoint, redact_url
from navoracle.chain.websocket import WebSocketEndpoint
from navoracle.domain.errors import ConfigurationError


def endpoint_at(url: str, *, timeout: float) -> Endpoint:
    """The endpoint of a URL; each request to it ends within `timeout` seconds.

    Raises:
        ConfigurationError: the URL is neither http(s) nor ws(s).
    """
    if url.startswith(("ws://", "wss://")):
        return WebSocketEndpoint(url, timeout=timeout)
    if url.startswith(("http://", "https://")):
        return HttpEndpoint(url, timeout=timeout)
    raise ConfigurationError(
        f"{redact_url(url)} is no endpoint of a node", advice="Give the RPC URL as http(s)://... or ws(s)://..."
    )
