"""A NavRegistry as it is at one block: its code, its switch, the keeper's roles, its funds and what holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntFlag
from typing import Any, Final, Protocol

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import ChainError, ReadError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Answer, Call, ChainReader
from navoracle.publishers.nav_registry_codec import Reason, Status, decode_word, reason_names
from navoracle.registry_port import CodeReader, Hold, Registration, RegistryState

_SETTINGS: Final = encode_call("settings()")
_SETTINGS_TYPES: Final = ("address", "bool", "uint256")
_HELD_TYPES: Final = ("bytes32", "uint256", "uint256", "uint256")


class Role(IntFlag):
    """The role bits of `NavLayout.sol` that a poster must have, or must not."""

    POSTER = 1
    RISK = 2
    GUARDIAN = 4
    ADMIN = 8


class StateReader(ChainReader, CodeReader, Protocol):
    """A chain of which contracts' code can be read too."""


class NavRegistryInspector:
    """Inspects one NavRegistry. Implements `registry_port.RegistryInspector`.

    Args:
        reader: the chain.
        registry: the contract's address.
        is_known_code: whether run-time code is that of the version that this navoracle knows.
    """

    def __init__(self, reader: StateReader, *, registry: Address, is_known_code: Callable[[bytes], bool]) -> None:
        self._reader = reader
        self._registry = registry
        self._is_known_code = is_known_code

    async def inspect(self, fund_ids: Mapping[str, int], sender: Address | None) -> RegistryState:
        """Its state at the chain's final block.

        Nothing but the code is read where the code is not known: another contract's answers mean nothing.

        Raises:
            ChainError: the chain cannot be read, or known code does not answer as a registry.
        """
        at = await self._reader.stamp()
        code = await self._reader.code_at(self._registry, at)
        if not self._is_known_code(code):
            known = False if code else None
            return RegistryState(at, known, paused=False, max_post_age=0, sender_roles=None, funds={}, holds={})
        calls = [_SETTINGS, encode_call("readMany(uint256[])", list(fund_ids.values()))]
        if sender is not None:
            calls.append(encode_call("grantedRoles(address)", sender))
        answers = await self._read(calls, at)
        _, paused, max_post_age = self._decode(_SETTINGS_TYPES, answers[0])
        (raw,) = self._decode(("uint256[]",), answers[1])
        words = dict(zip(fund_ids, raw, strict=True))
        roles = None if sender is None else _role_names(self._decode(("uint256",), answers[2])[0])
        return RegistryState(
            at=at,
            known_code=True,
            paused=paused,
            max_post_age=max_post_age,
            sender_roles=roles,
            funds={fund: _registration(word) for fund, word in words.items()},
            holds=await self._holds({fund: fund_ids[fund] for fund, word in words.items() if _is_held(word)}, at),
        )

    async def _holds(self, held: Mapping[str, int], at: BlockStamp) -> dict[str, Hold]:
        answers = await self._read([encode_call("heldOf(uint256)", number) for number in held.values()], at)
        found = {}
        for fund, answer in zip(held, answers, strict=True):
            digest, first, reasons, since = self._decode(_HELD_TYPES, answer)
            found[fund] = Hold(
                reasons=reason_names(reasons),
                by_guardian=bool(reasons & Reason.GUARDIAN),
                since=Timestamp(since),
                digest=digest if any(digest) else None,
                first_reason=first,
            )
        return found

    async def _read(self, calls: list[bytes], at: BlockStamp) -> tuple[Answer, ...]:
        return await self._reader.read([Call(self._registry, call) for call in calls], at)

    def _decode(self, types: tuple[str, ...], answer: Answer) -> tuple[Any, ...]:
        what = answer.failure
        if what is None:
            try:
                return decode_result(types, answer.data)
            except ReadError as error:
                what = error.message
        raise ChainError(
            f"{self._registry} does not answer as a NavRegistry: {what}",
            advice="Check the chain's nodes: the contract's code is the known one.",
        )


def _role_names(bits: int) -> frozenset[str]:
    return frozenset(role.name.lower() for role in Role if bits & role and role.name)


def _registration(word: int) -> Registration:
    if word == 0:
        return Registration.UNKNOWN
    return Registration.LIVE if Status.LIVE in decode_word(word).status else Registration.CLOSED


def _is_held(word: int) -> bool:
    return Status.HELD in decode_word(word).status
