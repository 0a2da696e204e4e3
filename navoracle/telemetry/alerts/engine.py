"""Alerts: what is wrong now, told once, repeated until somebody takes care, and told again when it is over.

The service calls `raise_` whenever it looks and something is wrong, and `clear` whenever it is right; neither waits for
anybody. `tick` sends what is due. Every alert is a row of the store, so that a restart neither repeats nor forgets it;
while the store fails, the rows in memory go on being told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.redaction import redact_text
from navoracle.store_port import AlertRow, AlertStore, Event, Severity
from navoracle.telemetry.alerts.deliveries import Deliveries
from navoracle.telemetry.alerts.notices import RANKS, Notice, NoticeKind, Notifier, notice_of
from navoracle.telemetry.alerts.policy import (
    AlertPolicy,
    ends_by_itself,
    is_end_told,
    is_end_untold,
    is_lasting,
    notices_due,
    told_at,
)
from navoracle.telemetry.alerts.rule import RuleName
from navoracle.telemetry.alerts.rules import ALWAYS_TOLD, RULES
from navoracle.telemetry.metrics import Metrics

RECENT: Final = 500
"""Alerts that are looked through at the start for an end that nobody was told."""

COUNTED: Final = 300
"""Seconds after which the store learns how often an alert was seen."""


def alert_key(rule: str, subject: str) -> str:
    """The name of an alert: its rule, and what it is about."""
    return f"{rule}:{subject}" if subject else rule


class Alerts:
    """The alerts of one keeper.

    Args:
        now: the keeper's clock.
        journal: told of every alert that begins or ends, as an event.
    """

    def __init__(
        self,
        store: AlertStore,
        notifier: Notifier,
        policy: AlertPolicy | None = None,
        *,
        now: Callable[[], Timestamp],
        journal: Callable[[Event], object] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._store = store
        self._policy = policy or AlertPolicy()
        self._now = now
        self._journal = journal
        self._metrics = metrics
        self._deliveries = Deliveries(notifier, metrics)
        self._rows: dict[str, AlertRow] = {}
        self._unsaved: set[str] = set()
        self._counted: set[str] = set()
        self._counted_at = now()
        self._ticking = False
        self._adopt(ended=True)

    def raise_(
        self,
        rule: RuleName,
        subject: str,
        message: str,
        *,
        advice: str | None = None,
        severity: Severity | None = None,
    ) -> None:
        """It is wrong, or it just happened. Cheap, never waits, and raises nothing.

        Args:
            subject: the fund, chain, asset, source or signer that it is about; "" for the keeper itself.
            message: what was found; secrets in it are hidden.
            advice: what to do where the rule's own advice is not precise enough.
            severity: another one than the rule's.
        """
        known, now, key = RULES[rule], self._now(), alert_key(rule, subject)
        level, told = severity or known.severity, redact_text(message)
        before = self._rows.get(key)
        if before is None or is_end_told(before):  # one whose end was not told yet goes on
            self._rows[key] = row = AlertRow(
                key, rule, subject, level, told, redact_text(advice or known.advice), now, now, 1,
                None, None, None, None, None,
            )  # fmt: skip
            if self._journal is None:
                self._tell_log(row)  # else the journal says it
            self._save(row)
            self._write("alert_raised", row)
            return
        anew = RANKS[level] > RANKS[before.severity] or (rule in ALWAYS_TOLD and told != before.message)
        self._rows[key] = row = replace(
            before,
            severity=level,
            message=told,
            advice=redact_text(advice or known.advice),
            last_at=now,
            count=before.count + 1,
            resolved_at=None,
            notified_at=None if anew else before.notified_at,
            acknowledged_at=None if anew else before.acknowledged_at,
            acknowledged_by=None if anew else before.acknowledged_by,
        )
        if anew or before.resolved_at is not None:
            self._save(row)
        else:
            self._counted.add(key)  # an alert that is seen every second is not written every second

    def clear(self, rule: RuleName, subject: str) -> None:
        """It is right. Costs a look-up when it was right before."""
        key = alert_key(rule, subject)
        row = self._rows.get(key)
        if row is not None and row.resolved_at is None:
            self._end(row, self._now())

    def open_alerts(self) -> tuple[AlertRow, ...]:
        """Everything that is wrong now, gravest first."""
        rows = [row for row in self._rows.values() if row.resolved_at is None]
        return tuple(sorted(rows, key=lambda row: (-RANKS[row.severity], row.first_at, row.key)))

    async def tick(self, now: Timestamp) -> None:
        """Tell everybody what is due, within the notifier's time limit. A second call meanwhile returns at once."""
        if self._ticking:
            return
        self._ticking = True
        try:
            self._adopt()
            for row in self.open_alerts():
                if ends_by_itself(row, now, self._policy):
                    self._end(row, now)
            self._queue(now)
            for notice in await self._deliveries.pump(now):
                self._mark(notice, now)
            for target, fails in self._deliveries.failing().items():
                if fails:
                    self.raise_("DeliveryFailing", target, "several messages in a row could not be delivered")
                else:
                    self.clear("DeliveryFailing", target)
            self._keep(now)
        finally:
            self._ticking = False

    def _queue(self, now: Timestamp) -> None:
        """Put what is due into the queues, one message for all alerts of a rule."""
        due: dict[tuple[str, NoticeKind, bool], list[AlertRow]] = defaultdict(list)
        for row in self._rows.values():
            for kind in notices_due(row, now, self._policy):
                if not self._deliveries.waits(kind, row.key):
                    ends_escalation = kind is NoticeKind.RESOLVED and row.escalated_at is not None
                    due[row.rule, kind, ends_escalation].append(row)
        for (_, kind, ends_escalation), rows in due.items():
            notice = notice_of(kind, rows)
            if not self._deliveries.queue(notice, escalated=ends_escalation):
                self._mark(notice, now)  # it concerns nobody

    def _mark(self, notice: Notice, now: Timestamp) -> None:
        """Somebody was told."""
        for key in notice.keys:
            row = self._rows.get(key)
            if row is None or RANKS[notice.severity] < RANKS[row.severity]:
                continue  # it is over, or became graver meanwhile, and that is still to be told
            if notice.kind is NoticeKind.ESCALATED:
                self._rows[key] = replace(row, escalated_at=now)
            else:
                self._rows[key] = replace(row, notified_at=told_at(row, notice.kind, now))
            self._unsaved.add(key)

    def _end(self, row: AlertRow, now: Timestamp) -> None:
        self._rows[row.key] = ended = replace(row, resolved_at=now)
        self._save(ended)

    def _keep(self, now: Timestamp) -> None:
        """Save what changed, and leave to the store what is over and told."""
        if now - self._counted_at >= COUNTED:
            self._unsaved |= self._counted
            self._counted, self._counted_at = set(), now
        for key, row in tuple(self._rows.items()):
            if key in self._unsaved:
                self._save(row)
            if row.resolved_at is None or now - row.resolved_at < self._policy.settle or key in self._unsaved:
                continue
            waits = any(self._deliveries.waits(kind, key) for kind in (NoticeKind.RAISED, NoticeKind.RESOLVED))
            if not waits and NoticeKind.RESOLVED not in notices_due(row, now, self._policy):
                self._write("alert_resolved", row)
                structlog.get_logger("navoracle.alerts").info("alert_resolved", rule=row.rule, subject=row.subject)
                del self._rows[key]
        if self._metrics is not None:
            self._metrics.observe_alerts(Counter((row.rule, row.severity.value) for row in self.open_alerts()))

    # ---- the store

    def _adopt(self, *, ended: bool = False) -> None:
        """Take over what the store knows: what others raised, told and acknowledged, and at the start an untold end."""
        try:
            stored = self._store.alerts(open_only=not ended, limit=RECENT if ended else None)
        except StoreError as error:
            self._store_failed(error)
            return
        for row in stored:
            mine = self._rows.get(row.key)
            if mine is None:
                if row.resolved_at is None or (is_lasting(row) and is_end_untold(row)):
                    self._rows[row.key] = row
            elif mine.resolved_at is None and row.resolved_at is None:
                self._rows[row.key] = replace(
                    mine,
                    first_at=min(mine.first_at, row.first_at),
                    notified_at=_later(mine.notified_at, row.notified_at),
                    escalated_at=_later(mine.escalated_at, row.escalated_at),
                    acknowledged_at=_later(mine.acknowledged_at, row.acknowledged_at),
                    acknowledged_by=mine.acknowledged_by or row.acknowledged_by,
                )

    def _save(self, row: AlertRow) -> None:
        try:
            self._store.save_alert(row)
        except StoreError as error:
            self._unsaved.add(row.key)
            self._store_failed(error)
        else:
            self._unsaved.discard(row.key)

    def _store_failed(self, error: StoreError) -> None:
        if self._metrics is not None:
            self._metrics.store_failed()
        structlog.get_logger("navoracle.alerts").error(
            "alerts_not_kept", problem=error.message, advice=f"They are told from memory meanwhile. {error.advice}"
        )

    def _write(self, kind: str, row: AlertRow) -> None:
        if self._journal is None:
            return
        event = Event(
            row.last_at if row.resolved_at is None else row.resolved_at,
            kind,
            None,
            row.severity if row.resolved_at is None else Severity.INFO,
            f"{row.rule}{f' {row.subject}' if row.subject else ''}: {row.message}",
            row.advice if row.resolved_at is None else "",
            {"rule": row.rule, "subject": row.subject, "count": row.count},
        )
        try:
            self._journal(event)
        except StoreError as error:
            self._store_failed(error)

    def _tell_log(self, row: AlertRow) -> None:
        log = structlog.get_logger("navoracle.alerts")
        fields = {"rule": row.rule, "subject": row.subject, "message": row.message}
        if row.severity is Severity.CRITICAL:
            log.error("alert", **fields, advice=row.advice)
        elif row.severity is Severity.WARNING:
            log.warning("alert", **fields, advice=row.advice)
        else:
            log.info("alert", **fields)


def _later(mine: Timestamp | None, stored: Timestamp | None) -> Timestamp | None:
    """The later of two times, where there is one."""
    return max((time for time in (mine, stored) if time is not None), default=None)
