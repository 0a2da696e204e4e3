"""Are the event files as they were written? Every chain is followed through all files of a folder.

What was changed, removed, inserted, moved or torn is named with its file and line. A chain alone cannot show that
somebody made all of it anew, or cut lines off that were not safe yet; `event_comparison` holds the lines against the
database for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path

from navoracle.telemetry.event_chain import GENESIS, Sealed, parse_head
from navoracle.telemetry.event_folder import EventFile, event_files, head_files
from navoracle.telemetry.event_lines import FoundLine, found_lines


class Fault(Enum):
    """What is wrong with a line, a file, or an event."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TORN = "torn"
    MISSING_FILE = "missing_file"
    DIFFERS = "differs"
    """The line's hash is right, and the database has another event."""

    UNKNOWN = "unknown"
    """The line's hash is right, and the database has no such event."""

    LACKING = "lacking"
    """The database has an event that no file has."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, and where: a file's name, and the number of a line of it, from 1."""

    fault: Fault
    file: str | None
    line: int | None
    message: str

    @property
    def place(self) -> str:
        """Where it is: "keeper-2026-11-30.jsonl:17"."""
        return ":".join(str(part) for part in (self.file, self.line) if part is not None)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """One component's chain.

    Attributes:
        files: their names, the oldest first.
        lines: how many there are, good and bad.
        begins: what the first line goes back to.
        is_whole: whether that is the component's very first line; else what was before it is believed.
        has_head: whether the end could be checked; without it, lines cut off the end are not seen.
    """

    component: str
    files: tuple[str, ...]
    lines: int
    begins: str | None
    is_whole: bool
    has_head: bool


@dataclass(frozen=True, slots=True)
class FolderReport:
    """What was looked at, and everything that is wrong."""

    chains: tuple[ChainReport, ...]
    findings: tuple[Finding, ...]


def verify_folder(folder: Path) -> FolderReport:
    """Follow the chain of every component of a folder.

    Raises:
        OSError: a file cannot be read.
    """
    heads = {component: path.read_bytes() for component, path in head_files(folder).items()}
    files: dict[str, list[EventFile]] = {component: [] for component in heads}
    for file in event_files(folder):
        files.setdefault(file.component, []).append(file)
    chains, findings = [], []
    for component in sorted(files):
        walk = _Walk(component, files[component], heads.get(component))
        chains.append(walk.run())
        findings += walk.findings
    return FolderReport(tuple(chains), tuple(findings))


