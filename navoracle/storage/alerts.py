"""Alerts: one row for each thing that is, or was, wrong."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from sqlalchemy import select, update

from navoracle.domain.units import Timestamp
from navoracle.storage import tables
from navoracle.storage.columns import ByteOrder
from navoracle.storage.database import Database
from navoracle.storage.upsert import replacing
from navoracle.store_port.alerts import AlertRow
from navoracle.store_port.records import Severity

_TABLE: Final = tables.alerts
_NAMES: Final = tuple(field.name for field in fields(AlertRow))
_SAVE: Final = replacing(_TABLE, ("key",), _NAMES[1:])


class AlertStore:
    """The part of the store that keeps alerts."""

    _database: Database

    def save_alert(self, alert: AlertRow) -> None:
        """Keep an alert under its key, in the place of the one before."""
        values = {name: getattr(alert, name) for name in _NAMES} | {"severity": alert.severity.value}
        with self._database.write() as connection:
            connection.execute(_SAVE, values)

    def alerts(self, *, open_only: bool = False, limit: int | None = None) -> tuple[AlertRow, ...]:
        """Alerts, the one seen last first."""
        query = select(_TABLE).order_by(_TABLE.c.last_at.desc(), ByteOrder(_TABLE.c.key)).limit(limit)
        if open_only:
            query = query.where(_TABLE.c.resolved_at.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(AlertRow(**dict(row) | {"severity": Severity(row["severity"])}) for row in rows)

    def acknowledge_alert(self, key: str, by: str, at: Timestamp) -> bool:
        """Somebody has seen it and takes care; False when no open alert has this key."""
        acknowledged = (
            update(_TABLE)
            .where(_TABLE.c.key == key, _TABLE.c.resolved_at.is_(None))
            .values(acknowledged_at=at, acknowledged_by=by)
        )
        with self._database.write() as connection:
            return connection.execute(acknowledged).rowcount == 1
