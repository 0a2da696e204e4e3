"""What a contract answers to a post from its sender, and what its refusals are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from navoracle.abi import argument_types, decode_result, selector
from navoracle.domain.errors import CallReverted, EmptyResult, MalformedResult
from navoracle.domain.guard_use import GuardUse
from navoracle.ports import Call, Read
from navoracle.publisher_port import Preview
from navoracle.publishers.peers.base import REFUSED, PeerModel

_MESSAGE: Final = selector("Error(string)")
_PANIC: Final = selector("Panic(uint256)")
_SHOWN: Final = 36
"""Bytes of an unknown error that are shown: its selector and one word."""

NO_REASON: Final = "no reason given"


class Remedy(NamedTuple):
    """Who must act where a contract refuses, by its own name, and what to do."""

    role: str | None
    advice: str


def revert_name(data: bytes, errors: Iterable[str] = ()) -> str:
    """Revert data in words: a message as it is, a custom error as `Name(1, 2)`, a panic with its code.

    Args:
        data: what the call reverted with.
        errors: the signatures of the contract's custom errors.
    """
    if not data:
        return NO_REASON
    head, body = data[:4], data[4:]
    try:
        if head == _MESSAGE:
            return str(decode_result(("string",), body)[0])
        if head == _PANIC:
            return f"panic {decode_result(('uint256',), body)[0]:#04x}"
        for signature in errors:
            if head == selector(signature):
                values = decode_result(argument_types(signature), body)
                return f"{signature.partition('(')[0]}({', '.join(str(value) for value in values)})"
    except (MalformedResult, EmptyResult):
        pass
    return f"unknown error 0x{data[:_SHOWN].hex()}"


def simulate(peer: PeerModel, data: bytes, errors: Iterable[str] = ()) -> Read[str | None]:
    """What the contract refuses a call from the peer's sender with; None where it takes it, or nobody is to send it."""
    if peer.sender is None:
        return None
    try:
        yield (Call(peer.contract, data, direct=True, sender=peer.sender),)
    except CallReverted as error:
        return revert_name(error.data, errors)
    except EmptyResult:
        # A setter returns nothing. That there is a contract at the address is known: its views answered before.
        return None
    return None


def refused(
    fund: str, name: str, remedies: Mapping[str, Remedy], guards: tuple[GuardUse, ...] = (), role: str | None = None
) -> Preview:
    """The preview of a post that the contract refuses; `remedies` by the name of the refusal without its arguments.

    Args:
        fund: whose post.
        name: what the contract refuses it with, as `revert_name` says it.
        remedies: what is known of its refusals.
        guards: what was found of its guards.
        role: who acts where the refusal is an unknown one.
    """
    remedy = remedies.get(name) or remedies.get(name.partition("(")[0])
    if remedy is None:
        remedy = Remedy(role, "Look up the reason in the contract's source; nothing was sent.")
    return Preview(
        fund,
        REFUSED,
        send=False,
        guards=guards,
        role=remedy.role,
        advice=f"The contract refuses the call with {name!r}. {remedy.advice}",
    )
