"""GET slots, posts, transactions, requests and events of all funds."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from navoracle.domain.cadence import Cadence
from navoracle.read_model.events import EventRecord
from navoracle.read_model.history import SlotRecord
from navoracle.read_model.posts import PostRecord, TransactionRecord
from navoracle.read_model.records import Page
from navoracle.read_model.requests import SignedRequestRecord
from navoracle.store_port import EventQuestion, Severity, SlotState, TransactionState
from navoracle.web_service.access import reading
from navoracle.web_service.answers import missing, record
from navoracle.web_service.api.exports import EVENT_COLUMNS, TABLES, Form, page_or_table, wanted
from navoracle.web_service.api.parameters import (
    PREFIX,
    Cursor,
    Format,
    Fund,
    Limit,
    NameFilter,
    Since,
    Text,
    Until,
    reads,
    slots_asked,
    span,
)
from navoracle.web_service.keeper import model_of

router = APIRouter(prefix=PREFIX, dependencies=[Depends(reading)], tags=["records"])


@router.get("/slots", response_model=Page[SlotRecord], responses=reads())
def slots(
    request: Request,
    fund: NameFilter = None,
    state: SlotState | None = None,
    cadence: Cadence | None = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Slots and how each ended, newest first."""
    ask = slots_asked(fund, state, cadence, since, until)
    return record(request, model_of(request).slots(ask, cursor=cursor, limit=limit))


@router.get("/posts", response_model=Page[PostRecord], responses=reads())
def posts(
    request: Request,
    fund: NameFilter = None,
    state: TransactionState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Posts and what became of them, newest first."""
    return record(request, model_of(request).posts(fund, state, cursor=cursor, limit=limit))


@router.get("/transactions", response_model=Page[TransactionRecord], responses=reads())
def transactions(request: Request, chain: NameFilter = None, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Transactions under all their hashes, newest first."""
    return record(request, model_of(request).transactions(chain, cursor=cursor, limit=limit))


@router.get("/requests", response_model=Page[SignedRequestRecord], responses=reads())
def requests(request: Request, fund: NameFilter = None, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Signed requests and what became of them, newest first."""
    return record(request, model_of(request).requests(fund, cursor=cursor, limit=limit))


@router.get("/events", response_model=Page[EventRecord], responses={**reads(), **TABLES})
def events(
    request: Request,
    fund: NameFilter = None,
    kind: NameFilter = None,
    severity: Severity | None = None,
    text: Text = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    format: Format = None,
) -> Response:
    """Events, the last one stored first. `text` stands in the message."""
    ask = EventQuestion(fund, kind, severity, text, span(since, until))
    return _answer(request, ask, cursor, limit, wanted(request, format))


@router.get(
    "/funds/{fund}/events", response_model=Page[EventRecord], responses={**reads(_404="No such fund."), **TABLES}
)
def fund_events(
    request: Request,
    fund: Fund,
    kind: NameFilter = None,
    severity: Severity | None = None,
    text: Text = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    format: Format = None,
) -> Response:
    """The fund's events, the last one stored first."""
    if model_of(request).fund_row(fund) is None:
        return missing("fund", fund)
    ask = EventQuestion(fund, kind, severity, text, span(since, until))
    return _answer(request, ask, cursor, limit, wanted(request, format))


def _answer(request: Request, ask: EventQuestion, cursor: str | None, limit: int, form: Form) -> Response:
    def page(at: str | None, rows: int) -> Page[EventRecord]:
        return model_of(request).events(ask, cursor=at, limit=rows)

    return page_or_table(request, page, EVENT_COLUMNS, cursor=cursor, limit=limit, form=form)
