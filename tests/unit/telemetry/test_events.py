"""Event files hold every event of the store once, in whole lines, whatever happens to the process or the disk."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.store_port import Event, Severity
from navoracle.telemetry.components import COMPONENTS, component_of
from navoracle.telemetry.event_chain import GENESIS, seal
from navoracle.telemetry.event_files import EventFiles
from navoracle.telemetry.event_verification import verify_folder
from navoracle.telemetry.events import REMEMBERED, EventLog
from tests.unit.telemetry.fakes import NOW, MemoryStore, SetClock, event

DAY = 86_400


def lines(folder: Path) -> list[dict[str, object]]:
    """Every line of every file, in the order of their ids; each must be whole."""
    found = []
    for path in folder.glob("*.jsonl"):
        content = path.read_bytes()
        assert content == b"" or content.endswith(b"\n"), path
        found += [json.loads(line) for line in content.splitlines()]
    return sorted(found, key=lambda line: line["id"])


def log_of(folder: Path, store: MemoryStore, clock: SetClock | None = None, **more: object) -> EventLog:
    return EventLog(folder, store, now=clock or SetClock(), **more)  # type: ignore[arg-type]


def test_record__event__is_a_line_of_its_components_file_of_that_day(tmp_path: Path) -> None:
    store = MemoryStore()
    log = log_of(tmp_path, store)
    log.record(event())
    log.record(event("node_state", fund=None))
    log.record(event("breaker"))
    log.close()
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == [
        "chain-2026-11-30.jsonl", "guards-2026-11-30.jsonl", "keeper-2026-11-30.jsonl",
    ]  # fmt: skip
    line = json.loads((tmp_path / "keeper-2026-11-30.jsonl").read_text())
    assert (line.pop("previous"), len(line.pop("hash"))) == (GENESIS, 64)
    assert line == {
        "id": 1, "at": NOW, "component": "keeper", "kind": "slot_posted", "fund": "usd", "severity": "info",
        "message": "posted", "advice": "", "data": {"slot_time": NOW},
    }  # fmt: skip


def test_record__store_that_fails__writes_no_line_and_says_so(tmp_path: Path) -> None:
    store = MemoryStore()
    log = log_of(tmp_path, store)
    store.broken = True
    with pytest.raises(StoreError):
        log.record(event())
    assert lines(tmp_path) == []


def test_catch_up__events_stored_by_others__are_written_once(tmp_path: Path) -> None:
    store = MemoryStore()
    log = log_of(tmp_path, store)
    for number in range(1_000):
        store.append_event(event(message=str(number)))
    log.record(event(message="own"))
    log.catch_up()
    log.catch_up()
    assert [line["id"] for line in lines(tmp_path)] == list(range(1, 1_002))


def test_catch_up__restart__goes_on_where_the_files_end(tmp_path: Path) -> None:
    store = MemoryStore()
    first = log_of(tmp_path, store)
    first.record(event())
    first.close()
    store.append_event(event())  # the process died before the line was written
    second = log_of(tmp_path, store)
    second.record(event())
    second.catch_up()
    assert [line["id"] for line in lines(tmp_path)] == [1, 2, 3]


def test_catch_up__files_removed__are_written_anew(tmp_path: Path) -> None:
    store = MemoryStore()
    for _ in range(600):
        store.append_event(event())
    first = log_of(tmp_path / "a", store)
    first.catch_up()
    first.close()
    for path in (tmp_path / "a").iterdir():
        path.unlink()
    log_of(tmp_path / "a", store).catch_up()
    assert len(lines(tmp_path / "a")) == 600


def test_rebuild__lines_missing_in_the_middle__are_written(tmp_path: Path) -> None:
    store = MemoryStore()
    log = log_of(tmp_path, store)
    for _ in range(20):
        log.record(event())
    log.close()
    (path,) = tmp_path.glob("*.jsonl")
    kept = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(kept[:5] + kept[9:]))
    assert log_of(tmp_path, store).rebuild() == 4
    assert [line["id"] for line in lines(tmp_path)] == list(range(1, 21))


def test_open__torn_last_line__is_cut_off_and_written_whole(tmp_path: Path) -> None:
    store = MemoryStore()
    log = log_of(tmp_path, store)
    for _ in range(3):
        log.record(event(message="x" * 70_000))
    log.close()
    (path,) = tmp_path.glob("*.jsonl")
    content = path.read_bytes()
    path.write_bytes(content[:-1_000])
    log_of(tmp_path, store).catch_up()
    assert [line["id"] for line in lines(tmp_path)] == [1, 2, 3]


def test_open__nothing_but_a_torn_line__leaves_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "keeper-2026-11-30.jsonl"
    path.write_bytes(b'{"id":9,' + b"x" * 200_000)
    files = EventFiles(tmp_path)
    files.append("keeper", NOW, b'{"id":1}')
    assert path.read_bytes() == seal(b'{"id":1}', GENESIS)[0] + b"\n"


_FULL_DISK = """
import json, resource, sys
from pathlib import Path
from navoracle.telemetry.events import EventLog
from tests.unit.telemetry.fakes import MemoryStore, SetClock, event
folder, store, told = Path(sys.argv[1]), MemoryStore(), []
log = EventLog(folder, store, now=SetClock(), on_trouble=told.append)
log.record(event(message="first"))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
for number in range(20):
    log.record(event(message=f"number {number} " + "x" * 100))
    log.catch_up()
