"""Contracts out of npm packages: ready artifacts where a package has them, compiled from its sources elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from navoracle.abi import encode_arguments
from navoracle.chain.artifacts import type_of
from navoracle.ports import Address
from tests.protocols.packages import FOLDER, PackageRefused, package
from tests.requirements import NODE_PACKAGES

CACHE: Final = FOLDER / "compiled"
_IMPORT: Final = re.compile(r'^\s*import\s+(?:[^"\';]*?from\s+)?["\']([^"\']+)["\']', re.MULTILINE)


@dataclass(frozen=True)
class Contract:
    """A compiled contract: ABI, and creation code with the gaps where libraries go."""

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: str
    links: Mapping[str, tuple[int, ...]]

    def creation_code(self, *arguments: Any, libraries: Mapping[str, Address] | None = None) -> bytes:
        """Creation code with constructor arguments and library addresses (by library name)."""
        code = self.bytecode
        for library, places in self.links.items():
            address = (libraries or {})[library][2:].lower()
            for place in places:
                code = code[: 2 * place] + address + code[2 * place + 40 :]
        constructors = [entry["inputs"] for entry in self.abi if entry["type"] == "constructor"]
        types = tuple(type_of(parameter) for parameter in (constructors[0] if constructors else ()))
        if len(types) != len(arguments):
            raise PackageRefused(f"{self.name} is deployed with ({', '.join(types)}), {len(arguments)} given")
        return bytes.fromhex(code) + (encode_arguments(types, arguments) if types else b"")


def artifact(pin: str, path: str) -> Contract:
    """A hardhat-shaped artifact of a package: `path` is relative to the package's folder."""
    found = json.loads((package(pin) / path).read_text())
    return Contract(
        found["contractName"],
        tuple(found["abi"]),
        found["bytecode"].removeprefix("0x"),
        _links(found["linkReferences"]),
    )


def compiled(
    pin: str,
    solc: str,
    *entries: str,
    settings: Mapping[str, Any] | None = None,
    remappings: Mapping[str, Path] | None = None,
    sources: Mapping[str, str] | None = None,
) -> dict[str, Contract]:
    """Compile sources of a package with a pinned `solc@x.y.z`; the result is kept, by the hash of its input.

    Args:
        entries: files relative to the package's folder; what they import is found beside them.
        settings: of the compiler, beside the output selection (optimizer, evmVersion, viaIR).
        remappings: prefix of an import to the folder that it means.
        sources: further sources by name, for contracts of our own that use the package.
    """
    root = package(pin)
    texts: dict[str, str] = dict(sources or {})
    for entry in entries:
        _gather(root, entry, dict(remappings or {}), texts)
    for text in list((sources or {}).values()):
        for imported in _IMPORT.findall(text):
            _gather(root, imported, dict(remappings or {}), texts)
    document = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sorted(texts.items())},
        "settings": {
            "optimizer": {"enabled": True, "runs": 200},
            **(settings or {}),
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode"]}},
        },
    }
    given = json.dumps(document, sort_keys=True)
    kept = CACHE / f"{hashlib.sha256((solc + given).encode()).hexdigest()}.json"
    if not kept.is_file():
        _compile(solc, given, kept)
    output = json.loads(kept.read_text())
    return {name: _contract(name, found) for file in output["contracts"].values() for name, found in file.items()}


def _contract(name: str, found: Mapping[str, Any]) -> Contract:
    code = found["evm"]["bytecode"]
    return Contract(name, tuple(found["abi"]), code["object"], _links(code["linkReferences"]))


def multicall3_code() -> bytes:
    """The run-time code of Multicall3 as it is deployed, from viem, which carries its creation code."""
    text = (package("viem@2.38.0") / "_cjs" / "constants" / "contracts.js").read_text()
    found = re.search(r"multicall3Bytecode = '0x([0-9a-f]+)'", text)
    if found is None:
        raise PackageRefused("viem does not carry Multicall3's code under constants/contracts")
    return bytes.fromhex(found.group(1))


def _gather(root: Path, name: str, remappings: Mapping[str, Path], texts: dict[str, str]) -> None:
    """Collect a source and all that it imports, named by their path within the package."""
    if name in texts:
        return
    mapped = (folder / name[len(prefix) :] for prefix, folder in remappings.items() if name.startswith(prefix))
    file = next(mapped, root / name)
    texts[name] = file.read_text()
    for imported in _IMPORT.findall(texts[name]):
        target = imported
        if imported.startswith("."):
            target = os.path.normpath(str(Path(name).parent / imported))
        _gather(root, target, remappings, texts)


def _compile(solc: str, given: str, kept: Path) -> None:
    command = ["node", str(Path(__file__).parent / "compile.cjs"), str(package(solc))]
    environment = {**os.environ, "NODE_PATH": str(NODE_PACKAGES)}
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=600, check=False, env=environment
    )
    # Some compilers print a warning of theirs before the document.
    text = done.stdout[done.stdout.find("{") :] if "{" in done.stdout else ""
    output = json.loads(text) if text else {}
    errors = [found["formattedMessage"] for found in output.get("errors", ()) if found["severity"] == "error"]
    if done.returncode != 0 or errors or "contracts" not in output:
        raise PackageRefused(f"{solc} failed: {' '.join(errors)[:2_000] or done.stderr[-500:]}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    partly = kept.with_suffix(f".{os.getpid()}")
    partly.write_text(json.dumps({"contracts": output["contracts"]}))
    partly.replace(kept)


def _links(references: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[int, ...]]:
    return {
        library: tuple(int(place["start"]) for place in places)
        for libraries in references.values()
        for library, places in libraries.items()
    }
