"""What a test may need and a machine may lack: node packages, shared data. Without it the test skips and says why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
NODE_PACKAGES = PROJECT / "contracts" / "node_modules"
SHARED_DATA = PROJECT.parent / "shared" / "data"

needs_node = pytest.mark.node
"""Marks a test or module that rebuilds contracts or starts anvil; skipped where `missing_node` gives a reason."""


def missing_node() -> str | None:
    """Return why contracts cannot be rebuilt nor anvil started here, or None when they can."""
    if shutil.which("node") is None:
        return "node is not installed: install Node.js 20 or later, then run scripts/setup"
    if not (NODE_PACKAGES / "@foundry-rs").is_dir() or not (NODE_PACKAGES / "solc").is_dir():
        return "the node packages are not installed: run scripts/setup"
    return None


def shared_data(name: str) -> Path:
    """Return the path of the shared data file `name`; skips the calling test where the file is absent."""
    path = SHARED_DATA / name
    if not path.is_file():
        pytest.skip(f"../shared/data/{name} is not here: the recorded series are not part of the repository")
    return path
