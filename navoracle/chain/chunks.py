"""Cutting a reading into requests: by number and bytes of calls, and by gas as far as refusals taught it.

What a call costs is not known before it is made. Every kind of call (its selector) counts as one until a node refuses a
chunk and answers both halves of it: then the kinds in it count twice as much, for all readings after that.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TypeAlias

from navoracle.abi import encode_call
from navoracle.ports import Call, ChainRequest

Target: TypeAlias = tuple[bytes, bytes]
"""A contract's 20 bytes, and the call data."""


class Chunks:
    """The limits of one request.

    Args:
        calls: most calls, while nothing is known of their gas.
        size: most bytes of call data; a larger call goes alone.
    """

    def __init__(self, calls: int, size: int) -> None:
        self._calls = calls
        self._size = size
        self._weights: dict[bytes, int] = {}

    def cut(self, calls: Sequence[Target]) -> Iterator[Sequence[Target]]:
        """The calls in chunks, in order; each as large as the limits allow."""
        start = 0
        while start < len(calls):
            chunk = calls[start : start + self._calls]
            length = min(len(chunk), _within([len(data) for _, data in chunk], self._size))
            if self._weights:
                length = min(length, _within([self._weights.get(data[:4], 1) for _, data in chunk], self._calls))
            length = max(1, length)
            yield chunk if length == len(chunk) else chunk[:length]
            start += length

    def too_much(self, chunk: Sequence[Target]) -> None:
        """A node refused the chunk and answered both halves of it: such calls count twice as much from now on."""
        for kind in {data[:4] for _, data in chunk}:
            self._weights[kind] = min(self._calls, 2 * self._weights.get(kind, 1))


def as_targets(requests: Sequence[ChainRequest], multicall: bytes) -> list[Target]:
    """What Multicall3 is to call for each request; it gives balances of the native coin itself."""
    return [
        (bytes.fromhex(request.target[2:]), request.data)
        if isinstance(request, Call)
        else (multicall, encode_call("getEthBalance(address)", request.account))
        for request in requests
    ]


def _within(sizes: list[int], limit: int) -> int:
    """How many of the sizes, from the first one, add up to no more than the limit."""
    return len(sizes) if sum(sizes) <= limit else bisect_right(list(accumulate(sizes)), limit)
