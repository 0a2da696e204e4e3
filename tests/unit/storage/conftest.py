"""A store in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from navoracle.storage import SqlStore
from tests.unit.storage.builders import url_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's database is."""
    return tmp_path / "navoracle.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    """A new store."""
    with SqlStore.open(url_of(path)) as opened:
        yield opened
