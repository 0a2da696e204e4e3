"""Builds `contracts/abi/*.json` from `contracts/src` and tells whether the committed files are what the sources give.

Standard library only: it runs before anything of the project is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).resolve().parent.parent
SOLC = CONTRACTS / "tools" / "solc"
KEPT = CONTRACTS / "cache" / "artifacts.json"

# artifact file -> source unit; the contract has the file's name
ARTIFACTS: dict[str, str] = {
    "abi/NavFeed.json": "src/feeds/NavFeed.sol",
    "abi/NavFeedFactory.json": "src/feeds/NavFeedFactory.sol",
    "abi/NavFeedStrict.json": "src/feeds/NavFeedStrict.sol",
    "abi/NavRegistry.json": "src/NavRegistry.sol",
    "abi/FundVault.json": "src/vault/FundVault.sol",
    "abi/Feed.json": "src/doubles/Feed.sol",
    "abi/LoanOracle.json": "src/doubles/LoanOracle.sol",
    "abi/LoanRate.json": "src/doubles/LoanRate.sol",
    "abi/Market.json": "src/doubles/Market.sol",
    "abi/Morpho.json": "src/doubles/Morpho.sol",
    "abi/Multicall3.json": "src/doubles/Multicall3.sol",
    "abi/PtOracle.json": "src/doubles/PtOracle.sol",
    "abi/Sy.json": "src/doubles/Sy.sol",
    "abi/Token.json": "src/doubles/Token.sol",
    "abi/Vault4626.json": "src/doubles/Vault4626.sol",
    "abi/Yt.json": "src/doubles/Yt.sol",
    "abi/CentrifugeHub.json": "src/doubles/peers/CentrifugeHub.sol",
    "abi/CentrifugeSpoke.json": "src/doubles/peers/CentrifugeSpoke.sol",
    "abi/EnzymeValue.json": "src/doubles/peers/EnzymeValue.sol",
    "abi/LagoonVault.json": "src/doubles/peers/LagoonVault.sol",
    "abi/MellowFeed.json": "src/doubles/peers/MellowFeed.sol",
    "abi/MellowOracle.json": "src/doubles/peers/MellowOracle.sol",
    "abi/MellowSubmitter.json": "src/doubles/peers/MellowSubmitter.sol",
    "abi/MellowVault.json": "src/doubles/peers/MellowVault.sol",
    "abi/MidasFeed.json": "src/doubles/peers/MidasFeed.sol",
    "abi/MidasGrowthFeed.json": "src/doubles/peers/MidasGrowthFeed.sol",
    "abi/OndoComparisonOracle.json": "src/doubles/peers/OndoComparisonOracle.sol",
    "abi/OndoOracle.json": "src/doubles/peers/OndoOracle.sol",
    "abi/SuperstateOracle.json": "src/doubles/peers/SuperstateOracle.sol",
    "abi/VedaAccountant.json": "src/doubles/peers/VedaAccountant.sol",
    "abi/bench/NaiveRegistry.json": "src/bench/NaiveRegistry.sol",
    "abi/bench/ReadProbe.json": "src/bench/ReadProbe.sol",
}

# artifact file -> source unit of the contract that it delegates calls to which it does not know: its ABI has them too
EXTENSIONS: dict[str, str] = {"abi/FundVault.json": "src/vault/FundVaultExtension.sol"}

# The optimizer's runs for source units whose byte code would pass the limits of its size with those of SETTINGS.
RUNS: dict[str, int] = {"src/vault/FundVault.sol": 200}

SETTINGS: dict[str, Any] = {
    "evmVersion": "cancun",
    "viaIR": True,
    "optimizer": {"enabled": True, "runs": 1_000_000},
    # Without metadata the byte code depends on nothing but code and settings: no paths, no comments.
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
}


class BuildError(Exception):
    """The compiler refused the sources, or could not be run; the message is the compiler's own."""


def build() -> dict[Path, str]:
    """Compile every artifact and return its file and text; nothing in abi/ is written.

    The last build is kept beside forge's cache: the same sources, compiler and settings need not be compiled twice.
    """
    key = _key()
    kept = _read_kept()
    if kept.get("key") != key:
        sources = sorted(set(ARTIFACTS.values()))
        usual = [source for source in sources if source not in RUNS]
        with ThreadPoolExecutor() as pool:  # a compiler is one thread of a process of its own
            alone = {source: pool.submit(_compile, [source], _settings(source)) for source in sources if source in RUNS}
            outputs = dict.fromkeys(usual, _compile(usual, SETTINGS))
            outputs |= {source: compiled.result() for source, compiled in alone.items()}
        version = subprocess.run([SOLC, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
        texts = {file: _artifact(file, source, version, outputs[source]) for file, source in ARTIFACTS.items()}
        kept = {"key": key, "texts": texts}
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(kept), encoding="utf-8")
    return {CONTRACTS / file: text for file, text in kept["texts"].items()}


def write(artifacts: dict[Path, str]) -> list[Path]:
    """Write the files that differ, remove those that no source gives any more, and return both."""
    changed = differing(artifacts)
    for path in changed:
        if path not in artifacts:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifacts[path], encoding="utf-8", newline="\n")
    return changed


def differing(artifacts: dict[Path, str]) -> list[Path]:
    """The files that are absent or differ by any byte from the build, and the files that no source gives any more."""
    stale = [path for path in sorted((CONTRACTS / "abi").rglob("*.json")) if path not in artifacts]
    return stale + [
        path for path, text in artifacts.items() if not path.is_file() or path.read_bytes() != text.encode("utf-8")
    ]


