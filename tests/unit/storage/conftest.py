"""Stores without rows: the same tests on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from navoracle.storage import SqlStore
from tests.postgres import shared_server
from tests.unit.storage.builders import empty_postgres_store, empty_sqlite_store, url_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's SQLite database is."""
    return tmp_path / "navoracle.db"


@pytest.fixture
def empty_postgres() -> Iterator[str]:
    """The URL of a new database on a PostgreSQL server, without a schema."""
    server = shared_server()
    with server.database() as name:
        yield server.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def unmade(request: pytest.FixtureRequest, path: Path) -> str:
    """The URL of a database without a schema, of each kind."""
    url: str = url_of(path) if request.param == "sqlite" else request.getfixturevalue("empty_postgres")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, path: Path) -> str:
    """The URL of a database without rows, of each kind."""
    if request.param == "sqlite":
        return empty_sqlite_store(path)
    return empty_postgres_store()


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """A new store on a database of each kind."""
    with SqlStore.open(url) as opened:
        yield opened


@pytest.fixture
def sqlite_store(path: Path) -> Iterator[SqlStore]:
    """A new store in the file at `path`."""
    with SqlStore.open(empty_sqlite_store(path)) as opened:
        yield opened
