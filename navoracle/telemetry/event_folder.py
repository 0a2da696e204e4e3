"""What is in a folder of event files, by the names of the files."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from navoracle.domain.units import Timestamp

_NAME: Final = re.compile(r"([a-z]+)-(\d{4}-\d{2}-\d{2})\.jsonl")
_HEAD_NAME: Final = re.compile(r"([a-z]+)\.head")
_ID: Final = re.compile(rb'\{"id":(\d{1,19}),')


class EventFile(NamedTuple):
    """One file: of which component, and of which UTC day."""

    path: Path
    component: str
    day: date


def day_of(at: Timestamp) -> date:
    """The UTC day of a time."""
    return datetime.fromtimestamp(at, UTC).date()


def id_of(line: bytes) -> int | None:
    """The id of the event that a line is of, whole or not."""
    match = _ID.match(line)
    return None if match is None else int(match.group(1))


def event_files(folder: Path, component: str | None = None) -> tuple[EventFile, ...]:
    """The event files of a folder, of one component or all: component by component, the oldest day first."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match is not None and component in (None, match.group(1)):
            try:
                found.append(EventFile(path, match.group(1), date.fromisoformat(match.group(2))))
            except ValueError:
                continue  # "2026-02-31": not one of ours
    return tuple(sorted(found, key=lambda file: (file.component, file.day)))


def head_files(folder: Path) -> dict[str, Path]:
    """The heads of a folder by their component."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return {match.group(1): path for path in paths if (match := _HEAD_NAME.fullmatch(path.name)) is not None}
