"""Calls and results of single words, which are coded here, against eth-abi, which codes the rest."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from hypothesis import given
from hypothesis import strategies as st

from navoracle.abi import decode_result, decode_uint256, encode_call, selector
from navoracle.domain.errors import DomainError, EmptyResult, MalformedResult

WORD_TYPES = ["uint256", "int256", "uint8", "int8", "uint80", "int192", "int24", "uint160", "address", "bool"]
TYPES = st.lists(st.sampled_from([*WORD_TYPES, "bytes32", "bytes", "uint256[2]"]), min_size=1, max_size=5)
SMALL = st.sampled_from([0, 1, 2, 127, 128, 255, 256, 2**79, 2**80, 2**159, 2**160, 2**191, 2**255])
WORD = st.one_of(SMALL, SMALL.map(lambda value: 2**256 - 1 - value), st.integers(0, 2**256 - 1))


@given(TYPES, st.lists(WORD, max_size=12), st.binary(max_size=33))
def test_decode_result__any_words__equals_eth_abi_or_both_refuse(
    types: list[str], words: list[int], end: bytes
) -> None:
    data = b"".join(word.to_bytes(32, "big") for word in words) + end
    try:
        expected: tuple[Any, ...] | None = tuple(decode(types, data))
    except (DecodingError, OverflowError):
        expected = None
    if expected is None:
        with pytest.raises((EmptyResult, MalformedResult)):
            decode_result(tuple(types), data)
    else:
        found = decode_result(tuple(types), data)
        assert found == expected
        assert [type(value) for value in found] == [type(value) for value in expected]


@given(st.binary(max_size=80))
def test_decode_uint256__any_bytes__equals_decode_result(data: bytes) -> None:
    try:
        (expected,) = decode_result(("uint256",), data)
    except (EmptyResult, MalformedResult) as error:
        with pytest.raises(type(error)):
            decode_uint256(data)
    else:
        assert decode_uint256(data) == expected


ARGUMENTS: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.tuples(st.just("uint256"), st.integers(-2, 2**256 + 1) | st.booleans() | st.none()),
    st.tuples(
        st.just("address"),
        st.binary(min_size=19, max_size=21)
        | st.binary(min_size=19, max_size=21).map(lambda data: "0x" + data.hex())
        | st.sampled_from(
            [
                "0xcA11bde05977b3631167028862bE2a173976CA11",
                "0xCA11bde05977b3631167028862bE2a173976CA11",
                "ca11bde05977b3631167028862be2a173976ca11",
                "",
                7,
            ]
        ),
    ),
    st.tuples(st.just("bytes32"), st.binary(max_size=33) | st.just("0x" + "ab" * 32)),
    st.tuples(st.just("bool"), st.booleans()),
    st.tuples(st.just("bytes"), st.binary(max_size=40)),
)


@given(st.lists(ARGUMENTS, max_size=4))
def test_encode_call__any_arguments__equals_eth_abi_or_both_refuse(arguments: list[tuple[str, Any]]) -> None:
    types, values = [name for name, _ in arguments], [value for _, value in arguments]
    signature = f"f({','.join(types)})"
    for _ in range(2):  # the second time from what is kept
        try:
            expected = selector(signature) + encode(types, values)
        except EncodingError:
            with pytest.raises(DomainError):
                encode_call(signature, *values)
        else:
            assert encode_call(signature, *values) == expected
