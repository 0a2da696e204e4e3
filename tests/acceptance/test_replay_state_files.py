"""A replay writes the same state files as the service, after every frame, by its own clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.main import run
from navoracle.domain.units import to_wad
from navoracle.state_files.reader import read_index, read_set

HOUR = 3_600
QUARTER = 900
START = 1_700_002_800
PRICES = ("1.00", "0.99", "0.98")


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A price that falls by a cent an hour."""
    rows = [f"{START - HOUR + minute * 60},{PRICES[max(0, minute // 60 - 1)]}" for minute in range(4 * 60 - 1)]
    file = tmp_path / "usdc.csv"
    file.write_text("timestamp,price\n" + "\n".join(rows) + "\n")
    return file


def replay(series: Path, folder: Path, *more: str) -> int:
    return run(
        [
            "replay",
            "--prices",
            f"USDC:market={series}",
            "--min-sources",
            "1",
            "--chain",
            "none",
            "--database",
            f"sqlite:///{series.parent / 'replay.db'}",
            "--state-folder",
            str(folder),
            "--json",
            *more,
        ]
    )


def test_replay__with_a_state_folder__ends_with_the_files_of_its_last_slot(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "state"
    replay(series, folder)
    capsys.readouterr()
    (fund,) = read_index(folder)["funds"]
    found = read_set(folder, fund)
    state = found["nav_state.json"]
    assert {document["frame"] for document in found.values()} == {state["frame"]}
    points = [(point["t"] % QUARTER, point["price_per_share"], point["source"]) for point in state["series"]]
    assert len(points) >= 3
    assert all(at == 0 and source == "slot" for at, _, source in points)
    assert points[0][1] == "1"
    assert points[-1][1] == state["price_per_share"] == "0.98"
    assert to_wad(found["kpis.json"]["symbols"]["USDC"]["dd_today_pct"]) == to_wad("0.02")
    assert state["age_s"] == 0  # by the replay's clock


def test_replay__into_a_folder_that_holds_something__is_refused_before_it_begins(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "index.json").write_text("{}")
    assert replay(series, tmp_path / "state") == ExitCode.USAGE
    assert "is not empty" in capsys.readouterr().out
    assert not (tmp_path / "replay.db").exists()
