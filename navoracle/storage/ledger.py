"""Events, which are never changed, and declared flows."""

from __future__ import annotations

import json

from sqlalchemy import insert, select

from navoracle.domain.errors import DomainError
from navoracle.domain.flows import Distribution, Flow, dividend_per_share
from navoracle.domain.units import Timestamp, Wad
from navoracle.storage import tables
from navoracle.storage.database import Database
from navoracle.storage.failures import defect
from navoracle.storage.rows import event_row
from navoracle.store_port.records import Event, EventRow


class LedgerStore:
    """The part of the store that keeps events and flows."""

    _database: Database

    def append_event(self, event: Event) -> int:
        """Keep an event for good; returns its id. Raises StoreError when its data is not plain JSON."""
        try:
            json.dumps(data := dict(event.data))
        except (TypeError, ValueError) as error:
            raise defect(f"event {event.kind}: its data cannot be stored: {error}") from error
        values = {
            "at": event.at,
            "kind": event.kind,
            "fund": event.fund,
            "severity": event.severity.value,
            "message": event.message,
            "advice": event.advice,
            "data": data,
        }
        with self._database.write() as connection:
            stored: int = connection.execute(insert(tables.events).returning(tables.events.c.id), values).scalar_one()
        return stored

    def events(
        self,
        fund: str | None = None,
        kind: str | None = None,
        since: Timestamp | None = None,
        limit: int | None = None,
    ) -> tuple[EventRow, ...]:
        """Events from `since` on, the last one stored first."""
        table = tables.events
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if fund is not None:
            query = query.where(table.c.fund == fund)
        if kind is not None:
            query = query.where(table.c.kind == kind)
        if since is not None:
            query = query.where(table.c.at >= since)
        with self._database.read() as connection:
            return tuple(map(event_row, connection.execute(query).mappings()))

    def declare_flow(self, fund: str, flow: Flow, *, shares: Wad | None = None) -> None:
        """Record a flow.

        Args:
            shares: the shares that a dividend is paid on (Wad); its amount per share is rounded down.

        Raises:
            DomainError: a dividend without shares.
        """
        per_share = None
        if flow.kind == "dividend":
            if shares is None:
                raise DomainError(
                    f"dividend of {flow.amount} to {fund} without its shares",
                    advice="State the shares outstanding that it is paid on.",
                )
            per_share = dividend_per_share(flow.amount, shares)
        values = {"fund": fund, "kind": flow.kind, "amount": flow.amount, "per_share": per_share, "at": flow.at}
        with self._database.write() as connection:
            connection.execute(insert(tables.flows), values)

    def flows(self, fund: str, since: Timestamp, until: Timestamp | None = None) -> tuple[Flow, ...]:
        """Declared flows after `since` up to and including `until`, oldest first."""
        return tuple(flow for flow, _ in self._flows(fund, since, until))

    def distributions_since(self, fund: str, at: Timestamp, until: Timestamp | None = None) -> Wad:
        """Dividends per share (Wad) declared for after `at`, up to and including `until`."""
        return Wad(sum(paid.per_share for paid in self.distributions(fund, at, until)))

    def distributions(self, fund: str, since: Timestamp, until: Timestamp | None = None) -> tuple[Distribution, ...]:
        """Dividends per share declared for after `since`, up to and including `until`, oldest first."""
        return tuple(
            Distribution(flow.at, per_share)
            for flow, per_share in self._flows(fund, since, until)
            if per_share is not None
        )

    def _flows(self, fund: str, since: Timestamp, until: Timestamp | None) -> list[tuple[Flow, Wad | None]]:
        table = tables.flows
        query = select(table).where(table.c.fund == fund, table.c.at > since).order_by(table.c.at, table.c.id)
        if until is not None:
            query = query.where(table.c.at <= until)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [(Flow(row.kind, Wad(row.amount), row.at), row.per_share) for row in rows]
