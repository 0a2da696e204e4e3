"""What an endpoint's name and errors may say; what it does on the wire is tested over the loopback address."""

from __future__ import annotations

import pytest

from navoracle.chain.connect import endpoint_at
from navoracle.chain.http import HttpEndpoint
from navoracle.chain.websocket import WebSocketEndpoint
from navoracle.domain.errors import ConfigurationError
from navoracle.redaction import redact_parts, secrets_of_url

URL = "https://mainnet.example.org/v3/0123456789abcdef"


def test_name__url_with_a_key__is_redacted_everywhere() -> None:
    endpoint = HttpEndpoint(URL)
    assert endpoint.name == "https://mainnet.example.org/***"
    assert "0123456789abcdef" not in repr(endpoint)


@pytest.mark.parametrize("url", ["", "mainnet.example.org/key", "ws://example.org/key", "https://", "file:///key"])
def test_url__not_http__raises_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        HttpEndpoint(url)
    assert "key" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:8545", HttpEndpoint),
        (URL, HttpEndpoint),
        ("ws://127.0.0.1:8546", WebSocketEndpoint),
        ("wss://mainnet.example.org/ws/0123456789abcdef", WebSocketEndpoint),
    ],
)
def test_endpoint_at__url__is_of_its_scheme_and_redacted(url: str, kind: type) -> None:
    endpoint = endpoint_at(url, timeout=1)
    assert type(endpoint) is kind
    assert "0123456789abcdef" not in endpoint.name + repr(endpoint)


@pytest.mark.parametrize("url", ["", "mainnet.example.org/key", "ftp://example.org/key", "wss://", "ipc:///key"])
def test_endpoint_at__no_node_s_url__raises_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint_at(url, timeout=1)
    assert "key" not in caught.value.message


def test_websocket__http_url__raises() -> None:
    with pytest.raises(ConfigurationError):
        WebSocketEndpoint("https://example.org")


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        (URL, {"0123456789abcdef"}),
        ("https://user-name:pass-word@example.org:1/", {"user-name", "pass-word"}),
        ("https://example.org/?apikey=0123456789&x=1", {"apikey", "0123456789"}),
        ("http://localhost:8545", set()),
    ],
)
def test_secrets_of_url__everything_beside_the_host__is_one(url: str, secrets: set[str]) -> None:
    assert set(secrets_of_url(url)) == secrets


def test_redact_parts__provider_repeats_the_key__is_hidden() -> None:
    text = redact_parts("project 0123456789abcdef is over its quota, see https://x.example/0123", secrets_of_url(URL))
    assert text == "project *** is over its quota, see https://x.example/***"
