"""What is heard is written; what cannot be written is written later; what was there before is gone on with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from navoracle.domain.frame import NavStatus
from navoracle.domain.prior import ConfirmedNav, Sample
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.units import Timestamp, to_wad
from navoracle.state_files.facts import MonitorHealth, NavPoint
from navoracle.state_files.price_ranges import BAR_SECONDS, LEAST_BARS
from navoracle.state_files.reader import read_index, read_set
from navoracle.state_files.state_files import StateFiles
from navoracle.state_files.writer import SetWriter
from tests.unit.state_files.builders import FUND, NOW, SERVED, VIEW, frame, part, report, wad


class World:
    """State files in a folder, with a clock and a chain that tests move."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.now = Timestamp(NOW + 5)
        self.served: dict[str, ConfirmedNav] = {}
        self.overrides: Mapping[str, Any] = {}
        self.funds = {FUND: VIEW, "beta": replace(VIEW, fund="beta")}
        self.changes = changes
        self.files = self.started()

    def started(self) -> StateFiles:
        return StateFiles(
            SetWriter(self.folder, fsync=False),
            now=lambda: self.now,
            view_of=self.funds.get,
            served=self.served,
            overrides=lambda: self.overrides,
            **self.changes,
        )

    def restart(self) -> None:
        self.files.close()
        self.files = self.started()

    def hear(self, at: int = NOW, name: str = "f00d", *, look: bool = False, **changes: Any) -> None:
        self.files.hear(frame(part(**changes), name=name, at=at, look=look))
        self.files.write()

    def behind(self) -> bool:
        return self.files.is_behind

    def trouble(self) -> str | None:
        return self.files.trouble

    def document(self, name: str = "nav_state", fund: str = FUND) -> dict[str, Any]:
        return read_set(self.folder, fund)[f"{name}.json"]

    def series(self) -> list[tuple[int, str | None, str]]:
        return [(row["t"], row["frame"], row["source"]) for row in self.document()["series"]]


@pytest.fixture
def here(tmp_path: Path) -> World:
    return World(tmp_path / "state")


def test_frame__heard__is_a_set_of_six_files_and_a_line_of_the_index(here: World) -> None:
    here.hear()
    found = read_set(here.folder, FUND)
    assert sorted(found) == [
        "kpis.json", "nav.json", "nav_state.json", "positions.json", "risk.json", "synced_state.json",
    ]  # fmt: skip
    assert {document["frame"] for document in found.values()} == {"f00d"}
    index = read_index(here.folder)
    assert (index["updated_at"], index["age_s"]) == (NOW, 5)
    entry, state, risk = index["funds"][FUND], found["nav_state.json"], found["risk.json"]
    assert (entry["folder"], entry["frame"], entry["source"], entry["updated_at"]) == (FUND, "f00d", "slot", NOW)
    same = ("status", "reason", "nav_source", "nav", "price_per_share", "confidence_bps", "drawdown_pct")
    assert {name: entry[name] for name in same} == {name: state[name] for name in same}
    assert (entry["risk_status"], entry["nav_updated_at"]) == (risk["risk_status"], state["updated_at"])
    assert (entry["held"], entry["unknown"]) == (None, {"/held": "not_served"})
    assert here.trouble() is None
    assert not here.behind()


def test_index__fund_that_cannot_be_valued__has_what_the_chain_serves_and_its_time(here: World) -> None:
    here.served[FUND] = SERVED
    here.hear(valuation=None, status=NavStatus.HALTED, reason="no_price", gate=None, risk=None)
    entry, state = read_index(here.folder)["funds"][FUND], here.document()
    assert (entry["nav_source"], entry["status"], entry["reason"]) == ("confirmed", "halted", "no_price")
    assert (entry["nav"], entry["price_per_share"]) == (state["nav"], state["price_per_share"])
    assert entry["nav_updated_at"] == state["updated_at"] == SERVED.valuation_time != entry["updated_at"]
    assert (entry["risk_status"], entry["held"]) == ("unknown", SERVED.held)
    assert entry["unknown"] == {"/confidence_bps": "no_price", "/drawdown_pct": "no_gate"}


def test_frame__of_a_fund_that_is_not_configured__has_no_files(here: World) -> None:
    here.files.hear(frame(part(), part(fund="gone")))
    here.files.write()
    assert [path.name for path in here.folder.iterdir() if path.is_dir()] == [FUND]


