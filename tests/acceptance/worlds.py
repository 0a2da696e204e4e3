"""The demo's world behind the real command line: the embedded chain in place of the configured endpoint."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import pytest

from navoracle.chain.embedded import EmbeddedChain
from navoracle.cli.main import run
from navoracle.cli.runtime import Runtime
from navoracle.composition.system import ChainAccess
from navoracle.demo.examples import example_configuration
from navoracle.demo.world import DemoWorld
from navoracle.domain.units import Timestamp
from tests.embedded_copies import copy_of

T = TypeVar("T")

THREE_FUNDS = example_configuration("three-funds.yaml")
ATTESTATION = example_configuration("gold-attestation.json")


class WorldClock:
    """The newest block's time, or so many seconds later; waiting mines a block."""

    def __init__(self, chain: EmbeddedChain, ahead: int = 0) -> None:
        self._chain = chain
        self._ahead = ahead

    def now(self) -> Timestamp:
        return Timestamp(self._chain.now + self._ahead)

    async def sleep(self, seconds: float) -> None:
        self._chain.mine(Timestamp(self._chain.now + max(1, round(seconds))))


@dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


@dataclass
class Bench:
    """A world, a folder of its own, and the command line on both.

    `variables` are told besides the world's own; the clock is `ahead` seconds ahead of the newest block.
    """

    world: DemoWorld
    folder: Path
    capture: pytest.CaptureFixture[str]
    variables: dict[str, str] = field(default_factory=dict)
    ahead: int = 0

    @property
    def chain(self) -> EmbeddedChain:
        return self.world.chain

    @property
    def database(self) -> Path:
        return self.folder / "navoracle.db"

    def do(self, task: Coroutine[Any, Any, T]) -> T:
        """Let something happen in the world."""
        return asyncio.run(task)

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.chain.mine(Timestamp(self.chain.now + seconds))

    def cli(
        self, *arguments: str, chains: Mapping[str, ChainAccess] | None = None, config: Path = THREE_FUNDS
    ) -> Result:
        """Run a command on this world; --config and --database are told by environment."""
        environment = {
            **self.world.environment,
            **self.variables,
            "COLUMNS": "140",  # whatever the test's own terminal has
            "NAVORACLE_CONFIG": str(config),
            "NAVORACLE_DATABASE": f"sqlite:///{self.database}",
        }
        reached = self.world.access() if chains is None else chains
        self.capture.readouterr()
        with patch.dict(os.environ, environment):
            code = run(arguments, Runtime(clock=WorldClock(self.chain, self.ahead), chains=reached))
        captured = self.capture.readouterr()
        return Result(code, captured.out, captured.err)

    def nonces(self) -> list[str]:
        """How many transactions each account of the chain has sent."""

        async def ask() -> list[str]:
            return [
                str(await self.chain.endpoint.request("eth_getTransactionCount", [account, "latest"]))
                for account in self.chain.accounts
            ]

        return asyncio.run(ask())


def gross_values(document: Any) -> dict[str, int]:
    """By fund what it is worth before fees payable, by the JSON of `nav`, or by what a post found.

    Of the example's funds the one with a vault owes some: those of the time since its vault last took them.
    """
    found = {part["fund"]: part.get("found", part) for part in document["funds"]}
    return {fund: int(part["nav_after"]) + int(part["components"]["after"]["fees"]) for fund, part in found.items()}


def build_world() -> DemoWorld:
    """A fresh world, an hour after its funds were registered: a copy of one that nobody else gets."""
    untouched = _untouched_world()
    return deepcopy(untouched, {id(untouched.chain): copy_of(untouched.chain)})


@cache
def _untouched_world() -> DemoWorld:
    world = asyncio.run(DemoWorld.build(EmbeddedChain()))
    world.chain.mine(Timestamp(world.chain.now + 3_600))
    return world


def attest_beside(path: Path) -> None:
    """Put the document that the example configuration reads beside a copy of it."""
    shutil.copy(ATTESTATION, path.parent)


@contextmanager
def edited(path: Path, **changes: str) -> Iterator[Path]:
    """A copy of the example configuration with places replaced: old text by new."""
    text = THREE_FUNDS.read_text(encoding="utf-8")
    for old, new in changes.items():
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    attest_beside(path)
    yield path
