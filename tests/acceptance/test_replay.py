"""Short replays of made-up series: every slot is accounted for, and bad input is refused with its place."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from navoracle.cli.main import run
from tests.acceptance.replays import replay, write_series

START = 1_700_002_800
"""A full hour."""

MINUTE = 60


def minutes(price: str, count: int, *, start: int = START - 7_200, gap: range = range(0)) -> list[tuple[int, str]]:
    """A price a minute, with a hole at the minutes in `gap`."""
    return [(start + MINUTE * index, price) for index in range(count) if index not in gap]


def series(folder: Path, **named: list[tuple[int, str]]) -> list[str]:
    """Write the series of USDC, and give the options that name them."""
    options: list[str] = []
    for group, rows in named.items():
        options += ["--prices", f"USDC:{group}={write_series(folder / f'{group}.csv', rows)}"]
    return options


def ended(document: dict[str, Any]) -> list[tuple[str, str | None]]:
    """How each slot ended."""
    return [(slot["state"], slot["reason"]) for slot in document["slots"]]


def test_replay__quiet_series__posts_every_hour_and_verifies(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = replay(
        capsys, tmp_path, *series(tmp_path, a=minutes("1.0001", 360), b=minutes("0.9999", 360), c=minutes("1", 360))
    )
    assert document["exit_code"] == 0
    assert ended(document) == [("posted", None)] * 6
    assert [slot["time"] for slot in document["slots"]] == [START - 3_600 + 3_600 * hour for hour in range(6)]
    assert {slot["price_per_share"] for slot in document["slots"]} == {"1000000000000000000"}
    assert all(slot["agrees_with_contract"] for slot in document["slots"])
    assert document["verified"] == {"accepted": 6, "rejected": []}
    assert document["warnings"] == []


def test_replay__close__is_not_known_before_its_step_has_ended(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The row of the slot's own time holds a price that only the next minute can know."""
    rows = [(time, "1.02" if time >= START else "1") for time, _ in minutes("1", 300)]
    document = replay(capsys, tmp_path, *series(tmp_path, a=rows), "--start", str(START), "--end", str(START + 3_600))
    assert [slot["price_per_share"] for slot in document["slots"]] == ["1000000000000000000", "1020000000000000000"]


