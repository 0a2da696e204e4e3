"""`--plot` of `replay` and `history`: a picture of the slots that the command tells of; bad files are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from navoracle.cli.main import run
from navoracle.composition.stores import open_existing_store
from navoracle.pictures import files
from navoracle.pictures.slots import FundPicture, picture_of_history
from tests.acceptance.replays import replay
from tests.acceptance.test_replay import START, minutes, series


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> list[FundPicture]:
    """The pictures that are drawn while the test runs."""
    kept: list[FundPicture] = []
    draw = files.picture_bytes

    def keep(picture: FundPicture, suffix: str) -> bytes:
        kept.append(picture)
        return draw(picture, suffix)

    monkeypatch.setattr(files, "picture_bytes", keep)
    return kept


def gap_and_outlier(folder: Path) -> list[str]:
    """A series that jumps by 20 % for an hour, and one with a hole in which the fund halts."""
    hole = range(190, 300)
    jump = [(time, "1.2" if START <= time < START + 3_600 else price) for time, price in minutes("1", 420, gap=hole)]
    return series(folder, a=jump, b=minutes("1", 420, gap=hole), c=minutes("1.001", 420, gap=hole))


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run a command and return its document."""
    code = run([*arguments, "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    document["exit_code"] = code
    return document


@pytest.mark.parametrize("name", ["picture.png", "picture.svg"])
def test_plot__replay_and_history__draw_the_same_slots_and_prices(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pictures: list[FundPicture], name: str
) -> None:
    path, again = tmp_path / name, tmp_path / f"again-{name}"
    document = replay(capsys, tmp_path, *gap_and_outlier(tmp_path), "--plot", str(path))
    assert document["picture"] == str(path)
    database = f"sqlite:///{tmp_path / 'replay.db'}"
    told = say(capsys, "history", "replay", "--database", database, "--plot", str(again))
    assert (told["exit_code"], told["picture"]) == (0, str(again))
    assert path.stat().st_size > 10_000
    assert again.stat().st_size > 10_000

    of_replay, of_history = pictures
    assert [(slot.time, slot.state, slot.reason, slot.status) for slot in of_replay.slots] == [
        (slot["time"], slot["state"], slot["reason"], slot["status"]) for slot in document["slots"]
    ]
    assert {"posted", "skipped"} <= {slot.state for slot in of_replay.slots}
    assert any(slot.prices["USDC"].excluded for slot in of_replay.slots)
    for drawn, kept in zip(of_replay.slots, of_history.slots, strict=True):
        assert (drawn.time, drawn.cadence, drawn.state, drawn.reason) == (
            kept.time,
            kept.cadence,
            kept.state,
            kept.reason,
        )
        assert (drawn.status, drawn.price_per_share) == (kept.status, kept.price_per_share)
        assert kept.served == (drawn.served if kept.state == "posted" else None)
        for asset, estimate in drawn.prices.items():
            found = kept.prices[asset]
            assert (estimate.price, estimate.status, estimate.votes) == (found.price, found.status, found.votes)
            assert (estimate.excluded, estimate.reason) == (found.excluded, found.reason)


def test_plot__history_limit_and_since__choose_the_slots(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pictures: list[FundPicture]
) -> None:
    replay(capsys, tmp_path, *series(tmp_path, a=minutes("1", 2_000)), "--chain", "none")
    plot = ["--database", f"sqlite:///{tmp_path / 'replay.db'}", "--plot", str(tmp_path / "a.png")]
    told = say(capsys, "history", *plot)
    assert (len(told["slots"]), len(pictures[-1].slots)) == (20, 33)
    say(capsys, "history", *plot, "--limit", "5")
    assert [len(picture.slots) for picture in pictures] == [33, 5]
    say(capsys, "history", *plot, "--since", str(START))
    assert pictures.pop().slots[0].time == START
    assert say(capsys, "history", *plot, "--since", "2100-01-01")["exit_code"] == 0
    assert not pictures.pop().slots
    with open_existing_store(plot[1]) as store:
        assert not picture_of_history("replay", store, ()).slots


def test_plot__without_json__names_the_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    replay(capsys, tmp_path, *series(tmp_path, a=minutes("1", 240)), "--chain", "none")
    path = tmp_path / "a.svg"
    assert run(["history", "--database", f"sqlite:///{tmp_path / 'replay.db'}", "--plot", str(path)]) == 0
    assert f"picture in {path}" in capsys.readouterr().out.replace("\n", "")


@pytest.mark.parametrize("name", ["a.pdf", "nowhere/a.png"])
def test_plot__bad_file__is_refused_before_the_replay_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    document = replay(capsys, tmp_path, *series(tmp_path, a=minutes("1", 240)), "--plot", str(tmp_path / name))
    assert (document["exit_code"], document["error"]["code"]) == (2, "usage")
    assert document["error"]["advice"]
    assert not (tmp_path / "replay.db").exists()


def test_plot__recorded_world__is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    document = say(capsys, "replay", "--world", str(tmp_path / "world.json"), "--plot", str(tmp_path / "a.png"))
    assert document["exit_code"] == 2
    assert "--plot" in document["error"]["message"]


def test_plot__several_funds__wants_one_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'demo.db'}"
    assert run(["demo", "--hours", "1", "--database", database, "--json"]) == 0
    capsys.readouterr()
    plot = ["--database", database, "--plot", str(tmp_path / "a.png")]
    document = say(capsys, "history", *plot)
    assert document["exit_code"] == 2
    assert "stable" in document["error"]["advice"]
    assert say(capsys, "history", "stable", *plot)["exit_code"] == 0
