"""Replays of whole configurations: the example runs, its files agree with its document, what has no past is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from navoracle.cli.main import run
from navoracle.domain.units import format_wad
from navoracle.state_files.reader import read_set
from navoracle.storage import SqlStore
from tests.acceptance.replays import replay
from tests.requirements import PROJECT

EXAMPLE = PROJECT / "config" / "replay" / "levered.yaml"
START = 1_767_225_600
HOUR = 3_600


def edited(folder: Path, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
    """A copy of the example with its series, changed."""
    said = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    for series in said["recorded"].values():
        series["file"] = str(EXAMPLE.parent / series["file"])
    change(said)
    path = folder / "edited.yaml"
    path.write_text(yaml.safe_dump(said))
    return path


def test_replay__example__goes_through_every_status_and_its_gate_stops_posting(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table, slots, state = tmp_path / "risk.csv", tmp_path / "slots.csv", tmp_path / "state"
    document = replay(
        capsys, tmp_path, "--config", str(EXAMPLE),
        "--risk", str(table), "--csv", str(slots), "--state-folder", str(state),
    )  # fmt: skip
    assert document["exit_code"] == 0, document
    assert (document["start"], document["end"]) == (START, START + 6 * HOUR)
    assert document["verified"]["rejected"] == []
    assert document["warnings"] == []
    told = document["risk"]["levered"]
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert told["readings"] == len(rows)
    assert [int(row["time"]) for row in rows if row["trigger"] == "look"] == list(
        range(START, START + 6 * HOUR + 1, 300)
    )
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(row["risk_status"], int(row["time"]))
    assert told["first"]["statuses"] == first
    assert set(first) == {"safe", "warning", "urgent", "critical"}
    assert told["statuses"][-1]["status"] == "safe"
    vetoed = [int(row["time"]) for row in rows if row["vetoes"]]
    assert set(told["first"]["vetoes"].values()) == {vetoed[0]}
    assert [change["raised"] for change in told["vetoes"]] == [True, True, False, False]
    assert [peak["how"] for peak in told["peaks"]] == ["healed_from_confirmed", "healed_from_confirmed"]
    emergencies = [slot["time"] for slot in document["slots"] if slot["cadence"] == "emergency"]
    assert {told["first"]["alerts"][name] for name in told["first"]["alerts"] if name.endswith("CRITICAL")} <= set(
        emergencies
    )
    with slots.open() as file:
        by_time = {int(row["time"]): row for row in csv.DictReader(file)}
    for slot in document["slots"]:
        row = by_time[slot["time"]]
        assert row["risk_status"] == slot["risk"]["status"]
        assert row["alerts"].split() == [alert["name"] for alert in slot["risk"]["alerts"]]
        assert row["vetoes"].split() == slot["gate"]["vetoes"]
        assert row["drawdown"] == format_wad(int(slot["gate"]["drawdown"]))
        if slot["gate"]["vetoes"]:
            assert (slot["state"], slot["reason"]) == ("skipped", slot["gate"]["vetoes"][0])
    newest = read_set(state, "levered")
    assert newest["risk.json"]["risk_status"] == "safe"
    assert newest["nav_state.json"]["frame"] in {row["frame"] for row in rows}


def test_replay__example_twice__has_the_same_frames(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def frames(name: str) -> list[str]:
        folder = tmp_path / name
        folder.mkdir()
        document = replay(capsys, folder, "--config", str(EXAMPLE), "--end", str(START + HOUR))
        return [slot["frame"] for slot in document["slots"]]

    assert frames("a") == frames("b") != []


def test_replay__events__are_those_of_the_service(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    replay(capsys, tmp_path, "--config", str(EXAMPLE), "--chain", "none")
    store = SqlStore.open(f"sqlite:///{tmp_path / 'replay.db'}")
    events = [row.event for row in store.events()]
    store.close()
    kinds = {event.kind for event in events}
    assert {"state_update", "risk_alert", "risk_alert_over", "nav_gate_vetoed", "nav_gate_cleared"} <= kinds
    assert {event.data["part"] for event in events if event.kind == "component_initialization"} >= {"risk monitor"}
    causes = [event.data["cause"] for event in events if event.kind == "emergency_asked"]
    assert "risk" in causes


def test_replay__without_json__draws_what_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    database = f"sqlite:///{tmp_path / 'replay.db'}"
    assert run(["replay", "--config", str(EXAMPLE), "--chain", "none", "--database", database]) == 0
    out = capsys.readouterr().out
    assert "status critical" in out
    assert "veto nav_drawdown_limit" in out


def test_replay__chain_none__starts_without_a_value_and_posts_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = replay(
        capsys, tmp_path, "--config", str(EXAMPLE), "--chain", "none", "--start", str(START - HOUR),
        "--end", str(START + HOUR),
    )  # fmt: skip
    assert document["registry"] is None
    # Before the first row nothing is known, which is no value of zero.
    assert [slot["nav"] is None for slot in document["slots"] if slot["time"] % HOUR == 0] == [True, False, False]
    assert document["risk"]["levered"]["statuses"][0]["status"] == "warning"
    assert "AAVE_UNREAD" in document["risk"]["levered"]["first"]["alerts"]


def test_replay__configuration_without_risk__reports_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def change(said: dict[str, Any]) -> None:
        del said["funds"]["levered"]["risk"], said["funds"]["levered"]["gate"]

    document = replay(capsys, tmp_path, "--config", str(edited(tmp_path, change)), "--end", str(START + HOUR))
    assert document["risk"] == {}
    assert [(slot["state"], slot["risk"], slot["gate"]) for slot in document["slots"]] == [("posted", None, None)] * 2


def on_chain(said: dict[str, Any]) -> None:
    said["chains"] = {"home": {"chain_id": 1, "rpc": "http://localhost:1"}}
    said["funds"]["levered"]["positions"][0] = {
        "kind": "native", "id": "aave", "chain": "home", "asset": "WETH", "component": "cash",
        "holder": "0x000000000000000000000000000000000000F001",
    }  # fmt: skip


def with_service(said: dict[str, Any]) -> None:
    said["assets"]["WETH"]["sources"].append(
        {"kind": "coingecko", "group": "gecko", "coin": "weth", "vs_currency": "usdc"}
    )


def with_two_funds(said: dict[str, Any]) -> None:
    said["chains"] = {
        name: {"chain_id": number, "rpc": "http://localhost:1"} for number, name in enumerate(("a", "b"), 1)
    }
    said["funds"] |= {"other": {**said["funds"]["levered"], "chain": "a"}}
    said["funds"]["levered"]["chain"] = "b"


@pytest.mark.parametrize(
    ("change", "arguments", "told"),
    [
        (on_chain, (), "funds.levered.positions.0: of native nothing is recorded"),
        (with_service, (), "assets.WETH.sources.1: of coingecko nothing is recorded"),
        (with_two_funds, (), "two funds have one id"),
        (lambda _: None, ("--start", str(START - HOUR)), "funds.levered cannot be valued at"),
        (lambda _: None, ("--start", str(START), "--end", str(START)), "before its first slot"),
        (lambda _: None, ("--chain", "mainnet"), "--chain"),
        (lambda _: None, ("--step", "60"), "--step has no place here"),
        (lambda _: None, ("--prices", "WETH:a=b.csv"), "a replay is of"),
        (lambda said: said["recorded"]["weth"].update(file="nowhere.csv"), (), "nowhere.csv"),
        (lambda said: said["recorded"]["weth"].update(column="close"), (), "close is to be read"),
    ],
)
def test_replay__what_cannot_be_replayed__is_refused_with_its_place(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    database = tmp_path / "replay.db"
    path = edited(tmp_path, change)
    code = run(["replay", "--config", str(path), *arguments, "--database", f"sqlite:///{database}", "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert (code, error["code"]) == (2, "usage")
    assert told in error["message"]
    assert error["advice"]
    assert not database.exists()
