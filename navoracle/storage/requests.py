"""Signed requests: each is taken once, and what became of it is kept."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, func, insert, or_, select, update

from navoracle.domain.errors import RequestRefused, StoreError
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.storage import tables
from navoracle.storage.columns import MAX_BIG_INTEGER
from navoracle.storage.database import Database
from navoracle.storage.failures import defect
from navoracle.store_port.requests import RequestRecord, RequestRow, RequestState

_TABLE: Final = tables.requests
_NAMES: Final = tuple(field.name for field in fields(RequestRecord))


class RequestStore:
    """The part of the store that keeps requests."""

    _database: Database

    def take_request(self, record: RequestRecord, at: Timestamp, *, at_most: int | None, within: int) -> None:
        """Keep a request as QUEUED and use up its nonce, in one transaction.

        Args:
            at_most: how many requests of this action for this fund may be taken within `within` seconds; None for any.

        Raises:
            RequestRefused: `replayed` (its nonce or its id was used before), `too_often`, or `malformed` (a time
                beyond 64 bits).
        """
        if max(abs(record.slot), abs(record.deadline)) > MAX_BIG_INTEGER:
            raise RequestRefused(
                "malformed",
                f"request {record.id}: its slot or its deadline lies beyond any time",
                advice="Sign it again with times in Unix seconds.",
            )
        with self._database.write(durable=True) as connection:
            # One at a time: two that are counted at once would both be the last one allowed.
            self._database.lock(connection, "navoracle:requests")
            _refuse_replay(connection, record)
            if at_most is not None:
                _refuse_excess(connection, record, at, at_most, within)
            connection.execute(
                insert(_TABLE),
                {
                    "id": record.id,
                    "fund": record.fund,
                    "action": record.action,
                    "role": record.role,
                    "signer": record.signer,
                    "chain_id": record.chain_id,
                    "contract": record.contract,
                    "nonce": record.nonce,
                    "slot": record.slot,
                    "reason": record.reason,
                    "deadline": record.deadline,
                    "document": record.document,
                    "received_by": record.received_by,
                    "state": RequestState.QUEUED.value,
                    "received_at": at,
                },
            )

    def finish_request(self, request: str, state: RequestState, result: str, at: Timestamp) -> None:
        """What became of it; the same again is no change.

        Raises:
            StoreError: it is unknown or has ended otherwise, or the state is no end.
        """
        if state is RequestState.QUEUED:
            raise defect(f"request {request} cannot end as queued")
        with self._database.write(durable=True) as connection:
            row = connection.execute(
                select(_TABLE.c.state, _TABLE.c.result).where(_TABLE.c.id == request).with_for_update()
            ).one_or_none()
            if row is None:
                raise defect(f"request {request} is not recorded")
            if row.state == RequestState.QUEUED.value:
                values = {"state": state.value, "result": result, "finished_at": at}
                connection.execute(update(_TABLE).where(_TABLE.c.id == request).values(**values))
            elif (row.state, row.result) != (state.value, result):
                raise StoreError(
                    f"request {request} has ended as {row.state}: {row.result}",
                    advice="Another keeper acted on it; see `navoracle history`.",
                )

    def queued_requests(self) -> tuple[RequestRow, ...]:
        """Requests that have not ended, oldest first."""
        query = select(_TABLE).where(_TABLE.c.state == RequestState.QUEUED.value).order_by(_TABLE.c.number)
        with self._database.read() as connection:
            return tuple(map(request_row, connection.execute(query).mappings()))

    def requests(self, fund: str | None = None, limit: int | None = None) -> tuple[RequestRow, ...]:
        """Requests, newest first."""
        query = select(_TABLE).order_by(_TABLE.c.number.desc()).limit(limit)
        if fund is not None:
            query = query.where(_TABLE.c.fund == fund)
        with self._database.read() as connection:
            return tuple(map(request_row, connection.execute(query).mappings()))


def _refuse_replay(connection: Connection, record: RequestRecord) -> None:
    same_nonce = (
        (_TABLE.c.chain_id == record.chain_id)
        & (_TABLE.c.contract == record.contract)
        & (_TABLE.c.signer == record.signer)
        & (_TABLE.c.nonce == record.nonce)
    )
    used = connection.execute(select(_TABLE.c.id).where(or_(_TABLE.c.id == record.id, same_nonce)).limit(1))
    if (known := used.scalar_one_or_none()) is not None:
        what = "it" if known == record.id else f"nonce {record.nonce} of {record.signer}"
        raise RequestRefused(
            "replayed",
            f"request {record.id}: {what} was used before",
            advice="Nothing was done again. For another action sign a new request with a nonce of its own.",
        )


def _refuse_excess(connection: Connection, record: RequestRecord, at: Timestamp, at_most: int, within: int) -> None:
    taken = (
        select(func.count())
        .select_from(_TABLE)
        .where(_TABLE.c.fund == record.fund, _TABLE.c.action == record.action, _TABLE.c.received_at > at - within)
    )
    if connection.execute(taken).scalar_one() >= at_most:
        raise RequestRefused(
            "too_often",
            f"request {record.id}: {record.action} of {record.fund} was asked for as often as may be ({at_most}) "
            f"within {within} s",
            advice=f"Ask again when {within} seconds have passed since the first of them.",
        )


def request_row(row: RowMapping) -> RequestRow:
    """A request as it is stored."""
    values: dict[str, Any] = {name: row[name] for name in _NAMES}
    record = RequestRecord(**values | {"signer": Address(row["signer"]), "contract": Address(row["contract"])})
    return RequestRow(record, RequestState(row["state"]), row["received_at"], row["finished_at"], row["result"])
