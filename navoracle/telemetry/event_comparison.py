"""The event files against the database: who makes a whole chain anew still cannot change what was stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from navoracle.domain.units import Timestamp
from navoracle.store_port import EventRow
from navoracle.telemetry.event_folder import day_of, event_files, id_of
from navoracle.telemetry.event_lines import found_lines
from navoracle.telemetry.event_verification import Fault, Finding
from navoracle.telemetry.events import encoded, unredacted_document_of
from navoracle.telemetry.logs import redacted

CATCH_UP_SECONDS: Final = 60
"""How young an event may be that the files do not have yet: a running keeper writes it within seconds."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many lines were held against the database, and what differs."""

    compared: int
    findings: tuple[Finding, ...]


def compare(folder: Path, rows: Iterable[EventRow], *, since: date, now: Timestamp) -> Comparison:
    """Hold every line whose chain hash is right against the stored event of its id.

    Args:
        rows: every event of the database.
        since: stored events of that UTC day and later must be in the files, but those of the last minute.

    Raises:
        OSError: a file cannot be read.
    """
    stored = {row.id: row for row in rows}
    findings: list[Finding] = []
    places: dict[int, str] = {}
    broken: set[int] = set()
    for line in found_lines(event_files(folder)):
        event = line.event()
        if event is None:
            named = id_of(line.content)
            broken |= set() if named is None else {named}
            continue
        number: int = event["id"]
        name = line.file.path.name
        if number in places:
            findings.append(
                Finding(Fault.INSERTED, name, line.number, f"event {number} is in {places[number]} already")
            )
        elif number not in stored:
            findings.append(Finding(Fault.UNKNOWN, name, line.number, f"the database has no event {number}"))
        else:
            findings += (
                Finding(Fault.DIFFERS, name, line.number, f"event {number} has another {what} in the database")
                for what in differences(event, unredacted_document_of(stored[number]))
            )
        places.setdefault(number, f"{name}:{line.number}")
    findings += (
        Finding(
            Fault.LACKING,
            None,
            None,
            f"event {row.id} ({row.event.kind} at {row.event.at}) is in the database and in no file",
        )
        for row in sorted(stored.values(), key=lambda row: row.id)
        if row.id not in places
        and row.id not in broken
        and day_of(row.event.at) >= since
        and row.event.at <= now - CATCH_UP_SECONDS
    )
    return Comparison(len(places), tuple(findings))


def differences(line: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterator[str]:
    """The fields in which a line and a stored event differ, what is secret now hidden in both."""
    if line == stored:
        return
    said, kept = _plain(line), _plain(stored)
    yield from (name for name in said | kept if said.get(name) != kept.get(name))


def _plain(document: Mapping[str, Any]) -> dict[str, str]:
    """The fields as one way of writing them: databases may keep the members of an object in another order."""
    written = json.loads(encoded({name: redacted("", value) for name, value in document.items()}))
    return {name: json.dumps(value, sort_keys=True) for name, value in written.items()}