def test_series__of_slots_and_looks__keeps_every_slot_and_the_newest_look(here: World) -> None:
    here.hear(NOW, "slot1")
    here.hear(NOW + 60, "look1", look=True)
    here.hear(NOW + 120, "look2", look=True)
    assert here.series() == [(NOW, "slot1", "slot"), (NOW + 120, "look2", "look")]
    assert here.document()["source"] == "look"
    here.hear(NOW + 180, "slot2")
    assert here.series() == [(NOW, "slot1", "slot"), (NOW + 180, "slot2", "slot")]


def test_slot__told_after_a_newer_look__goes_into_the_series_and_replaces_nothing(here: World) -> None:
    here.hear(NOW + 60, "look", look=True)
    here.hear(NOW, "slot")
    assert here.series() == [(NOW, "slot", "slot"), (NOW + 60, "look", "look")]
    assert here.document()["frame"] == "look"


def test_series__longer_than_its_history__loses_the_oldest(tmp_path: Path) -> None:
    here = World(tmp_path, history=3)
    for number in range(5):
        here.hear(NOW + number, f"f{number}")
    assert [row[1] for row in here.series()] == ["f2", "f3", "f4"]


def test_restart__with_files_of_an_earlier_run__keeps_the_series_and_the_risk_history(here: World) -> None:
    here.hear(NOW, "one")
    here.hear(NOW + 60, "two", risk=replace(report(), status=RiskStatus.SAFE, alerts=()))
    here.restart()
    here.hear(NOW + 120, "three", risk=replace(report(), status=RiskStatus.SAFE, alerts=()))
    assert [row[1] for row in here.series()] == ["one", "two", "three"]
    history = here.document("risk")["history"]
    assert [(row["t"], row["status"], row["frame"]) for row in history] == [
        (NOW, "critical", "one"),
        (NOW + 60, "safe", "two"),
    ]


@pytest.mark.parametrize("damage", [b"[1]", b"{", b'{"series": [{"t": "x"}]}', b'{"series": 7}'])
def test_restart__with_damaged_files__begins_anew(here: World, damage: bytes) -> None:
    here.hear(NOW, "one")
    (here.folder / FUND / "current" / "nav_state.json").write_bytes(damage)
    here.restart()
    here.hear(NOW + 60, "two")
    assert [row[1] for row in here.series()] == ["two"]


def test_start__without_files_or_frames__is_seeded_from_what_the_chain_serves(here: World) -> None:
    here.served[FUND] = SERVED
    here.files.write()
    document = here.document()
    assert (document["source"], document["frame"], document["status"]) == ("confirmed", None, "confirmed")
    assert wad(document["total_equity"]) == SERVED.nav
    assert here.series() == [(SERVED.valuation_time, None, "confirmed")]
    here.hear()
    assert here.series() == [(SERVED.valuation_time, None, "confirmed"), (NOW, "f00d", "slot")]


def test_start__with_files_of_an_earlier_run__leaves_them_until_there_is_a_frame(here: World) -> None:
    here.hear(NOW, "one")
    here.restart()
    here.served[FUND] = SERVED
    here.files.write()
    assert here.document()["frame"] == "one"


def test_start__with_recorded_frames_and_no_files__has_their_points(tmp_path: Path) -> None:
    past = [NavPoint(Timestamp(NOW - 100), to_wad("1"), to_wad("1"), "live", "old", "slot")]
    here = World(tmp_path, past={FUND: past})
    here.served[FUND] = SERVED
    here.files.write()
    assert here.series() == [(NOW - 100, "old", "slot")]


def test_what_the_chain_serves__changed_after_the_frame__is_written_with_the_same_frame(here: World) -> None:
    here.hear()
    assert here.document()["confirmed"] is None
    here.served[FUND] = SERVED
    here.files.write()
    assert here.document()["confirmed"]["block_number"] == SERVED.block_number
    before = (here.folder / FUND / "current").readlink()
    here.files.write()
    assert (here.folder / FUND / "current").readlink() == before  # nothing new, nothing written
    assert here.series() == [(NOW, "f00d", "slot")]


def test_overrides__as_they_were_at_the_frame__are_in_its_files(here: World) -> None:
    here.overrides = {"funds.alpha.gate.max_drawdown": {"value": "0.2", "instead_of": "0.1", "expires_at": None}}
    here.files.hear(frame())
    here.overrides = {}
    here.files.write()
    assert here.document()["overrides"]["funds.alpha.gate.max_drawdown"]["value"] == "0.2"


