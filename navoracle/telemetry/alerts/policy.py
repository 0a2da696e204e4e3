"""When an alert is told, told again, escalated and over: pure functions of its row and the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from navoracle.domain.units import Timestamp
from navoracle.store_port import AlertRow, Severity
from navoracle.telemetry.alerts.notices import NoticeKind
from navoracle.telemetry.alerts.rules import RULES


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """When people are told; seconds.

    Attributes:
        repeat: between two messages about an alert that nobody acknowledged.
        escalate: how long a CRITICAL alert may wait for somebody before the escalation targets are told.
        settle: how long it must be over before that is told; one that comes back within it never was.
        forget: an alert that was not seen for so long is taken for over.
    """

    repeat: int = 3_600
    escalate: int = 900
    settle: int = 60
    forget: int = 86_400


_LASTING: Final = {str(name): rule.lasting for name, rule in RULES.items()}


def is_lasting(row: AlertRow) -> bool:
    """Whether it goes on until it is cleared; one of a rule that is no more does too."""
    return _LASTING.get(row.rule, True)


def stays(row: AlertRow) -> bool:
    """Whether it is open until it is cleared or acknowledged; the others end once they were told."""
    return is_lasting(row) or row.severity is Severity.CRITICAL


def notices_due(row: AlertRow, now: Timestamp, policy: AlertPolicy) -> Iterator[NoticeKind]:
    """What is to be told of an alert now."""
    if row.resolved_at is not None:
        if is_lasting(row) and is_end_untold(row) and now - row.resolved_at >= policy.settle:
            yield NoticeKind.RESOLVED
        return
    if row.notified_at is None:
        yield NoticeKind.RAISED
    if row.acknowledged_at is not None:
        return
    if row.notified_at is not None and stays(row) and now - row.notified_at >= policy.repeat:
        yield NoticeKind.REPEATED
    if row.severity is Severity.CRITICAL:
        first = row.escalated_at is None
        waited = now - (row.first_at if row.escalated_at is None else row.escalated_at)
        if waited >= (policy.escalate if first else policy.repeat):
            yield NoticeKind.ESCALATED


def is_end_untold(row: AlertRow) -> bool:
    """Whether somebody was told that it began and nobody that it is over."""
    return row.resolved_at is not None and row.notified_at is not None and row.notified_at <= row.resolved_at


def is_end_told(row: AlertRow) -> bool:
    """Whether somebody was told that it is over."""
    return row.resolved_at is not None and row.notified_at is not None and row.notified_at > row.resolved_at


def ends_by_itself(row: AlertRow, now: Timestamp, policy: AlertPolicy) -> bool:
    """Whether an open alert is over without having been cleared."""
    if is_lasting(row):
        return now - row.last_at >= policy.forget
    if row.acknowledged_at is not None:
        return True
    return not stays(row) and row.notified_at is not None and now - row.last_at >= policy.repeat


def told_at(row: AlertRow, kind: NoticeKind, now: Timestamp) -> Timestamp:
    """What `notified_at` says after a notice: not later than the end, unless it told the end."""
    if row.resolved_at is None:
        return now
    return Timestamp(max(now, row.resolved_at + 1) if kind is NoticeKind.RESOLVED else min(now, row.resolved_at))