full = folder.joinpath("keeper-2026-11-30.jsonl").read_text()
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
log.catch_up()
print(json.dumps({"stored": len(store.stored), "told": told, "full": full, "trouble": log.trouble}))
"""


def test_record__file_size_limit__leaves_no_torn_line_and_catches_up_afterwards(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    said = json.loads(ended.stdout.splitlines()[-1])
    assert said["stored"] == 21
    assert 0 < len(said["full"]) <= 1_000
    assert all(json.loads(line) for line in said["full"].splitlines())
    assert said["full"].endswith("\n")
    assert said["told"][0] is not None
    assert said["told"][-1] is None
    assert said["trouble"] is None
    assert [line["id"] for line in lines(tmp_path)] == list(range(1, 22))
    assert verify_folder(tmp_path).findings == ()
    assert len(re.findall(r"event_files\b", ended.stdout + ended.stderr)) == 1  # said once, not at every event


_DIES = """
import sys
from pathlib import Path
from navoracle.storage import SqlStore
from navoracle.telemetry.events import EventLog
from tests.unit.telemetry.fakes import SetClock, event
with SqlStore.open(f"sqlite:///{sys.argv[1]}/store.db") as store:
    log = EventLog(Path(sys.argv[1]) / "events", store, now=SetClock())
    log.catch_up()
    for number in range(10):
        log.record(event(message=str(number)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", ["after_event", "after_event:4"])
def test_record__killed_between_the_store_and_the_file__is_caught_up(tmp_path: Path, point: str) -> None:
    command = [sys.executable, "-c", _DIES, str(tmp_path)]
    ended = subprocess.run(command, env={**os.environ, "NAVORACLE_FAILPOINT": point}, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    stored = int(point.partition(":")[2] or 1)
    assert len(lines(tmp_path / "events")) == stored - 1
    subprocess.run(command, check=True, capture_output=True)
    assert [line["id"] for line in lines(tmp_path / "events")] == list(range(1, stored + 11))
    assert verify_folder(tmp_path / "events").findings == ()


def test_files__second_process__does_not_cut_into_the_first_ones_lines(tmp_path: Path) -> None:
    store = MemoryStore()
    first, second = log_of(tmp_path, store), log_of(tmp_path, store)
    first.record(event())
    second.record(event())
    assert second.trouble is not None
    assert "folder of its own" in second.trouble
    assert len(lines(tmp_path)) == 1
    first.catch_up()
    assert len(lines(tmp_path)) == 2


def test_rotation__files_older_than_the_retention__are_deleted_and_others_kept(tmp_path: Path) -> None:
    clock, store = SetClock(), MemoryStore()
    log = log_of(tmp_path, store, clock)
    stranger = tmp_path / "notes-2020-01-01.txt"
    stranger.write_text("mine")
    for _ in range(40):
        log.record(event(at=clock()))
        log.catch_up()
        clock.move(DAY)
    log.catch_up()
    days = sorted(path.name.removeprefix("keeper-").removesuffix(".jsonl") for path in tmp_path.glob("*.jsonl"))
    assert len(days) == 30
    assert date.fromisoformat(days[0]).toordinal() == date.fromisoformat(days[-1]).toordinal() - 29
    assert stranger.exists()


def test_event__older_than_the_retention__is_not_written(tmp_path: Path) -> None:
    store = MemoryStore()
    store.append_event(event(at=Timestamp(NOW - 40 * DAY)))
    log_of(tmp_path, store).catch_up()
    assert lines(tmp_path) == []


def test_folder__that_cannot_be_made__is_trouble_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told: list[str | None] = []
    log = log_of(tmp_path / "file" / "events", MemoryStore(), on_trouble=told.append)
    assert log.record(event()) == 1
    assert told == [log.trouble]
    assert log.trouble is not None


def test_memory__many_events__stays_bounded_and_none_is_written_twice(tmp_path: Path) -> None:
    store = MemoryStore()
    log = log_of(tmp_path, store)
    for _ in range(REMEMBERED + 500):
        log.record(event())
    log.catch_up()
    log.close()
    assert len(log._written) == REMEMBERED
    again = log_of(tmp_path, store)
    again.catch_up()
    assert len(lines(tmp_path)) == REMEMBERED + 500


def test_event__text_that_no_file_takes__is_written_all_the_same(tmp_path: Path) -> None:
    store = MemoryStore()
    log_of(tmp_path, store).record(
        Event(NOW, "slot_failed", None, Severity.WARNING, 'a "\n\ud800 b', data={"a": "\x00"})
    )
    assert lines(tmp_path)[0]["message"] == 'a "\n? b'


@pytest.mark.parametrize(
    ("kind", "component"),
    [
        ("slot_posted", "keeper"), ("transaction_sent", "chain"), ("bumped", "chain"), ("node_state", "chain"),
        ("breaker", "guards"), ("request_ended", "requests"), ("alert_raised", "alerts"), ("store_failed", "store"),
        ("source_down", "prices"), ("emergency_asked", "keeper"), ("", "keeper"), ("risk_alert", "risk"),
        ("state_update", "risk"), ("nav_gate_veto", "risk"), ("nav_moved", "keeper"), ("state_updated", "keeper"),
        ("riskless", "keeper"), ("node.state", "chain"), ("error", "keeper"), ("component_initialization", "keeper"),
    ],
)  # fmt: skip
def test_component_of__kind__is_the_part_that_it_tells_of(kind: str, component: str) -> None:
    assert component_of(kind) == component
    assert component in COMPONENTS


@pytest.mark.parametrize("kind", ["error", "component_initialization"])
def test_component_of__kind_that_names_its_component__is_the_one_that_it_names(kind: str) -> None:
    assert component_of(kind, {"component": "risk"}) == "risk"
    assert component_of(kind, {"component": "../etc"}) == "keeper"
    assert component_of("slot_posted", {"component": "risk"}) == "keeper"
