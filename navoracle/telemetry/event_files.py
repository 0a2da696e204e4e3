"""Files of JSON lines, one for each component and UTC day: a line is there whole or not at all, and chained.

A line is one write to a file opened for appending. A write that came out short, because the disk is full or a limit was
reached, is taken back; what a crash left of a line is cut off before the files are written again. Files are made safe
(fsync) by `sync` and when they are closed, not at every line: the database holds every event, and what a power failure
takes from a file is written again from there.

A component's lines stand in the order in which they were written, through all of its files: an event that is caught up
after midnight goes into the newest file. Its head (`event_chain`) is written after the lines are safe, so that it never
names one that a power failure can take; it is also what keeps a second process from writing to the component's files.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from navoracle.domain.units import Timestamp
from navoracle.telemetry.event_chain import GENESIS, Head, head_of, parse_head, seal, unseal
from navoracle.telemetry.event_folder import day_of, event_files, id_of

_HEAD_LIMIT: Final = 4_096


@dataclass(slots=True)
class _Chain:
    """A component's chain as this process writes it; `file` is that of `day`, None until it is written to."""

    head: int
    anchor: str
    last: str
    day: date | None
    file: int | None = None
    is_unsafe: bool = False


class EventFiles:
    """The files of one folder.

    Every method raises OSError when the folder or a file cannot be used; no half line is left then.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._chains: dict[str, _Chain] = {}

    def take_up(self) -> None:
        """Before anything is written: cut off what a crash left of lines, and take every chain up where it ends."""
        for component in dict.fromkeys(file.component for file in event_files(self._folder)):
            self._chain(component)

    def append(self, component: str, at: Timestamp, document: bytes) -> None:
        """Chain one event, a JSON object, to the component's last line, and write it to the file of its day.

        Where the component has a newer file already, the line goes there.
        """
        chain = self._chain(component)
        descriptor = self._file(component, chain, day_of(at))
        before = os.fstat(descriptor).st_size
        line, digest = seal(document, chain.last)
        whole = line + b"\n"
        try:
            written = os.write(descriptor, whole)
        except OSError:
            os.ftruncate(descriptor, before)
            raise
        if written != len(whole):
            os.ftruncate(descriptor, before)
            raise OSError(f"{written} of {len(whole)} bytes could be written: is the disk full?")
        chain.last = digest
        chain.is_unsafe = True

    def sync(self) -> None:
        """Make everything that was written safe from a power failure."""
        for component, chain in self._chains.items():
            _make_safe(component, chain)

    def close(self) -> None:
        """Make everything safe, and close it."""
        for component in tuple(self._chains):
            chain = self._chains.pop(component)
            try:
                _make_safe(component, chain)
            finally:
                _close_file(chain)
                os.close(chain.head)

    def remove_before(self, day: date) -> int:
        """Delete the files of days before that one; how many they were. Other files of the folder are left alone.

        The head says first what the lines that stay go back to.
        """
        old = [file for file in event_files(self._folder) if file.day < day]
        for component in dict.fromkeys(file.component for file in old):
            chain = self._chain(component)
            files = event_files(self._folder, component)
            chain.anchor = _anchor(
                [file.path for file in files if file.day < day],
                [file.path for file in files if file.day >= day],
                chain.last,
            )
            if chain.day is not None and chain.day < day:
                _make_safe(component, chain)
                _close_file(chain)
            chain.is_unsafe = True
            _make_safe(component, chain)
            os.fsync(chain.head)
        for file in old:
            file.path.unlink(missing_ok=True)
        return len(old)

    def ids_since(self, day: date) -> set[int]:
        """The ids of the events in files of that day and later."""
        found: set[int] = set()
        for path, _, of in event_files(self._folder):
            if of >= day:
                with path.open("rb") as file:
                    found.update(
                        stored for line in file if line.endswith(b"\n") and (stored := id_of(line)) is not None
                    )
        return found

    def _chain(self, component: str) -> _Chain:
        """The component's chain, taken up where the files end."""
        if component not in self._chains:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / f"{component}.head", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                _own(descriptor)
                files = event_files(self._folder, component)
                said = parse_head(component, os.pread(descriptor, _HEAD_LIMIT, 0))
                head = _take_up([file.path for file in files], said)
            except OSError:
                os.close(descriptor)
                raise
            self._chains[component] = _Chain(descriptor, *head, files[-1].day if files else None)
        return self._chains[component]

    def _file(self, component: str, chain: _Chain, day: date) -> int:
        day = day if chain.day is None else max(day, chain.day)
        if chain.file is None or chain.day != day:
            path = self._folder / f"{component}-{day.isoformat()}.jsonl"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            try:
                _make_safe(component, chain)
            except OSError:
                os.close(descriptor)
                raise
            _close_file(chain)
            chain.file, chain.day = descriptor, day
        return chain.file


