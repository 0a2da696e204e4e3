"""`navoracle overrides`: set, shown and cleared; who did it is an event; what cannot be is refused by its code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from navoracle.cli.main import run
from navoracle.cli.runtime import Runtime
from navoracle.storage import SqlStore
from navoracle.store_port import Event
from navoracle.testing import FixedClock
from tests.unit.config.test_gates import LEAST
from tests.unit.config.test_overrides import NOW, override, written
from tests.unit.storage.builders import empty_sqlite_store

DRAWDOWN = "funds.one.gate.max_drawdown"
SET = ("set", DRAWDOWN, "0.2", "--reason", "known loss", "--by", "ann")


@dataclass
class Here:
    """A configuration with an overrides file, and a database."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    url: str

    def __call__(self, *arguments: str, code: int = 0, json_out: bool = True) -> Any:
        """The JSON document of a command that ends with this code."""
        command = ["overrides", *arguments, "--config", str(self.folder / "navoracle.yaml")]
        self.capture.readouterr()
        found = run([*command, *(["--json"] if json_out else [])], Runtime(clock=FixedClock(NOW)))
        out = self.capture.readouterr()
        assert found == code, out
        return json.loads(out.out) if json_out else out.out

    def file(self) -> Any:
        return yaml.safe_load((self.folder / "overrides.yaml").read_bytes())

    def events(self) -> list[Event]:
        with SqlStore.open(self.url) as store:
            return [row.event for row in store.events()]


@pytest.fixture
def here(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    written(tmp_path, gate=LEAST)
    url = empty_sqlite_store(tmp_path / "keeper.db")
    monkeypatch.setenv("NAVORACLE_DATABASE", url)
    return Here(tmp_path, capsys, url)


def test_set__for_some_hours__is_in_the_file_shown_and_an_event_with_name_and_reason(here: Here) -> None:
    ends = NOW + 24 * 3_600
    said = {DRAWDOWN: {"value": "0.2", "instead_of": "0.1", "expires_at": ends}}
    document = here(*SET, "--hours", "24")
    assert document == {
        "file": str(here.folder / "overrides.yaml"), "changed": said, "overrides": said, "recorded": True,
    }  # fmt: skip
    assert here.file() == {"funds": {"one": {"gate": {"max_drawdown": "0.2"}}}, "expires": {DRAWDOWN: ends}}
    assert here("show") == {"file": document["file"], "overrides": said, "expired": []}
    (event,) = here.events()
    assert (event.kind, event.at) == ("overrides_set", NOW)
    assert event.message == f"{DRAWDOWN} is 0.2 instead of 0.1, until 2027-01-16 08:00:00Z, by ann: known loss"
    assert event.data == {"file": document["file"], "by": "ann", "reason": "known loss", "changed": said}


def test_set__lasting__says_until_it_is_cleared(here: Here) -> None:
    assert f"{DRAWDOWN} is 0.2 instead of 0.1, until it is cleared" in here(*SET, "--lasting", json_out=False)
    assert "cleared" in here("show", json_out=False)


@pytest.mark.parametrize("command", [("set", DRAWDOWN, "0.2", "--lasting"), ("clear", "--all")])
def test_change__by_a_user_without_a_name__is_refused_before_anything_is_written(
    here: Here, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("getpass.getuser", nameless)
    file = here.folder / "overrides.yaml"
    before = file.read_bytes() if file.exists() else None

    error = here(*command, "--reason", "known loss", code=2)["error"]

    assert error["advice"] == "Say who you are: --by NAME."
    assert (file.read_bytes() if file.exists() else None) == before
    assert here.events() == []


@pytest.mark.parametrize("how_long", [(), ("--hours", "2", "--lasting")])
def test_set__without_saying_how_long_or_twice__is_refused(here: Here, how_long: tuple[str, ...]) -> None:
    error = here(*SET, *how_long, code=2)["error"]
    assert (error["code"], error["message"]) == ("usage", "say how long it counts")
    assert not (here.folder / "overrides.yaml").exists()


def test_set__value_that_is_not_valid__is_refused_and_nothing_is_written_or_recorded(here: Here) -> None:
    override(here.folder, {"funds": {"two": {"gate": {"max_drawdown": "0.3"}}}})
    before = (here.folder / "overrides.yaml").read_bytes()
    error = here("set", DRAWDOWN, "5", "--reason", "x", "--lasting", code=2)["error"]
    assert "funds.one.gate: max_drawdown" in error["message"]
    assert (here.folder / "overrides.yaml").read_bytes() == before
    assert here.events() == []


def test_clear__a_path__ends_it_and_is_an_event(here: Here) -> None:
    here(*SET, "--lasting")
    document = here("clear", DRAWDOWN, "--reason", "booked", "--by", "bob")
    assert (document["changed"], document["overrides"]) == ({DRAWDOWN: None}, {})
    assert here.file() == {}
    assert here("show", json_out=False) == "Nothing is overridden.\n"
    assert here.events()[0].message == f"{DRAWDOWN} is as the configuration says, by bob: booked"
    assert here.events()[0].kind == "overrides_cleared"


def test_clear__what_is_not_overridden_and_nothing_named__is_refused(here: Here) -> None:
    assert "is not overridden" in here("clear", DRAWDOWN, "--reason", "x", code=2)["error"]["message"]
    assert here("clear", "--reason", "x", code=2)["error"]["code"] == "usage"
    assert here("clear", DRAWDOWN, "--all", "--reason", "x", code=2)["error"]["code"] == "usage"


def test_clear__all_of_a_broken_file__mends_it(here: Here) -> None:
    override(here.folder, "funds: [")
    assert here("show", code=4)["error"]["code"] == "configuration"
    assert here(*SET, "--lasting", code=4)["error"]["code"] == "configuration"
    here("clear", "--all", "--reason", "broken")
    assert here("show")["overrides"] == {}


def test_set__no_overrides_file_is_configured__is_refused_with_what_to_add(here: Here) -> None:
    path = here.folder / "navoracle.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"service": {}}))
    for command in (SET, ("show",), ("clear", "--all", "--reason", "x")):
        error = here(*command, *(["--lasting"] if command is SET else []), code=4)["error"]
        assert "overrides_file: overrides.yaml" in error["advice"]


def test_set__no_database_yet__is_written_and_says_that_nobody_is_noted_down(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAVORACLE_DATABASE", f"sqlite:///{here.folder / 'none.db'}")
    assert here(*SET, "--lasting")["recorded"] is False
    assert not (here.folder / "none.db").exists()
    assert "there is no database yet" in here(*SET, "--lasting", json_out=False)


def test_show__expired__is_named_and_counts_no_longer(here: Here) -> None:
    override(here.folder, {"funds": {"one": {"gate": {"max_drawdown": "0.3"}}}, "expires": {DRAWDOWN: NOW}})
    found = here("show")
    assert (found["overrides"], found["expired"]) == ({}, [DRAWDOWN])
    assert f"expired: {DRAWDOWN}" in here("show", json_out=False)
