"""The compiled contracts that navoracle carries: ABI and byte code.

A wheel holds them as `navoracle/chain/abi/*.json`; a checkout has them in `contracts/abi/`, where they are built.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from navoracle.abi import encode_arguments, selector
from navoracle.domain.errors import ConfigurationError, DomainError


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract.

    Attributes:
        name: the contract's name.
        abi: its ABI entries, as the compiler prints them.
        bytecode: creation code without constructor arguments.
        deployed_bytecode: run-time code; immutables are zero in it.
        immutables: where each immutable's words stand in the run-time code.
        constants: the named integer constants of its sources.
    """

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    deployed_bytecode: bytes
    immutables: Mapping[str, tuple[int, ...]]
    constants: Mapping[str, int]

    def creation_code(self, *arguments: Any) -> bytes:
        """Creation code with constructor arguments; structs are given as tuples.

        Raises:
            DomainError: the arguments do not fit the constructor.
        """
        parameters = [entry["inputs"] for entry in self.abi if entry["type"] == "constructor"]
        types = tuple(type_of(parameter) for parameter in (parameters[0] if parameters else ()))
        if len(types) != len(arguments):
            raise DomainError(
                f"{self.name} is deployed with {len(types)} arguments, {len(arguments)} given",
                advice=f"Its constructor takes ({', '.join(types)}).",
            )
        return self.bytecode + (encode_arguments(types, arguments) if types else b"")

    def errors(self) -> dict[bytes, str]:
        """The custom errors: selector to signature."""
        signatures = [signature_of(entry) for entry in self.abi if entry["type"] == "error"]
        return {selector(signature): signature for signature in signatures}

    def is_code(self, code: bytes) -> bool:
        """Whether run-time code on a chain is this contract's, whatever its immutables were set to."""
        if len(code) != len(self.deployed_bytecode):
            return False
        masked = bytearray(code)
        for places in self.immutables.values():
            for start in places:
                masked[start : start + 32] = bytes(32)
        return bytes(masked) == self.deployed_bytecode


@cache
def artifact(name: str) -> Artifact:
    """Load an artifact by its contract's name ("NavRegistry").

    Raises:
        ConfigurationError: there is no such artifact, or it is damaged.
    """
    for folder in _folders():
        file = folder.joinpath(f"{name}.json")
        if file.is_file():
            return _parse(name, file)
    raise ConfigurationError(
        f"there is no artifact of the contract {name}",
        advice="Build the contracts with `scripts/contracts`, or install a complete package.",
    )


def signature_of(entry: Mapping[str, Any]) -> str:
    """The canonical signature of an ABI entry."""
    return f"{entry['name']}({','.join(type_of(parameter) for parameter in entry['inputs'])})"


def type_of(parameter: Mapping[str, Any]) -> str:
    """The canonical type of an ABI parameter; a struct is a tuple of its fields' types."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(type_of(part) for part in parameter['components'])}){kind[len('tuple') :]}"


def _folders() -> tuple[Traversable, ...]:
    package = files("navoracle")
    return (package.joinpath("chain", "abi"), Path(__file__).resolve().parents[2] / "contracts" / "abi")


def _parse(name: str, file: Traversable) -> Artifact:
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        parsed = Artifact(
            name=fields["contractName"],
            abi=tuple(fields["abi"]),
            bytecode=bytes.fromhex(fields["bytecode"][2:]),
            deployed_bytecode=bytes.fromhex(fields["deployedBytecode"][2:]),
            immutables={key: tuple(places) for key, places in fields["immutables"].items()},
            constants=dict(fields["constants"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"the artifact of {name} is damaged: {type(error).__name__}: {error}",
            advice="Build the contracts again with `scripts/contracts`, or install the package again.",
        ) from error
    return parsed