def _take_up(paths: Sequence[Path], head: Head | None) -> Head:
    """Where a chain goes on: after its last line, once what a crash left of a line was cut off.

    Where the last line that the head knows is in no file any more, the next one goes back to it all the same: what was
    lost or taken away stays visible.
    """
    tail = None
    for path in reversed(paths):
        _cut_torn_line(path)
        line = _last_line(path)
        if line is not None:
            sealed = unseal(line)
            tail = None if sealed is None else sealed.hash
            break
    if head is None:
        return Head(_first_previous(paths) or GENESIS, tail or GENESIS)
    if tail is None or (head.last not in (head.anchor, tail) and not _is_in(paths, head.last)):
        return head
    return Head(head.anchor, tail)


def _anchor(old: Sequence[Path], kept: Sequence[Path], last: str) -> str:
    """What the lines that are kept go back to: the hash of the newest line that is deleted."""
    if all(_last_line(path) is None for path in kept):
        return last
    for path in reversed(old):
        line = _last_line(path)
        sealed = None if line is None else unseal(line)
        if sealed is not None:
            return sealed.hash
    return _first_previous(kept) or last


def _first_previous(paths: Sequence[Path]) -> str | None:
    """What the first line goes back to; None without one that says it."""
    for path in paths:
        with path.open("rb") as file:
            line = file.readline()
        if line:
            sealed = unseal(line.removesuffix(b"\n"))
            return None if sealed is None else sealed.previous
    return None


def _is_in(paths: Sequence[Path], digest: str) -> bool:
    """Whether a line of that hash is in the files; the newest are looked through first."""
    end = f'"hash":"{digest}"}}\n'.encode()
    for path in reversed(paths):
        with path.open("rb") as file:
            if any(line.endswith(end) for line in file):
                return True
    return False


def _make_safe(component: str, chain: _Chain) -> None:
    """Bring the chain's lines to the disk, and then its head."""
    if not chain.is_unsafe:
        return
    if chain.file is not None:
        os.fsync(chain.file)
    content = head_of(component, Head(chain.anchor, chain.last))
    written = os.pwrite(chain.head, content, 0)
    if written != len(content):
        raise OSError(f"{written} of {len(content)} bytes of {component}.head could be written: is the disk full?")
    os.ftruncate(chain.head, len(content))
    chain.is_unsafe = False


def _close_file(chain: _Chain) -> None:
    if chain.file is not None:
        os.close(chain.file)
        chain.file = None


def _own(descriptor: int) -> None:
    """Keep other processes from writing to the component's files: two keepers would break each other's chains."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError("another process writes there; give each keeper a folder of its own") from None


def _last_line(path: Path) -> bytes | None:
    """The last whole line without its break; None where there is none."""
    with path.open("rb") as file:
        end = _end_of_lines(file.fileno())
        if end == 0:
            return None
        begin = _end_of_lines(file.fileno(), end - 1)
        return os.pread(file.fileno(), end - 1 - begin, begin)


def _cut_torn_line(path: Path) -> None:
    """Cut off what a crash left of a line."""
    with path.open("r+b") as file:
        end = _end_of_lines(file.fileno())
        if end != os.fstat(file.fileno()).st_size:
            file.truncate(end)


def _end_of_lines(descriptor: int, before: int | None = None) -> int:
    """Where the last line break ends, of the whole file or of what stands before a place; 0 without one."""
    end = os.fstat(descriptor).st_size if before is None else before
    while end > 0:
        begin = max(0, end - 65_536)
        at = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if at >= 0:
            return begin + at + 1
        end = begin
    return 0
