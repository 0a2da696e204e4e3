"""The depeg of March 2023 with a levered holder: statuses, alerts, vetoes and EMERGENCY slots, replayed and live.

The times are those that the prices imply: each row of the replay is held against figures computed from the files alone,
and the service, over real feeds on the embedded chain, is held against the replay.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from navoracle.cli.main import run
from navoracle.risk.monitor import RiskReading
from navoracle.storage import SqlStore
from navoracle.store_port import EventRow
from tests.acceptance.depeg_figures import Implied, Peaks, Prices, figures_of, implied
from tests.acceptance.depeg_world import FUND, STEP, LiveRun, configuration, run_live
from tests.unit.storage.builders import empty_sqlite_store

pytestmark = pytest.mark.slow

START = 1_678_482_000
"""2023-03-10 21:00 UTC: the peg still holds."""

END = START + 25 * 3_600
WHOLE = "NAVORACLE_TEST_WHOLE_DEPEG"
"""Set: all days that there are, not the day around the trough."""

SOUND = {"live", "verified"}
RISK_EVENTS = ("risk_alert", "risk_alert_over", "nav_gate_vetoed", "nav_gate_cleared", "nav_gate_peak_healed")


@dataclass(frozen=True)
class Replayed:
    """A replay: its document, a row for each reading of the monitor, its events, and what it took."""

    document: dict[str, Any]
    rows: list[dict[str, str]]
    events: tuple[EventRow, ...]
    start: int
    end: int
    seconds: float


@pytest.fixture(scope="module")
def window() -> tuple[int, int]:
    if WHOLE not in os.environ:
        return START, END
    times = [times for times, _ in Prices.load().rows.values()]
    begun, ended = max(one[0] for one in times), min(one[-1] for one in times)
    return -(-begun // 3_600) * 3_600, ended // STEP * STEP


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory, window: tuple[int, int]) -> Replayed:
    (start, end), folder, out = window, tmp_path_factory.mktemp("depeg"), io.StringIO()
    table, database = folder / "risk.csv", f"sqlite:///{folder / 'replay.db'}"
    began = time.monotonic()
    with redirect_stdout(out):
        code = run(
            ["replay", "--config", str(configuration(folder)), "--start", str(start), "--end", str(end),
             "--risk", str(table), "--database", database, "--json"]
        )  # fmt: skip
    seconds = time.monotonic() - began
    assert code == 0, out.getvalue()[-2_000:]
    with table.open() as file:
        rows = list(csv.DictReader(file))
    with closing(SqlStore.open(database)) as store:
        events = store.events()
    return Replayed(json.loads(out.getvalue()), rows, events, start, end, seconds)


def expected(rows: Sequence[dict[str, str]], start: int) -> list[Implied]:
    """What the prices imply at each row.

    Of the replay only this is taken: when slots were, and which of their frames were sound, for those raise peaks.
    """
    prices, found = Prices.load(), []
    # The registry serves the value of the beginning, as of an hour before: the first frame is held against it.
    opening = figures_of(prices.median(start)).price_per_share
    kept, is_believed = Peaks(opening, opening, start // 86_400), False
    for row in rows:
        now = int(row["time"])
        figures = figures_of(prices.median(now))
        after = kept.with_(figures.price_per_share, now)
        found.append(implied(figures, after, is_believed=is_believed))
        if row["trigger"] == "slot" and row["nav_status"] in SOUND:
            kept, is_believed = after, True
        elif row["trigger"] == "slot" and row["nav_status"] == "halted" and after.day != kept.day:
            kept = Peaks(kept.peak, after.daily, after.day)  # halted by its own veto, it still begins the day
    return found


def changes(times: Iterable[int], sets: Iterable[Iterable[str]]) -> list[tuple[int, str, bool]]:
    """What was raised and what was over, by name at each time."""
    found, before = [], set[str]()
    for now, names in zip(times, map(set, sets), strict=True):
        found += [(now, name, True) for name in sorted(names - before)]
        found += [(now, name, False) for name in sorted(before - names)]
        before = names
    return found


def test_replay__levered_usdc_in_the_depeg__statuses_alerts_and_vetoes_are_at_the_times_that_prices_imply(
    replayed: Replayed, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, document = replayed.rows, replayed.document
    looks = [int(row["time"]) for row in rows if row["trigger"] == "look"]
    assert looks == list(range(replayed.start, replayed.end + 1, STEP))
    wanted = expected(rows, replayed.start)
    for row, each in zip(rows, wanted, strict=True):
        now = int(row["time"])
        assert row["risk_status"] == each.status, now
        assert set(row["alerts"].split()) == each.alerts, now
        assert tuple(row["vetoes"].split()) == each.vetoes, now
        assert int(row["drawdown"].replace(".", "")) == each.drawdown, now
        assert int(row["daily_loss"].replace(".", "")) == each.daily_loss, now
        assert (row["nav_status"] == "halted") == bool(each.vetoes), now
    times = [int(row["time"]) for row in rows]
    told = document["risk"][FUND]
    statuses = [(now, each.status) for now, each in zip(times, wanted, strict=True)]
    turns = [new for old, new in zip([(0, ""), *statuses], statuses, strict=False) if old[1] != new[1]]
    assert [(change["time"], change["status"]) for change in told["statuses"]] == turns
    assert {status for _, status in turns} == {"safe", "warning", "urgent", "critical"}
    assert turns[-1][1] in ("safe", "warning")
    for key, name, sets in (
        ("alerts", "alert", [each.alerts for each in wanted]),
        ("vetoes", "veto", [each.vetoes for each in wanted]),
    ):
        raised = sorted((change["time"], change[name], change["raised"]) for change in told[key])
        assert raised == sorted(changes(times, sets))
        first = {what: now for now, what, is_raised in reversed(changes(times, sets)) if is_raised}
        assert told["first"][key] == first
    assert set(told["first"]["vetoes"]) == {"nav_drawdown_limit", "day_loss_limit"}
    assert document["verified"]["rejected"] == []
    with capsys.disabled():
        print(f"\n{len(rows)} readings, {len(turns)} statuses, {len(told['alerts'])} alerts raised or over, ", end="")
        print(
            f"{len(told['vetoes'])} vetoes; {(replayed.end - replayed.start) / 3_600:.0f} h in {replayed.seconds:.0f} s"
        )


def test_replay__critical_alert_at_a_look__raises_an_emergency_slot_at_once_and_no_other_while_it_stands(
    replayed: Replayed,
) -> None:
    critical = [
        change["time"]
        for change in replayed.document["risk"][FUND]["alerts"]
        if change["raised"] and change["alert"].endswith("_CRITICAL")
    ]
    emergencies = {
        slot["time"]: slot["reasons"] for slot in replayed.document["slots"] if slot["cadence"] == "emergency"
    }
    asked = {now for now, reasons in emergencies.items() if any("CRITICAL" in reason for reason in reasons)}
    assert asked == set(critical)
    asked_events = [row.event for row in replayed.events if row.event.kind == "emergency_asked"]
    assert sorted({event.at for event in asked_events if event.data["cause"] == "risk"}) == sorted(set(critical))


def test_replay__gate_that_stops_posting__posts_nothing_while_it_vetoes(replayed: Replayed) -> None:
    slots = replayed.document["slots"]
    vetoed = [slot for slot in slots if slot["gate"]["vetoes"]]
    assert vetoed
    assert {(slot["state"], slot["reason"]) for slot in vetoed} <= {
        ("skipped", "nav_drawdown_limit"), ("skipped", "day_loss_limit"),
    }  # fmt: skip
    assert any(slot["state"] == "posted" for slot in slots if slot["time"] > vetoed[-1]["time"])


def of_row(row: dict[str, str]) -> tuple[Any, ...]:
    alerts, vetoes = tuple(row["alerts"].split()), tuple(row["vetoes"].split())
    pps, drawdown, loss = (int(row[key].replace(".", "")) for key in ("price_per_share", "drawdown", "daily_loss"))
    return int(row["time"]), row["nav_status"], row["risk_status"], alerts, vetoes, pps, drawdown, loss


def of_reading(reading: RiskReading) -> tuple[Any, ...]:
    report, gate = reading.report, reading.gate
    assert report is not None
    assert gate is not None
    alerts = tuple(alert.name for alert in report.alerts)
    falls = (reading.price_per_share, gate.drawdown, gate.daily_loss)
    return reading.at, reading.status.value, report.status.value, alerts, gate.vetoes, *falls


def risk_events(rows: Iterable[EventRow]) -> list[tuple[int, str, str]]:
    found = [(row.event.at, row.event.kind, row.event.message) for row in rows if row.event.kind in RISK_EVENTS]
    found += [
        (row.event.at, "emergency_asked", row.event.message)
        for row in rows
        if row.event.kind == "emergency_asked" and row.event.data["cause"] == "risk"
    ]
    return sorted(found)


def test_live__levered_usdc_over_feeds_on_the_embedded_chain__is_the_replay(
    replayed: Replayed, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    began = time.monotonic()
    live: LiveRun = asyncio.run(
        run_live(tmp_path, empty_sqlite_store(tmp_path / "live.db"), replayed.start, replayed.end)
    )
    seconds = time.monotonic() - began
    assert live.errors == ()
    assert [of_reading(reading) for reading in live.readings] == [of_row(row) for row in replayed.rows]
    assert [(row.slot_time, row.cadence.value, row.state.value, row.reason) for row in live.slots] == [
        (slot["time"], slot["cadence"], slot["state"], slot["reason"]) for slot in replayed.document["slots"]
    ]
    emergencies = [row.slot_time for row in live.slots if row.cadence.value == "emergency"]
    assert emergencies
    assert risk_events(live.events) == risk_events(replayed.events)
    with capsys.disabled():
        print(f"\nlive as replayed: {len(live.readings)} readings, {len(live.slots)} slots, ", end="")
        print(f"{len(emergencies)} of them EMERGENCY; {seconds:.0f} s")
