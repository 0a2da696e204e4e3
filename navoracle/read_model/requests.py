"""Signed requests and what became of them, newest first."""

from __future__ import annotations

from navoracle.read_model.cursors import number_of
from navoracle.read_model.paging import page_of
from navoracle.read_model.records import Page, Record, Time
from navoracle.store_port import PageStore, RequestRow


class SignedRequestRecord(Record):
    """A signed request and what became of it."""

    request: str
    fund: str
    action: str
    role: str
    signer: str
    reason: str
    slot: Time
    deadline: Time
    state: str
    received_at: Time
    finished_at: Time | None
    result: str | None


def requests(store: PageStore, fund: str | None, *, cursor: str | None, limit: int) -> Page[SignedRequestRecord]:
    """Signed requests, newest first. Raises StoreError, UsageError for a cursor of another list."""
    found = store.request_page(fund, before=number_of(cursor), limit=limit + 1)
    return page_of(found, lambda row: request_record(row[0]), limit=limit, key=lambda row: (row[1],))


def request_record(row: RequestRow) -> SignedRequestRecord:
    """A signed request."""
    record = row.record
    return SignedRequestRecord(
        request=record.id,
        fund=record.fund,
        action=record.action,
        role=record.role,
        signer=record.signer,
        reason=record.reason,
        slot=record.slot,
        deadline=record.deadline,
        state=row.state.value,
        received_at=row.received_at,
        finished_at=row.finished_at,
        result=row.result,
    )
