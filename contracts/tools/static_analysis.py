"""Runs slither's detectors over the contracts and holds what they report against `contracts/slither.json`.

Run by the Python of an environment of its own: `scripts/slither`. Every finding must be explained there by its check
and place, and every explanation must still explain something.
"""

from __future__ import annotations

import fnmatch
import inspect
import json
import logging
import posixpath
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crytic_compile import CryticCompile
from crytic_compile.platform.solc_standard_json import SolcStandardJson
from slither import Slither
from slither.detectors import all_detectors
from slither.detectors.abstract_detector import AbstractDetector

CONTRACTS = Path(__file__).resolve().parent.parent
ROOTS = ("src/NavRegistry.sol", "src/vault/FundVault.sol", "src/feeds/NavFeedFactory.sol")
IMPORT = re.compile(r"^\s*import\s+(?:[^\"']*\sfrom\s+)?[\"']([^\"']+)[\"']", re.MULTILINE)
SETTINGS = {"evmVersion": "cancun", "viaIR": True, "optimizer": {"enabled": True, "runs": 200}}


@dataclass(frozen=True)
class Finding:
    """One report: how grave, of which check, where (Contract.function(types) or Contract.variable), in words."""

    impact: str
    check: str
    where: str
    text: str


def sources() -> dict[str, str]:
    """The contracts and all that they import: the npm compiler reads no files of its own here."""
    found: dict[str, str] = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        folder = CONTRACTS if name.startswith("src/") else CONTRACTS / "node_modules"
        found[name] = (folder / name).read_text(encoding="utf-8")
        for target in IMPORT.findall(found[name]):
            relative = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            waiting.append(relative if target.startswith(".") else target)
    return found


def findings() -> Iterator[Finding]:
    """What the detectors report of our own sources."""
    document = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources().items()},
        "settings": SETTINGS,
    }
    logging.getLogger("CryticCompile").setLevel(logging.CRITICAL)  # warnings of installed packages
    compiled = CryticCompile(SolcStandardJson(document), solc=str(CONTRACTS / "tools" / "solc"))
    analysis = Slither(compiled)
    for _, detector in inspect.getmembers(all_detectors, inspect.isclass):
        if issubclass(detector, AbstractDetector) and detector is not AbstractDetector:
            analysis.register_detector(detector)
    for results in analysis.run_detectors():
        for result in results:
            elements = result["elements"]
            if not elements or "node_modules" not in elements[0]["source_mapping"]["filename_relative"]:
                yield Finding(result["impact"], result["check"], _where(elements), result["description"].strip())


def _where(elements: list[dict[str, Any]]) -> str:
    if not elements:
        return ""
    fields = elements[0].get("type_specific_fields", {})
    name = fields.get("signature") or elements[0]["name"]
    parent = fields.get("parent", {}).get("name")
    return f"{parent}.{name}" if parent else str(name)


def main() -> int:
    """Print what is not explained, and explanations of nothing; 1 when there is any of either."""
    explained = json.loads((CONTRACTS / "slither.json").read_text(encoding="utf-8"))
    used: set[int] = set()
    count, unexplained = 0, 0
    for finding in findings():
        count += 1
        fitting = [
            index
            for index, each in enumerate(explained)
            if each["check"] == finding.check and any(fnmatch.fnmatchcase(finding.where, way) for way in each["where"])
        ]
        used.update(fitting)
        if not fitting:
            unexplained += 1
            print(f"{finding.impact}: {finding.check} at {finding.where}\n{finding.text}\n")
    idle = [each for index, each in enumerate(explained) if index not in used]
    for each in idle:
        print(f"nothing is found any more that this explains: {each['check']} at {', '.join(each['where'])}")
    print(f"slither: {count} findings, {unexplained} unexplained, {len(idle)} explanations of nothing")
    return 1 if unexplained or idle else 0


if __name__ == "__main__":
    sys.exit(main())
