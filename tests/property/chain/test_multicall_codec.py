"""The Multicall3 codec against eth-abi: the same bytes one way, the same values or a refusal the other way."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from hypothesis import example, given
from hypothesis import strategies as st

from navoracle.chain.multicall import AGGREGATE3, decode_aggregate3, decode_answers, encode_aggregate3
from navoracle.domain.errors import MalformedResult
from navoracle.ports import Answer

CALLS = st.lists(st.tuples(st.binary(min_size=20, max_size=20), st.binary(max_size=100)), max_size=12)
RESULTS = st.lists(st.tuples(st.booleans(), st.binary(max_size=200)), max_size=12)
WORDS = st.lists(st.tuples(st.just(value=True), st.binary(min_size=32, max_size=32)), max_size=12)
"""Results as those of balances are, which are decoded all at once."""


def reference(data: bytes) -> list[tuple[bool, bytes]] | None:
    """What eth-abi decodes, or None where it refuses."""
    try:
        (results,) = decode(["(bool,bytes)[]"], data)
    except (DecodingError, OverflowError):
        return None
    return list(results)


@given(CALLS)
def test_encode__any_calls__equals_eth_abi(calls: list[tuple[bytes, bytes]]) -> None:
    expected = encode(["(address,bool,bytes)[]"], [[(target, True, data) for target, data in calls]])
    assert encode_aggregate3(calls) == AGGREGATE3 + expected


@given(RESULTS)
def test_decode__what_eth_abi_encoded__is_what_was_encoded(results: list[tuple[bool, bytes]]) -> None:
    assert decode_aggregate3(encode(["(bool,bytes)[]"], [results]), len(results)) == results


@given(RESULTS | WORDS)
def test_decode_answers__any_results__says_of_each_what_it_is(results: list[tuple[bool, bytes]]) -> None:
    answers = decode_answers(encode(["(bool,bytes)[]"], [results]), len(results))
    assert answers == [answer_of(success, data) for success, data in results]
    assert all(type(answer) is Answer for answer in answers)


def answer_of(success: bool, data: bytes) -> Answer:
    if not success:
        return Answer(data, "call_reverted")
    return Answer(data) if data else Answer(b"", "empty_result")


@given(RESULTS | WORDS, st.data())
def test_decode__any_byte_changed__equals_eth_abi_or_raises(
    results: list[tuple[bool, bytes]], data: st.DataObject
) -> None:
    encoded = bytearray(encode(["(bool,bytes)[]"], [results]))
    # Small values at any place reach lengths, offsets and flags more often than random bytes do.
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(encoded) - 1))
        encoded[place] = data.draw(st.sampled_from([0, 1, 2, 0x20, 0x40, 0x60, 0xFF]) | st.integers(0, 255))
    same_or_refused(bytes(encoded), len(results))


@given(RESULTS | WORDS, st.data())
def test_decode__cut_or_lengthened__raises(results: list[tuple[bool, bytes]], data: st.DataObject) -> None:
    encoded = encode(["(bool,bytes)[]"], [results])
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]
    longer = encoded + data.draw(st.binary(min_size=1, max_size=64))
    for wrong in (cut, longer):
        with pytest.raises(MalformedResult):
            decode_aggregate3(wrong, len(results))
        with pytest.raises(MalformedResult):
            decode_answers(wrong, len(results))


@pytest.mark.parametrize("last", [b"", b"\x07" * 5, b"\x07" * 32])
def test_decode__cut_off_at_every_byte__raises(last: bytes) -> None:
    results = [(False, b"\x01"), (True, last)]
    encoded = encode(["(bool,bytes)[]"], [results])
    for length in range(len(encoded)):
        with pytest.raises(MalformedResult):
            decode_aggregate3(encoded[:length], len(results))


@pytest.mark.parametrize("results", [[(False, b""), (True, b"\x07" * 5)], [(True, b"\x07" * 32), (True, b"\x08" * 32)]])
def test_decode__every_bit_flipped__equals_eth_abi_or_raises(results: list[tuple[bool, bytes]]) -> None:
    encoded = encode(["(bool,bytes)[]"], [results])
    for bit in range(8 * len(encoded)):
        flipped = bytearray(encoded)
        flipped[bit // 8] ^= 1 << bit % 8
        same_or_refused(bytes(flipped), len(results))


@given(st.binary(max_size=400), st.integers(0, 5))
@example(b"", 0)
@example(b"", 1)
def test_decode__any_bytes__equals_eth_abi_or_raises(data: bytes, count: int) -> None:
    same_or_refused(data, count)


@given(RESULTS | WORDS, st.integers(0, 20))
def test_decode__another_count_than_asked__raises(results: list[tuple[bool, bytes]], count: int) -> None:
    encoded = encode(["(bool,bytes)[]"], [results])
    if count != len(results):
        with pytest.raises(MalformedResult):
            decode_aggregate3(encoded, count)
        with pytest.raises(MalformedResult):
            decode_answers(encoded, count)


@pytest.mark.parametrize("place", [0, 32, 64, 96, 128, 160, 192])
def test_decode__upper_byte_of_any_word_set__raises(place: int) -> None:
    encoded = bytearray(encode(["(bool,bytes)[]"], [[(True, b"\x05" * 8)]]))
    encoded[place] = 1
    if place == 192:
        encoded[place] = 5
        assert decode_aggregate3(bytes(encoded), 1) == [(True, b"\x05" * 8)]
        encoded[place + 8] = 1  # behind the data: padding
    with pytest.raises(MalformedResult) as caught:
        decode_aggregate3(bytes(encoded), 1)
    assert caught.value.advice


def same_or_refused(data: bytes, count: int) -> None:
    try:
        ours = decode_aggregate3(data, count)
    except MalformedResult:
        with pytest.raises(MalformedResult):
            decode_answers(data, count)
        return
    assert len(ours) == count
    assert ours == reference(data)
    assert decode_answers(data, count) == [answer_of(success, found) for success, found in ours]
