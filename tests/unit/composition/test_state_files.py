"""State files wired up: a configuration in, files of its frames out, and the currency of reports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.composition.service import RunningService, open_service
from navoracle.composition.state_files import place_of
from navoracle.config.loading import load_config
from navoracle.config.models import Config
from navoracle.domain.cadence import Cadence
from navoracle.domain.units import WAD, Timestamp, to_wad
from navoracle.keeper.verify import verify_document
from navoracle.positions import PositionModel
from navoracle.state_files.facts import Place
from navoracle.state_files.reader import read_index, read_set
from navoracle.storage import SqlStore
from tests.unit.addresses import address
from tests.unit.keeper.service_world import MachineClock
from tests.unit.keeper.world import position
from tests.unit.storage.builders import empty_sqlite_store

HOUR = 3_600
START = Timestamp(1_700_000_000 // HOUR * HOUR + HOUR)

LOAN = {
    "name": "loan", "label": "LOAN", "positions": ["eth", "loan"], "target_ltv": "0.5", "max_ltv": "0.8",
    "liquidation_threshold": "0.85", "liquidation_bonus": "0.05", "close_factor": "0.5",
    "ltv": {"warning": "0.6", "critical": "0.7"},
}  # fmt: skip
LIMITS: dict[str, Any] = {
    **dict.fromkeys(("max_leverage", "max_exposure", "max_drawdown", "max_funding_cost")),
    "warning_part": "0.6",
}


def settings(folder: Path, **changes: Any) -> Config:
    """A levered fund priced by recorded series, with everything that its files can tell."""
    for name, price in {"eth": "2000", "usdc": "1", "zar": "0.055"}.items():
        rows = "".join(f"{at},{price}\n" for at in range(START - HOUR, START + 4 * HOUR, 60))
        (folder / f"{name}.csv").write_text(f"timestamp,price\n{rows}")
    said = {
        "recorded": {name: {"file": f"{name}.csv", "step": 60} for name in ("eth", "usdc", "zar")},
        "assets": {
            name.upper(): {
                "min_sources": 1,
                "sources": [{"kind": "recorded", "group": "market", "series": name, "max_age": 300}],
            }
            for name in ("eth", "usdc", "zar")
        },
        "reporting": {"currency": "ZAR", "asset": "ZAR", "fallback": "18"},
        "state_files": {"folder": "state", "venues": {"alpha.cash": "custodian"}, "fsync": False},
        "service": {"http": {"enabled": False}, "events": {"folder": "events"}},
        "funds": {
            "alpha": {
                "id": 1,
                "supply": {"kind": "fixed", "shares": "1000"},
                "positions": [
                    {"kind": "declared", "id": "eth", "asset": "ETH", "component": "collateral", "amount": "1"},
                    {"kind": "declared", "id": "cash", "asset": "USDC", "component": "cash", "amount": "500"},
                    {"kind": "declared", "id": "loan", "asset": "USDC", "component": "debt", "amount": "900"},
                ],
                "risk": {
                    "mode": "pure_lending",
                    "lending": [LOAN],
                    "limits": LIMITS,
                    "stress": [{"name": "crash", "assets": ["ETH"], "falls": ["0.2", "0.5"]}],
                },
            }
        },
        **changes,
    }
    file = folder / "navoracle.yaml"
    file.write_text(yaml.safe_dump(said))
    return load_config(file, {})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as opened:
        yield opened


@asynccontextmanager
async def running(config: Config, store: SqlStore, folder: Path, **changes: Any) -> AsyncIterator[RunningService]:
    clock = MachineClock(START)
    async with open_service(
        config, clock=clock, store=store, live=False, events_folder=folder / "events", **changes
    ) as opened:
        yield opened


async def slot(service: RunningService) -> None:
    """Work one slot off, and let the job write."""
    runner = service.system.runner_or_fail()
    await runner.run(["alpha"], START, Cadence.HOURLY)
    await write(service)


async def write(service: RunningService) -> None:
    (job,) = [job for _, name, job in service.service.jobs() if name == "state files"]
    await job()


async def test_service__after_a_slot__has_written_the_funds_files(tmp_path: Path, store: SqlStore) -> None:
    async with running(settings(tmp_path), store, tmp_path) as service:
        await slot(service)
        found = read_set(tmp_path / "state", "alpha")
    (row,) = store.fund_frames(fund="alpha")
    assert row.values is not None
    assert found["nav_state.json"]["frame"] == row.frame
    assert to_wad(found["nav_state.json"]["nav"]) == row.values.nav_after == to_wad("1600")
    fx, aum = found["nav.json"]["fx"], found["nav.json"]["aum"]
    assert to_wad(fx["usd_zar"]) == WAD * WAD // to_wad("0.055")
    assert (fx["source"], fx["fallback"]) == ("live", False)
    assert to_wad(aum["total_reporting"]) == to_wad("2500") * to_wad(fx["usd_zar"]) // WAD
    assert [(piece["label"], piece["usd"]) for piece in aum["by_venue"]] == [("declared", "2000"), ("custodian", "500")]
    risk = found["risk.json"]
    assert (risk["risk_status"], risk["lending"][0]["ltv"]) == ("safe", "0.45")
    assert (risk["is_complete"], risk["health"], risk["error_rate"]) == (True, "healthy", "0")
    assert [(line["fall"], line["nav"], line["liquidated"]) for line in risk["stress"]] == [
        ("0.2", "1200", []),
        ("0.5", "577.5", ["alpha.risk.loan"]),  # 450 are repaid, 472.5 seized
    ]
    assert read_index(tmp_path / "state")["funds"]["alpha"]["frame"] == row.frame


async def test_evidence__of_a_fund_that_is_told_in_another_currency__verifies(tmp_path: Path, store: SqlStore) -> None:
    async with running(settings(tmp_path), store, tmp_path) as service:
        await slot(service)
    (row,) = store.fund_frames(fund="alpha")
    evidence = store.evidence(row.frame, "alpha")
    verified = verify_document(evidence, plan_from_evidence)
    assert verified.fund == "alpha"
    assert b'"reporting":"ZAR"' in evidence


async def test_fund__whose_reporting_currency_has_no_price__is_valued_and_told_by_the_fallback(
    tmp_path: Path, store: SqlStore
) -> None:
    config = settings(tmp_path)
    (tmp_path / "zar.csv").write_text(f"timestamp,price\n{START - 10 * HOUR},0.055\n")
    async with running(config, store, tmp_path) as service:
        await slot(service)
    found = read_set(tmp_path / "state", "alpha")
    assert found["nav_state.json"]["status"] == "live"
    assert (found["nav.json"]["fx"]["usd_zar"], found["nav.json"]["fx"]["fallback"]) == ("18", True)
    assert found["nav.json"]["fx"]["reason"]


async def test_look__between_slots__updates_the_files_and_is_no_slot(tmp_path: Path, store: SqlStore) -> None:
    async with running(settings(tmp_path), store, tmp_path) as service:
        await slot(service)
        await service.system.runner_or_fail().look(["alpha"])
        await write(service)
        found = read_set(tmp_path / "state", "alpha")["nav_state.json"]
    assert found["source"] == "look"
    assert [point["source"] for point in found["series"]] == ["slot", "look"]
    assert len(store.fund_frames(fund="alpha")) == 1


async def test_service__stopped_before_its_job_ran__has_written_all_the_same(tmp_path: Path, store: SqlStore) -> None:
    async with running(settings(tmp_path), store, tmp_path) as service:
        await service.system.runner_or_fail().run(["alpha"], START, Cadence.HOURLY)
        assert read_set(tmp_path / "state", "alpha") == {}
    assert read_set(tmp_path / "state", "alpha")["nav_state.json"]["nav"] == "1600"


async def test_service__whose_folder_cannot_be_written__raises_an_alert_until_it_can(
    tmp_path: Path, store: SqlStore
) -> None:
    (tmp_path / "state").write_text("in the way")
    async with running(settings(tmp_path), store, tmp_path) as service:
        await slot(service)

        def alerts() -> set[str]:
            return {row.rule for row in service.alerts.open_alerts()}

        assert "StateFilesFailing" in alerts()
        assert b"navoracle_state_files_ok 0.0" in service.metrics.render()
        assert len(store.fund_frames(fund="alpha")) == 1  # the slot went on
        (tmp_path / "state").unlink()
        await write(service)
        assert "StateFilesFailing" not in alerts()
        assert b"navoracle_state_files_ok 1.0" in service.metrics.render()
    assert read_set(tmp_path / "state", "alpha")["nav_state.json"]["nav"] == "1600"


async def test_service__started_again_without_its_files__has_the_points_of_the_database(
    tmp_path: Path, store: SqlStore
) -> None:
    config = settings(tmp_path)
    async with running(config, store, tmp_path) as service:
        await slot(service)
        frame = read_set(tmp_path / "state", "alpha")["nav_state.json"]["frame"]
    async with running(config, store, tmp_path, state_folder=tmp_path / "other") as service:
        await service.system.runner_or_fail().look(["alpha"])
        await write(service)
    series = read_set(tmp_path / "other", "alpha")["nav_state.json"]["series"]
    assert [point["frame"] for point in series][:1] == [frame]
    assert [point["source"] for point in series] == ["slot", "look"]


async def test_service__without_the_section__has_no_such_job(tmp_path: Path, store: SqlStore) -> None:
    config = settings(tmp_path).model_copy(update={"state_files": None})
    async with running(config, store, tmp_path) as service:
        assert "state files" not in {name for _, name, _ in service.service.jobs()}


async def test_job__writes_away_from_the_loop(tmp_path: Path, store: SqlStore) -> None:
    async with running(settings(tmp_path), store, tmp_path) as service:
        await service.system.runner_or_fail().run(["alpha"], START, Cadence.HOURLY)
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        await write(service)
        ticking.cancel()
        assert ticks > 1


def test_place__of_a_reader__is_its_exchange_its_kind_or_a_wallet() -> None:
    native = position("native", "a.native", "ETH", chain="main", holder=address(1), component="cash")
    declared = position("declared", "a.declared", "ETH", component="cash", amount="1")
    exchange: Any = TypeAdapter(PositionModel).validate_python(
        {
            "kind": "exchange_balance",
            "id": "a.spot",
            "exchange": "binance",
            "currencies": [{"currency": "ETH", "asset": "ETH"}],
        }
    )
    assert place_of(native, {}) == Place("wallet", "main")
    assert place_of(declared, {}) == Place("declared", None)
    assert place_of(exchange, {}) == Place("binance", None, at_exchange=True)
    assert place_of(exchange, {"a.spot": "desk"}) == Place("desk", None, at_exchange=True)
