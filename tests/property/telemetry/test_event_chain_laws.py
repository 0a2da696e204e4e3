"""The event log's chain: whatever is done to a file shows; nothing that a keeper goes through looks like an edit."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st

from navoracle.store_port import EventRow
from navoracle.telemetry.event_chain import GENESIS, Head, head_of, parse_head, seal, unseal
from navoracle.telemetry.event_comparison import compare
from navoracle.telemetry.event_folder import day_of, event_files
from navoracle.telemetry.event_lines import found_lines
from navoracle.telemetry.event_verification import Fault, Finding, verify_folder
from navoracle.telemetry.events import EventLog, document_of, encoded
from tests.unit.telemetry.fakes import NOW, MemoryStore, SetClock, event

DAY = 86_400
KINDS = ("slot_posted", "breaker", "node_state", "state_update", "alert_raised")


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@cache
def original() -> tuple[Path, MemoryStore]:
    """Four days of five components, with restarts, events of others and lines that were caught up after midnight."""
    folder, store, clock = Path(mkdtemp(prefix="navoracle-events-")), MemoryStore(), SetClock()
    for day in range(4):
        log = EventLog(folder, store, now=clock)
        for number in range(10):
            log.record(event(KINDS[number % 5], at=clock(), message=f"{day}/{number} é"))
            clock.move(600)
        store.append_event(event(at=clock(), message="of another process"))
        clock.move(DAY - 6_000)
        log.record(event(at=clock(), message="first of the day"))
        log.catch_up()
        log.close()
    return folder, store


class Copy:
    """A copy of that folder, to be damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(original()[0], folder, dirs_exist_ok=True)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def lines(self) -> list[tuple[str, int]]:
        """Every line of every event file, by file and index."""
        return [
            (name, index)
            for name in self.names()
            if name.endswith(".jsonl")
            for index in range((self.folder / name).read_bytes().count(b"\n"))
        ]

    def read(self, name: str) -> list[bytes]:
        return (self.folder / name).read_bytes().splitlines(keepends=True)

    def write(self, name: str, lines: list[bytes]) -> None:
        (self.folder / name).write_bytes(b"".join(lines))

    def findings(self) -> tuple[Finding, ...]:
        return verify_folder(self.folder).findings

    def against_the_store(self) -> tuple[Finding, ...]:
        store = original()[1]
        return compare(self.folder, store.stored, since=day_of(NOW), now=type(NOW)(NOW + 9 * DAY)).findings


@pytest.fixture(scope="module", autouse=True)
def _removed() -> Iterator[None]:
    yield
    shutil.rmtree(original()[0])


def chosen(data: st.DataObject, copy: Copy) -> tuple[str, int]:
    return data.draw(st.sampled_from(copy.lines()))


