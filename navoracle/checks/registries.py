"""Every registry: its version, the poster's role and means, the funds' numbers, and bounds that fit the keeper's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from eth_utils.address import to_checksum_address

from navoracle.abi import decode_result, encode_call
from navoracle.checks.findings import Finding, error, note, warning
from navoracle.composition.reach import require_registry
from navoracle.composition.system import ChainAccess
from navoracle.config.chains import ChainSection
from navoracle.config.models import Config
from navoracle.domain.errors import CallReverted, ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address, Call, NativeBalance

ROLE_POSTER: Final = 1
ROLE_RISK: Final = 2
ROLE_ADMIN: Final = 8
PROFILE_SHIFT: Final = 3
PROFILE_MASK: Final = 0x3F
_BOUNDS: Final = ("uint16", "uint16", "uint16", "uint32", "uint32")


async def check_registries(config: Config, access: Mapping[str, ChainAccess], lags: Mapping[str, int]) -> list[Finding]:
    """Hold every configured registry against the configuration; `lags` are seconds behind the clock, by chain."""
    findings: list[Finding] = []
    for name, section in config.chains.items():
        funds = [fund for fund, plan in config.funds.items() if plan.chain == name]
        if section.registry is None:
            findings += [
                warning(
                    f"funds.{fund}.chain",
                    f"{name} has no registry: the fund is valued and never posted",
                    f"Add `chains.{name}.registry`; `navoracle deploy` makes one.",
                )
                for fund in funds
            ]
        elif name in access:
            findings += await _check(name, section, config, access[name], lags.get(name, 0))
    return findings


async def _check(name: str, section: ChainSection, config: Config, access: ChainAccess, lag: int) -> list[Finding]:
    place = f"chains.{name}.registry"
    registry = section.registry
    if registry is None:
        return []
    try:
        await require_registry(access, registry)
        poster, paused, max_post_age = await _view(access, registry, "settings()", ("address", "bool", "uint256"))
    except ChainError as failure:
        return [error(place, failure.message, failure.advice)]
    findings: list[Finding] = []
    if paused:
        findings.append(warning(place, "the registry is paused: every post is refused", "RISK resumes it."))
    if lag > max_post_age:
        findings.append(
            error(
                f"chains.{name}.confirmations",
                f"the block that is valued at is {lag} s old, and the registry takes valuations up to {max_post_age} s",
                "Value at a newer block: fewer confirmations, or no `safe` or `finalized`.",
            )
        )
    findings += await _check_signer(name, section, access, registry, to_checksum_address(poster))
    numbers = {fund: plan.id for fund, plan in config.funds.items() if plan.chain == name}
    return findings + await _check_funds(numbers, access, registry, f"chains.{name}")


async def _check_signer(
    name: str, section: ChainSection, access: ChainAccess, registry: Address, poster: str
) -> list[Finding]:
    place = f"chains.{name}.signer"
    if access.poster is None:
        if section.signer is not None:  # Why its key cannot be used is told where it is opened.
            return []
        return [no_signer(place)]
    signer = access.poster.address
    findings: list[Finding] = []
    (roles,) = await _view(access, registry, "grantedRoles(address)", ("uint256",), signer)
    if not roles & ROLE_POSTER:
        findings.append(
            error(
                place,
                f"{signer} is no poster of the registry; its main poster is {poster}",
                "Use the poster's key, or let ADMIN give this address the role (replacePoster, setRole).",
            )
        )
    if roles & (ROLE_RISK | ROLE_ADMIN):
        findings.append(
            error(
                place,
                f"{signer} also holds RISK or ADMIN",
                "Post with a key that has no other role: a stolen one must not lift the guards.",
            )
        )
    return findings + await check_balance(access, signer, place)


async def check_balance(access: ChainAccess, signer: Address, place: str) -> list[Finding]:
    """Name a signer that has nothing to pay fees with. Raises ChainError."""
    at = await access.reader.stamp()
    (answer,) = await access.reader.read([NativeBalance(signer)], at)
    if answer.failure is None and not any(answer.data):
        return [error(place, f"{signer} has no coins to pay for a post", "Send it the chain's native coin.")]
    return []


def no_signer(place: str) -> Finding:
    """The finding about a chain that is posted on and has no key for it."""
    return warning(place, "there is no signer: nothing can be posted", "Add `signer: {key_file: FILE}`.")


async def _check_funds(
    numbers: Mapping[str, int], access: ChainAccess, registry: Address, chain_place: str
) -> list[Finding]:
    """Look up all funds by their numbers, in three rounds of requests however many they are."""
    at = await access.reader.pool.newest()
    words = await _read(access, registry, "readRaw(uint256)", ("uint256",), numbers.values(), at)
    known = {number: word[0] for number, word in words.items() if word is not None and word[0] != 0}
    profiles = {number: (word >> PROFILE_SHIFT) & PROFILE_MASK for number, word in known.items()}
    bounds = await _read(access, registry, "getProfile(uint256)", _BOUNDS, set(profiles.values()), at)
    bases = await _read(access, registry, "fundOf(uint256)", ("address", "address"), known, at)
    findings: list[Finding] = []
    for fund, number in numbers.items():
        if number not in known:
            findings.append(
                error(
                    f"funds.{fund}.id",
                    f"fund {number} is not registered on {registry}",
                    "Correct the number, or let ADMIN register it (registerFund).",
                )
            )
            continue
        tokens = bases[number]
        if tokens is not None and int(tokens[1], 16) == 0:
            findings.append(
                note(
                    f"funds.{fund}.id",
                    "the registry does not know what the fund is counted in: feeds of it have no `price` for Morpho "
                    "and no `getQuote` for readers of ERC-7726; all else works",
                    "It is said when a fund is registered, and stays: `navoracle deploy --base ADDRESS`, or the `base` "
                    "of registerFund. Nothing is to be done where nobody reads such feeds.",
                )
            )
        found = bounds[profiles[number]]
        if found is not None and found[3] > 3_600:
            findings.append(
                warning(
                    f"funds.{fund}.id",
                    f"guard profile {profiles[number]} takes one post in {found[3]} s, and the keeper posts hourly",
                    f"Let ADMIN lower the profile's minInterval on {chain_place}.registry.",
                )
            )
    return findings


async def _read(
    access: ChainAccess,
    registry: Address,
    signature: str,
    types: tuple[str, ...],
    numbers: Collection[int],
    at: BlockStamp,
) -> dict[int, tuple[Any, ...] | None]:
    """A view's results by its argument; None where it reverts. Raises ChainError."""
    calls = [Call(registry, encode_call(signature, number)) for number in numbers]
    found: dict[int, tuple[Any, ...] | None] = {}
    for number, answer in zip(numbers, await access.reader.read(calls, at), strict=True):
        found[number] = None if answer.failure == CallReverted.code else decode_result(types, answer.data)
    return found


async def _view(
    access: ChainAccess, registry: Address, signature: str, types: tuple[str, ...], *arguments: Any
) -> tuple[Any, ...]:
    return decode_result(types, await access.reader.call(registry, encode_call(signature, *arguments)))
