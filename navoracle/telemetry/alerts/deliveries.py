"""Notices on their way: one queue for each target, so that a dead one delays nobody else's."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import structlog

from navoracle.domain.units import Timestamp
from navoracle.telemetry.alerts.notices import RANKS, Notice, NoticeKind, Notifier, Target
from navoracle.telemetry.alerts.rules import ALWAYS_TOLD
from navoracle.telemetry.metrics import Metrics

AT_ONCE: Final = 10
"""Most notices that one target is sent in one turn."""

WAITING: Final = 50
"""Most notices that wait for a target; the oldest one goes first."""

FIRST_PAUSE: Final = 15
LONGEST_PAUSE: Final = 600
FAILING: Final = 3
"""Failures in a row after which a target counts as failing."""


@dataclass(slots=True)
class _Queue:
    """What waits for one target, and how it fared."""

    target: Target
    notices: deque[Notice] = field(default_factory=deque)
    failures: int = 0
    not_before: Timestamp = Timestamp(0)


class Deliveries:
    """Brings notices to their targets, and tries again where it failed."""

    def __init__(self, notifier: Notifier, metrics: Metrics | None = None) -> None:
        self._notifier = notifier
        self._metrics = metrics
        self._queues = {target.name: _Queue(target) for target in notifier.targets}
        self._has_escalation = any(target.escalation for target in notifier.targets)

    def queue(self, notice: Notice, *, escalated: bool = False) -> bool:
        """Put a notice into the queues of those whom it concerns; False when it concerns nobody.

        Args:
            escalated: whether it is also for those who hear only of what nobody acknowledged.
        """
        chosen = [each for each in self._queues.values() if self._concerns(each.target, notice, escalated=escalated)]
        for each in chosen:
            if len(each.notices) >= WAITING:
                dropped = each.notices.popleft()
                self._count(each.target.name, "dropped")
                structlog.get_logger("navoracle.alerts").warning(
                    "notice_dropped", target=each.target.name, title=dropped.title, advice="Repair this target."
                )
            each.notices.append(notice)
        return bool(chosen)

    def waits(self, kind: NoticeKind, key: str) -> bool:
        """Whether a notice of this kind about this alert is still in a queue."""
        return any(
            notice.kind is kind and key in notice.keys for each in self._queues.values() for notice in each.notices
        )

    def failing(self) -> dict[str, bool]:
        """Every target, and whether it fails."""
        return {name: each.failures >= FAILING for name, each in self._queues.items()}

    async def pump(self, now: Timestamp) -> list[Notice]:
        """Send what waits; the notices that reached somebody in this turn."""
        delivered = await asyncio.gather(*(self._send(each, now) for each in self._queues.values()))
        return [notice for part in delivered for notice in part]

    async def _send(self, queue: _Queue, now: Timestamp) -> list[Notice]:
        delivered: list[Notice] = []
        if now < queue.not_before:
            return delivered
        name = queue.target.name
        for _ in range(min(AT_ONCE, len(queue.notices))):
            notice = queue.notices[0]
            problem = await self._notifier.send(name, notice)
            self._count(name, "sent" if problem is None else "failed")
            if problem is not None:
                queue.failures += 1
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(queue.failures - 1, 10))
                queue.not_before = Timestamp(now + pause)
                structlog.get_logger("navoracle.alerts").error(
                    "notice_failed",
                    target=name,
                    title=notice.title,
                    problem=problem,
                    advice=f"It is tried again in {pause} s; `navoracle alerts test` says more.",
                )
                break
            queue.failures = 0
            if queue.notices and queue.notices[0] is notice:
                queue.notices.popleft()
            delivered.append(notice)
        return delivered

    def _concerns(self, target: Target, notice: Notice, *, escalated: bool) -> bool:
        if notice.kind is NoticeKind.ESCALATED:
            return target.escalation or not self._has_escalation
        if target.escalation:
            return escalated
        return notice.rule in ALWAYS_TOLD or RANKS[notice.severity] >= RANKS[target.min_severity]

    def _count(self, target: str, result: str) -> None:
        if self._metrics is not None:
            self._metrics.notified(target, result)
