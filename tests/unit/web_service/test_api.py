"""The API: who may ask, what is answered, when nothing has changed, and that no question changes anything."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient

from navoracle.domain.units import WAD, Timestamp
from navoracle.live_secrets import forget_secrets, register_secrets
from navoracle.storage import SqlStore
from navoracle.store_port import Event, Severity, SlotOutcome, SlotState
from navoracle.web_service import build_app
from navoracle.web_service.access import FAILURES_A_MINUTE, READS_A_MINUTE
from tests.unit.read_model.worlds import Running, World, entry, facts, write_index
from tests.unit.storage.builders import (
    NOW,
    alert_row,
    batch_of,
    claim,
    content_of,
    empty_sqlite_store,
    frame_of,
    fund_frame,
    post_of,
    prepare,
    record,
    valuation_of,
)
from tests.unit.web_service.fakes import TOKEN, Desk, Keeper, Text

AUTHORIZED = {"authorization": f"Bearer {TOKEN}"}
API = "/api/v1"
FRAME = f"{API}/frames/f1/funds/alpha"
READS = [
    "/funds", "/funds/alpha", "/funds/alpha/history", "/funds/alpha/frames", "/funds/alpha/posts", "/funds/alpha/slots",
    "/funds/alpha/events", "/funds/alpha/risk", "/funds/alpha/prices", "/frames/f1/funds/alpha",
    "/frames/f1/funds/alpha/evidence", "/frames/f1/funds/alpha/evidence.zip", "/frames/f1/funds/alpha/proof", "/prices",
    "/prices/USDC", "/posts", "/transactions", "/requests", "/slots", "/risk", "/events", "/alerts", "/operations",
    "/openapi.json", "/docs",
]  # fmt: skip
"""Every path that is asked with GET and answered with a tag."""


class Still:
    """A clock that stands."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


class Hurrying(Still):
    """A clock by which a minute passes between any two questions, so that nobody ever asks too often."""

    def __call__(self) -> float:
        self.at += 60
        return self.at


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    yield
    forget_secrets()


def filled(folder: Path) -> Iterator[World]:
    """A fund with a frame, a post, a slot, events and an alert, and another one that was never valued."""
    with SqlStore.open(empty_sqlite_store(folder / "keeper.db")) as store:
        funds = {name: facts(name, "main", "USDC") for name in ("alpha", "beta")}
        made = World(store, folder / "state", funds, Running())
        write_index(folder / "state", {"alpha": entry(), "beta": entry(status="halted", reason="no_quorum")})
        record(store, frame_of("f1", fund_frame("alpha", valuation_of({"x": 5})), fund_frame("beta", None)))
        prepare(store, "f1", batch_of(post_of("alpha", 1)))
        store.finish_slot(
            claim(store, at=NOW + 60), SlotOutcome(SlotState.HELD, "step", "f1", None), Timestamp(NOW + 61)
        )
        store.append_event(Event(NOW, "slot_held", "alpha", Severity.WARNING, "=1+1", "Look.", {"a": 1}))
        store.append_event(Event(NOW, "started", None, Severity.INFO, "begun"))
        store.save_alert(alert_row("FundHalted:alpha/x", "halted"))
        yield made


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """What the tests share that only ask."""
    yield from filled(tmp_path_factory.mktemp("world"))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    """What a test has for itself, to change it."""
    yield from filled(tmp_path)


@pytest.fixture(scope="module")
def document(world: World) -> Any:
    """The OpenAPI document."""
    return client_of(world).get(f"{API}/openapi.json").json()


def client_of(
    world: World,
    tokens: tuple[str, ...] = (),
    *,
    on_loopback: bool = True,
    clock: Still | None = None,
    hosts: tuple[str, ...] | None = ("127.0.0.1",),
) -> TestClient:
    """A client of an app; apps with the hurrying clock are made once for each world, because making one takes long."""
    key = (tokens, on_loopback, hosts)
    known = world.clients.get(key) if clock is None else None
    if known is None:
        app = build_app(
            Keeper(), Desk(), Text(), tokens, model=world.model(), hosts=hosts, on_loopback=on_loopback,
            monotonic=clock or Hurrying(),
        )  # fmt: skip
        known = TestClient(app, base_url="http://127.0.0.1:9187", raise_server_exceptions=False)
        if clock is None:
            world.clients[key] = known
    return known


# ---- every path


