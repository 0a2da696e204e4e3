"""Files to take away: every row that matches, whatever page it is on; evidence with its proof; nothing else."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from navoracle.dashboard import addresses
from navoracle.dashboard.exports import SUBJECTS, add_exports
from navoracle.dashboard.pages import operations
from navoracle.domain.units import Timestamp
from navoracle.read_model.model import ReadModel
from navoracle.storage import SqlStore
from navoracle.store_port import Event, Severity, SlotOutcome, SlotState
from tests.unit.read_model.worlds import World
from tests.unit.storage.builders import NOW, claim, empty_sqlite_store, frame_of, fund_frame, record, valuation_of

EVENTS = 1_203
"""More than two pages of the largest size."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadModel]:
    with SqlStore.open(empty_sqlite_store(tmp_path_factory.mktemp("exports") / "keeper.db")) as store:
        with store.transaction():
            for number in range(EVENTS):
                severity = Severity.CRITICAL if number % 100 == 0 else Severity.INFO
                fund = "alpha" if number % 3 == 0 else "beta"
                store.append_event(Event(Timestamp(NOW + number), "told", fund, severity, f"=event {number}"))
        record(store, frame_of("f1", fund_frame("alpha", valuation_of({"x": 5}))))
        store.finish_slot(claim(store), SlotOutcome(SlotState.HELD, "step_limit", "f1", None), Timestamp(NOW + 9))
        yield World(store, Path("nowhere")).model()


@pytest.fixture(scope="module")
def client(model: ReadModel) -> TestClient:
    app = FastAPI()
    add_exports(app, model)
    return TestClient(app)


def test_export__more_than_a_page__has_every_row_once(client: TestClient) -> None:
    lines = client.get(addresses.table_file("events", "jsonl")).text.splitlines()
    assert [json.loads(line)["message"] for line in lines] == [f"=event {n}" for n in reversed(range(EVENTS))]


def test_export__csv__has_a_header_once_and_no_formula(client: TestClient) -> None:
    answer = client.get(addresses.table_file("events", "csv"))
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == EVENTS
    assert rows[0]["message"] == f"'=event {EVENTS - 1}"
    assert answer.headers["content-disposition"] == 'attachment; filename="events.csv"'


def test_export__filters__are_those_of_the_page(client: TestClient) -> None:
    address = addresses.table_file("events", "jsonl", fund="alpha", severity="critical", text="event 9")
    assert [json.loads(line)["message"] for line in client.get(address).text.splitlines()] == ["=event 900"]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_export__every_subject__is_a_table_with_its_columns(client: TestClient, subject: str, form: str) -> None:
    answer = client.get(addresses.table_file(subject, form))
    assert answer.status_code == 200
    if form == "csv":
        assert answer.text.splitlines()[0].split(",") == list(SUBJECTS[subject].model_fields)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/dashboard/exports/secrets.csv", 404),
        ("/dashboard/exports/events.html", 404),
        ("/dashboard/exports/events.csv?severity=loud", 400),
        ("/dashboard/exports/evidence/f1/nobody.zip", 404),
        ("/dashboard/exports/evidence/..%2f..%2f/alpha.zip", 404),
    ],
)
def test_export__of_nothing_there_is__is_refused(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_export__other_method__changes_nothing(client: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert client.request(method, "/dashboard/exports/events.csv").status_code == 405


def test_evidence__of_a_fund__is_the_document_with_its_proof(client: TestClient) -> None:
    answer = client.get(addresses.evidence_file("f1", "alpha"))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.read("evidence.json") == b"evidence of alpha in f1"
        assert json.loads(archive.read("proof.json"))["fund"] == "alpha"


def test_operations__parameters__are_taken_from_the_address_where_they_are_some() -> None:
    assert operations.parameters({"text": "x", "severity": "critical", "fund": "a"}) == operations.Asked(
        text="x", severity="critical", fund="a"
    )
    assert operations.parameters({"severity": "loud"}) == operations.Asked()


def test_operations__filters__narrow_slots_and_events(model: ReadModel) -> None:
    found = operations.load(model, operations.Asked(fund="alpha", severity="critical", state=SlotState.HELD))
    assert (found.events.total, found.slots.total) == (5, 1)
    assert operations.load(model, operations.Asked(fund="beta")).slots.total == 0
    assert operations.load(model, operations.Asked(state=SlotState.POSTED)).slots.total == 0


def test_operations__past_the_newest_page__shows_the_next_rows(model: ReadModel) -> None:
    first = operations.load(model, operations.Asked())
    second = operations.load(model, operations.Asked(event_cursor=first.events.next))
    assert second.events.items[0].id == first.events.items[-1].id - 1
