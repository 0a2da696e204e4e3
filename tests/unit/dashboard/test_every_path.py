"""Bound beyond this machine, every path of service and dashboard together: nobody unknown gets anything but health."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from starlette.routing import BaseRoute, Mount
from starlette.testclient import TestClient

from navoracle.dashboard.access import Password, hashed
from navoracle.dashboard.attach import Settings, attach
from navoracle.dashboard.gate import LOGIN, PREFIX, STATIC, Access
from navoracle.storage import SqlStore
from navoracle.web_service import build_app
from tests.unit.read_model.worlds import Running, World, entry, facts, write_index
from tests.unit.storage.builders import content_of, empty_sqlite_store
from tests.unit.web_service.fakes import TOKEN, Desk, Keeper, Text
from tests.unit.web_service.test_api import Hurrying

HEALTH: Final = {"/livez", "/readyz", "/healthz"}
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REFUSED: Final = {401, 403, 405}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("paths")
    with SqlStore.open(empty_sqlite_store(folder / "keeper.db")) as store:
        write_index(folder / "state", {"alpha": entry()})
        yield World(store, folder / "state", {"alpha": facts("alpha", "main", "USDC")}, Running())


@pytest.fixture(scope="module")
def outside(world: World) -> TestClient:
    """Somebody without token or session, who reaches the port from elsewhere."""
    model = world.model()
    app = build_app(
        Keeper(), Desk(), Text(), (TOKEN,), model=model, hosts=None, on_loopback=False, monotonic=Hurrying()
    )
    attach(app, model, Settings(Access(Password(hashed("correct horse battery")), None), 3_600))
    return TestClient(app, base_url="http://keeper.example", follow_redirects=False)


def paths_of(routes: list[BaseRoute], prefix: str = "") -> Iterator[str]:
    """Every path that routes answer to, with something put in where they take a name."""
    for route in routes:
        path = prefix + str(getattr(route, "path", ""))
        if isinstance(route, Mount):
            yield re.sub(r"\{[^}]*}", "x", path) + "/"
            yield from paths_of(list(route.routes), path)
        elif (included := getattr(route, "original_router", None)) is not None:
            yield from paths_of(included.routes, prefix)
        else:
            yield re.sub(r"\{[^}]*}", "x", path)


def test_paths__of_everybody__are_those_of_api_and_pages(outside: TestClient) -> None:
    found = set(paths_of(outside.app.routes))  # type: ignore[attr-defined]

    assert {*HEALTH, "/metrics", "/api/v1/funds", f"{PREFIX}/", f"{PREFIX}/funds/x", f"{PREFIX}/guardian"} <= found
    assert len(found) > 50


@pytest.mark.parametrize("method", METHODS)
def test_every_path__asked_by_nobody_known__is_refused_and_changes_nothing(
    world: World, outside: TestClient, method: str
) -> None:
    before = content_of(world.store)
    given = []
    for path in sorted(set(paths_of(outside.app.routes))):  # type: ignore[attr-defined]
        answer = outside.request(method, path)
        to_login = answer.status_code == 303 and answer.headers["location"].startswith(LOGIN)
        if answer.status_code not in REFUSED and not to_login:
            given.append(path)

    public = {path for path in given if path.startswith(f"{STATIC}/")} | {LOGIN, "/"} | HEALTH
    assert set(given) <= public, f"{method} gives {sorted(set(given) - public)}"
    if method == "GET":
        assert set(given) >= HEALTH
        assert outside.get("/").headers["location"] == f"{PREFIX}/"
    assert content_of(world.store) == before
