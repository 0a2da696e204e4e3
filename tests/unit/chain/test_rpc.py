"""Parsing of a node's answers, and what may not be shown of a URL."""

from __future__ import annotations

import pytest

from navoracle.chain.rpc import (
    NodeRefused,
    block_field,
    hex_bytes,
    quantity,
    redact_url,
    result_of,
    revert_data,
)
from navoracle.domain.errors import ChainError
from navoracle.redaction import redact_parts


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://mainnet.example.org/v3/0123456789abcdef", "https://mainnet.example.org/***"),
        ("https://example.org?apikey=secret", "https://example.org/***"),
        ("https://user:password@example.org:8545/", "https://example.org:8545"),
        ("http://localhost:8545", "http://localhost:8545"),
        ("http://[::1]:8545/secret", "http://[::1]:8545/***"),
        ("https://example.org/#secret", "https://example.org/***"),
        ("secret", "?://?/***"),
        ("http://example.org:secret/", "http://example.org:?"),
    ],
)
def test_redact_url__any_url__shows_scheme_and_host_alone(url: str, shown: str) -> None:
    assert redact_url(url) == shown
    assert "secret" not in shown


def test_result_of__result__is_returned_even_when_null() -> None:
    assert result_of({"jsonrpc": "2.0", "id": 1, "result": None}, "node", "eth_call") is None
    assert result_of({"id": 1, "error": None, "result": "0x1"}, "node", "eth_call") == "0x1"


@pytest.mark.parametrize(
    ("error", "code", "data", "in_execution"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0xabcd"}, 3, b"\xab\xcd", True),
        ({"code": -32000, "message": "execution reverted"}, -32000, b"", True),
        ({"code": -32015, "message": "VM execution error.", "data": "Reverted 0xab"}, -32015, b"\xab", True),
        ({"code": -32603, "message": "reverted", "data": {"message": "x", "data": "0xab"}}, -32603, b"\xab", True),
        ({"code": -32000, "message": "out of gas"}, -32000, b"", True),
        ({"code": -32603, "message": "EVM error ReentrancySentryOOG"}, -32603, b"", True),
        ({"code": -32000, "message": "header not found"}, -32000, b"", False),
        ({"code": "x", "message": None}, 0, b"", False),
        ({}, 0, b"", False),
    ],
)
def test_result_of__error__raises_node_refused(error: object, code: int, data: bytes, in_execution: bool) -> None:
    with pytest.raises(NodeRefused) as caught:
        result_of({"jsonrpc": "2.0", "id": 1, "error": error}, "node", "eth_call")
    assert (caught.value.rpc_code, caught.value.data, caught.value.in_execution) == (code, data, in_execution)
    assert caught.value.message.startswith("node: eth_call failed")
    assert caught.value.advice


@pytest.mark.parametrize("response", [None, [], "x", {}, {"error": "x"}, {"id": 1}])
def test_result_of__no_json_rpc__raises(response: object) -> None:
    with pytest.raises(ChainError, match="not JSON-RPC"):
        result_of(response, "node", "eth_call")


@pytest.mark.parametrize("data", [None, 5, "", "0xzz", "none", {}, {"data": None}])
def test_revert_data__none_to_be_found__is_empty(data: object) -> None:
    assert revert_data(data) == b""


def test_quantity__hex__is_the_number() -> None:
    assert quantity("0x1b4", "block number") == 436


@pytest.mark.parametrize("value", [None, 5, "436", "0x", "0xzz", ["0x1"], {}])
def test_quantity__anything_else__raises_and_names_what_was_due(value: object) -> None:
    with pytest.raises(ChainError, match="block number"):
        quantity(value, "block number")


@pytest.mark.parametrize(
    ("value", "size"), [(None, None), ("0x1", None), ("12", None), ("0x12", 2), ("0x" + "00" * 33, 32)]
)
def test_hex_bytes__wrong_shape__raises(value: object, size: int | None) -> None:
    with pytest.raises(ChainError, match="hash"):
        hex_bytes(value, "hash", size)


def test_hex_bytes__hex__is_the_bytes() -> None:
    assert hex_bytes("0x", "data") == b""
    assert hex_bytes("0x00ff", "data", 2) == b"\x00\xff"


@pytest.mark.parametrize("block", [None, {}, "0x1", []])
def test_block_field__not_there__raises(block: object) -> None:
    with pytest.raises(ChainError, match="number"):
        block_field(block, "number")


def test_quantity__more_than_256_bits__is_refused_because_it_cannot_be_written_in_a_message() -> None:
    assert quantity("0x" + "f" * 64, "chain id") == 2**256 - 1
    with pytest.raises(ChainError, match="where chain id was due"):
        quantity("0x" + "f" * 5_000, "chain id")


@pytest.mark.parametrize(
    "message", ["see http://[", "x" * 491 + " 0123456789abcdef0123", "y" * 1_990 + " 0123456789abcdef0123"]
)
def test_result_of__refusal_in_any_words__raises_node_refused_without_any_part_of_the_key(message: str) -> None:
    with pytest.raises(NodeRefused) as caught:
        result_of(
            {"id": 1, "error": {"code": -1, "message": message}},
            "node",
            "eth_call",
            hide=lambda text: redact_parts(text, ("0123456789abcdef0123",)),
        )
    assert "01234567" not in caught.value.message + caught.value.detail
    assert len(caught.value.detail) <= 500


def test_result_of__refusal_that_would_write_on_the_terminal__is_plain_text() -> None:
    with pytest.raises(NodeRefused) as caught:
        result_of({"id": 1, "error": {"code": 1, "message": "see\x1b[2J\n\ud800"}}, "node", "eth_call")
    assert caught.value.detail == "see [2J  "
