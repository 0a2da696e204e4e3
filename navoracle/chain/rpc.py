"""JSON-RPC with a node: the endpoint protocol, its errors, and the parsing of what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.redaction import redact_text
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
    "evm error",
)

# How nodes say that a call met their own limit of gas, which another node may not have.
_GAS_MESSAGES: Final = ("out of gas", "outofgas", "oog", "gas required exceeds", "intrinsic gas too low")

# Refusals that pass by themselves: too many requests, and a block that the node does not have yet.
_BUSY_CODES: Final = frozenset({429, -32005})
_BUSY_MESSAGES: Final = ("rate limit", "too many requests")
_PASSING_MESSAGES: Final = (
    "header not found",
    "block not found",
    "unknown block",
    "hash is not currently canonical",
)

# How providers say that a search for logs covers too many blocks or finds too much. Each has words of its own.
_TOO_LARGE_MESSAGES: Final = (
    "range",
    "more than",
    "too many results",
    "too large",
    "max results",
    "response size",
    "query timeout",
)

_LONGEST_QUANTITY: Final = 66
_LONGEST_REASON: Final = 500
_LONGEST_READ: Final = 2_000

UNSUPPORTED: Final = frozenset({-32600, -32601, -32602})
"""Codes of a node that does not serve a method, or not with such parameters."""

READ_METHODS: Final = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_gasPrice",
        "eth_getBalance",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getCode",
        "eth_getStorageAt",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "eth_syncing",
    }
)
"""The methods that change nothing and may therefore be put to another node. No other method is ever sent twice."""


class Endpoint(Protocol):
    """One node."""

    @property
    def name(self) -> str:
        """How messages name it; never contains a key."""

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Ask once, and return the JSON result. Raises NodeRefused for an error answer, NoAnswer for none."""

    async def close(self) -> None:
        """Give up its connections."""


class NodeRefused(ChainError):
    """The node answered with a JSON-RPC error.

    Attributes:
        rpc_code: the JSON-RPC error code.
        detail: the node's own message.
        data: revert data, empty where the node gave none.
        in_execution: whether the EVM ended the call (a revert, no gas left), rather than the node refusing to run it.
        out_of_gas: whether it ended for want of gas, of which another node may grant more.
        too_large: whether a search for logs covers too many blocks, or finds too many logs, for the node.
        busy: whether the node wants fewer requests.
        passing: whether the same question may well be answered a little later.
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
        self.out_of_gas = any(part in lowered for part in _GAS_MESSAGES)
        self.in_execution = (
            self.out_of_gas or rpc_code in _EXECUTION_CODES or any(part in lowered for part in _EXECUTION_MESSAGES)
        )
        told_busy = any(part in lowered for part in _BUSY_MESSAGES)
        self.too_large = (
            method == "eth_getLogs" and not told_busy and any(part in lowered for part in _TOO_LARGE_MESSAGES)
        )
        # One provider has the same code for too many requests and for too many results.
        self.busy = told_busy or (rpc_code in _BUSY_CODES and not self.too_large)
        self.passing = self.busy or any(part in lowered for part in _PASSING_MESSAGES)


class NoAnswer(ChainError):
    """The node did not answer, or not with JSON-RPC: the same request may be answered a little later."""


class RateLimited(NoAnswer):
    """The node wants fewer requests; `retry_after` is how many seconds it asks to be left alone, 0 where unsaid."""

    def __init__(self, endpoint: str, method: str, retry_after: float = 0.0) -> None:
        super().__init__(
            f"{endpoint}: {method} failed: HTTP 429, too many requests",
            advice="Set the endpoint's `requests_per_second` to its plan, or use a larger plan.",
        )
        self.retry_after = retry_after


def result_of(
    response: object, endpoint: str, method: str, *, asked: int | None = None, hide: Callable[[str], str] = redact_text
) -> object:
    """The result in a JSON-RPC answer.

    Args:
        asked: the id of the request that this must be the answer to; not looked at when None.
        hide: takes out of the node's own words what must not be shown.

    Raises:
        NodeRefused: the answer is an error.
        NoAnswer: it is no JSON-RPC answer, or that to another request.
    """
    if isinstance(response, Mapping):
        error = response.get("error")
        # A node that could not even read the request answers with the id null.
        if asked is not None and response.get("id") != asked and not (error and response.get("id") is None):
            raise NoAnswer(
                f"{endpoint}: {method} got the answer to another request",
                advice="The endpoint, or a proxy before it, mixes answers up: use another one.",
            )
        if isinstance(error, Mapping):
            code = error.get("code")
            detail = hide(_plain(str(error.get("message", "no message"))))[:_LONGEST_REASON]
            raise NodeRefused(
                endpoint, method, code if type(code) is int else 0, detail, revert_data(error.get("data"))
            )
        if error is None and "result" in response:
            return response["result"]
    raise NoAnswer(
        f"{endpoint}: {method} got an answer that is not JSON-RPC",
        advice="Check that the URL is a node's RPC endpoint.",
    )


def _plain(text: str) -> str:
    """The text as far as it is looked at, without what would write on a terminal.

    The word at the cut is left out: half a secret would not be recognized.
    """
    read = text if len(text) <= _LONGEST_READ else text[:_LONGEST_READ].rpartition(" ")[0]
    return "".join(letter if letter.isprintable() else " " for letter in read)


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
        ChainError: it is not one, or one of more than 256 bits.
    """
    if isinstance(value, str) and value[:2] == "0x" and len(value) <= _LONGEST_QUANTITY:
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
