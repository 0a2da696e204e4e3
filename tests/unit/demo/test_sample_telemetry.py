"""The demo's sample telemetry: within its bounds at any time, taken as known by its reader, written as time goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from navoracle.composition.service import RunningService
from navoracle.demo.afterwards import pace_on
from navoracle.demo.clock import DemoClock
from navoracle.demo.run import START
from navoracle.demo.sample_telemetry import MEASURED, ORIGIN, SampleTelemetry, Wandering
from navoracle.demo.stage import SAMPLE_SECONDS, Performance
from navoracle.demo.story import HOUR, Director
from navoracle.demo.world import FUNDS, DemoWorld
from navoracle.domain.errors import ChainError
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.state_files.documents.kpis import ROUTER_FIGURES, SYMBOL_FIGURES, SYMBOL_STATES
from navoracle.state_files.external import External, ExternalFiles
from navoracle.state_files.price_ranges import regime_of

TIMES = st.integers(1, 2**32).map(Timestamp)


class Chain:
    """Blocks that are asked for."""

    now = Timestamp(0)

    def mine(self, at: Timestamp) -> None:
        self.now = at


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("telemetry")


def read(telemetry: SampleTelemetry, fund: str, now: Timestamp) -> External:
    """What the keeper reads by the configuration's own limit of age."""
    section = telemetry.section
    return ExternalFiles(section.router, section.symbols, section.execution, 900).read(fund, now)


def figures(said: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[tuple[str, Wandering, str]]:
    """Every figure that moves, by its name, with what the keeper read of it."""
    assert said.keys() == told.keys()
    for name, each in said.items():
        if isinstance(each, Wandering):
            yield name, each, told[name]
        elif isinstance(each, Mapping):
            yield from figures(each, told[name])


@given(now=TIMES)
def test_figures__at_any_time__are_known_and_within_their_bounds(folder: Path, now: Timestamp) -> None:
    telemetry = SampleTelemetry(folder)
    telemetry.write(now)
    for fund, parts in MEASURED.items():
        found = read(telemetry, fund, now)
        for part, said in parts.items():
            known = getattr(found, part)
            assert (known.reason, known.updated_at) == ("", now)
            for name, bounds, text in figures(said, known.values):
                unit = to_wad("1") // 10**bounds.places
                assert bounds.lowest * unit <= to_wad(text) <= bounds.highest * unit, name
                if name.endswith(("_ratio", "_rate")) and name != "atr_ratio":
                    assert 0 <= to_wad(text) <= to_wad("1"), name
                if name.endswith("_pct"):
                    assert 0 <= to_wad(text) <= to_wad("1"), name


@given(now=TIMES)
def test_figures__at_any_time__agree_with_one_another(folder: Path, now: Timestamp) -> None:
    telemetry = SampleTelemetry(folder)
    telemetry.write(now)
    for fund in MEASURED:
        found = read(telemetry, fund, now)
        maker, taken = (to_wad(found.router.values[name]) for name in ("maker_fill_rate", "fallback_ratio"))
        assert maker + taken <= to_wad("1")
        for symbol in found.symbols.values.values():
            if "atr_ratio" in symbol:
                assert symbol["atr_regime"] == regime_of(Wad(to_wad(symbol["atr_ratio"])))


@given(hour=st.integers(0, 2**20), second=st.integers(0, HOUR - 1))
@example(hour=7, second=HOUR - 1)
def test_figure__from_second_to_second__moves_by_no_more_than_its_bounds_allow_in_an_hour(
    hour: int, second: int
) -> None:
    wandering = Wandering(0, 36_000)
    now = Timestamp(hour * HOUR + second)
    first, then = wandering.at("a", now), wandering.at("a", Timestamp(now + 1))
    assert abs(then - first) <= 36_000 // HOUR + 1
    assert first == Wandering(0, 36_000).at("a", now)


def test_figure__from_hour_to_hour__moves_and_is_not_that_of_another_name() -> None:
    wandering = Wandering(0, 10**6)
    hours = [Timestamp(START + hour * HOUR) for hour in range(24)]
    assert len({wandering.at("a", now) for now in hours}) == 24
    assert [wandering.at("a", now) for now in hours] != [wandering.at("b", now) for now in hours]


def test_names__of_the_figures__are_those_that_the_kpis_have_a_place_for(tmp_path: Path) -> None:
    telemetry = SampleTelemetry(tmp_path)
    telemetry.write(START)
    for fund in MEASURED:
        assert set(ROUTER_FIGURES) < read(telemetry, fund, START).router.values.keys()
    assert read(telemetry, "multi", START).symbols.values["SOL"].keys() > {*SYMBOL_FIGURES, *SYMBOL_STATES}


def test_files__of_any_fund__say_that_their_figures_are_made_up(tmp_path: Path) -> None:
    telemetry = SampleTelemetry(tmp_path)
    telemetry.write(START)
    for fund in MEASURED:
        found = read(telemetry, fund, START)
        parts = (found.router.values, found.execution.values, *found.symbols.values.values())
        assert [each["origin"] for each in parts] == [ORIGIN] * len(parts)


def test_fund__without_a_router__has_no_file_and_is_not_known(tmp_path: Path) -> None:
    telemetry = SampleTelemetry(tmp_path)
    telemetry.write(START)
    found = read(telemetry, "levered-pt", START)
    assert {found.router.reason, found.symbols.reason, found.execution.reason} == {"no_file"}
    assert FUNDS.keys() - MEASURED.keys() == {"levered-pt"}


def test_file__written_anew__is_another_one_and_nothing_else_is_left(tmp_path: Path) -> None:
    telemetry = SampleTelemetry(tmp_path)
    telemetry.write(START)
    with (tmp_path / "multi" / "router.json").open() as opened:
        telemetry.write(Timestamp(START + 1))
        assert json.load(opened)["updated_at"] == START
    assert sorted(each.name for each in (tmp_path / "multi").iterdir()) == [
        "execution.json", "router.json", "symbols.json",
    ]  # fmt: skip


def test_folder__that_cannot_be_used__is_told_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "telemetry").write_text("")
    telemetry = SampleTelemetry(tmp_path / "telemetry")
    with capture_logs() as logs:
        telemetry.write(START)
    assert [each["event"] for each in logs] == ["sample_telemetry_not_written"]
    assert read(telemetry, "multi", START).router.reason


