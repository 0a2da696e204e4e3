"""Breakers and re-bases: what stops a fund or an asset, and what the RISK role has allowed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import RowMapping, select, update

from navoracle.domain.breaker import Breaker, BreakerState
from navoracle.domain.units import Timestamp
from navoracle.storage import tables
from navoracle.storage.database import Database
from navoracle.storage.failures import defect
from navoracle.storage.upsert import keeping
from navoracle.store_port.breakers import BreakerSubject

_TABLE: Final = tables.breakers
_REBASES: Final = tables.rebases
_ADD: Final = keeping(_TABLE, "kind", "name")
_GRANT: Final = keeping(_REBASES, "request")


class BreakerStore:
    """The part of the store that keeps breakers and re-bases."""

    _database: Database

    def load_breakers(self) -> Mapping[BreakerSubject, Breaker]:
        """Every breaker that is not closed."""
        query = select(_TABLE).where(_TABLE.c.state != BreakerState.CLOSED.value)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return {BreakerSubject(row["kind"], row["name"]): _breaker(row) for row in rows}

    def save_breaker(self, subject: BreakerSubject, breaker: Breaker, *, was: Breaker, at: Timestamp) -> bool:
        """Replace the breaker that the caller saw; False, and nothing is changed, when it is another one by now.

        One that is closed is as good as one that was never there, whenever it was closed.
        """
        key = {"kind": subject.kind, "name": subject.name}
        of_subject = (_TABLE.c.kind == subject.kind, _TABLE.c.name == subject.name)
        with self._database.write(durable=True) as connection:
            connection.execute(_ADD, key | _values(Breaker(), at))  # a row that is there can be locked
            row = connection.execute(select(_TABLE).where(*of_subject).with_for_update()).mappings().one()
            stored = _breaker(row)
            if stored != was and not (stored.allows_posting and was.allows_posting):
                return False
            connection.execute(update(_TABLE).where(*of_subject).values(**_values(breaker, at)))
            return True

    def grant_rebase(self, fund: str, request: str, until: Timestamp, at: Timestamp) -> None:
        """RISK lets the fund's next post, up to `until`, be compared with nothing; the same request again is one."""
        values = {"request": request, "fund": fund, "granted_at": at, "until": until}
        with self._database.write(durable=True) as connection:
            connection.execute(_GRANT, values)

    def rebase_of(self, fund: str, at: Timestamp) -> str | None:
        """The request that grants a re-base at that time and was not used, the newest; None where there is none."""
        query = (
            select(_REBASES.c.request)
            .where(_REBASES.c.fund == fund, _REBASES.c.until >= at, _REBASES.c.used_at.is_(None))
            .order_by(_REBASES.c.granted_at.desc(), _REBASES.c.request)
            .limit(1)
        )
        with self._database.read() as connection:
            request: str | None = connection.execute(query).scalar_one_or_none()
        return request

    def use_rebase(self, fund: str, request: str, at: Timestamp) -> None:
        """The grant served a post that was confirmed: it is used up. Raises StoreError for one that was not granted."""
        granted = (_REBASES.c.fund == fund, _REBASES.c.request == request)
        with self._database.write(durable=True) as connection:
            row = connection.execute(select(_REBASES.c.used_at).where(*granted)).one_or_none()
            if row is None:
                raise defect(f"request {request} grants {fund} no re-base")
            if row.used_at is None:
                connection.execute(update(_REBASES).where(*granted).values(used_at=at))


def _values(breaker: Breaker, at: Timestamp) -> dict[str, Any]:
    return {
        "state": breaker.state.value,
        "reasons": list(breaker.reasons),
        "since": breaker.since,
        "needs_reset": breaker.needs_reset,
        "agreed": breaker.agreed,
        "changed_at": at,
    }


def _breaker(row: RowMapping) -> Breaker:
    return Breaker(
        state=BreakerState(row["state"]),
        reasons=tuple(row["reasons"]),
        since=row["since"],
        needs_reset=row["needs_reset"],
        agreed=row["agreed"],
    )
