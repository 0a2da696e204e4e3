"""The routes say what is wrong and change nothing when asked; requests are taken with a token alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from navoracle.domain.errors import ConfigurationError, RequestRefused, StoreError
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.units import Timestamp
from navoracle.live_secrets import forget_secrets, register_secrets
from navoracle.web_service import Check, Component, FundRiskStatus, build_app
from navoracle.web_service.access import FAILURES_A_MINUTE, REQUESTS_A_MINUTE
from navoracle.web_service.answers import HEADERS
from navoracle.web_service.api.intake import LARGEST_BODY
from tests.unit.web_service.fakes import TOKEN, Desk, Keeper, Text, fund

AUTHORIZED = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    yield
    forget_secrets()


class Moving:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def client_of(
    keeper: Keeper | None = None,
    desk: Desk | None = None,
    tokens: Collection[str] = (TOKEN,),
    clock: Moving | None = None,
) -> TestClient:
    app = build_app(keeper or Keeper(), desk, Text(), tokens, monotonic=clock or Moving())
    return TestClient(app, base_url="http://127.0.0.1:9187", raise_server_exceptions=False)


def request(client: TestClient, body: object = None, **more: Any) -> Any:
    headers = {"content-type": "application/json", **AUTHORIZED, **more.pop("headers", {})}
    return client.post("/api/v1/requests", content=json.dumps(body or {"a": 1}), headers=headers, **more)


# ---- health


@pytest.mark.parametrize(("age", "status"), [(29.9, 200), (30.0, 200), (30.1, 503)])
def test_livez__heartbeat__fails_beyond_its_limit(age: float, status: int) -> None:
    answer = client_of(Keeper(heartbeat_age=age)).get("/livez")
    assert (answer.status_code, answer.json()["status"]) == (status, "ok" if status == 200 else "failing")


def test_readyz__one_thing_that_does_not_work__fails_and_names_it() -> None:
    checks = (Check("store", ok=True), Check("rpc:main", ok=False, detail="1 of 2 operators", advice="Add one."))
    answer = client_of(Keeper(checks=checks)).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["rpc:main: 1 of 2 operators"]
    assert answer.json()["checks"][1]["advice"] == "Add one."
    assert client_of().get("/readyz").status_code == 200


@pytest.mark.parametrize(("age", "status"), [(0, 200), (7_200, 200), (7_201, 503), (None, 503)])
def test_healthz__age_of_the_nav_on_chain__decides(age: int | None, status: int) -> None:
    answer = client_of(Keeper(funds=(fund(), fund(age, "eth", "unpriced:ETH:no_quorum")))).get("/healthz")
    assert answer.status_code == status
    document = answer.json()
    assert [row["fund"] for row in document["funds"]] == ["usd", "eth"]
    assert (document["reasons"] != []) is (status == 503)


def test_healthz__failing__says_which_fund_how_old_and_why() -> None:
    document = client_of(Keeper(funds=(fund(9_000, "eth", "rpc: no node answers"),))).get("/healthz").json()
    assert document["reasons"] == ["eth: its NAV on chain is 9000 s old, over 7200 s: rpc: no node answers"]
    assert document["funds"][0]["advice"] == "Look."
    never = client_of(Keeper(funds=(fund(None, "new"),))).get("/healthz").json()
    assert never["reasons"] == ["new: no NAV on chain is known"]


def test_healthz__trouble_that_is_no_stale_nav__is_shown_and_fails_nothing() -> None:
    keeper = Keeper(others=(Check("event files", ok=False, detail="no space"),))
    answer = client_of(keeper).get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["troubles"][0]["detail"] == "no space"


@pytest.mark.parametrize(("status", "code"), [("healthy", 200), ("degraded", 200), ("unhealthy", 503)])
def test_healthz__component_that_judges_itself__fails_it_only_when_unhealthy(status: Any, code: int) -> None:
    part = Component("risk monitor", status, f"{status}: 4 errors in the last 9 updates", "Look.")
    answer = client_of(Keeper(parts=(part,))).get("/healthz")
    document = answer.json()
    assert answer.status_code == code
    assert document["components"] == [
        {"name": "risk monitor", "status": status, "detail": part.detail, "advice": "Look."}
    ]
    assert document["reasons"] == ([f"risk monitor: {part.detail}"] if code == 503 else [])
    assert document["status"] == ("ok" if code == 200 else "failing")


def test_healthz__fund_whose_risk_is_critical__is_shown_and_fails_nothing() -> None:
    part = Component("risk monitor", "healthy", "healthy: 0 of the last 9 looks had an error")
    risk = FundRiskStatus("usd", RiskStatus.CRITICAL, Timestamp(7), ("AAVE_LTV_CRITICAL: 91.00 %",))
    answer = client_of(Keeper(parts=(part,), watched=(risk,))).get("/healthz")
    assert (answer.status_code, answer.json()["status"], answer.json()["reasons"]) == (200, "ok", [])
    assert answer.json()["risks"] == [
        {"fund": "usd", "status": "critical", "valued_at": 7, "alerts": ["AAVE_LTV_CRITICAL: 91.00 %"]}
    ]


def test_readyz__store_that_fails_while_it_is_asked__is_an_answer_with_advice() -> None:
    answer = client_of(Keeper(error=StoreError("locked", advice="Wait."))).get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"error": {"code": "store", "message": "locked", "advice": "Wait."}}


def test_metrics__asked__are_prometheus_text() -> None:
    answer = client_of().get("/metrics")
    assert answer.text == "navoracle_up 1\n"
    assert answer.headers["content-type"] == Text.content_type


# ---- who may ask


def test_status__with_tokens__wants_one() -> None:
    client = client_of()
    assert client.get("/api/v1/status").status_code == 401
    assert client.get("/api/v1/status", headers=AUTHORIZED).json() == {"version": "1"}
    assert client_of(tokens=()).get("/api/v1/status").status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        TOKEN,
        "Bearer \x80",
    ],
)
def test_requests__without_the_token__are_refused_and_reach_nobody(header: str | None) -> None:
    desk = Desk()
    headers = {b"content-type": b"application/json"}
    if header is not None:
        headers[b"authorization"] = header.encode("latin-1")
    answer = client_of(desk=desk).post("/api/v1/requests", content="{}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert desk.taken == []


def test_requests__no_token_configured__nobody_may_send_any() -> None:
    desk = Desk()
    answer = request(client_of(desk=desk, tokens=()))
    assert answer.status_code == 403
    assert "token_file" in answer.json()["error"]["advice"]
    assert desk.taken == []


def test_requests__second_token__opens_too() -> None:
    desk = Desk()
    client = client_of(desk=desk, tokens=["another-token-of-some-length", TOKEN])
    assert request(client).status_code == 202
    assert request(client, headers={"authorization": "bearer another-token-of-some-length"}).status_code == 202


@pytest.mark.parametrize("token", ["qwertz", "x" * 19, "two words but long enough", "ümläut-token-of-some-length"])
def test_build_app__token_that_is_no_secret__is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client_of(tokens=[token])
    assert token not in str(caught.value.message) + caught.value.advice


def test_tokens__comments_and_empty_lines_of_a_file__are_none() -> None:
    assert client_of(tokens=["# for the guardians", "", "  "]).get("/api/v1/status").status_code == 200


# ---- requests


def test_requests__accepted__reaches_the_desk_as_it_was_sent() -> None:
    desk = Desk()
    answer = request(client_of(desk=desk), {"fund": "usd"})
    assert answer.status_code == 202
    assert answer.json()["request"] == "0x" + "ab" * 32
    ((body, source),) = desk.taken
    assert json.loads(body) == {"fund": "usd"}
    assert source.startswith("http testclient token ")
    assert TOKEN not in source


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("malformed", 400), ("bad_signature", 403), ("wrong_chain", 422), ("wrong_contract", 422),
        ("unknown_fund", 422), ("expired", 422), ("replayed", 409), ("wrong_role", 403), ("too_often", 429),
        ("too_early", 422), ("too_long", 422), ("new", 403),
    ],
)  # fmt: skip
def test_requests__refused__says_reason_and_advice(reason: str, status: int) -> None:
    desk = Desk(RequestRefused(reason, "no", advice="Sign a new one."))
    answer = request(client_of(desk=desk))
    assert answer.status_code == status
    assert answer.json() == {"error": {"code": reason, "message": "no", "advice": "Sign a new one."}}


def test_requests__store_that_fails__may_be_sent_again() -> None:
    answer = request(client_of(desk=Desk(StoreError("locked", advice="Wait."))))
    assert answer.status_code == 503


def test_requests__keeper_without_a_desk__says_so() -> None:
    assert request(client_of(desk=None)).status_code == 503


def test_requests__too_large__is_cut_off() -> None:
    desk = Desk()
    client = client_of(desk=desk)
    assert request(client, "x" * LARGEST_BODY).status_code == 413
    assert desk.taken == []
    assert request(client, "x" * (LARGEST_BODY - 2)).status_code == 202


def test_requests__other_content__is_refused() -> None:
    desk = Desk()
    answer = request(client_of(desk=desk), headers={"content-type": "text/plain"})
    assert (answer.status_code, desk.taken) == (415, [])


def test_requests__too_many__wait_a_minute() -> None:
    clock = Moving()
    client = client_of(desk=Desk(), clock=clock)
    assert [request(client).status_code for _ in range(REQUESTS_A_MINUTE + 1)] == [202] * REQUESTS_A_MINUTE + [429]
    clock.at += 60
    assert request(client).status_code == 202


def test_requests__guessed_tokens__are_slowed_down_and_do_not_lock_the_owner_out() -> None:
    client = client_of(desk=Desk())
    codes = [
        request(client, headers={"authorization": f"Bearer {n}"}).status_code for n in range(FAILURES_A_MINUTE + 1)
    ]
    assert codes == [401] * FAILURES_A_MINUTE + [429]
    assert request(client).status_code == 202


# ---- the web


def test_routes__asked_with_get__change_nothing() -> None:
    app = build_app(Keeper(), Desk(), Text(), (TOKEN,))
    own = {route.path: set(route.methods or ()) for route in app.routes if isinstance(route, APIRoute)}
    api = {path: {method.upper() for method in said} for path, said in app.openapi()["paths"].items()}
    assert own | api == {
        "/livez": {"GET"}, "/readyz": {"GET"}, "/healthz": {"GET"}, "/metrics": {"GET"}, "/api/v1/status": {"GET"},
        "/api/v1/requests": {"POST"},
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/", "/static/x"])
def test_paths__beside_the_routes__are_none(path: str) -> None:
    answer = client_of().get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_path"


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/metrics", "/api/v1/status", "/nowhere"])
def test_answers__every_one__carries_the_security_headers(path: str) -> None:
    answer = client_of().get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_answers__wrong_method__is_json_too() -> None:
    answer = client_of().get("/api/v1/requests")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "wrong_method")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9187", "127.0.0.1.evil.example", "[::2]:9187"])
def test_answers__called_by_another_name__are_refused(host: str) -> None:
    assert client_of().get("/api/v1/status", headers={"host": host, **AUTHORIZED}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "localhost:9187", "127.0.0.1:1", "[::1]:9187", "[::1]"])
def test_answers__called_by_its_address__are_given(host: str) -> None:
    assert client_of().get("/livez", headers={"host": host}).status_code == 200


def test_answers__hosts_left_open__are_given_by_any_name() -> None:
    app = build_app(Keeper(), None, Text(), (), hosts=None)
    assert TestClient(app, base_url="http://keeper.example").get("/livez").status_code == 200


def test_answers__secret_that_slipped_into_a_text__is_hidden() -> None:
    register_secrets("hunter2-hunter2")
    keeper = Keeper(checks=(Check("store", ok=False, detail="no login with hunter2-hunter2"),))
    text = client_of(keeper).get("/readyz").text
    assert "hunter2" not in text
    assert "no login with ***" in text


def test_defect__in_a_view__is_500_without_its_text() -> None:
    class Broken(Keeper):
        def health(self) -> Any:
            raise ValueError("internal 0xsecret")

    answer = client_of(Broken()).get("/healthz")
    assert answer.status_code == 500
    assert "secret" not in answer.text
