"""The Multicall3 codec: `aggregate3` calls and their results, as bytes.

Pure functions on the hot path of every frame, hence written for speed; eth-abi, which they replace, is the reference
that they are tested against. Decoding accepts the one encoding that a compiler produces (items in order, no gaps, zero
padding) and refuses every other: what is accepted means the same to eth-abi.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, islice
from struct import Struct
from typing import Final

from navoracle.domain.errors import CallReverted, EmptyResult, MalformedResult
from navoracle.ports import Answer

AGGREGATE3: Final = bytes.fromhex("82ad56cb")
"""Selector of `aggregate3((address,bool,bytes)[])`."""

_WORD: Final = 32
_LIST_AT: Final = (32).to_bytes(32, "big")
_TARGET_PADDING: Final = bytes(12)
_ALLOW_FAILURE_DATA_AT: Final = (1).to_bytes(32, "big") + (96).to_bytes(32, "big")
_PADDING: Final = tuple(bytes(-length % _WORD) for length in range(_WORD))

# A result before its data: success flag, where the bytes start (always 64), their length in four bytes.
_HEAD: Final = 96
_LENGTH: Final = Struct(">I")
_FAILURE: Final = bytes(32) + (64).to_bytes(32, "big") + bytes(28)
_SUCCESS: Final = (1).to_bytes(32, "big") + (64).to_bytes(32, "big") + bytes(28)
_ONE_WORD: Final = _SUCCESS + _LENGTH.pack(_WORD)

_REVERTED: Final = CallReverted.code
_EMPTY: Final = Answer(b"", EmptyResult.code)


def encode_aggregate3(calls: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Encode one `aggregate3` call of (target of 20 bytes, call data) pairs, the failure of each one allowed."""
    items: list[bytes] = []
    sizes: list[int] = []
    for target, data in calls:
        length = len(data)
        between, padding, size = _shape(length)
        items += (_TARGET_PADDING, target, between, data, padding)
        sizes.append(size)
    count = len(sizes)
    offsets = islice(accumulate(sizes, initial=_WORD * count), count)
    return b"".join((AGGREGATE3, _LIST_AT, count.to_bytes(_WORD, "big"), _table(count).pack(*offsets), *items))


@lru_cache(maxsize=1_024)
def _shape(length: int) -> tuple[bytes, bytes, int]:
    """What stands between a call's target and its data, what follows the data, and the size of it all."""
    padding = _PADDING[length % _WORD]
    return _ALLOW_FAILURE_DATA_AT + length.to_bytes(_WORD, "big"), padding, 128 + length + len(padding)


def decode_answers(data: bytes, count: int) -> list[Answer]:
    """Decode the results of `count` calls into answers, in the order asked; success without data is `empty_result`.

    Raises:
        MalformedResult: as `decode_aggregate3`.
    """
    words = _decode_words(data, count)
    if words is not None:
        new = tuple.__new__  # what a named tuple is made by, without its call
        return [new(Answer, (word, None)) for word in words]
    return [
        Answer(found, _REVERTED) if not success else Answer(found) if found else _EMPTY
        for success, found in decode_aggregate3(data, count)
    ]


def _decode_words(data: bytes, count: int) -> Sequence[bytes] | None:
    """The words of `count` results that each are one word, as balances are; None where the data is anything else."""
    start = _WORD * (count + 2)
    if len(data) != start + (_HEAD + _WORD) * count or not data.startswith(_words_table(count)):
        return None
    parts = _words_body(count).unpack_from(data, start)
    if parts[::2].count(_ONE_WORD) != count:
        return None
    return parts[1::2]


def decode_aggregate3(data: bytes, count: int) -> list[tuple[bool, bytes]]:
    """Decode the results of `count` calls: (success, return data) each, in the order asked.

    Raises:
        MalformedResult: any byte differs from the encoding of exactly `count` results.
    """
    if not data.startswith(_LIST_AT + count.to_bytes(_WORD, "big")):
        raise _malformed(f"it does not start as a list of {count} results")
    starts_with, read_length = data.startswith, _LENGTH.unpack_from
    end = len(data)
    body = 2 * _WORD
    position = body + _WORD * count
    offsets: list[int] = []
    results: list[tuple[bool, bytes]] = []
    for _ in range(count):
        start = position + _HEAD
        success = starts_with(_SUCCESS, position)
        if start > end or not (success or starts_with(_FAILURE, position)):
            raise _malformed(f"result {len(results)} is cut off or has no valid head")
        offsets.append(position - body)
        (length,) = read_length(data, start - 4)
        stop = start + length
        padding = _PADDING[length % _WORD]
        position = stop + len(padding)
        if position > end or not starts_with(padding, stop):
            raise _malformed(f"result {len(results)} is cut off or padded with other bytes than zero")
        results.append((success, data[start:stop]))
    if position != end:
        raise _malformed(f"{end - position} bytes follow its last result")
    if not starts_with(_table(count).pack(*offsets), body):
        raise _malformed("its offsets do not point at its results in order")
    return results


@lru_cache(maxsize=256)
def _words_table(count: int) -> bytes:
    """What stands before `count` results of one word each."""
    places = range(_WORD * count, (_WORD + _HEAD + _WORD) * count, _HEAD + _WORD)
    return _LIST_AT + count.to_bytes(_WORD, "big") + _table(count).pack(*places)


@lru_cache(maxsize=256)
def _words_body(count: int) -> Struct:
    """`count` results of one word each: head and word."""
    return Struct(f"{_HEAD}s{_WORD}s" * count)


@lru_cache(maxsize=256)
def _table(count: int) -> Struct:
    """A table of `count` offsets, one word each."""
    return Struct(">" + "24xQ" * count)


def _malformed(what: str) -> MalformedResult:
    return MalformedResult(
        f"the multicall answer is malformed: {what}",
        advice="Check that `multicall` is the address of a Multicall3 contract on this chain, and the node's health.",
    )
