"""The Multicall3 codec: `aggregate3` calls and their results, as bytes.

Pure functions on the hot path of every frame, hence written for speed; eth-abi, which they replace, is the reference
that they are tested against. Decoding accepts the one encoding that a compiler produces (items in order, no gaps, zero
padding) and refuses every other: what is accepted means the same to eth-abi.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate, islice
from struct import Struct
from typing import Final

from navoracle.domain.errors import MalformedResult

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


def encode_aggregate3(calls: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Encode one `aggregate3` call of (target of 20 bytes, call data) pairs, the failure of each one allowed."""
    items: list[bytes] = []
    sizes: list[int] = []
    for target, data in calls:
        length = len(data)
        padding = _PADDING[length % _WORD]
        items += (_TARGET_PADDING, target, _ALLOW_FAILURE_DATA_AT, length.to_bytes(_WORD, "big"), data, padding)
        sizes.append(128 + length + len(padding))
    count = len(sizes)
    offsets = islice(accumulate(sizes, initial=_WORD * count), count)
    return b"".join((AGGREGATE3, _LIST_AT, count.to_bytes(_WORD, "big"), _table(count).pack(*offsets), *items))


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
def _table(count: int) -> Struct:
    """A table of `count` offsets, one word each."""
    return Struct(">" + "24xQ" * count)


def _malformed(what: str) -> MalformedResult:
    return MalformedResult(
        f"the multicall answer is malformed: {what}",
        advice="Check that `multicall` is the address of a Multicall3 contract on this chain, and the node's health.",
    )
