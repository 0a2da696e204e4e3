"""The live connection, over which buttons speak: no other site's page opens it, and nobody who is not logged in."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from navoracle.dashboard.access import Password, hashed
from navoracle.dashboard.gate import COOKIE, Access, Gate

PATH = "/dashboard/_nicegui_ws/socket.io/"
POLICY_VIOLATION = 1_008
OWN = {"origin": "http://127.0.0.1"}


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("open")
    await socket.close()


def client(access: Access) -> TestClient:
    app = Starlette(routes=[WebSocketRoute(PATH, _echo)])
    app.add_middleware(Gate, access=access)
    return TestClient(app, base_url="http://127.0.0.1")


def opens(asked: TestClient, headers: dict[str, str]) -> bool:
    """Whether the connection is opened; refused it is closed before anything was said."""
    try:
        with asked.websocket_connect(PATH, headers={"host": "127.0.0.1", **headers}) as socket:
            return socket.receive_text() == "open"
    except WebSocketDisconnect as closed:
        return closed.code != POLICY_VIOLATION


@pytest.mark.parametrize(
    ("headers", "opened"),
    [
        (OWN, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://127.0.0.1.evil.example"}, False),
        ({**OWN, "host": "evil.example"}, False),
        ({"origin": "http://evil.example", "host": "evil.example"}, False),
    ],
)
def test_connection__from_a_page__is_opened_for_the_dashboards_own_alone(headers: dict[str, str], opened: bool) -> None:
    assert opens(client(Access(None, {"127.0.0.1"})), headers) is opened


def test_connection__with_a_password__is_opened_for_those_who_are_logged_in_alone() -> None:
    access = Access(Password(hashed("correct horse battery")), {"127.0.0.1"})
    asked = client(access)

    assert not opens(asked, OWN)
    assert not opens(asked, {**OWN, "cookie": f"{COOKIE}=guessed"})
    secret = access.sessions.begin()
    assert opens(asked, {**OWN, "cookie": f"{COOKIE}={secret}"})
    access.sessions.end(secret)
    assert not opens(asked, {**OWN, "cookie": f"{COOKIE}={secret}"})