def test_folder__that_cannot_be_written__is_told_of_and_catches_up(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    here = World(tmp_path / "state")
    here.hear(NOW, "one")
    here.hear(NOW + 60, "two")
    assert here.trouble() is not None
    assert here.behind()
    (tmp_path / "state").unlink()
    here.files.write()
    assert here.trouble() is None
    assert not here.behind()
    assert here.document()["frame"] == "two"
    assert [row[1] for row in here.series()] == ["one", "two"]


def test_folder__of_one_fund_that_cannot_be_used__holds_back_no_other(here: World) -> None:
    here.folder.mkdir()
    (here.folder / FUND).write_text("in the way")
    here.files.hear(frame(part(), part(fund="beta")))
    here.files.write()
    assert here.trouble() is not None
    assert here.document(fund="beta")["frame"] == "f00d"
    (here.folder / FUND).unlink()
    here.files.write()
    assert here.document()["frame"] == "f00d"
    assert set(read_index(here.folder)["funds"]) == {FUND, "beta"}


def test_folder__of_another_keeper__is_taken_over_with_its_series_when_that_one_ends(here: World) -> None:
    here.hear(NOW, "one")
    standby = World(here.folder)
    standby.hear(NOW + 60, "two")
    assert "another keeper" in (standby.trouble() or "")
    here.files.close()
    standby.files.write()
    assert standby.trouble() is None
    assert [row[1] for row in standby.series()] == ["one", "two"]


def test_close__writes_what_was_heard_last_and_gives_the_folder_up(here: World) -> None:
    here.files.hear(frame())
    here.files.close()
    assert here.document()["frame"] == "f00d"
    SetWriter(here.folder).own()


def test_index__of_funds_of_an_earlier_run__keeps_those_that_are_configured(here: World) -> None:
    here.files.hear(frame(part(), part(fund="beta")))
    here.files.write()
    here.restart()
    del here.funds["beta"]
    here.hear(NOW + 60, "two")
    assert set(read_index(here.folder)["funds"]) == {FUND}


def test_index__that_is_damaged__is_written_anew(here: World) -> None:
    here.folder.mkdir()
    (here.folder / "index.json").write_text('{"funds": {"alpha": 7, "beta": {"updated_at": "x"}}}')
    here.hear()
    assert set(read_index(here.folder)["funds"]) == {FUND}


def test_prices__of_samples_and_frames__become_ranges(tmp_path: Path) -> None:
    samples = [
        Sample(asset, Timestamp(NOW - place * BAR_SECONDS), to_wad(price), "s")
        for place in range(LEAST_BARS + 1, 0, -1)
        for asset, prices in {"ETH": ("2000", "2002"), "WBTC": ("42000", "42010"), "USDC": ("1", "0.999")}.items()
        for price in (prices[place % 2],)
    ]
    here = World(tmp_path, samples=samples)
    here.hear()
    found = here.document("kpis")
    assert set(found["symbols"]) == {"ETH", "WBTC", "USDC"}
    assert all(symbol["atr_ratio"] is not None for symbol in found["symbols"].values())
    assert found["risk"]["atr_ratio"] is not None


def test_frames__while_nothing_can_be_written__are_forgotten_beyond_a_bound(tmp_path: Path) -> None:
    from navoracle.state_files.state_files import MOST_HEARD

    (tmp_path / "state").write_text("in the way")
    here = World(tmp_path / "state")
    for number in range(MOST_HEARD + 10):
        here.files.hear(frame(name=f"f{number}", at=NOW + number))
    (tmp_path / "state").unlink()
    here.files.write()
    assert here.document()["frame"] == f"f{MOST_HEARD + 9}"


def test_frame__heard__is_kept_without_its_evidence(here: World) -> None:
    here.files.hear(frame())
    (heard,) = here.files._heard
    assert dict(heard.frame.evidence) == {}
    assert heard.slots == {FUND}


def test_stress__of_a_fund__is_asked_for_at_its_frame(tmp_path: Path) -> None:
    asked = []
    here = World(tmp_path, stress=lambda whole, found: asked.append((whole.id, found.fund)))
    here.hear()
    assert asked == [("f00d", FUND)]
    assert here.document("risk")["stress"] is None


def test_file__of_a_set__is_one_line_of_json(here: World) -> None:
    here.hear()
    content = (here.folder / FUND / "nav.json").read_bytes()
    assert content.endswith(b"}\n")
    assert content.count(b"\n") == 1
    assert json.loads(content)["frame"] == "f00d"


def test_write__look_that_ended_after_its_frame_was_heard__says_how_the_monitor_is_now(tmp_path: Path) -> None:
    known = [MonitorHealth("unhealthy", 0, 0, to_wad("0"))]
    here = World(tmp_path / "state", monitor=lambda: known[-1])
    here.files.hear(frame(part(risk=report()), name="f00d", at=NOW, look=True))

    known.append(MonitorHealth("healthy", 1, 0, to_wad("0")))  # the look has ended well
    here.files.write()

    assert here.document("risk")["health"] == "healthy"
