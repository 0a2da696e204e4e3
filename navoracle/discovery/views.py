"""Asking a contract of which nothing is known: a view that is not there is an answer too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from eth_utils.address import to_checksum_address

from navoracle.abi import decode_result, encode_call
from navoracle.discovery.found import FoundToken, Role
from navoracle.domain.errors import CallReverted, EmptyResult, MalformedResult, SourceRefused
from navoracle.domain.units import MAX_DECIMALS
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.readers import DECIMALS

T = TypeVar("T")

NATIVE: Final = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"
"""Where contracts mean the chain's own coin, of 18 decimals."""

NOT_THERE: Final = (CallReverted, EmptyResult, MalformedResult)
"""How a contract answers that does not have a view: it reverts, says nothing, or something else."""

_ZERO: Final = "0x" + "0" * 40


@dataclass(frozen=True, slots=True)
class Probe(Generic[T]):
    """One question about an address, in the shape of a reader, so that all are asked in one batch.

    `ask` raises a `ReadError` where the contract is not what the probe looks for.
    """

    id: str
    chain: str
    ask: Callable[[], Read[T]]

    def read(self, at: ReadPoint) -> Read[T]:
        """Ask."""
        return self.ask()

    def describe(self) -> Mapping[str, object]:
        """What is asked for; a discovery leaves no evidence."""
        return {"probe": self.id}


def view(contract: Address, signature: str, *types: str) -> Read[Any]:
    """A view without arguments: its value, or a tuple of several. Raises what `NOT_THERE` names."""
    (answer,) = yield (Call(contract, encode_call(signature)),)
    values = decode_result(types, answer)
    return values[0] if len(types) == 1 else values


def optional(contract: Address, signature: str, *types: str) -> Read[Any]:
    """As `view`; None where the contract does not have it."""
    try:
        return (yield from view(contract, signature, *types))
    except NOT_THERE:
        return None


def address_of(value: str) -> Address | None:
    """A decoded address, checksummed; None for the zero address."""
    return None if value == _ZERO else Address(to_checksum_address(value))


def required(value: str, what: str) -> Address:
    """A decoded address that must be somebody's. Raises SourceRefused."""
    found = address_of(value)
    if found is None:
        raise SourceRefused(f"{what} is the zero address", advice="The contract is not set up yet.")
    return found


def named(contract: Address, signature: str) -> Read[Address]:
    """A view that must name an account. Raises SourceRefused: it is the zero address; and what `NOT_THERE` names."""
    return required((yield from view(contract, signature, "address")), f"{signature} of {contract}")


def roles(contract: Address, **signatures: str) -> Read[tuple[Role, ...]]:
    """The accounts that views name; views that are not there, and the zero address, are left out."""
    found = []
    for name, signature in signatures.items():
        value = yield from optional(contract, signature, "address")
        account = None if value is None else address_of(value)
        if account is not None:
            found.append(Role(name, account))
    return tuple(found)


def token_at(address: Address) -> Read[FoundToken]:
    """A token's decimals and symbol. Raises SourceRefused: no decimals of a token; and what `NOT_THERE` names."""
    if address == NATIVE:
        return FoundToken(None, None, 18)
    (answer,) = yield (Call(address, DECIMALS),)
    (decimals,) = decode_result(("uint256",), answer)
    if decimals > MAX_DECIMALS:
        raise SourceRefused(f"{address} says {decimals} decimals", advice="Check the address: it is no token.")
    return FoundToken(address, (yield from _symbol(address)), decimals)


def _symbol(address: Address) -> Read[str | None]:
    try:
        (answer,) = yield (Call(address, encode_call("symbol()")),)
    except NOT_THERE:
        return None
    try:
        return str(decode_result(("string",), answer)[0])
    except MalformedResult:
        # The first tokens answer 32 bytes, filled with zeros.
        return answer.rstrip(b"\0").decode("ascii", errors="replace") if len(answer) == 32 else None


def balance_of(token: FoundToken, holder: Address) -> Read[int]:
    """An account's balance of a token that has a contract. Raises what `NOT_THERE` names."""
    (answer,) = yield (Call(_contract(token), encode_call("balanceOf(address)", holder)),)
    return int(decode_result(("uint256",), answer)[0])


def _contract(token: FoundToken) -> Address:
    if token.address is None:
        raise SourceRefused("the chain's own coin has no contract", advice="Add it by hand, as kind native.")
    return token.address
