"""Worlds for the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.demo.world import DemoWorld
from tests.acceptance.worlds import Bench, build_world


@pytest.fixture(scope="module")
def still_world() -> DemoWorld:
    """A world that tests only look at."""
    return build_world()


@pytest.fixture
def still(still_world: DemoWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    """The command line on a world that is only looked at."""
    return Bench(still_world, tmp_path, capsys)


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    """The command line on a world of the test's own."""
    return Bench(build_world(), tmp_path, capsys)
