"""Our NavRegistry: its poster, and the funds that it has. Source: `contracts/src/INavRegistry.sol`."""

from __future__ import annotations

from typing import Final

from navoracle.abi import decode_result, encode_call
from navoracle.discovery.found import Found, RegisteredFund, Role
from navoracle.discovery.views import address_of, required, view
from navoracle.ports import Address, Call, Read

SCANNED: Final = 1_024
"""The numbers of funds that are looked up, from 0; others are named by hand."""

_CHUNK: Final = 256


def nav_registry(contract: Address) -> Read[Found]:
    """A registry."""
    poster, paused, _ = yield from view(contract, "settings()", "address", "bool", "uint256")
    chunks = [list(range(start, start + _CHUNK)) for start in range(0, SCANNED, _CHUNK)]
    answers = yield tuple(Call(contract, encode_call("readMany(uint256[])", chunk)) for chunk in chunks)
    words = [word for answer in answers for word in decode_result(("uint256[]",), answer)[0]]
    numbers = [number for number, word in enumerate(words) if word]
    funds = yield from registered(contract, numbers)
    roles = () if address_of(poster) is None else (Role("poster", required(poster, "poster")),)
    notes = ["the registry is paused: every post is refused until RISK resumes it"] if paused else []
    return Found("nav_registry", contract, roles=roles, funds=funds, notes=tuple(notes))


def registered(registry: Address, numbers: list[int]) -> Read[tuple[RegisteredFund, ...]]:
    """What a registry knows of funds by their numbers."""
    if not numbers:
        return ()
    answers = yield tuple(Call(registry, encode_call("fundOf(uint256)", number)) for number in numbers)
    found = [decode_result(("address", "address"), answer) for answer in answers]
    return tuple(
        RegisteredFund(number, address_of(vault), address_of(base))
        for number, (vault, base) in zip(numbers, found, strict=True)
    )