def _key() -> str:
    """A digest of everything that a build depends on."""
    inputs = [*sorted((CONTRACTS / "src").rglob("*.sol")), Path(__file__), SOLC, CONTRACTS / "package-lock.json"]
    digest = hashlib.sha256()
    for path in inputs:
        digest.update(f"{path.relative_to(CONTRACTS)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _read_kept() -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept


def _settings(source: str) -> dict[str, Any]:
    """The compiler's settings for a source unit."""
    optimizer = {**SETTINGS["optimizer"], "runs": RUNS.get(source, SETTINGS["optimizer"]["runs"])}
    return {**SETTINGS, "optimizer": optimizer}


def _compile(sources: list[str], settings: dict[str, Any]) -> dict[str, Any]:
    settings = {
        **settings,
        "outputSelection": {
            "*": {"": ["ast"], "*": ["abi", "storageLayout", "evm.bytecode.object", "evm.deployedBytecode"]}
        },
    }
    request = {
        "language": "Solidity",
        "sources": {source: {"content": (CONTRACTS / source).read_text(encoding="utf-8")} for source in sources},
        "settings": settings,
    }
    command = [SOLC, "--standard-json", "--base-path", CONTRACTS, "--include-path", CONTRACTS / "node_modules"]
    run = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise BuildError(run.stderr.strip() or run.stdout.strip())
    output: dict[str, Any] = json.loads(run.stdout)
    problems = [entry["formattedMessage"] for entry in output.get("errors", []) if _counts(entry)]
    if problems:
        raise BuildError("\n".join(problems))
    return output


def _counts(entry: dict[str, Any]) -> bool:
    # Our own warnings fail the build; those of installed packages are not ours to mend.
    location = entry.get("sourceLocation") or {}
    return bool(entry["severity"] == "error" or str(location.get("file", "src/")).startswith("src/"))


def _artifact(file: str, source: str, version: str, output: dict[str, Any]) -> str:
    name = Path(file).stem
    contract = output["contracts"][source][name]
    deployed = contract["evm"]["deployedBytecode"]
    if file in EXTENSIONS:
        _check_storage(contract, source, EXTENSIONS[file], output)
    # An immutable may be a package's: the names of all sources are looked at, not only those of ours.
    names = {str(node["id"]): node["name"] for unit in output["sources"].values() for node in _variables(unit["ast"])}
    artifact = {
        "contractName": name,
        "source": f"contracts/{source}",
        "abi": _abi(contract["abi"], EXTENSIONS.get(file), output),
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutables": {
            names[node]: [place["start"] for place in places]
            for node, places in deployed.get("immutableReferences", {}).items()
        },
        "constants": _constants(output, source),
        "compiler": {"version": version, "settings": _settings(source)},
    }
    return json.dumps(artifact, indent=1, ensure_ascii=True) + "\n"


def _abi(own: list[Any], extension: str | None, output: dict[str, Any]) -> list[Any]:
    """A contract's ABI, with the entries that only its extension has."""
    if extension is None:
        return own
    others = output["contracts"][extension][Path(extension).stem]["abi"]
    return own + [entry for entry in others if entry not in own and entry["type"] != "constructor"]


def _check_storage(contract: dict[str, Any], source: str, extension: str, output: dict[str, Any]) -> None:
    """Refuse an extension whose code would find other variables than the contract's in the storage that it runs on."""
    other = output["contracts"][extension][Path(extension).stem]
    places = [
        [(entry["label"], entry["slot"], entry["offset"], entry["type"]) for entry in each["storageLayout"]["storage"]]
        for each in (contract, other)
    ]
    if places[0] != places[1]:
        raise BuildError(f"{source} and {extension} lay out their storage differently")


def _constants(output: dict[str, Any], source: str) -> dict[str, int]:
    """The source's plain integer constants, so that other languages decode reasons and flags by name."""
    return {
        node["name"]: int(node["value"]["value"], 0)
        for node in _declarations(output, source)
        if node["constant"]
        and (node.get("value") or {}).get("kind") == "number"
        and "subdenomination" not in node["value"]
    }


def _declarations(output: dict[str, Any], source: str) -> list[dict[str, Any]]:
    """The variables of a source and of every source of ours that it imports, directly or not."""
    found: list[dict[str, Any]] = []
    seen, waiting = set(), [source]
    while waiting:
        path = waiting.pop()
        if path in seen or not path.startswith("src/"):
            continue
        seen.add(path)
        unit = output["sources"][path]["ast"]
        waiting += [node["absolutePath"] for node in unit["nodes"] if node["nodeType"] == "ImportDirective"]
        found += _variables(unit)
    return sorted(found, key=lambda node: (node["src"].split(":")[2], int(node["src"].split(":")[0])))


def _variables(unit: dict[str, Any]) -> list[dict[str, Any]]:
    """The variables that a source declares, in contracts and outside."""
    bodies = [unit, *(node for node in unit["nodes"] if node["nodeType"] == "ContractDefinition")]
    return [node for body in bodies for node in body["nodes"] if node["nodeType"] == "VariableDeclaration"]


def main() -> int:
    """Build and write, or with --check compare; 1 when something differs or does not compile."""
    parser = argparse.ArgumentParser(prog="scripts/contracts", description="Build contracts/abi from contracts/src.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file differs by a byte")
    options = parser.parse_args()
    try:
        artifacts = build()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.check:
        for path in write(artifacts):
            print(f"wrote contracts/{path.relative_to(CONTRACTS)}")
        return 0
    changed = differing(artifacts)
    for path in changed:
        print(
            f"contracts/{path.relative_to(CONTRACTS)} is not what the sources give: run scripts/contracts",
            file=sys.stderr,
        )
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
