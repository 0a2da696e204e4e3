"""The read model of a running keeper: what it shows equals files and store, and its verification is the real one."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from navoracle.composition import service as wiring
from navoracle.composition.cadence import watch_of
from navoracle.composition.read_model import KeeperLive, read_model_of
from navoracle.composition.service import RunningService
from navoracle.composition.state_files import state_folder_of
from navoracle.domain.breaker import Breaker, BreakerState
from navoracle.domain.units import WAD, Timestamp, to_wad
from navoracle.read_model import evidence
from navoracle.read_model.model import ReadModel
from navoracle.state_files.documents import ADAPTERS
from navoracle.state_files.reader import read_set
from navoracle.storage import SqlStore, tables
from navoracle.store_port import BreakerSubject
from tests.unit.composition.test_state_files import START, running, settings, slot
from tests.unit.storage.builders import database_of, empty_sqlite_store
from tests.unit.web_service.fakes import Keeper


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as opened:
        yield opened


@pytest.fixture
async def service(tmp_path: Path, store: SqlStore) -> AsyncIterator[RunningService]:
    async with running(settings(tmp_path), store, tmp_path) as opened:
        await slot(opened)
        yield opened


@pytest.fixture
def model(service: RunningService, store: SqlStore, tmp_path: Path) -> ReadModel:
    system = service.system
    return read_model_of(system.subject, store, system.clock, state_folder=tmp_path / "state")


def test_fund__of_a_running_keeper__equals_its_files(model: ReadModel, tmp_path: Path) -> None:
    found, files = model.fund("alpha"), read_set(tmp_path / "state", "alpha")
    assert found is not None
    assert len(files) == 6
    for name, document in files.items():
        shown = getattr(found.documents, name.removesuffix(".json"))
        assert ADAPTERS[name].dump_python(shown, mode="json") == document, name
    assert found.documents.unknown == {}
    row, state = found.fund, files["nav_state.json"]
    assert (row.nav, row.price_per_share) == (str(to_wad(state["nav"])), str(to_wad(state["price_per_share"])))
    assert (row.nav, row.frame, row.updated_at) == (str(1600 * WAD), state["frame"], state["updated_at"])
    assert (row.risk_status, found.on_chain) == ("safe", None)
    assert found.unknown["/on_chain"] == "the contract serves nothing, or was not read yet"
    assert found.unknown["/next_slot"] == "no keeper runs in this process"
    assert found.latest is not None
    assert (found.latest.nav, found.latest.frame, found.posted) == (row.nav, row.frame, None)
    assert [(each.kind, each.state) for each in found.breakers] == [("fund", "closed")]


def test_fund__asset_breaker_that_is_open__is_the_funds_too(model: ReadModel, store: SqlStore) -> None:
    stopped = Breaker(state=BreakerState.OPEN, reasons=("no_majority",), since=START)
    for name in ("ETH", "ZAR"):
        assert store.save_breaker(BreakerSubject("asset", name), stopped, was=Breaker(), at=START)
    found = model.fund("alpha")
    assert found is not None
    assert [(each.kind, each.name, each.state) for each in found.breakers] == [
        ("asset", "ETH", "open"),
        ("fund", "alpha", "closed"),
    ]


def test_frame__of_a_fund__is_what_store_and_evidence_say(model: ReadModel, store: SqlStore) -> None:
    (row,) = store.fund_frames()
    found = model.frame(row.frame, "alpha")
    assert found is not None
    assert row.values is not None
    assert found.components_after is not None
    assert found.components_after.nav == found.found.nav == str(int(row.values.nav_after))
    assert found.positions is not None
    assert {each.position: each.value for each in found.positions} == {
        "alpha.eth": str(2000 * WAD),
        "alpha.cash": str(500 * WAD),
        "alpha.loan": str(900 * WAD),
    }
    assert [each.check for each in found.verdicts] == [verdict.check for verdict in row.verdicts]
    assert found.prices is not None
    eth = next(each for each in found.prices if (each.asset, each.side) == ("ETH", "asset"))
    assert (eth.price, eth.status, [vote.group for vote in eth.votes]) == (str(2000 * WAD), "live", ["market"])
    assert (eth.quotes[0].max_age, eth.quotes[0].used, eth.quotes[0].excluded) == (300, True, None)
    assert model.frame("nope", "alpha") is None


def test_price__of_an_asset__has_votes_limits_and_its_past(model: ReadModel) -> None:
    found = model.price("ETH")
    assert found is not None
    assert found.estimates is not None
    assert found.policy is not None
    assert (found.policy.min_sources, found.quotes[0].max_age, found.quotes[0].group) == (1, 300, "market")
    assert found.quotes == found.estimates[0].quotes
    assert [(point.price, point.source) for point in found.history] == [(str(2000 * WAD), "frame")]
    assert found.unknown == {"/derived": "the asset is priced by its sources"}
    assert model.price("nope") is None
    shown = model.fund_prices("alpha")
    assert shown is not None
    assert {row.asset for row in shown.items} == {"ETH", "USDC"}


def test_verify__evidence_as_it_was_written__holds(model: ReadModel, store: SqlStore) -> None:
    (row,) = store.fund_frames()
    found = model.verify(row.frame, "alpha")
    assert found is not None
    assert (found.verified, found.failure, found.evidence_hash) == (True, None, row.evidence_hash)
    assert (found.nav, found.status) == (str(1600 * WAD), "live")
    assert model.verify("nope", "alpha") is None


def test_verify__stored_figure_that_was_changed__is_named(model: ReadModel, store: SqlStore) -> None:
    (row,) = store.fund_frames()
    changed = tables.fund_frames.update().values(nav_after=int(1601 * WAD))
    with database_of(store).write() as connection:
        connection.execute(changed)
    found = model.verify(row.frame, "alpha")
    assert found is not None
    assert (found.verified, found.nav) == (False, None)
    assert found.failure is not None
    assert "the stored NAV is" in found.failure
    assert found.advice


def test_evidence__archive__holds_document_proof_and_how_to_check(model: ReadModel, store: SqlStore) -> None:
    (row,) = store.fund_frames()
    document, archive, proof = (
        model.evidence(row.frame, "alpha"), model.archive(row.frame, "alpha"), model.proof(row.frame, "alpha"),
    )  # fmt: skip
    assert document is not None
    assert archive is not None
    assert proof is not None
    with zipfile.ZipFile(BytesIO(archive)) as packed:
        assert packed.read("evidence.json") == document
        assert json.loads(packed.read("proof.json")) == proof.model_dump(mode="json")
        assert f"--hash {row.evidence_hash}" in packed.read("README.txt").decode()
    assert (proof.evidence_hash, proof.bytes) == (row.evidence_hash, len(document))
    assert archive == model.archive(row.frame, "alpha"), "the same evidence is the same archive"
    assert model.evidence("nope", "alpha") is None


def test_evidence__of_another_version__leaves_the_figures_and_says_why(
    model: ReadModel, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "EVIDENCE_FORMAT", 3)
    (row,) = store.fund_frames()
    found, price = model.frame(row.frame, "alpha"), model.price("ETH")
    assert found is not None
    assert (found.found.nav, found.positions, found.prices) == (str(1600 * WAD), None, None)
    assert "cannot be read" in found.unknown["/positions"]
    assert price is not None
    assert (price.estimates, price.quotes[0].max_age, price.quotes[0].price) == (None, None, str(2000 * WAD))


async def test_live__running_keeper__tells_next_slot_and_checks(service: RunningService, store: SqlStore) -> None:
    system = service.system
    watch = watch_of(system.config, START)
    live = KeeperLive(system, service.observer, Keeper(), watch, system.clock)
    regular = live.next_slot("alpha")
    assert (regular.cadence, regular.slot_time) == ("hourly", START + 3_600)
    watch.ask("alpha", "somebody asked", Timestamp(START))
    asked = live.next_slot("alpha")
    assert (asked.cadence, asked.slot_time, asked.reasons) == ("emergency", START, ["somebody asked"])
    assert [check.name for check in live.checks()] == ["store", "rpc:main"]
    assert (live.nodes(), live.lanes()) == ((), ())
    found = read_model_of(system.subject, store, system.clock, state_folder=None, live=live).operations()
    assert (found.live, found.unknown, found.slots_of_the_day) == (True, {}, {"skipped": 1})


def test_state_folder__of_a_configuration__is_its_own_or_the_one_instead(tmp_path: Path) -> None:
    config = settings(tmp_path)
    assert state_folder_of(config) == tmp_path / "state"
    assert state_folder_of(config, tmp_path / "x") == tmp_path / "x"
    assert state_folder_of(config.model_copy(update={"state_files": None}), tmp_path / "x") is None


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 200), ("0.0.0.0", 403)])
async def test_service__by_where_it_listens__lets_others_read_or_not(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch, host: str, status: int
) -> None:
    served: list[FastAPI] = []

    @asynccontextmanager
    async def serve(app: FastAPI, *_where: object, **_how: object) -> AsyncIterator[int]:
        served.append(app)
        yield 1

    monkeypatch.setattr(wiring, "serving", serve)
    service = {"http": {"host": host}, "events": {"folder": "events"}}
    async with running(settings(tmp_path, service=service), store, tmp_path) as opened:
        await slot(opened)
        client = TestClient(served[0], base_url="http://127.0.0.1")
        answers = [await asyncio.to_thread(client.get, path) for path in ("/api/v1/funds", "/metrics", "/livez")]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    if status == 200:
        (row,) = answers[0].json()["items"]
        assert (row["fund"], row["nav"], row["unknown"]["/chain"]) == (
            "alpha",
            str(1600 * WAD),
            "the fund is on no chain",
        )