def test_original__as_it_was_written__has_nothing_wrong_with_it(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    report = verify_folder(copy.folder)
    assert report.findings == ()
    assert {chain.component for chain in report.chains} == {"keeper", "guards", "chain", "risk", "alerts"}
    assert all(chain.is_whole and chain.has_head for chain in report.chains)
    assert sum(chain.lines for chain in report.chains) == len(original()[1].stored) == 48
    assert sum(len(chain.files) for chain in report.chains) > 15
    assert copy.against_the_store() == ()


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_chain__any_byte_of_any_file_is_another__is_found(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        path = copy.folder / data.draw(st.sampled_from(copy.names()))
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
        path.write_bytes(content)
        found = copy.findings()
        assert found
        if path.suffix == ".jsonl" and content.count(b"\n") == path.read_bytes().count(b"\n"):
            assert any(each.file == path.name for each in found), "and its file is named"


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_chain__bytes_are_cut_out_or_put_in__is_found(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        path = copy.folder / data.draw(st.sampled_from(copy.names()))
        content = path.read_bytes()
        at = data.draw(st.integers(0, len(content)))
        more = data.draw(st.binary(max_size=8) | st.just(b"\n"))
        end = data.draw(st.integers(at, len(content)))
        changed = content[:at] + more + content[end:]
        path.write_bytes(changed)
        assert bool(copy.findings()) == (changed != content)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_chain__any_line_is_removed__is_found(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        name, index = chosen(data, copy)
        lines = copy.read(name)
        del lines[index]
        copy.write(name, lines)
        (found,) = copy.findings()
        assert found.fault in (Fault.REMOVED, Fault.MISSING_FILE)
        assert found.file is not None
        assert found.file.partition("-")[0] == name.partition("-")[0]
        assert {each.fault for each in copy.against_the_store()} == {Fault.LACKING}


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_chain__any_two_lines_change_places__is_found(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        one, other = chosen(data, copy), chosen(data, copy)
        first, second = copy.read(one[0])[one[1]], copy.read(other[0])[other[1]]
        for (name, index), line in ((one, second), (other, first)):
            lines = copy.read(name)
            lines[index] = line
            copy.write(name, lines)
        assert bool(copy.findings()) == (one != other)


@given(data=st.data(), what=st.sampled_from(["copy", "forged", "bytes", "blank"]))
@settings(max_examples=80, deadline=None)
def test_chain__a_line_is_inserted_anywhere__is_found(data: st.DataObject, what: str) -> None:
    with TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        name, index = chosen(data, copy)
        lines = copy.read(name)
        before = unseal(lines[index - 1][:-1]) if index else unseal(lines[0][:-1])
        assert before is not None
        source, at = chosen(data, copy)
        forged = encoded(document_of(EventRow(999, event("slot_posted", at=NOW, message="forged"))))
        inserted = {
            "copy": copy.read(source)[at],
            "forged": seal(forged, before.hash if index else before.previous)[0] + b"\n",
            "bytes": data.draw(st.binary(max_size=200)).replace(b"\n", b"") + b"\n",
            "blank": b"\n",
        }[what]
        copy.write(name, [*lines[:index], inserted, *lines[index:]])
        found = copy.findings()
        assert any(each.file == name for each in found)
        assert {each.fault for each in found} & {Fault.INSERTED, Fault.CHANGED, Fault.REORDERED}


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_chain__any_file_is_removed__is_found(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        name = data.draw(st.sampled_from(sorted({name for name, _ in copy.lines()})))
        (copy.folder / name).unlink()
        assert {each.fault for each in copy.findings()} <= {Fault.REMOVED, Fault.MISSING_FILE}
        assert copy.findings()


def edited(
    copy: Copy, name: str, edit: Callable[[list[bytes]], list[bytes]]
) -> list[tuple[Fault, str | None, int | None]]:
    """What is found after a file was edited."""
    copy.write(name, edit(copy.read(name)))
    return [(found.fault, found.file, found.line) for found in copy.findings()]


KEEPER = "keeper-2026-12-01.jsonl"
"""A file in the middle of its chain."""

LAST = "keeper-2026-12-04.jsonl"
"""The last file of it, with two lines."""


@pytest.mark.parametrize(
    ("name", "edit", "found"),
    [
        (KEEPER, lambda lines: [*lines[:1], b"x\n", *lines[1:]], [(Fault.INSERTED, KEEPER, 2)]),
        (KEEPER, lambda lines: [*lines[:3], lines[0], *lines[3:]], [(Fault.INSERTED, KEEPER, 4)]),
        (KEEPER, lambda lines: [lines[0], b"?" + lines[1][1:], *lines[2:]], [(Fault.CHANGED, KEEPER, 2)]),
        (KEEPER, lambda lines: [lines[0], lines[1][:-9] + b'000000"}\n', *lines[2:]], [(Fault.CHANGED, KEEPER, 2)]),
        (KEEPER, lambda lines: [*lines[:1], *lines[2:]], [(Fault.REMOVED, KEEPER, 2)]),
        (KEEPER, lambda lines: lines[:-1], [(Fault.REMOVED, "keeper-2026-12-02.jsonl", 1)]),
        (
            KEEPER,
            lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
            [(Fault.REORDERED, KEEPER, 2), (Fault.REORDERED, KEEPER, 3), (Fault.REORDERED, KEEPER, 4)],
        ),
        (
            KEEPER,
            lambda lines: [lines[0], after(lines[0]), *lines[1:]],
            [(Fault.INSERTED, KEEPER, 3)],
        ),
        (LAST, lambda lines: lines[:-1], [(Fault.REMOVED, LAST, None)]),
        (LAST, lambda lines: [*lines, b'{"id":99,"a'], [(Fault.TORN, LAST, 3)]),
    ],
)  # fmt: skip
def test_chain__one_edit__is_one_finding_of_its_kind_at_its_place(
    tmp_path: Path,
    name: str,
    edit: Callable[[list[bytes]], list[bytes]],
    found: list[tuple[Fault, str | None, int | None]],
) -> None:
    copy = Copy(tmp_path)
    assert edited(copy, name, edit) == found


def after(line: bytes) -> bytes:
    """A good line of another event after this one."""
    sealed = unseal(line[:-1])
    assert sealed is not None
    return seal(encoded(document_of(EventRow(999, event(message="forged")))), sealed.hash)[0] + b"\n"


def test_chain__day_in_the_middle_is_removed__is_a_missing_file(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    (copy.folder / KEEPER).unlink()
    assert [(found.fault, found.place) for found in copy.findings()] == [
        (Fault.MISSING_FILE, "keeper-2026-12-02.jsonl:1")
    ]


def test_chain__all_files_of_a_component_are_removed__is_told_by_its_head(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    for file in event_files(copy.folder, "risk"):
        file.path.unlink()
    assert [(found.fault, found.place) for found in copy.findings()] == [(Fault.MISSING_FILE, "risk.head")]


def test_chain__head_is_gone__is_said_and_the_rest_is_checked_all_the_same(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    (copy.folder / "keeper.head").unlink()
    report = verify_folder(copy.folder)
    assert report.findings == ()
    assert [chain.component for chain in report.chains if not chain.has_head] == ["keeper"]


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_chain__made_anew_as_a_whole__looks_right_and_the_database_finds_it(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        name, index = chosen(data, copy)
        component = name.partition("-")[0]
        field = data.draw(st.sampled_from(["message", "severity", "kind", "at", "data", "fund"]))
        previous, changed = GENESIS, None
        for file in event_files(copy.folder, component):
            written = []
            for line in found_lines([file]):
                document = line.event()
                assert document is not None
                if (file.path.name, line.number) == (name, index + 1):
                    changed = document["id"]
                    document[field] = document["at"] - 1 if field == "at" else {"x": 1} if field == "data" else "forged"
                sealed, previous = seal(encoded(document), previous)
                written.append(sealed + b"\n")
            copy.write(file.path.name, written)
        (copy.folder / f"{component}.head").write_bytes(head_of(component, Head(GENESIS, previous)))
        assert copy.findings() == ()
        (found,) = copy.against_the_store()
        assert (found.fault, found.place) == (Fault.DIFFERS, f"{name}:{index + 1}")
        assert found.message.startswith(f"event {changed} has another {field}")


def test_chain__good_line_of_no_event_at_the_end__is_found_by_the_database(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    file = event_files(copy.folder, "keeper")[-1].path
    last = unseal(copy.read(file.name)[-1][:-1])
    assert last is not None
    line, _ = seal(encoded(document_of(EventRow(999, event()))), last.hash)
    copy.write(file.name, [*copy.read(file.name), line + b"\n"])
    assert copy.findings() == ()
    assert [each.fault for each in copy.against_the_store()] == [Fault.UNKNOWN]


def test_chain__made_anew_with_an_event_that_is_there_twice__is_found_by_the_database(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    files = event_files(copy.folder, "risk")
    documents = [line.sealed.document for line in found_lines(files) if line.sealed is not None]
    previous, written = GENESIS, []
    for document in [*documents, documents[0]]:
        line, previous = seal(document, previous)
        written.append(line + b"\n")
    for file in files[:-1]:
        file.path.unlink()
    copy.write(files[-1].path.name, written)
    (copy.folder / "risk.head").write_bytes(head_of("risk", Head(GENESIS, previous)))
    assert copy.findings() == ()
    (found,) = copy.against_the_store()
    assert (found.fault, found.line) == (Fault.INSERTED, len(written))


def test_chain__line_moved_into_the_file_of_the_day_before__is_found(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    first, second = (file.path.name for file in event_files(copy.folder, "keeper")[:2])
    moved, *rest = copy.read(second)
    assert day_of(json.loads(moved)["at"]).isoformat() in second
    copy.write(first, [*copy.read(first), moved])
    copy.write(second, rest)
    assert [(found.fault, found.file) for found in copy.findings()] == [(Fault.CHANGED, first)]


def test_chain__made_anew_of_lines_that_say_two_things__is_found(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    file = event_files(copy.folder, "risk")[0]
    (copy.folder / "risk.head").unlink()
    for other in event_files(copy.folder, "risk")[1:]:
        other.path.unlink()
    documents = [line.sealed.document for line in found_lines([file]) if line.sealed is not None]
    twice = documents[0].replace(b',"message":', b',"message":"forged","message":')
    copy.write(file.path.name, [seal(twice, GENESIS)[0] + b"\n"])
    assert [(found.fault, found.line) for found in copy.findings()] == [(Fault.CHANGED, 1)]


def test_chain__files_given_to_another_component__are_found(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    for file in event_files(copy.folder, "risk"):
        file.path.rename(copy.folder / file.path.name.replace("risk", "prices"))
    (copy.folder / "risk.head").unlink()
    assert {found.fault for found in copy.findings()} == {Fault.CHANGED}


# ---- what a keeper goes through


def die(log: EventLog) -> None:
    """End as a killed process does: everything is left as it is, and the locks are free."""
    for chain in log._files._chains.values():
        os.close(chain.head)
        if chain.file is not None:
            os.close(chain.file)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.sampled_from(KINDS)),
        st.tuples(st.just("others"), st.sampled_from(KINDS)),
        st.tuples(st.sampled_from(["catch_up", "restart", "kill", "torn"]), st.integers(1, 400)),
        st.tuples(st.just("wait"), st.sampled_from([1, 3_600, DAY, 3 * DAY, 9 * DAY])),
    ),
    max_size=40,
)


@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
@example(
    [("record", "breaker"), ("torn", 5), ("wait", DAY), ("others", "breaker"), ("wait", DAY), ("record", "breaker")]
)
@example(
    [("record", "breaker"), ("catch_up", 1), ("wait", 9 * DAY), ("catch_up", 1), ("kill", 1), ("record", "breaker")]
)
def test_log__restarts_kills_torn_lines_rotation_and_retention__never_look_like_an_edit(
    steps: list[tuple[str, int | str]],
) -> None:
    with TemporaryDirectory() as name:
        folder, store, clock = Path(name), MemoryStore(), SetClock()
        log = EventLog(folder, store, now=clock, retention_days=7)
        for what, how in [*steps, ("catch_up", 1)]:
            if what == "wait":
                clock.move(int(how))
            elif what == "record":
                log.record(event(str(how), at=clock()))
            elif what == "others":
                store.append_event(event(str(how), at=clock()))
            elif what == "catch_up":
                log.catch_up()
            else:
                log.close() if what == "restart" else die(log)
                if what == "torn":
                    tear(folder, int(how))
                log = EventLog(folder, store, now=clock, retention_days=7)
                log.catch_up()
            assert log.trouble is None
        die(log)
        assert verify_folder(folder).findings == ()
        oldest = day_of(type(NOW)(clock() - 7 * DAY))
        compared = compare(folder, store.stored, since=oldest, now=type(NOW)(clock() + 100))
        assert compared.findings == ()
        ids = [json.loads(line.content)["id"] for line in found_lines(event_files(folder))]
        assert len(ids) == len(set(ids))


def tear(folder: Path, size: int) -> None:
    """Leave a part of a line at the end of every component's newest file."""
    newest = {file.component: file.path for file in event_files(folder)}
    for path in newest.values():
        with path.open("ab") as file:
            file.write((b'{"id":77,"at":1,"message":"' + b"x" * 400)[:size])


@given(count=st.integers(1, 12), cut=st.integers(1, 2_000))
@settings(max_examples=30, deadline=None)
def test_log__lines_that_were_safe_are_taken_off_the_end__stays_visible_after_the_next_start(
    count: int, cut: int
) -> None:
    with TemporaryDirectory() as name:
        folder, store = Path(name), MemoryStore()
        log = EventLog(folder, store, now=SetClock())
        for number in range(count):
            log.record(event(message=str(number)))
        log.close()
        path = folder / "keeper-2026-11-30.jsonl"
        content = path.read_bytes()
        path.write_bytes(content[: max(0, len(content) - cut)])
        again = EventLog(folder, store, now=SetClock())
        again.catch_up()
        again.record(event(message="later"))
        again.close()
        assert {each.fault for each in verify_folder(folder).findings} == {Fault.REMOVED}
        assert compare(folder, store.stored, since=day_of(NOW), now=type(NOW)(NOW + 100)).findings == ()


def test_retention__oldest_file_kept__begins_with_an_anchor_that_is_believed(tmp_path: Path) -> None:
    store, clock = MemoryStore(), SetClock()
    log = EventLog(tmp_path, store, now=clock, retention_days=3)
    for _ in range(6):
        log.record(event(at=clock()))
        clock.move(DAY)
        log.catch_up()
    log.close()
    report = verify_folder(tmp_path)
    assert report.findings == ()
    (chain,) = report.chains
    assert (len(chain.files), chain.is_whole, chain.has_head) == (3, False, True)
    first = event_files(tmp_path)[0].path
    first.write_bytes(b"")
    assert [each.fault for each in verify_folder(tmp_path).findings] == [Fault.REMOVED]


def test_retention__killed_between_the_head_and_the_deletion__is_no_finding(tmp_path: Path) -> None:
    store, clock = MemoryStore(), SetClock()
    log = EventLog(tmp_path, store, now=clock, retention_days=3)
    for _ in range(3):
        log.record(event(at=clock()))
        clock.move(DAY)
        log.catch_up()
    log.close()
    kept = {file.path: file.path.read_bytes() for file in event_files(tmp_path)}
    clock.move(2 * DAY)
    again = EventLog(tmp_path, store, now=clock, retention_days=3)
    again.catch_up()
    again.close()
    gone = [path for path in kept if not path.exists()]
    assert len(gone) == 2
    for path in gone:
        path.write_bytes(kept[path])
    assert verify_folder(tmp_path).findings == ()
    gone[0].unlink()
    assert verify_folder(tmp_path).findings == ()


def test_retention__lines_that_were_taken_away_grow_old__is_no_finding_any_more(tmp_path: Path) -> None:
    store, clock = MemoryStore(), SetClock()
    log = EventLog(tmp_path, store, now=clock, retention_days=3)
    for number in range(3):
        log.record(event(message=str(number)))
    log.close()
    path = tmp_path / "keeper-2026-11-30.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert verify_folder(tmp_path).findings != ()
    clock.move(9 * DAY)
    again = EventLog(tmp_path, store, now=clock, retention_days=3)
    again.catch_up()
    again.record(event(at=clock()))
    again.close()
    assert len(event_files(tmp_path)) == 1
    assert verify_folder(tmp_path).findings == ()


def test_retention__quiet_component__goes_on_from_what_was_deleted(tmp_path: Path) -> None:
    store, clock = MemoryStore(), SetClock()
    for _ in range(3):
        log = EventLog(tmp_path, store, now=clock, retention_days=3)
        log.record(event("breaker", at=clock()))
        log.close()
        clock.move(30 * DAY)
        log = EventLog(tmp_path, store, now=clock, retention_days=3)
        log.catch_up()
        log.close()
        assert event_files(tmp_path) == ()
        assert verify_folder(tmp_path).findings == ()
    log = EventLog(tmp_path, store, now=clock, retention_days=3)
    log.record(event("breaker", at=clock()))
    log.close()
    report = verify_folder(tmp_path)
    assert report.findings == ()
    assert report.chains[0].begins != GENESIS


@given(previous=st.from_regex(r"[0-9a-f]{64}", fullmatch=True), text=st.text())
def test_seal__any_document__is_taken_apart_to_what_it_was(previous: str, text: str) -> None:
    document = json.dumps({"id": 1, "message": text}, separators=(",", ":")).encode()
    line, digest = seal(document, previous)
    assert unseal(line) == (document, previous, digest, True)
    assert json.loads(line) == {"id": 1, "message": text, "previous": previous, "hash": digest}


@given(content=st.binary(max_size=300))
def test_unseal__any_bytes__are_taken_apart_or_refused(content: bytes) -> None:
    assert unseal(content) is None or content.endswith(b'"}')
    assert parse_head("keeper", content) is None
