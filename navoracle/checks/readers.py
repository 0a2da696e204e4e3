"""Every reader, read for once: what fails, at which path; and the code of every contract that readers call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from navoracle.checks.findings import Finding, error, warning
from navoracle.checks.places import place_of_address
from navoracle.composition.system import ChainAccess
from navoracle.domain.errors import ChainError, EmptyResult
from navoracle.keeper.session import Asked, Readings
from navoracle.ports import Address, Call, Reader

ACCEPTED = "If the change is meant, run `navoracle check --accept-code`; else find out who changed the contract."


@dataclass(frozen=True, slots=True)
class Code:
    """The fingerprint of a contract that readers call, and the readers' path."""

    chain: str
    chain_id: int
    address: Address
    place: str
    fingerprint: str


def check_readings(
    resolution: Readings,
    readings: Readings,
    places: Mapping[str, str],
    without_code: Iterable[str],
    gates: Iterable[str] = (),
) -> list[Finding]:
    """What every failed reader says, at its path, once.

    Args:
        resolution, readings: what was read to resolve the readers, and with them.
        without_code: readers that call an address without a contract, which is told already.
        gates: readers of which each stops all readers of its chain, which then fail as it did.
    """
    failures = {**readings.failures, **resolution.failures}
    closed = {failures[gate].message: gate for gate in gates if gate in failures}
    failures = {name: told for name, told in failures.items() if closed.get(told.message, name) == name}
    for name in without_code:
        if name in failures and failures[name].code == EmptyResult.code:
            del failures[name]
    return [error(places.get(name, name), failure.message, failure.advice) for name, failure in failures.items()]


async def codes_of(
    readers: Iterable[Reader[Any]],
    asked: Iterable[tuple[str, Sequence[Asked]]],
    chains: Mapping[str, ChainAccess],
    chain_ids: Mapping[str, int],
    places: Mapping[str, str],
) -> tuple[tuple[Code, ...], dict[str, Finding]]:
    """The code behind every address that readers called, and by reader the addresses without any.

    Args:
        asked: what each reader asked.
    """
    by_id = {reader.id: reader for reader in readers}
    callers: dict[tuple[str, Address], dict[str, None]] = {}
    for name, requests in asked:
        for chain, request in requests:
            if chain is not None and isinstance(request, Call):
                callers.setdefault((chain, request.target), {})[name] = None
    codes: list[Code] = []
    findings: dict[str, Finding] = {}
    for (chain, address), names in callers.items():
        spots = {
            name: place_of_address(by_id[name], places.get(name, name), address) if name in by_id else name
            for name in names
        }
        try:
            fingerprint = await _fingerprint(chains[chain], address)
        except ChainError as failure:
            message = f"the code of {address} cannot be read: {failure.message}"
            findings |= {name: warning(spot, message, failure.advice) for name, spot in spots.items()}
            continue
        if fingerprint is None:
            message = f"there is no contract at {address} on {chain}"
            advice = "Correct the address; check that it is of this chain."
            findings |= {name: error(spot, message, advice) for name, spot in spots.items()}
        else:
            codes.append(Code(chain, chain_ids[chain], address, next(iter(spots.values())), fingerprint))
    return tuple(codes), findings


async def _fingerprint(access: ChainAccess, address: Address) -> str | None:
    """keccak-256 of the code, and of the code behind it where it is a proxy of EIP-1967; None without a contract."""
    code = await access.reader.code(address)
    if not code:
        return None
    implementation = await access.reader.implementation(address)
    behind = b"" if implementation is None else await access.reader.code(implementation)
    return "0x" + keccak(code + behind).hex()


def check_codes(codes: Iterable[Code], known: Mapping[tuple[int, str], str]) -> list[Finding]:
    """Compare fingerprints with those of an earlier check."""
    return [
        error(code.place, f"the code of {code.address} on {code.chain} is another than at the last check", ACCEPTED)
        for code in codes
        if known.get((code.chain_id, code.address), code.fingerprint) != code.fingerprint
    ]
