"""JSON-RPC with a node: the endpoint protocol, its errors, and the parsing of what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.redaction import redact_url as redact_url

# How nodes say that the EVM, not the node, ended a call. 3 is geth's code for a revert, -32015 Parity's.
_EXECUTION_CODES: Final = frozenset({3, -32015})
_EXECUTION_MESSAGES: Final = (
    "revert",
    "out of gas",
    "invalid opcode",
    "invalid jump",
    "stack underflow",
    "bad instruct",
)

READ_METHODS: Final = (
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_estimateGas",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getCode",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_maxPriorityFeePerGas",
)
"""The methods that change nothing and may therefore be asked again after a failure. No other method is ever retried."""


class Endpoint(Protocol):
    """One node."""

    @property
    def name(self) -> str:
        """How messages name it; never contains a key."""

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Ask, and return the JSON result. Raises NodeRefused for an error answer, ChainError for none."""

    async def close(self) -> None:
        """Give up its connections."""


class NodeRefused(ChainError):
    """The node answered with a JSON-RPC error.

    Attributes:
        rpc_code: the JSON-RPC error code.
        detail: the node's own message.
        data: revert data, empty where the node gave none.
        in_execution: whether the EVM ended the call (a revert, no gas left), rather than the node refusing to run it.
    """

    def __init__(self, endpoint: str, method: str, rpc_code: int, detail: str, data: bytes = b"") -> None:
        super().__init__(
            f"{endpoint}: {method} failed: {detail} (code {rpc_code})",
            advice="Check the node: its sync state, its history (old blocks need an archive node) and its quota.",
        )
        self.rpc_code = rpc_code
        self.detail = detail
        self.data = data
        lowered = detail.lower()
        self.in_execution = rpc_code in _EXECUTION_CODES or any(part in lowered for part in _EXECUTION_MESSAGES)


def result_of(response: object, endpoint: str, method: str) -> object:
    """The result in a JSON-RPC answer.

    Raises:
        NodeRefused: the answer is an error.
        ChainError: it is no JSON-RPC answer.
    """
    if isinstance(response, Mapping):
        error = response.get("error")
        if isinstance(error, Mapping):
            code = error.get("code")
            detail = str(error.get("message", "no message"))[:500]
            raise NodeRefused(
                endpoint, method, code if type(code) is int else 0, detail, revert_data(error.get("data"))
            )
        if error is None and "result" in response:
            return response["result"]
    raise ChainError(
        f"{endpoint}: {method} got an answer that is not JSON-RPC",
        advice="Check that the URL is a node's RPC endpoint.",
    )


def revert_data(data: object) -> bytes:
    """The revert bytes in an error's `data`: hex, hex behind a word ("Reverted 0x..."), or nested one level deeper."""
    if isinstance(data, Mapping):
        return revert_data(data.get("data") or data.get("result"))
    if isinstance(data, str):
        _, prefix, digits = data.partition("0x")
        if prefix:
            try:
                return bytes.fromhex(digits)
            except ValueError:
                return b""
    return b""


def quantity(value: object, what: str) -> int:
    """Parse a hex quantity ("0x1b4").

    Raises:
        ChainError: it is not one.
    """
    if isinstance(value, str) and value[:2] == "0x":
        try:
            return int(value, 16)
        except ValueError:
            pass
    raise _unreadable(what, value)


def hex_bytes(value: object, what: str, size: int | None = None) -> bytes:
    """Parse hex data ("0x00ff"), of `size` bytes where given.

    Raises:
        ChainError: it is not that.
    """
    if isinstance(value, str) and value[:2] == "0x":
        try:
            parsed = bytes.fromhex(value[2:])
        except ValueError:
            parsed = None
        if parsed is not None and size in (None, len(parsed)):
            return parsed
    raise _unreadable(what, value)


def block_field(block: object, field: str) -> object:
    """A field of a block or receipt.

    Raises:
        ChainError: there is no such block or field.
    """
    if isinstance(block, Mapping) and field in block:
        return block[field]
    raise _unreadable(field, block)


def block_stamp(block: object, chain: str, chain_id: int) -> BlockStamp:
    """The stamp of a block as the node describes it.

    Raises:
        ChainError: the description is not that of a block.
    """
    return BlockStamp(
        chain=chain,
        chain_id=chain_id,
        number=quantity(block_field(block, "number"), "block number"),
        hash="0x" + hex_bytes(block_field(block, "hash"), "block hash", 32).hex(),
        parent_hash="0x" + hex_bytes(block_field(block, "parentHash"), "parent hash", 32).hex(),
        timestamp=Timestamp(quantity(block_field(block, "timestamp"), "block timestamp")),
    )


def _unreadable(what: str, value: object) -> ChainError:
    return ChainError(
        f"the node answered {str(value)[:80]!r} where {what} was due",
        advice="Check the node's health; another endpoint of the same chain shows whether it is the node or the chain.",
    )
