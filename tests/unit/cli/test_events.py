"""`events verify` and `events export`: what they say of a folder and a database, and how they end."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from navoracle.cli.main import run
from navoracle.cli.runtime import Runtime
from navoracle.domain.units import Timestamp
from navoracle.live_secrets import forget_secrets
from navoracle.storage import SqlStore
from navoracle.store_port import Event, Severity
from navoracle.telemetry.events import EventLog
from tests.unit.cli.test_alerts_and_export import CONFIGURATION
from tests.unit.telemetry.fakes import NOW, SetClock

KINDS = ("slot_posted", "node_state", "slot_failed", "state_update")


class Clock:
    """Stands still, ten minutes later."""

    def now(self) -> Timestamp:
        return Timestamp(NOW + 600)

    async def sleep(self, seconds: float) -> None:
        """Nothing to wait for."""


class Here:
    """A configuration, its database and its event files, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "navoracle.yaml"
        self.events = folder / "events"
        self.database = folder / "store.db"
        self.url = f"sqlite:///{self.database}"
        self.config.write_text(f"store: {{url: '{self.url}'}}\n{CONFIGURATION.partition('assets:')[1]}"
                               f"{CONFIGURATION.partition('assets:')[2]}")  # fmt: skip
        with SqlStore.open(self.url) as store:
            log = EventLog(self.events, store, now=SetClock())
            for number in range(12):
                kind, fund = KINDS[number % 4], ("usd", "eth")[number % 2]
                at = Timestamp(NOW + number)
                log.record(Event(at, kind, fund, Severity.INFO, f"=message {number}", "", {"b": 1, "a": [1.5, None]}))
            log.close()

    def file(self, component: str) -> Path:
        return self.events / f"{component}-2026-11-30.jsonl"

    def damage(self, component: str, old: str, new: str) -> None:
        path = self.file(component)
        path.write_text(path.read_text().replace(old, new, 1))

    def stored(self, statement: str) -> None:
        """Change the database behind its own protection."""
        with sqlite3.connect(self.database) as database:
            for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f"DROP TRIGGER {trigger}")
            database.execute(statement)
        database.close()


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()
    forget_secrets()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def ran(*arguments: str) -> int:
    return run(list(arguments), Runtime(clock=Clock()))