class _Walk:
    """Follows one component's chain."""

    def __init__(self, component: str, files: Sequence[EventFile], head: bytes | None) -> None:
        self.findings: list[Finding] = []
        self._component = component
        self._files = files
        self._head = parse_head(component, head) if head else None  # one that is empty was never written
        if head and self._head is None:
            self._find(Fault.CHANGED, f"{component}.head", None, "it is not as it was written")
        self._places: dict[str, tuple[str, int]] = {}
        self._followers: dict[str, tuple[str, int]] = {}

    def run(self) -> ChainReport:
        """Follow it, and say what it is."""
        for line in found_lines(self._files):
            if line.sealed is not None:
                self._places.setdefault(line.sealed.hash, _place(line))
        seen, count = set[str](), 0
        begins: str | None = None
        expected: str | None = None
        last_good: FoundLine | None = None
        broken: list[FoundLine] = []
        for line in found_lines(self._files):
            count += 1
            if not line.is_good or line.sealed is None:
                broken.append(line)
                continue
            if not seen:
                begins = expected = line.sealed.previous if not broken else self._begin()
            if self._fits(line, line.sealed, expected, seen, broken, last_good):
                expected, last_good = line.sealed.hash, line
                self._followers.setdefault(line.sealed.previous, _place(line))
            seen.add(line.sealed.hash)
            broken = []
        for bad in broken:
            self._name_broken(bad, inserted=False)
        self._ends(begins, seen)
        return ChainReport(
            self._component,
            tuple(file.path.name for file in self._files),
            count,
            begins,
            is_whole=begins == GENESIS,
            has_head=self._head is not None,
        )

    def _begin(self) -> str | None:
        """What the first good line should go back to, when bad ones stand before it: unknown, unless the head says."""
        return None if self._head is None else self._head.anchor

    def _fits(
        self,
        line: FoundLine,
        sealed: Sealed,
        expected: str | None,
        seen: set[str],
        broken: Sequence[FoundLine],
        last_good: FoundLine | None,
    ) -> bool:
        """Hold a good line against the one before it, and name what is wrong; whether the chain goes on after it."""
        name, number = _place(line)
        claimed = _claims(broken)
        if sealed.hash in seen:
            first = ":".join(map(str, self._places[sealed.hash]))
            self._find(Fault.INSERTED, name, number, f"it is a copy of {first}")
            for bad in broken:
                self._name_broken(bad, inserted=False)
            return False
        was_inserted = bool(broken) and sealed.previous == expected
        for bad in broken:
            self._name_broken(bad, inserted=was_inserted)
        if sealed.previous == expected or (broken and sealed.previous in claimed):
            return True
        if broken and sealed.previous not in self._places:
            return True  # it goes back to a line that was changed so much that its hash is gone
        if sealed.previous in self._followers:
            other = ":".join(map(str, self._followers[sealed.previous]))
            self._find(
                Fault.INSERTED, name, number, f"it follows the same line as {other} does: one of them was inserted"
            )
        elif sealed.previous in self._places:
            other = ":".join(map(str, self._places[sealed.previous]))
            self._find(Fault.REORDERED, name, number, f"it belongs after {other}, and does not stand there")
        else:
            self._find_gap(line, last_good)
        return True

    def _find_gap(self, line: FoundLine, last_good: FoundLine | None) -> None:
        """What a line goes back to is in no file."""
        name, number = _place(line)
        before = None if last_good is None else last_good.file
        if before is None or before.day == line.file.day:
            self._find(Fault.REMOVED, name, number, "what stood before it is gone")
        elif line.file.day - before.day > timedelta(days=1):
            self._find(
                Fault.MISSING_FILE,
                name,
                number,
                f"what stood before it is gone: a file after {before.path.name}, or the end of that one",
            )
        else:
            self._find(
                Fault.REMOVED, name, number, f"what stood before it is gone: here, or at the end of {before.path.name}"
            )

    def _ends(self, begins: str | None, seen: set[str]) -> None:
        """Hold both ends against the head."""
        head = self._head
        if head is None:
            return
        if begins is None:
            if head.last != head.anchor and next(found_lines(self._files), None) is None:
                self._find(Fault.MISSING_FILE, f"{self._component}.head", None, "every line of the component is gone")
            return
        if head.anchor != begins and head.anchor not in seen:
            first = self._files[0].path.name
            self._find(
                Fault.REMOVED,
                first,
                1,
                "the head says that the chain was kept from an earlier line: what stood before is gone",
            )
        if head.last not in self._places and head.last != head.anchor:
            last = self._files[-1].path.name
            self._find(
                Fault.REMOVED,
                last,
                None,
                "the last line that the head knows is in no file: lines were taken off the end",
            )

    def _name_broken(self, line: FoundLine, *, inserted: bool) -> None:
        name, number = _place(line)
        if line.is_torn:
            self._find(
                Fault.TORN, name, number, "its end is missing; a keeper that starts cuts it off and writes it whole"
            )
        elif inserted:
            self._find(Fault.INSERTED, name, number, "the lines before and after it belong together")
        else:
            self._find(Fault.CHANGED, name, number, "it is not as it was written")

    def _find(self, fault: Fault, file: str, line: int | None, message: str) -> None:
        self.findings.append(Finding(fault, file, line, message))


def _place(line: FoundLine) -> tuple[str, int]:
    return line.file.path.name, line.number


def _claims(lines: Iterable[FoundLine]) -> set[str]:
    """The hashes that bad lines claim to have."""
    return {line.sealed.hash for line in lines if line.sealed is not None}
