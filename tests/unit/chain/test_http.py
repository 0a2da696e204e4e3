"""The HTTP endpoint's settings; what it does on the wire is tested over the loopback address in tests/chain."""

from __future__ import annotations

import logging

import pytest
from web3.providers.rpc.utils import REQUEST_RETRY_ALLOWLIST, check_if_retry_on_failure
from web3.types import RPCEndpoint

from navoracle.chain.http import HttpEndpoint
from navoracle.chain.rpc import READ_METHODS
from navoracle.domain.errors import ConfigurationError

URL = "https://mainnet.example.org/v3/0123456789abcdef"


def retried(endpoint: HttpEndpoint, method: str) -> bool:
    allowed = endpoint.provider.exception_retry_configuration.method_allowlist
    return check_if_retry_on_failure(RPCEndpoint(method), allowed)


def test_retries__reads__are_retried() -> None:
    endpoint = HttpEndpoint(URL)
    assert all(retried(endpoint, method) for method in READ_METHODS)


@pytest.mark.parametrize(
    "method",
    sorted(
        {
            "eth_sendRawTransaction",
            "eth_sendTransaction",
            "eth_sendPrivateTransaction",
            "eth_sign",
            "evm_mine",
            "admin_addPeer",
            "txpool_content",
        }
    ),
)
def test_retries__anything_that_is_no_read__is_sent_once(method: str) -> None:
    assert not retried(HttpEndpoint(URL), method)


def test_retries__web3_s_own_default__would_send_transactions_again() -> None:
    assert "eth_sendRawTransaction" in REQUEST_RETRY_ALLOWLIST


def test_name__url_with_a_key__is_redacted_everywhere() -> None:
    endpoint = HttpEndpoint(URL)
    assert endpoint.name == "https://mainnet.example.org/***"
    assert "0123456789abcdef" not in repr(endpoint)


@pytest.mark.parametrize("url", ["", "mainnet.example.org/key", "ws://example.org/key", "https://", "file:///key"])
def test_url__not_http__raises_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        HttpEndpoint(url)
    assert "key" not in caught.value.message


def test_logging__web3_s_debug_lines__are_off() -> None:
    assert not logging.getLogger("web3.providers.AsyncHTTPProvider").isEnabledFor(logging.DEBUG)
