"""Calls and results in the standard ABI."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from navoracle.abi import argument_types, decode_result, encode_arguments, encode_call, selector
from navoracle.domain.errors import DomainError, EmptyResult, MalformedResult

HOLDER = "0x00000000000000000000000000000000000000AA"


def test_selector__known_signatures__are_the_published_ones() -> None:
    assert selector("transfer(address,uint256)").hex() == "a9059cbb"
    assert selector("latestRoundData()").hex() == "feaf968c"
    assert selector("aggregate3((address,bool,bytes)[])").hex() == "82ad56cb"


def test_encode_call__balance_of__is_selector_and_padded_address() -> None:
    assert encode_call("balanceOf(address)", HOLDER).hex() == "70a08231" + "00" * 31 + "aa"
    assert encode_call("decimals()").hex() == "313ce567"


def test_argument_types__structs_and_lists__are_kept_whole() -> None:
    assert argument_types("f((uint256,address)[],bytes32)") == ("(uint256,address)[]", "bytes32")


@pytest.mark.parametrize("text", ["", "f", "f(", "f)", "f(uint)", "f(())", "(uint256)", "f(uint256)[]", "f(uint256,)"])
def test_selector__no_canonical_signature__raises(text: str) -> None:
    with pytest.raises(DomainError, match="not a function signature"):
        selector(text)


@pytest.mark.parametrize("arguments", [(), (1, 2), (-1,), ("x",), (2**256,)])
def test_encode_call__arguments_that_do_not_fit__raise(arguments: tuple[object, ...]) -> None:
    with pytest.raises(DomainError):
        encode_call("f(uint256)", *arguments)


def test_encode_arguments__value_too_large__raises() -> None:
    with pytest.raises(DomainError, match="uint8"):
        encode_arguments(("uint8",), (256,))


def test_decode_result__values__come_back() -> None:
    assert decode_result(("uint256", "string"), encode(["uint256", "string"], [7, "seven"])) == (7, "seven")


def test_decode_result__empty_where_data_was_due__raises_empty_result() -> None:
    with pytest.raises(EmptyResult) as caught:
        decode_result(("uint256",), b"")
    assert "contract" in caught.value.advice
    assert decode_result((), b"") == ()


@pytest.mark.parametrize(
    ("types", "data"),
    [
        (("uint256",), bytes(31)),
        (("uint8",), b"\x01" + bytes(31)),
        (("bool",), (2).to_bytes(32, "big")),
        (("string",), (32).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\xff" + bytes(31)),
        (("bytes",), (2**255).to_bytes(32, "big")),
        (("address",), b"\x01" + bytes(31)),
    ],
)
def test_decode_result__wrong_shape__raises_malformed_result(types: tuple[str, ...], data: bytes) -> None:
    with pytest.raises(MalformedResult):
        decode_result(types, data)
