"""Files of JSON lines, one for each component and UTC day: a line is there whole or not at all.

A line is one write to a file opened for appending. A write that came out short, because the disk is full or a limit was
reached, is taken back; what a crash left of a line is cut off before the file is written again. Files are made safe
(fsync) by `sync` and when they are closed, not at every line: the database holds every event, and what a power failure
takes from a file is written again from there.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from navoracle.domain.units import Timestamp

_NAME: Final = re.compile(r"([a-z]+)-(\d{4}-\d{2}-\d{2})\.jsonl")
_ID: Final = re.compile(rb'\{"id":(\d{1,19}),')


def day_of(at: Timestamp) -> date:
    """The UTC day of a time."""
    return datetime.fromtimestamp(at, UTC).date()


class EventFiles:
    """The files of one folder.

    Every method raises OSError when the folder or a file cannot be used; no half line is left then.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[tuple[str, date], int] = {}
        self._unsafe: set[int] = set()

    def append(self, component: str, at: Timestamp, line: bytes) -> None:
        """Write one line, without its line break, to the component's file of that day."""
        descriptor = self._file(component, day_of(at))
        before = os.fstat(descriptor).st_size
        whole = line + b"\n"
        try:
            written = os.write(descriptor, whole)
        except OSError:
            os.ftruncate(descriptor, before)
            raise
        if written != len(whole):
            os.ftruncate(descriptor, before)
            raise OSError(f"{written} of {len(whole)} bytes could be written: is the disk full?")
        self._unsafe.add(descriptor)

    def sync(self) -> None:
        """Make everything that was written safe from a power failure."""
        while self._unsafe:
            os.fsync(next(iter(self._unsafe)))
            self._unsafe.pop()

    def close_before(self, day: date) -> None:
        """Make the files of earlier days safe, and close them."""
        for key in [key for key in self._open if key[1] < day]:
            self._close(key)

    def close(self) -> None:
        """Make everything safe, and close it."""
        for key in tuple(self._open):
            self._close(key)

    def remove_before(self, day: date) -> int:
        """Delete the files of days before that one; how many they were. Other files of the folder are left alone."""
        old = [path for path, _, of in self._all() if of < day]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def ids_since(self, day: date) -> set[int]:
        """The ids of the events in files of that day and later."""
        found: set[int] = set()
        for path, _, of in self._all():
            if of >= day:
                with path.open("rb") as file:
                    found.update(
                        int(match.group(1)) for line in file if line.endswith(b"\n") and (match := _ID.match(line))
                    )
        return found

    def _all(self) -> Iterator[tuple[Path, str, date]]:
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is not None:
                try:
                    yield path, match.group(1), date.fromisoformat(match.group(2))
                except ValueError:
                    continue  # "2026-02-31": not one of ours

    def _file(self, component: str, day: date) -> int:
        key = (component, day)
        if key not in self._open:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{component}-{day.isoformat()}.jsonl"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            try:
                _own(descriptor)
                _cut_torn_line(descriptor)
            except OSError:
                os.close(descriptor)
                raise
            self._open[key] = descriptor
        return self._open[key]

    def _close(self, key: tuple[str, date]) -> None:
        descriptor = self._open.pop(key)
        self._unsafe.discard(descriptor)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _own(descriptor: int) -> None:
    """Keep other processes from writing to the file: two keepers in one folder would cut into each other's lines."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError("another process writes there; give each keeper a folder of its own") from None


def _cut_torn_line(descriptor: int) -> None:
    """Cut off what a crash left of a line."""
    size = end = os.fstat(descriptor).st_size
    while end > 0:
        begin = max(0, end - 65_536)
        at = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if at >= 0:
            end = begin + at + 1
            break
        end = begin
    if end != size:
        os.ftruncate(descriptor, end)
