"""The event log: every event of the store as a line of a file, for people and for programs that follow files.

The store is the truth and the files are its copy. An event is written to the store first; its line is keyed by the
event's id, so that it is written once, and what is missing (after a crash, a full disk, or because another process
stored it) is caught up from the store. Lines are chained (`event_chain`), so that an edit shows.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from navoracle.domain.units import Timestamp
from navoracle.failpoints import fail_point
from navoracle.redaction import redact_text
from navoracle.store_port import Event, EventRow, Severity
from navoracle.telemetry.components import component_of
from navoracle.telemetry.event_files import EventFiles
from navoracle.telemetry.event_folder import day_of
from navoracle.telemetry.logs import redacted

RETENTION_DAYS: Final = 30
PAGE: Final = 256
"""Events that a look for missing ones begins with; it goes on while something is missing."""

REMEMBERED: Final = 4_096
"""Newest ids that are kept in memory; older events are in the files, or `rebuild` puts them there."""


class EventStore(Protocol):
    """The part of a store that events come from and go to."""

    def append_event(self, event: Event) -> int:
        """Keep an event for good; returns its id."""

    def events(
        self, fund: str | None = None, kind: str | None = None, since: Timestamp | None = None, limit: int | None = None
    ) -> tuple[EventRow, ...]:
        """Events, the last one stored first."""


class EventLog:
    """The event files of one keeper, and the way by which it stores events.

    Args:
        folder: where the files are.
        retention_days: files of days before that are deleted.
        on_trouble: told why the files cannot be written, and None when they can again.
        say: says an event that was recorded; in the process's log unless given.
    """

    def __init__(
        self,
        folder: Path,
        store: EventStore,
        *,
        now: Callable[[], Timestamp],
        retention_days: int = RETENTION_DAYS,
        on_trouble: Callable[[str | None], None] | None = None,
        say: Callable[[Event], None] | None = None,
    ) -> None:
        self.trouble: str | None = None
        """Why the files cannot be written now; None when they can."""
        self._store = store
        self._files = EventFiles(folder)
        self._folder = folder
        self._now = now
        self._retention = timedelta(days=retention_days)
        self._on_trouble = on_trouble
        self._say = tell if say is None else say
        self._written: set[int] = set()
        self._order: deque[int] = deque()
        self._floor = 0
        self._has_read = False

    def record(self, event: Event) -> int:
        """Store an event, write its line and tell the log; its id.

        Files that cannot be written raise nothing: `trouble` says why, and the line is caught up later.

        Raises:
            StoreError: the event was not stored; the log has it.
        """
        clean = redact_event(event)
        self._say(clean)
        stored = self._store.append_event(clean)
        fail_point("after_event")
        if self.trouble is None:
            self._attempt(lambda: self._write([EventRow(stored, clean)]))
        return stored

    def catch_up(self) -> None:
        """Write what the store has and the files lack, make all of it safe, and delete what is too old.

        Call it at the start and every few seconds. Raises StoreError.
        """
        self._attempt(self._catch_up)

    def _catch_up(self) -> None:
        self._read_ids()
        since = Timestamp(max(0, self._now() - (self._retention.days + 1) * 86_400))
        limit = PAGE
        while True:
            rows = self._store.events(since=since, limit=limit)
            missing = self._missing(rows)
            if len(rows) < limit or not missing or missing[0].id > rows[-1].id:
                break
            limit *= 4
        self._write(missing)
        self._tidy()

    def rebuild(self) -> int:
        """Hold every event that is young enough against the files, and write those that are missing; how many.

        Raises:
            StoreError: the store cannot be read.
            OSError: the files cannot be written.
        """
        first = day_of(self._now()) - self._retention
        self._files.take_up()
        known = self._files.ids_since(first)
        rows = [row for row in reversed(self._store.events()) if row.id not in known and day_of(row.event.at) >= first]
        for row in rows:
            self._append(row)
            self._remember(row.id)
        self._files.sync()
        return len(rows)

    def close(self) -> None:
        """Make everything safe and close the files."""
        self._attempt(self._files.close)

    def _missing(self, rows: Iterable[EventRow]) -> list[EventRow]:
        """Those that are not in the files, oldest first."""
        return sorted(
            (row for row in rows if row.id > self._floor and row.id not in self._written), key=lambda row: row.id
        )

    def _write(self, rows: Iterable[EventRow]) -> None:
        self._read_ids()
        first = day_of(self._now()) - self._retention
        for row in rows:
            if day_of(row.event.at) >= first:
                self._append(row)
            self._remember(row.id)

    def _append(self, row: EventRow) -> None:
        self._files.append(component_of(row.event.kind, row.event.data), row.event.at, encoded(document_of(row)))

    def _remember(self, stored: int) -> None:
        self._written.add(stored)
        self._order.append(stored)
        while len(self._order) > REMEMBERED:
            gone = self._order.popleft()
            self._written.discard(gone)
            self._floor = max(self._floor, gone)

    def _read_ids(self) -> None:
        """Once: know what an earlier run wrote."""
        if self._has_read:
            return
        self._files.take_up()
        for stored in sorted(self._files.ids_since(day_of(self._now()) - self._retention)):
            self._remember(stored)
        self._has_read = True

    def _tidy(self) -> None:
        self._files.sync()
        self._files.remove_before(day_of(self._now()) - self._retention)

    def _attempt(self, act: Callable[[], object]) -> None:
        """Do something with the files; what goes wrong becomes `trouble`, and what goes well ends it."""
        try:
            act()
        except OSError as error:
            self._troubled(f"{self._folder}: {error.strerror or error}")
        else:
            self._troubled(None)

    def _troubled(self, why: str | None) -> None:
        if why is not None and self.trouble is None:
            structlog.get_logger("navoracle.events").error(
                "event_files",
                problem=why,
                advice="Free space or repair the folder; the database has every event, and the files catch up.",
            )
        changed, self.trouble = why != self.trouble, why
        if changed and self._on_trouble is not None:
            self._on_trouble(why)


def redact_event(event: Event) -> Event:
    """The event without secrets."""
    return Event(
        event.at,
        event.kind,
        event.fund,
        event.severity,
        redact_text(event.message),
        redact_text(event.advice),
        redacted("", dict(event.data)),
    )


def document_of(row: EventRow) -> dict[str, Any]:
    """An event as plain JSON; the id comes first."""
    return unredacted_document_of(EventRow(row.id, redact_event(row.event)))


def unredacted_document_of(row: EventRow) -> dict[str, Any]:
    """The same as it is stored: for comparing, not for writing."""
    event = row.event
    return {
        "id": row.id,
        "at": event.at,
        "component": component_of(event.kind, event.data),
        "kind": event.kind,
        "fund": event.fund,
        "severity": event.severity.value,
        "message": event.message,
        "advice": event.advice,
        "data": dict(event.data),
    }


def encoded(document: Mapping[str, Any]) -> bytes:
    """An event's document as it stands in a line, before it is chained to the line before."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def tell(event: Event) -> None:
    """Say an event in the log."""
    log = structlog.get_logger("navoracle.events")
    fields: dict[str, Any] = {"message": event.message, **({"fund": event.fund} if event.fund else {})}
    if event.severity is Severity.CRITICAL:
        log.error(event.kind, **fields, advice=event.advice)
    elif event.severity is Severity.WARNING:
        log.warning(event.kind, **fields, advice=event.advice)
    else:
        log.info(event.kind, **fields)
