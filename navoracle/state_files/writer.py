"""Sets of files that flip at once: a set is written into a folder of its own, made safe, and then put in place.

    FOLDER/index.json, status.html, status.json
    FOLDER/FUND/nav.json           -> current/nav.json
    FOLDER/FUND/current            -> .sets/42
    FOLDER/FUND/.sets/42/nav.json

`current` is replaced by one rename. Whoever opens `current` once and reads from there has the files of one frame;
whoever opens a path has a whole file. Sets before it stay for a while, for readers that have them open.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from navoracle.state_files.names import CURRENT, INDEX, LOCK, SETS, folder_name

KEEP_SECONDS: Final = 60
"""A set that is no longer the current one stays so long, for readers that have opened it."""

KEEP_MOST: Final = 50
"""Most such sets of a fund, however young they are."""

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class SetWriter:
    """Writes the sets of one folder, which is this process's own for as long as it is not closed.

    Every method raises OSError when the folder cannot be used; what was in place stays in place then.

    Args:
        fsync: whether a set is on the disk before it is put in place, so that a power failure tears nothing either.
    """

    def __init__(self, folder: Path, *, fsync: bool = True) -> None:
        self.folder = folder
        self._fsync = fsync
        self._lock: int | None = None
        self._newest: dict[str, int] = {}

    def own(self) -> None:
        """Take the folder: two keepers that write to one would each show half of the truth."""
        if self._lock is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise OSError(f"another keeper writes to {self.folder}; give each keeper a folder of its own") from None
        self._lock = descriptor

    def write(self, fund: str, documents: Mapping[str, bytes]) -> None:
        """Put a whole set of files in place of the one before."""
        self.own()
        folder = self.folder / folder_name(fund)
        sets = folder / SETS
        sets.mkdir(parents=True, exist_ok=True)
        number = self._number(fund, folder)
        made = sets / str(number)
        try:
            made.mkdir()
            for name, content in documents.items():
                self._write_file(made / name, content)
            self._sync(made)
            self._sync(sets)
            self._point(folder / CURRENT, f"{SETS}/{number}")
        except OSError:
            shutil.rmtree(made, ignore_errors=True)
            raise
        self._newest[fund] = number
        for name in documents:
            link, target = folder / name, f"{CURRENT}/{name}"
            if not link.is_symlink() or link.readlink() != Path(target):
                self._point(link, target)
        self._sync(folder)
        _prune(sets, number)

    def write_index(self, content: bytes) -> None:
        """Put the index in place of the one before."""
        self.write_beside(INDEX, content)

    def write_beside(self, name: str, content: bytes) -> None:
        """Put a file of all funds in place of the one before, beside the funds' folders."""
        self.own()
        made = self.folder / f".{name}.new"
        made.unlink(missing_ok=True)
        self._write_file(made, content)
        made.replace(self.folder / name)
        self._sync(self.folder)

    def close(self) -> None:
        """Give the folder up."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _number(self, fund: str, folder: Path) -> int:
        """The next set's number; what a crash left of a set that never came to be is removed."""
        if fund not in self._newest:
            current = current_number(folder)
            for number in numbers_of(folder / SETS):
                if number > current:
                    shutil.rmtree(folder / SETS / str(number))
            self._newest[fund] = current
        return self._newest[fund] + 1

    def _write_file(self, path: Path, content: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            if self._fsync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _point(self, link: Path, target: str) -> None:
        made = link.with_name(f".{link.name}.new")
        made.unlink(missing_ok=True)
        made.symlink_to(target)
        made.replace(link)

    def _sync(self, folder: Path) -> None:
        if not self._fsync:
            return
        descriptor = os.open(folder, _DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def current_number(folder: Path) -> int:
    """The number of the set that is in place in a fund's folder; 0 without one."""
    current = folder / CURRENT
    name = current.readlink().name if current.is_symlink() else ""
    return int(name) if name.isdecimal() else 0


def numbers_of(sets: Path) -> list[int]:
    """The numbers of all sets of a fund, oldest first."""
    return sorted(int(each.name) for each in sets.iterdir() if each.name.isdecimal())


def _prune(sets: Path, current: int) -> None:
    """Remove the sets that no reader can still be about to read."""
    before = [number for number in numbers_of(sets) if number < current]
    horizon = time.time() - KEEP_SECONDS
    for place, number in enumerate(reversed(before)):
        old = sets / str(number)
        if place >= KEEP_MOST or old.stat().st_mtime < horizon:
            shutil.rmtree(old)
