"""A store in memory that can be broken, a notifier that can be deaf, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.store_port import AlertRow, Event, EventRow, Severity
from navoracle.telemetry.alerts import Notice, Target

NOW = Timestamp(1_796_000_400)
"""2026-11-30 05:00 UTC."""


class SetClock:
    """A clock that stands still."""

    def __init__(self, at: Timestamp = NOW) -> None:
        self.at = at

    def __call__(self) -> Timestamp:
        return self.at

    def move(self, seconds: int) -> Timestamp:
        self.at = Timestamp(self.at + seconds)
        return self.at


class MemoryStore:
    """Alerts and events in memory; while `broken` every call fails."""

    def __init__(self) -> None:
        self.broken = False
        self.rows: dict[str, AlertRow] = {}
        self.stored: list[EventRow] = []
        self.saves = 0

    def _works(self) -> None:
        if self.broken:
            raise StoreError("the disk is full", advice="Free space.")

    def save_alert(self, alert: AlertRow) -> None:
        self._works()
        self.saves += 1
        self.rows[alert.key] = alert

    def alerts(self, *, open_only: bool = False, limit: int | None = None) -> tuple[AlertRow, ...]:
        self._works()
        rows = [row for row in self.rows.values() if row.resolved_at is None or not open_only]
        return tuple(sorted(rows, key=lambda row: -row.last_at)[:limit])

    def acknowledge_alert(self, key: str, by: str, at: Timestamp) -> bool:
        self._works()
        row = self.rows.get(key)
        if row is None or row.resolved_at is not None:
            return False
        self.rows[key] = replace(row, acknowledged_at=at, acknowledged_by=by)
        return True

    def append_event(self, event: Event) -> int:
        self._works()
        self.stored.append(EventRow(len(self.stored) + 1, event))
        return len(self.stored)

    def events(
        self,
        fund: str | None = None,
        kind: str | None = None,
        since: Timestamp | None = None,
        limit: int | None = None,
    ) -> tuple[EventRow, ...]:
        self._works()
        rows = [
            row
            for row in reversed(self.stored)
            if (fund is None or row.event.fund == fund)
            and (kind is None or row.event.kind == kind)
            and (since is None or row.event.at >= since)
        ]
        return tuple(rows[:limit])


class ListeningNotifier:
    """Keeps what it is given; targets in `deaf` refuse everything."""

    def __init__(self, *targets: Target) -> None:
        self._targets = targets or (Target("ops"),)
        self.deaf: set[str] = set()
        self.heard: list[tuple[str, Notice]] = []

    @property
    def targets(self) -> Sequence[Target]:
        return self._targets

    async def send(self, target: str, notice: Notice) -> str | None:
        if target in self.deaf:
            return "it does not answer"
        self.heard.append((target, notice))
        return None

    def take(self) -> list[tuple[str, str, str]]:
        """What was heard since: target, kind, rule."""
        heard, self.heard = self.heard, []
        return [(target, notice.kind.value, notice.rule) for target, notice in heard]


def event(kind: str = "slot_posted", at: Timestamp = NOW, message: str = "posted", fund: str | None = "usd") -> Event:
    """An event."""
    return Event(at, kind, fund, Severity.INFO, message, data={"slot_time": at})
