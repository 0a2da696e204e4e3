"""The parameters of JSON-RPC requests to the embedded chain, as whoever may have written them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, Final

from eth_typing import Address as RawAddress

INVALID_PARAMS: Final = -32602
TAGS: Final = frozenset({"earliest", "latest", "pending", "safe", "finalized"})
MAX_TOPICS: Final = 4

_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_WORD_BYTES: Final = 32
_ADDRESS_BYTES: Final = 20


class InvalidParams(Exception):
    """A parameter is missing, or is not what the method takes."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What `eth_call` and `eth_estimateGas` are asked to run; `to` is None for a creation, `gas` for all there is."""

    sender: RawAddress
    to: RawAddress | None
    gas: int | None
    value: int
    data: bytes


@dataclass(frozen=True, slots=True)
class LogsRequest:
    """What `eth_getLogs` is asked for: a block by its hash, or the blocks between two, both included.

    Attributes:
        addresses: whose logs; everybody's when empty.
        topics: for each place the words of which one must stand there; any when empty.
    """

    block_hash: bytes | None
    first: object
    last: object
    addresses: frozenset[bytes]
    topics: tuple[frozenset[bytes], ...]


def arity(handler: Callable[..., object]) -> tuple[int, int]:
    """The least and the most parameters that a handler takes."""
    taken = signature(handler).parameters.values()
    return sum(each.default is Parameter.empty for each in taken), len(taken)


def fit(taken: tuple[int, int], params: Sequence[object]) -> None:
    """Refuse parameters that are too few or too many for an arity. Raises InvalidParams."""
    least, most = taken
    if not least <= len(params) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise InvalidParams(f"{len(params)} parameters where {wanted} are taken")


def quantity_param(value: object, what: str) -> int:
    """A number ("0x1b4"). Raises InvalidParams."""
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        return int(value, 16)
    raise _wrong(what, value)


def bytes_param(value: object, what: str, size: int | None = None) -> bytes:
    """Data ("0x00ff"), of `size` bytes where given. Raises InvalidParams."""
    if isinstance(value, str) and _DATA.fullmatch(value) and size in (None, len(value) // 2 - 1):
        return bytes.fromhex(value[2:])
    raise _wrong(what, value)


def word_param(value: object, what: str) -> bytes:
    """32 bytes, such as a hash. Raises InvalidParams."""
    return bytes_param(value, what, _WORD_BYTES)


def address_param(value: object, what: str = "address") -> RawAddress:
    """An address; its upper-case letters are not looked at, as nodes do not. Raises InvalidParams."""
    return RawAddress(bytes_param(value, what, _ADDRESS_BYTES))


def block_param(value: object) -> object:
    """A block as it was named: a tag, a number (int), or a hash (bytes). Raises InvalidParams."""
    if isinstance(value, Mapping):
        if "blockHash" in value:
            return word_param(value["blockHash"], "block hash")
        value = value.get("blockNumber")
    if isinstance(value, str) and value in TAGS:
        return value
    return quantity_param(value, "block")


def call_param(value: object) -> CallRequest:
    """A transaction that is only run. Raises InvalidParams."""
    if not isinstance(value, Mapping):
        raise _wrong("transaction", value)
    data = value.get("input", value.get("data", "0x"))
    return CallRequest(
        sender=RawAddress(bytes(_ADDRESS_BYTES)) if value.get("from") is None else address_param(value["from"], "from"),
        to=None if value.get("to") is None else address_param(value["to"], "to"),
        gas=None if value.get("gas") is None else quantity_param(value["gas"], "gas"),
        value=0 if value.get("value") is None else quantity_param(value["value"], "value"),
        data=bytes_param(data, "data"),
    )


def logs_param(value: object) -> LogsRequest:
    """A search for logs. Raises InvalidParams."""
    if not isinstance(value, Mapping):
        raise _wrong("filter", value)
    block_hash = value.get("blockHash")
    if block_hash is not None and (value.get("fromBlock") is not None or value.get("toBlock") is not None):
        raise InvalidParams("a filter names a block hash or a range of blocks, not both")
    topics = value.get("topics") or ()
    if not isinstance(topics, Sequence) or isinstance(topics, str) or len(topics) > MAX_TOPICS:
        raise _wrong("topics", topics)
    return LogsRequest(
        block_hash=None if block_hash is None else word_param(block_hash, "block hash"),
        first=block_param(_or_latest(value.get("fromBlock"))),
        last=block_param(_or_latest(value.get("toBlock"))),
        addresses=frozenset(address_param(each) for each in _several(value.get("address"))),
        topics=tuple(frozenset(word_param(each, "topic") for each in _several(place)) for place in topics),
    )


def _or_latest(value: object) -> object:
    return "latest" if value is None else value


def _several(value: object) -> Sequence[Any]:
    """One of something, several, or none named."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _wrong(what: str, value: object) -> InvalidParams:
    return InvalidParams(f"{what} is {str(value)[:80]!r}")