# ---- as time goes on


async def test_step__of_the_story__has_telemetry_of_its_time_before_the_keeper_tells(tmp_path: Path) -> None:
    telemetry, clock, found = SampleTelemetry(tmp_path), DemoClock(START, Chain()), []

    async def tell() -> None:
        found.append(read(telemetry, "multi", clock.now()).router)

    service = SimpleNamespace(
        run_others=tell, keeper=SimpleNamespace(store=SimpleNamespace(load_breakers=list)), act_on_requests=AsyncMock(),
        look_at_transactions=AsyncMock(), settle=AsyncMock(),
    )  # fmt: skip
    observer = SimpleNamespace(breakers=lambda _: None, beat=lambda: None)
    running = cast(RunningService, SimpleNamespace(service=service, observer=observer))
    director = Director(cast(DemoWorld, AsyncMock()), START, lambda *_: None, telemetry.write)
    performance = Performance(running, director, clock, asyncio.Event(), lambda *_: None, watched=False)

    times = [Timestamp(START + step * SAMPLE_SECONDS) for step in range(3)]
    for now in times:
        clock.advance(now)
        await performance._step(now)
    assert [part.updated_at for part in found if part.is_known] == times


@pytest.mark.parametrize("stumbles", [False, True])
async def test_time__that_goes_on_after_the_story__has_telemetry_whatever_happens_in_it(
    tmp_path: Path, stumbles: bool
) -> None:
    telemetry, clock, stop = SampleTelemetry(tmp_path), DemoClock(START, Chain()), asyncio.Event()
    found: list[tuple[Timestamp, External]] = []

    async def look() -> None:
        found.append((clock.now(), read(telemetry, "multi", clock.now())))
        if len(found) == 3:
            stop.set()

    world = AsyncMock()
    if stumbles:
        world.set_borrow_rate.side_effect = ChainError("somebody else changed it", advice="none")
    service = SimpleNamespace(
        start=AsyncMock(), finish=AsyncMock(), busy=False, jobs=lambda: [(SAMPLE_SECONDS, "health", look)]
    )
    running = cast(RunningService, SimpleNamespace(service=service))
    director = Director(cast(DemoWorld, world), START, lambda *_: None, telemetry.write)
    await asyncio.wait_for(pace_on(running, director, clock, 0.001, stop), 20)

    assert [now for now, _ in found] == [START + step * SAMPLE_SECONDS for step in (1, 2, 3)]
    assert [(each.router.reason, each.router.updated_at) for _, each in found] == [("", now) for now, _ in found]
