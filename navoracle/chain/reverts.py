"""Revert data in words: Solidity's own errors, and the custom errors of the contracts that navoracle carries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from navoracle.abi import argument_types, decode_result
from navoracle.chain.artifacts import artifact
from navoracle.domain.errors import CallReverted, EmptyResult, MalformedResult

_ERROR: Final = bytes.fromhex("08c379a0")
_PANIC: Final = bytes.fromhex("4e487b71")
_PANICS: Final = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "value outside its enum",
    0x32: "index out of range",
    0x41: "out of memory",
}

_ADVICE: Final = {
    "Unauthorized": "Give the sender the role that this call needs (POSTER to post), or use the key that has it.",
    "Paused": "The registry is paused: the RISK role resumes it with setPaused(false) once the cause is known.",
    "StaleHeader": "The valuation is older than the registry takes: value again and post at once.",
    "FutureHeader": "The valuation time lies after the chain's time: check the clock and that the right chain is read.",
    "UnknownFund": "Register the fund, or correct its id in the configuration.",
    "FundIsClosed": "Reopen the fund (ADMIN), or take it out of the configuration.",
    "FundIsHeld": "The RISK role decides: accept or discard the held record, or release a guardian's hold.",
    "FundExists": "The fund id is taken: use another id.",
    "RecordMismatch": "Pass the header and the record that the NavHeld event shows.",
}


def call_reverted(what: str, data: bytes) -> CallReverted:
    """The error for a call that reverted with `data`; `what` names the call."""
    reason = describe_revert(data)
    advice = _ADVICE.get(
        reason.partition("(")[0], "The contract refused: its reason says which of its rules was broken."
    )
    return CallReverted(f"{what} reverted: {reason}", advice=advice, data=data)


def describe_revert(data: bytes, errors: Mapping[bytes, str] | None = None) -> str:
    """Revert data in words: `Paused()`, `StaleHeader(1700000000, 1700001000)`, or a message in quotes.

    `errors` maps selectors to signatures; the carried registry's by default.
    """
    if not data:
        return "no reason given"
    known = _registry_errors() if errors is None else errors
    head, body = data[:4], data[4:]
    try:
        if head == _ERROR:
            return repr(decode_result(("string",), body)[0])
        if head == _PANIC:
            code = decode_result(("uint256",), body)[0]
            return f"panic {code:#04x} ({_PANICS.get(code, 'unknown')})"
        if head in known:
            name = known[head].partition("(")[0]
            return f"{name}({', '.join(str(value) for value in decode_result(argument_types(known[head]), body))})"
    except (MalformedResult, EmptyResult):
        pass
    return f"unknown error 0x{data[:68].hex()}"


@cache
def _registry_errors() -> dict[bytes, str]:
    return artifact("NavRegistry").errors()
