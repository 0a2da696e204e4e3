"""Files that never change: asked for once, compressed once, kept by browsers; everything else is passed on."""

from __future__ import annotations

import gzip

import pytest
from nicegui.version import __version__
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from navoracle.dashboard import assets
from navoracle.dashboard.assets import Assets, address_of

LASTING = f"/dashboard/_nicegui/{__version__}/static/large.js"
CONTENT = "let x = 1;\n" * 500


class Served:
    """An application, and what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        app = Starlette(routes=[Route("/{rest:path}", self._answer)])
        self.client = TestClient(Assets(app), base_url="http://127.0.0.1")

    async def _answer(self, request: Request) -> Response:
        self.asked.append((request.url.path, request.headers.get("if-none-match")))
        if "missing" in request.url.path:
            return PlainTextResponse("none", 404)
        return Response(CONTENT, media_type="text/javascript")


def test_file__asked_for_twice__is_read_once_and_kept_for_a_year() -> None:
    served = Served()
    first = served.client.get(LASTING, headers={"if-none-match": "x"})
    second = served.client.get(LASTING)

    assert served.asked == [(LASTING, None)]
    assert first.text == second.text == CONTENT
    assert second.headers["content-type"].startswith("text/javascript")
    assert second.headers["content-encoding"] == "gzip"
    assert "immutable" in second.headers["cache-control"]
    assert int(second.headers["content-length"]) == len(gzip.compress(CONTENT.encode(), 9, mtime=0))


def test_file__browser_that_takes_no_gzip__gets_it_plain() -> None:
    found = Served().client.get(LASTING, headers={"accept-encoding": "identity"})
    assert found.text == CONTENT
    assert "content-encoding" not in found.headers


@pytest.mark.parametrize("path", ["/dashboard/", "/dashboard/static/dashboard.js", "/dashboard/_nicegui/0/static/a.js"])
def test_anything_else__is_passed_on_every_time(path: str) -> None:
    served = Served()
    served.client.get(path)
    found = served.client.get(path)
    assert len(served.asked) == 2
    assert "cache-control" not in found.headers


def test_file__that_is_not_there__is_told_so_every_time() -> None:
    served = Served()
    path = f"/dashboard/_nicegui/{__version__}/static/missing.js"
    assert [served.client.get(path).status_code for _ in range(2)] == [404, 404]
    assert len(served.asked) == 2


def test_files__more_than_are_kept__are_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "MOST_FILES", 1)
    served = Served()
    for name in ("a", "b", "b"):
        assert served.client.get(f"/dashboard/static/{name}.js?v=1").text == CONTENT
    assert [path for path, _ in served.asked] == [f"/dashboard/static/{name}.js" for name in ("a", "b", "b")]


def test_address__of_a_file__names_its_content() -> None:
    assert address_of("dashboard.js").startswith("/dashboard/static/dashboard.js?v=")
    assert address_of("dashboard.js") != address_of("dashboard.css").replace("css", "js")
