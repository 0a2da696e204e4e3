"""Events and alerts: what was told, and what is wrong."""

from __future__ import annotations

from typing import Any, Literal

from navoracle.domain.units import Timestamp
from navoracle.read_model.cursors import number_of
from navoracle.read_model.paging import offset_page_of, page_of
from navoracle.read_model.records import OffsetPage, Page, Record, Time
from navoracle.store_port import AlertRow, Event, EventQuestion, EventRow, PageStore, Severity, Store
from navoracle.telemetry.alerts import RULES
from navoracle.telemetry.events import document_of

SeverityWord = Literal["info", "warning", "critical"]


class EventRecord(Record):
    """Something that happened."""

    id: int
    """It grows in the order of storing."""
    at: Time
    component: str
    """The part of the keeper that it is of."""
    kind: str
    fund: str | None
    severity: SeverityWord
    message: str
    advice: str
    data: dict[str, Any]


class AlertRecord(Record):
    """One thing that is, or was, wrong."""

    key: str
    """Its name: the rule, and what it is about."""
    rule: str
    subject: str
    severity: SeverityWord
    message: str
    advice: str
    runbook: str | None
    """Where the guide says what to do."""
    first_at: Time
    last_at: Time
    count: int
    """How often it was seen."""
    notified_at: Time | None
    """When somebody was last told; null where nobody was."""
    escalated_at: Time | None
    acknowledged_at: Time | None
    acknowledged_by: str | None
    """Who takes care of it."""
    resolved_at: Time | None
    """When it ended; null while it is open."""


class Acknowledged(Record):
    """An alert that somebody takes care of."""

    key: str
    by: str
    at: Time


def events(store: PageStore, ask: EventQuestion, *, cursor: str | None, limit: int) -> Page[EventRecord]:
    """Events, the last one stored first. Raises StoreError, UsageError for a cursor of another list."""
    found = store.event_page(ask, before=number_of(cursor), limit=limit + 1)
    return page_of(found, event_record, limit=limit, key=lambda row: (row.id,))


def event_record(row: EventRow) -> EventRecord:
    """An event, its secrets hidden."""
    return EventRecord(**document_of(row))


def alerts(
    store: Store,
    *,
    open_only: bool = False,
    severity: Severity | None = None,
    text: str | None = None,
    fund: str | None = None,
    offset: int,
    limit: int,
) -> OffsetPage[AlertRecord]:
    """Alerts, the one seen last first; of a fund those whose subject begins with it. Raises StoreError."""
    needle = None if text is None else text.casefold()
    rows = [
        row
        for row in store.alerts(open_only=open_only)
        if (severity is None or row.severity is severity)
        and (needle is None or needle in f"{row.key}\n{row.message}".casefold())
        and (fund is None or fund in (row.subject, row.subject.partition(":")[0], row.subject.removeprefix("fund:")))
    ]
    return offset_page_of(rows, alert_record, offset=offset, limit=limit)


def alert_record(row: AlertRow) -> AlertRecord:
    """An alert."""
    rule = next((known for known in RULES.values() if known.name == row.rule), None)
    return AlertRecord(
        key=row.key,
        rule=row.rule,
        subject=row.subject,
        severity=row.severity.value,
        message=row.message,
        advice=row.advice,
        runbook=None if rule is None else rule.runbook,
        first_at=row.first_at,
        last_at=row.last_at,
        count=row.count,
        notified_at=row.notified_at,
        escalated_at=row.escalated_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        resolved_at=row.resolved_at,
    )


def acknowledge(store: Store, key: str, by: str, at: Timestamp) -> Acknowledged | None:
    """Somebody takes care of an open alert: it is neither repeated nor escalated; None where none has this key.

    Raises:
        StoreError: it could not be kept.
    """
    if not store.acknowledge_alert(key, by, at):
        return None
    store.append_event(
        Event(at, "alert_acknowledged", None, Severity.INFO, f"{key}: {by} takes care", data={"key": key})
    )
    return Acknowledged(key=key, by=by, at=at)