def verified(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = ran("events", "verify", *arguments, "--json")
    return code, json.loads(capsys.readouterr().out)


def test_verify__configuration_as_it_is__follows_chains_and_compares(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = verified(capsys, "--config", str(here.config))
    assert (code, said["findings"], said["compared"]) == (0, [], 12)
    assert (said["folder"], said["database"]) == (str(here.events), here.url)
    assert [(chain["component"], chain["lines"], chain["is_whole"]) for chain in said["chains"]] == [
        ("chain", 3, True), ("keeper", 6, True), ("risk", 3, True),
    ]  # fmt: skip
    assert ran("events", "verify", "--config", str(here.config)) == 0
    shown = capsys.readouterr().out
    assert "12 lines looked at, 0 findings" in shown
    assert "12 lines held against" in shown


def test_verify__line_changed__is_named_with_file_and_line(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    here.damage("keeper", "message 4", "message 5")
    code, said = verified(capsys, "--config", str(here.config))
    assert code == 3
    assert said["findings"] == [
        {"fault": "changed", "file": "keeper-2026-11-30.jsonl", "line": 3, "message": "it is not as it was written"}
    ]
    assert said["error"]["code"] == "verification_failed"
    assert said["error"]["message"].startswith("keeper-2026-11-30.jsonl:3: ")
    assert said["error"]["advice"]
    assert ran("events", "verify", "--folder", str(here.events), "--files-only") == 3
    shown = capsys.readouterr().out
    assert "changed keeper-2026-11-30.jsonl:3" in shown
    assert "not compared with a database" in shown


@pytest.mark.parametrize(
    ("statement", "fault", "message"),
    [
        ("UPDATE events SET message = 'other' WHERE id = 5", "differs", "event 5 has another message in the database"),
        ("UPDATE events SET data = '{\"b\":2}' WHERE id = 5", "differs", "event 5 has another data in the database"),
        (
            "UPDATE events SET kind = 'slot_skipped', data = '{\"a\":[1.5,null],\"b\":1}' WHERE id = 5",
            "differs",
            "event 5 has another kind in the database",
        ),
        ("DELETE FROM events WHERE id = 5", "unknown", "the database has no event 5"),
    ],
)
def test_verify__database_has_another_event__is_named(
    here: Here, capsys: pytest.CaptureFixture[str], statement: str, fault: str, message: str
) -> None:
    here.stored(statement)
    code, said = verified(capsys, "--config", str(here.config))
    assert code == 3
    assert [(found["fault"], found["file"], found["line"]) for found in said["findings"]] == [
        (fault, "keeper-2026-11-30.jsonl", 3)
    ]
    assert said["findings"][0]["message"] == message
    assert verified(capsys, "--folder", str(here.events), "--files-only")[0] == 0


def test_verify__members_of_data_in_another_order__are_the_same(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    here.stored('UPDATE events SET data = \'{"a":[1.5,null],"b":1}\'')
    assert verified(capsys, "--config", str(here.config))[0] == 0


@pytest.mark.parametrize(("age", "code"), [(30, 0), (300, 3)])
def test_verify__event_that_no_file_has__is_named_once_a_keeper_would_have_written_it(
    here: Here, capsys: pytest.CaptureFixture[str], age: int, code: int
) -> None:
    with SqlStore.open(here.url) as store:
        store.append_event(
            Event(Timestamp(NOW + 600 - age), "request_taken", None, Severity.INFO, "by another process")
        )
        store.append_event(Event(Timestamp(NOW - 40 * 86_400), "old", None, Severity.INFO, "longer ago than is kept"))
    ended, said = verified(capsys, "--config", str(here.config))
    assert ended == code
    assert [found["fault"] for found in said["findings"]] == ["lacking"] * (code == 3)
    assert all("event 13 (request_taken" in found["message"] for found in said["findings"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "--folder", "{empty}"),
        ("verify", "--folder", "{events}", "--files-only", "--database", "sqlite:///x.db"),
        ("export", "--component", "nothing", "--folder", "{events}"),
        ("export", "--folder", "{events}", "--database", "sqlite:///x.db"),
        ("export", "--folder", "{events}", "--csv", "-", "--json"),
        ("export", "--folder", "{events}", "--csv", "{config}"),
        ("export", "--folder", "{events}", "--since", "yesterday"),
    ],
)
def test_events__what_cannot_be_meant__is_wrong_usage(here: Here, arguments: tuple[str, ...]) -> None:
    filled = [
        each.format(empty=here.events.parent / "empty", events=here.events, config=here.config) for each in arguments
    ]
    assert ran("events", *filled) == 2


def test_verify__database_that_is_named_and_not_there__is_an_error(here: Here) -> None:
    assert ran("events", "verify", "--folder", str(here.events), "--database", "sqlite:////nowhere/x.db") == 4


# ---- export


def exported(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    assert ran("events", "export", *arguments) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_export__from_files_and_from_the_database__are_the_same_table(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = exported(capsys, "--folder", str(here.events))
    assert rows == exported(capsys, "--config", str(here.config), "--csv", "-")
    assert [row["id"] for row in rows] == [str(number) for number in range(1, 13)]
    assert rows[0]["message"] == "'=message 0"
    assert ran("export", "events", "--config", str(here.config)) == 0
    assert list(csv.DictReader(io.StringIO(capsys.readouterr().out))) == rows


@pytest.mark.parametrize("source", ["folder", "config"])
@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (("--component", "risk"), [4, 8, 12]), (("--kind", "node_state"), [2, 6, 10]),
        (("--fund", "usd", "--component", "keeper"), [1, 3, 5, 7, 9, 11]), (("--fund", "none"), []),
        (("--since", str(NOW + 10)), [11, 12]), (("--until", str(NOW + 1)), [1, 2]),
        (("--since", str(NOW + 3), "--until", str(NOW + 3)), [4]),
    ],
)  # fmt: skip
def test_export__filters__leave_what_fits(
    here: Here, capsys: pytest.CaptureFixture[str], source: str, filters: tuple[str, ...], ids: list[int]
) -> None:
    place = str(here.events if source == "folder" else here.config)
    rows = exported(capsys, f"--{source}", place, *filters)
    assert [int(row["id"]) for row in rows] == ids


def test_export__into_a_file__says_how_many_and_never_overwrites(
    here: Here, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "events.csv"
    arguments = ("events", "export", "--folder", str(here.events), "--csv", str(file), "--json")
    assert ran(*arguments) == 0
    assert json.loads(capsys.readouterr().out) == {
        "source": str(here.events), "left_out": 0, "file": str(file), "rows": 12,
    }  # fmt: skip
    written = file.read_text()
    assert ran(*arguments) == 2
    assert file.read_text() == written


def test_export__lines_that_were_changed__are_left_out_and_counted(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    here.damage("keeper", "message 4", "message 5")
    assert ran("events", "export", "--folder", str(here.events), "--json") == 6
    said = json.loads(capsys.readouterr().out)
    assert said["left_out"] == 1
    assert [row["id"] for row in said["events"]] == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]
    assert ran("events", "export", "--folder", str(here.events)) == 6
    assert "1 line left out" in capsys.readouterr().err