@pytest.mark.parametrize("path", READS)
def test_get__every_path__is_answered_with_a_tag_and_then_with_304(world: World, path: str) -> None:
    client = client_of(world)
    first = client.get(API + path)
    assert first.status_code == 200, first.text
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(API + path, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(API + path, headers={"if-none-match": '"other"'}).status_code == 200


def test_get__every_path__is_in_the_document_and_among_those_that_are_tried(document: Any) -> None:
    paths = document["paths"]
    named = {
        path.removeprefix(API).replace("{fund}", "alpha").replace("{frame}", "f1").replace("{asset}", "USDC")
        for path, methods in paths.items()
        if "get" in methods
    }
    assert named == {*READS, "/status", "/stream"} - {"/openapi.json", "/docs"}


@pytest.mark.parametrize("path", [path for path in READS if not path.endswith((".zip", "evidence", "/docs", ".json"))])
def test_get__every_record__is_as_the_document_says(world: World, document: Any, path: str) -> None:
    client = client_of(world)
    names = (("alpha", "{fund}"), ("/f1/", "/{frame}/"), ("USDC", "{asset}"))
    template = API + path
    for name, place in names:
        template = template.replace(name, place)
    schema = document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(
        client.get(API + path).json()
    )


@pytest.mark.parametrize("path", READS)
def test_get__every_path__changes_nothing(world: World, path: str) -> None:
    before = content_of(world.store)
    client_of(world).get(API + path)
    assert content_of(world.store) == before


@pytest.mark.parametrize(
    "path",
    ["/funds/nope", "/funds/nope/history", "/funds/nope/frames", "/funds/nope/posts", "/funds/nope/slots",
     "/funds/nope/events", "/funds/nope/risk", "/funds/nope/prices", "/frames/f2/funds/alpha", "/frames/f1/funds/nope",
     "/frames/f2/funds/alpha/evidence", "/frames/f2/funds/alpha/evidence.zip", "/frames/f2/funds/alpha/proof",
     "/prices/nope"],
)  # fmt: skip
def test_get__name_that_is_not_there__is_404_with_advice(world: World, path: str) -> None:
    answer = client_of(world).get(API + path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert answer.json()["error"]["advice"]


@pytest.mark.parametrize(
    "query",
    ["/funds?limit=0", "/funds?limit=501", "/funds?offset=-1", "/funds?sort=colour", "/slots?cursor=x",
     "/slots?state=x", "/events?since=-1", "/events?text=a%00b", "/funds?status=good",
     "/posts?cursor=WzEuNV0", "/events?format=xml"],
)  # fmt: skip
def test_get__question_that_cannot_be_read__is_422_in_the_usual_form(world: World, query: str) -> None:
    answer = client_of(world).get(API + query)
    assert answer.status_code == 422
    assert set(answer.json()["error"]) == {"code", "message", "advice"}


# ---- what is answered


def test_funds__by_the_api__are_filtered_sorted_and_paged(world: World) -> None:
    client = client_of(world)
    page = client.get(f"{API}/funds", params={"sort": "fund", "descending": True, "limit": 1}).json()
    assert ([row["fund"] for row in page["items"]], page["total"], page["next"]) == (["beta"], 2, 1)
    assert client.get(f"{API}/funds", params={"status": "halted"}).json()["items"][0]["fund"] == "beta"
    assert client.get(f"{API}/funds", params={"text": "quorum"}).json()["total"] == 1
    assert client.get(f"{API}/funds").json()["items"][0]["nav"] == str(10_005 * WAD // 10)


def test_history__of_a_fund__marks_holds(world: World) -> None:
    page = client_of(world).get(f"{API}/funds/alpha/history").json()
    held = page["items"][0]
    assert (held["state"], held["nav"], held["status"]) == ("held", str(5 * WAD), "live")
    assert held["annotations"] == [{"kind": "hold", "text": "held: step"}]
    assert client_of(world).get(f"{API}/funds/alpha/history?state=posted").json()["total"] == 0


def test_cursors__through_the_api__lead_through_all_rows(world: World) -> None:
    client = client_of(world)
    found: list[int] = []
    cursor = None
    for _ in range(5):
        page = client.get(f"{API}/events", params={"limit": 1, **({} if cursor is None else {"cursor": cursor})}).json()
        found += [row["id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == [2, 1]
    assert cursor is None


@pytest.mark.parametrize(("query", "accept"), [("?format=csv", "*/*"), ("", "text/csv"), ("?limit=1", "text/csv;q=1")])
def test_events__as_csv__are_all_rows_and_no_formula(world: World, query: str, accept: str) -> None:
    answer = client_of(world).get(f"{API}/events{query}", headers={"accept": accept})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    begun, held = csv.DictReader(StringIO(answer.text))
    assert (begun["message"], held["message"], held["data"]) == ("begun", "'=1+1", '{"a": 1}')


def test_history__as_json_lines__is_one_object_a_line(world: World) -> None:
    answer = client_of(world).get(f"{API}/funds/alpha/history", headers={"accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["state"] for line in lines] == ["held", "claimed"]
    assert lines == client_of(world).get(f"{API}/funds/alpha/history").json()["items"]


def test_evidence__by_the_api__is_byte_for_byte_what_is_stored(world: World) -> None:
    register_secrets("evidence of alpha")  # a secret in it was hidden before it was hashed: nothing may be hidden now
    answer = client_of(world).get(f"{FRAME}/evidence")
    assert answer.content == world.store.evidence("f1", "alpha")
    assert answer.headers["content-type"] == "application/json"


def test_answers__secret_that_slipped_into_a_text__is_hidden(own: World) -> None:
    secret = "s3cret-of-some-length-0123456789"
    register_secrets(secret)
    own.store.append_event(Event(NOW, "k", None, Severity.INFO, f"key {secret}"))
    own.store.save_alert(alert_row("Secret:x", f"key {secret}"))
    client = client_of(own)
    assert "key" in client.get(f"{API}/alerts").text
    assert secret not in client.get(f"{API}/alerts").text
    assert secret not in client.get(f"{API}/events").text + client.get(f"{API}/events?format=csv").text


def test_operations__of_a_running_keeper__are_nodes_lanes_and_checks(own: World) -> None:
    document = client_of(own).get(f"{API}/operations").json()
    assert (document["nodes"][0]["state"], document["lanes"][0]["next_nonce"]) == ("alive", 3)
    assert (document["open_alerts"], document["open_posts"]) == (1, 1)
    own.live = None
    document = client_of(own, clock=Still()).get(f"{API}/operations").json()
    assert (document["nodes"], document["unknown"]["/lanes"]) == (None, "no keeper runs in this process")


def test_fund__of_a_running_keeper__has_its_next_slot(world: World) -> None:
    document = client_of(world).get(f"{API}/funds/alpha").json()
    assert document["next_slot"] == {"slot_time": NOW + 60, "cadence": "emergency", "reasons": ["alpha moved"]}
    assert document["documents"]["unknown"]["/nav"] == "the fund has no state files yet"


# ---- what is asked for with POST


def test_verify__a_frame__runs_the_verification_once(own: World) -> None:
    answer = client_of(own).post(f"{FRAME}/verify")
    assert (answer.status_code, answer.json()["verified"]) == (200, True)
    assert own.verified == [("f1", "alpha")]
    assert client_of(own).post(f"{API}/frames/f9/funds/alpha/verify").status_code == 404


def test_verify__asked_by_a_page_of_another_origin__is_refused(own: World) -> None:
    for origin, status in (("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:9187", 200)):
        assert client_of(own).post(f"{FRAME}/verify", headers={"origin": origin}).status_code == status
    assert len(own.verified) == 1


def test_acknowledge__open_alert__is_taken_care_of_and_told(own: World) -> None:
    client = client_of(own, (TOKEN,))
    path = f"{API}/alerts/FundHalted:alpha/x/acknowledge"
    answer = client.post(path, json={"by": "ops"}, headers=AUTHORIZED)
    assert (answer.status_code, answer.json()) == (200, {"key": "FundHalted:alpha/x", "by": "ops", "at": NOW + 100})
    (row,) = own.store.alerts()
    assert (row.acknowledged_by, row.acknowledged_at) == ("ops", NOW + 100)
    (told,) = own.store.events(kind="alert_acknowledged")
    assert told.event.message == "FundHalted:alpha/x: ops takes care"
    assert client.get(f"{API}/alerts?open=true", headers=AUTHORIZED).json()["items"][0]["acknowledged_by"] == "ops"


def test_acknowledge__alert_that_is_over_or_unknown__is_404_and_changes_nothing(own: World) -> None:
    own.store.save_alert(alert_row("Over:x", "halted", resolved_at=NOW))
    before = content_of(own.store)
    client = client_of(own, (TOKEN,))
    for key in ("Over:x", "Nope:y"):
        answer = client.post(f"{API}/alerts/{key}/acknowledge", json={"by": "ops"}, headers=AUTHORIZED)
        assert answer.status_code == 404
    assert content_of(own.store) == before


@pytest.mark.parametrize("body", [{}, {"by": ""}, {"by": "a\nb"}, {"by": "x" * 101}, {"by": "x", "more": 1}, []])
def test_acknowledge__without_a_proper_name__is_refused(world: World, body: object) -> None:
    answer = client_of(world, (TOKEN,)).post(f"{API}/alerts/k/acknowledge", json=body, headers=AUTHORIZED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "malformed")


def test_acknowledge__body_that_is_no_text__is_refused_in_the_usual_form(world: World) -> None:
    headers = {**AUTHORIZED, "content-type": "application/json"}
    answer = client_of(world, (TOKEN,)).post(f"{API}/alerts/k/acknowledge", content=b"\xff", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", f"{API}/funds", "GET"), ("PUT", f"{API}/requests", "GET, POST"), ("GET", f"{FRAME}/verify", "POST")],
)
def test_answers__to_a_wrong_method__name_those_that_there_are(
    world: World, method: str, path: str, allowed: str
) -> None:
    answer = client_of(world).request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


# ---- who may ask

EVERY_READ = [API + path for path in READS] + [f"{API}/status", f"{API}/stream", "/metrics"]
CHANGES = [f"{API}/alerts/FundHalted:alpha/x/acknowledge", f"{API}/requests"]
WRONG = {"authorization": f"Bearer {TOKEN}x"}


@pytest.mark.parametrize("path", [path for path in EVERY_READ if not path.endswith("/stream")])
def test_reading__by_address_and_token__is_for_those_who_may(world: World, path: str) -> None:
    def status(tokens: tuple[str, ...], headers: dict[str, str], *, on_loopback: bool) -> int:
        return client_of(world, tokens, on_loopback=on_loopback).get(path, headers=headers).status_code

    assert status((), {}, on_loopback=True) == 200
    assert status((), AUTHORIZED, on_loopback=True) == 200
    open_metrics = path == "/metrics"
    assert status((TOKEN,), {}, on_loopback=True) == (200 if open_metrics else 401)
    assert status((TOKEN,), WRONG, on_loopback=True) == (200 if open_metrics else 401)
    assert status((TOKEN,), AUTHORIZED, on_loopback=True) == 200
    assert status((), {}, on_loopback=False) == 403
    assert status((), AUTHORIZED, on_loopback=False) == 403
    assert status((TOKEN,), {}, on_loopback=False) == 401
    assert status((TOKEN,), WRONG, on_loopback=False) == 401
    assert status((TOKEN,), AUTHORIZED, on_loopback=False) == 200


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("on_loopback", [True, False])
def test_changing__without_a_right_token__is_refused_everywhere(world: World, path: str, on_loopback: bool) -> None:
    before = content_of(world.store)
    for tokens, headers, status in (((), AUTHORIZED, 403), ((TOKEN,), {}, 401), ((TOKEN,), WRONG, 401)):
        answer = client_of(world, tokens, on_loopback=on_loopback).post(path, json={"by": "x"}, headers=headers)
        assert answer.status_code == status
    assert content_of(world.store) == before


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "host"])
def test_reading__header_that_claims_loopback__opens_nothing(world: World, header: str) -> None:
    client = client_of(world, (TOKEN,), on_loopback=False, hosts=None)
    assert client.get(f"{API}/funds", headers={header: "127.0.0.1"}).status_code == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_health__bound_elsewhere__is_told_without_a_token(world: World, path: str) -> None:
    assert client_of(world, (TOKEN,), on_loopback=False).get(path).status_code == 200


def test_reading__more_than_so_often__waits_a_minute(world: World) -> None:
    clock = Still()
    client = client_of(world, clock=clock)
    for _ in range(READS_A_MINUTE):
        assert client.get(f"{API}/status").status_code == 200
    assert client.get(f"{API}/status").status_code == 429
    clock.at += 60
    assert client.get(f"{API}/status").status_code == 200


def test_reading__wrong_tokens__are_counted_and_then_refused(world: World) -> None:
    client = client_of(world, (TOKEN,), clock=Still())
    said = [client.get(f"{API}/funds", headers=WRONG).status_code for _ in range(FAILURES_A_MINUTE + 1)]
    assert said == [401] * FAILURES_A_MINUTE + [429]
    assert client.get(f"{API}/funds", headers=AUTHORIZED).status_code == 200


def test_page__of_the_api__loads_nothing_and_names_every_path(world: World) -> None:
    client = client_of(world)
    page = client.get(f"{API}/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'sha256-" in policy
    assert "<script" not in page.text
    assert "src=" not in page.text
    assert "http:" not in page.text
    assert "https:" not in page.text
    for path in client.get(f"{API}/openapi.json").json()["paths"]:
        assert f" {path}</code>" in page.text
