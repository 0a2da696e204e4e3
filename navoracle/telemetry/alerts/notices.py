"""A message to people, and the small protocol of what carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from navoracle.store_port import AlertRow, Severity
from navoracle.telemetry.alerts.rule import RUNBOOKS
from navoracle.telemetry.alerts.rules import RULES

LISTED: Final = 12
"""How many alerts of one rule a message names before it only counts them."""

RANKS: Final = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class NoticeKind(Enum):
    """Why somebody is told."""

    RAISED = "raised"
    REPEATED = "still open"
    ESCALATED = "nobody has acknowledged"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message: about alerts of one rule, so that two hundred funds are one message and not two hundred."""

    kind: NoticeKind
    rule: str
    severity: Severity
    title: str
    body: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who is told. `escalation` targets hear only of what nobody acknowledged."""

    name: str
    min_severity: Severity = Severity.WARNING
    escalation: bool = False


class Notifier(Protocol):
    """Carries notices to targets."""

    @property
    def targets(self) -> Sequence[Target]:
        """All targets."""

    async def send(self, target: str, notice: Notice) -> str | None:
        """Deliver to one target within bounded time; None when it was, else why not (without secrets)."""


def notice_of(kind: NoticeKind, rows: Sequence[AlertRow]) -> Notice:
    """One message about alerts of one rule; it is as grave as the gravest of them."""
    first = rows[0]
    rule = next((known for known in RULES.values() if known.name == first.rule), None)
    severity = max((row.severity for row in rows), key=RANKS.__getitem__)
    subjects = ", ".join(sorted({row.subject for row in rows if row.subject})[:3])
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    about = f": {subjects}{more}" if subjects else ""
    told = "" if kind is NoticeKind.RAISED else f" ({kind.value})"
    lines = [rule.summary] if rule is not None else []
    lines += [f"- {f'{row.subject}: ' if row.subject else ''}{row.message}" for row in rows[:LISTED]]
    if len(rows) > LISTED:
        lines.append(f"- and {len(rows) - LISTED} more: navoracle alerts list")
    if kind is not NoticeKind.RESOLVED:
        lines += [f"What to do: {advice}" for advice in dict.fromkeys(row.advice for row in rows[:LISTED])]
        lines.append(f"Runbook: {rule.runbook if rule is not None else RUNBOOKS}")
        lines += [f"Acknowledge: navoracle alerts ack '{row.key}'" for row in rows[:1] if row.acknowledged_at is None]
    return Notice(
        kind,
        first.rule,
        severity,
        f"[{severity.value}] navoracle {first.rule}{about}{told}",
        "\n".join(lines),
        tuple(row.key for row in rows),
    )
