"""Passwords, sessions and the gate, without a browser."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from navoracle.dashboard import access
from navoracle.dashboard.access import Password, Sessions, hashed
from navoracle.dashboard.gate import COOKIE, Access, Gate
from navoracle.domain.errors import ConfigurationError

WORDS = "correct horse battery"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def client(gate: Access) -> TestClient:
    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"inside {request.url.path}")

    app = Starlette(routes=[Route("/{rest:path}", page, methods=["GET", "POST"])])
    return TestClient(Gate(app, gate), base_url="http://127.0.0.1", follow_redirects=False)


def guarded(**changes: object) -> Access:
    found: dict[str, object] = {"password": Password(hashed(WORDS)), "hosts": {"127.0.0.1"}, **changes}
    return Access(**found)  # type: ignore[arg-type]


def test_password__its_file__holds_no_password_and_opens_for_it_alone() -> None:
    line = hashed(WORDS)

    assert WORDS not in line
    assert hashed(WORDS) != line
    assert Password(line).matches(WORDS)
    assert not Password(line).matches(WORDS + "x")


@pytest.mark.parametrize("line", ["", "scrypt$x", "scrypt$!!$!!", "plain$aaaa$bbbb", WORDS])
def test_password__file_that_holds_no_hash__is_refused(line: str) -> None:
    with pytest.raises(ConfigurationError, match="holds no hash"):
        Password(line)


def test_password__short__is_refused() -> None:
    with pytest.raises(ConfigurationError, match="fewer than 12"):
        hashed("short")


def test_session__after_its_time_or_its_end__holds_no_more() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    first, second = sessions.begin(), sessions.begin()

    sessions.end(first)
    assert not sessions.holds(first)
    assert sessions.holds(second)
    clock.now += access.SESSION_SECONDS
    assert not sessions.holds(second)
    assert not sessions.holds("")


def test_sessions__one_too_many__ends_the_oldest() -> None:
    sessions = Sessions(Clock())
    begun = [sessions.begin() for _ in range(access.SESSIONS + 1)]

    assert [sessions.holds(each) for each in begun] == [False] + [True] * access.SESSIONS


def test_gate__no_session__leads_to_the_login_and_lets_only_the_style_sheet_out() -> None:
    asked = client(guarded())

    answer = asked.get("/dashboard/funds")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/login?next=/dashboard/funds")
    assert asked.get("/dashboard/_nicegui/x.js").status_code == 303
    assert asked.get("/dashboard/static/dashboard.css").text == "inside /dashboard/static/dashboard.css"
    assert asked.get("/dashboard/static/../funds").status_code == 303
    assert asked.get("/dashboardx").text == "inside /dashboardx"
    assert asked.get("/livez").text == "inside /livez"


def test_gate__right_password__lets_in_until_logged_out() -> None:
    asked = client(guarded())

    answer = asked.post("/dashboard/login", data={"password": WORDS, "next": "/dashboard/funds"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/funds")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    assert asked.get("/dashboard/").text == "inside /dashboard/"
    assert asked.get("/dashboard/logout").status_code == 405  # a link in a mail logs nobody out
    asked.post("/dashboard/logout")
    assert asked.get("/dashboard/").status_code == 303


@pytest.mark.parametrize(
    "following", ["//evil.example", "https://evil.example/dashboard/", "/dashboard//evil", "\\evil", ""]
)
def test_gate__login_that_would_lead_elsewhere__leads_to_the_overview(following: str) -> None:
    answer = client(guarded()).post("/dashboard/login", data={"password": WORDS, "next": following})

    assert answer.headers["location"] == "/dashboard/"


def test_gate__https_before_it__keeps_the_cookie_to_https() -> None:
    asked = client(guarded(origin="https://nav.example.org"))

    answer = asked.post("/dashboard/login", data={"password": WORDS}, headers={"Origin": "https://nav.example.org"})

    assert "secure" in answer.headers["set-cookie"].lower()


def test_gate__wrong_passwords__are_told_and_then_not_even_tried() -> None:
    asked = client(guarded())

    told = [asked.post("/dashboard/login", data={"password": "wrong"}).status_code for _ in range(7)]

    assert told == [401] * access.ATTEMPTS_A_MINUTE + [429] * 2
    assert asked.post("/dashboard/login", data={"password": WORDS}).status_code == 429


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1"}, 200),
    ],
)
def test_gate__name_and_origin__are_its_own(headers: dict[str, str], status: int) -> None:
    assert client(guarded()).get("/dashboard/login", headers=headers).status_code == status


def test_gate__cookie_that_is_none__is_no_session() -> None:
    asked = client(guarded())

    for value in ("", "x", f"{COOKIE}=", f"{COOKIE}=nonsense", f"{COOKIE}=\x80\x81; a=b"):
        assert asked.get("/dashboard/", headers=[(b"cookie", value.encode("latin-1"))]).status_code == 303


def test_gate__what_is_no_form__is_refused() -> None:
    asked = client(guarded())

    assert asked.post("/dashboard/login", content=b"x" * 5_000).status_code == 400
    assert asked.post("/dashboard/login", content=b"\xff\xfe").status_code == 400


def test_gate__name_to_go_on_to__is_text_in_the_login_page() -> None:
    answer = client(guarded()).get("/dashboard/login?next=%22%3E%3Cscript%3E")

    assert "<script" not in answer.text
    assert "&quot;&gt;&lt;script&gt;" in answer.text
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_gate__without_a_password__is_open_and_sets_the_policy() -> None:
    answer = client(Access(None, {"127.0.0.1"})).get("/dashboard/")

    assert answer.text == "inside /dashboard/"
    assert "'nonce-" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