def test_replay__gap_in_every_series__follows_the_ladder_and_halts_after_an_hour(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gap = range(100, 250)
    rows = minutes("1", 420, gap=gap)
    document = replay(capsys, tmp_path, *series(tmp_path, a=rows, b=rows))
    last_row = START - 7_200 + MINUTE * 100
    first_slot = document["slots"][0]
    assert first_slot["time"] == START - 3_600
    by_time = {slot["time"]: slot for slot in document["slots"]}
    at_two = by_time[START]
    # The last row is 20 minutes old: too old to be live, so the last valid price is decayed by 5 %.
    assert at_two["time"] - last_row == 1_200
    assert (at_two["state"], at_two["status"]) == ("posted", "estimated")
    assert at_two["price_per_share"] == "950000000000000000"
    assert at_two["undecayed_nav"] == "1000000000000000000000000"
    assert (by_time[START + 3_600]["state"], by_time[START + 3_600]["reason"]) == ("skipped", "unpriced:USDC:too_old")
    assert by_time[START + 10_800]["status"] == "live"
    assert by_time[START + 10_800]["state"] == "posted"
    assert [one["gaps"] for one in document["series"]] == [1, 1]
    assert document["series"][0]["longest_gap"]["seconds"] == 151 * MINUTE
    assert document["verified"]["rejected"] == []


def test_replay__one_of_three_far_off__is_excluded_and_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = replay(
        capsys, tmp_path, *series(tmp_path, a=minutes("1", 240), b=minutes("1.001", 240), c=minutes("1.2", 240))
    )
    slot = document["slots"][0]
    assert slot["prices"]["USDC"]["excluded"] == [{"source": "USDC.c", "reason": "outlier"}]
    assert slot["price_per_share"] == "1000500000000000000"


def test_replay__two_that_disagree__have_no_price(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    document = replay(capsys, tmp_path, *series(tmp_path, a=minutes("0.65", 200), b=minutes("0.995", 200)))
    assert {slot["reason"] for slot in document["slots"]} == {"unpriced:USDC:no_majority"}
    assert {slot["state"] for slot in document["slots"]} == {"skipped"}


def test_replay__jump_beyond_the_band__is_verified_and_held_by_the_registry(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = [(time, "1" if time < START + 1_800 else "1.4") for time, _ in minutes("1", 420)]
    document = replay(capsys, tmp_path, *series(tmp_path, a=rows, b=rows, c=rows))
    held = [slot for slot in document["slots"] if slot["state"] == "held"]
    assert held
    assert {slot["reason"] for slot in held} == {"registry:step+day_drift"}
    # An EMERGENCY slot comes at once: the price left its average and moved since the last slot.
    assert held[0]["cadence"] == "emergency"
    assert {slot["contract"]["price_per_share"] for slot in held} == {"1000000000000000000"}
    assert {slot["status"] for slot in held} == {"verified"}
    assert len(held[0]["frames"]) == 2


def test_replay__chain_none__values_and_posts_nowhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    document = replay(capsys, tmp_path, *series(tmp_path, a=minutes("1", 240)), "--chain", "none")
    assert ended(document) == [("skipped", "no_registry")] * 4
    assert document["registry"] is None
    assert document["slots"][0]["price_per_share"] == "1000000000000000000"
    assert document["verified"]["accepted"] == 4


def test_replay__two_assets__hold_equal_values_and_each_its_quorum(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    btc = write_series(tmp_path / "btc.csv", minutes("20000", 240))
    document = replay(
        capsys, tmp_path, *series(tmp_path, a=minutes("1", 240), b=minutes("1", 240)), "--prices", f"BTC:x={btc}"
    )
    assert document["holdings"] == {"USDC": "1000000.000000000000000000", "BTC": "50.000000000000000000"}
    assert document["slots"][0]["price_per_share"] == "1000000000000000000"
    assert len(document["warnings"]) == 2


def test_replay__csv__has_a_row_for_every_slot(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "slots.csv"
    document = replay(capsys, tmp_path, *series(tmp_path, a=minutes("1", 240)), "--csv", str(table))
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["time"]), row["state"]) for row in rows] == [
        (slot["time"], slot["state"]) for slot in document["slots"]
    ]
    assert rows[0]["price_per_share"] == "1.000000000000000000"


@pytest.mark.parametrize("command", ["replay", "demo"])
def test_timeline__database_of_an_earlier_run__is_refused_and_left_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    """Its slots are taken and its prices remembered: a second run would work nothing off and look well."""
    arguments = series(tmp_path, a=minutes("1", 240))
    replay(capsys, tmp_path, *arguments)
    path = tmp_path / "replay.db"
    before = path.read_bytes()
    options = arguments if command == "replay" else []
    assert run([command, *options, "--database", f"sqlite:///{path}", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert str(path) in error["message"]
    assert error["advice"]
    assert path.read_bytes() == before


def test_replay__without_json__draws_tables(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'replay.db'}"
    assert run(["replay", *series(tmp_path, a=minutes("1", 240)), "--database", database]) == 0
    out = capsys.readouterr().out
    assert "equal what the contract says" in out
    assert "min_sources 1" in out


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("timestamp,price\n120,1\n60,1\n", ":3", 2),
        ("timestamp,price\n60,1\n120,one\n", ":3", 2),
        ("timestamp,price\n60,1\n120\n", ":3", 2),
        ("timestamp,price\n60,1\n120,-1\n", ":3", 2),
        ("timestamp,price\n60,1\n60,1\n", ":3", 2),
        ("time,price\n60,1\n", "header", 2),
        ("", "", 2),
    ],
)
def test_replay__bad_series__is_refused_with_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, place: str, code: int
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    database = tmp_path / "replay.db"
    arguments = ["replay", "--prices", f"USDC:a={path}", "--database", f"sqlite:///{database}", "--json"]
    assert run(arguments) == code
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "usage"
    assert str(path) in error["message"]
    assert place in error["message"]
    assert error["advice"]
    assert not database.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--prices", "USDC:a=nowhere.csv"],
        ["--prices", "USDC=file.csv"],
        ["--prices", "USDC:a={file}", "--min-sources", "2"],
        ["--prices", "USDC:a={file}", "--min-sources", "many"],
        ["--prices", "USDC:a={file}", "--hold", "EURC=1"],
        ["--prices", "USDC:a={file}", "--chain", "mainnet"],
        ["--prices", "USDC:a={file}", "--end", "5"],
        ["--prices", "USDC:a={file}", "--prices", "USDC:a={file}"],
        [],
    ],
)
def test_replay__wrong_arguments__are_refused_with_advice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]
) -> None:
    file = write_series(tmp_path / "a.csv", minutes("1", 240))
    filled = [argument.replace("{file}", str(file)) for argument in arguments]
    database = tmp_path / "replay.db"
    assert run(["replay", *filled, "--database", f"sqlite:///{database}", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "usage"
    assert error["message"]
    assert error["advice"]
    assert not database.exists()


def test_replay__events__are_a_table_at_the_end_and_chained_files_while_it_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = minutes("1", 420, gap=range(100, 250))
    table, folder = tmp_path / "events.csv", tmp_path / "events"
    options = ["--events", str(table), "--events-folder", str(folder)]
    document = replay(capsys, tmp_path, *series(tmp_path, a=rows, b=rows), *options)
    assert document["exit_code"] == 0
    events = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    slots = [(f"slot_{slot['state']}", slot["time"]) for slot in document["slots"]]
    told = [event for event in events if event["kind"].startswith("slot_")]
    assert [(event["kind"], json.loads(event["data"])["slot_time"]) for event in told] == slots
    skipped = next(event for event in told if event["kind"] == "slot_skipped")
    assert json.loads(skipped["data"])["reason"] == "unpriced:USDC:too_old"
    assert skipped["advice"]
    assert all(START - 7_200 <= int(event["at"]) <= START + 420 * MINUTE for event in events), "by the replay's clock"
    begun = [event for event in events if event["kind"] == "component_initialization"]
    assert {event["component"] for event in begun} == {"keeper", "prices", "chain"}
    confirmed = [event for event in events if event["kind"] == "transaction_confirmed"]
    assert len(confirmed) == sum(state == "slot_posted" for state, _ in slots)
    assert run(["events", "verify", "--folder", str(folder), "--database", f"sqlite:///{tmp_path / 'replay.db'}"]) == 0
    capsys.readouterr()
    assert run(["events", "export", "--folder", str(folder)]) == 0
    assert capsys.readouterr().out == table.read_text(encoding="utf-8")


def test_replay__events_of_several_days__are_a_file_for_each_and_none_is_deleted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = [(START - 3_600 + 3_600 * hour, "1") for hour in range(75)]
    folder = tmp_path / "events"
    options = ["--chain", "none", "--sample-seconds", "900", "--events-folder", str(folder)]
    document = replay(capsys, tmp_path, *series(tmp_path, a=rows), *options)
    assert document["warnings"] == ["USDC: one source is enough (min_sources 1), so its confidence is at most 50 %"]
    assert sorted(path.name for path in folder.glob("keeper-*")) == [
        f"keeper-2023-11-{day}.jsonl" for day in (14, 15, 16, 17, 18)
    ]
    assert run(["events", "verify", "--folder", str(folder), "--files-only"]) == 0


@pytest.mark.parametrize("option", ["--events", "--events-folder"])
def test_replay__events_of_an_earlier_run__are_not_written_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str
) -> None:
    place = tmp_path / "there"
    if option == "--events":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "keeper-2023-11-14.jsonl").write_text("")
    database = tmp_path / "replay.db"
    arguments = [*series(tmp_path, a=minutes("1", 240)), option, str(place), "--database", f"sqlite:///{database}"]
    assert run(["replay", *arguments, "--json"]) == 2
    assert str(place) in json.loads(capsys.readouterr().out)["error"]["message"]
    assert not database.exists()
