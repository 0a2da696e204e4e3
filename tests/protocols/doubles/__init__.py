"""Contracts of our own that behave as protocols do whose contracts were not found on npm; compiled with the tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from tests.protocols.contracts import Contract, compiled
from tests.protocols.packages import package

LIBRARY: Final = "@openzeppelin/contracts@4.9.6"
COMPILER: Final = "solc@0.8.28"


@cache
def double(name: str) -> Contract:
    """A contract of this folder, by the name of the contract."""
    sources = {file.name: file.read_text() for file in sorted(Path(__file__).parent.glob("*.sol"))}
    remappings = {"@openzeppelin/contracts/": package(LIBRARY)}
    return compiled(LIBRARY, COMPILER, sources=sources, remappings=remappings)[name]
