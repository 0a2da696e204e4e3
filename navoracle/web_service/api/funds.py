"""GET funds, and what is asked of one fund."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from navoracle.domain.cadence import Cadence
from navoracle.domain.frame import NavStatus
from navoracle.read_model.frames import FrameRecord
from navoracle.read_model.fund import FundDetail
from navoracle.read_model.funds import FundColumn, FundRow, FundsQuestion
from navoracle.read_model.history import HistoryPoint, SlotRecord
from navoracle.read_model.posts import PostRecord
from navoracle.read_model.prices import PriceRow
from navoracle.read_model.records import NavWord, OffsetPage, Page, RiskWord
from navoracle.read_model.risk import FundRisk, RiskRow
from navoracle.store_port import FrameQuestion, SlotState, TransactionState
from navoracle.web_service.access import reading
from navoracle.web_service.answers import missing, record
from navoracle.web_service.api.exports import HISTORY_COLUMNS, TABLES, page_or_table, wanted
from navoracle.web_service.api.parameters import (
    PREFIX,
    Cursor,
    Format,
    Fund,
    Limit,
    NameFilter,
    Offset,
    Since,
    Text,
    Until,
    reads,
    slots_asked,
    span,
)
from navoracle.web_service.keeper import model_of

router = APIRouter(prefix=PREFIX, dependencies=[Depends(reading)], tags=["funds"])
OF_FUND = reads(_404="There is no such fund.")


@router.get("/funds", response_model=OffsetPage[FundRow], responses=reads())
def funds(
    request: Request,
    text: Text = None,
    status: NavWord | None = None,
    risk_status: RiskWord | None = None,
    chain: NameFilter = None,
    sort: FundColumn = "fund",
    descending: bool = False,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Response:
    """All funds: filtered, sorted, in pages. `text` stands in the name, the chain or the reason."""
    ask = FundsQuestion(text, status, risk_status, chain, sort, descending)
    return record(request, model_of(request).funds(ask, offset=offset, limit=limit))


@router.get("/funds/{fund}", response_model=FundDetail, responses=OF_FUND)
def fund(request: Request, fund: Fund) -> Response:
    """One fund: its files, what the chain serves, its next slot, breakers, guard distance, bridge and requests."""
    found = model_of(request).fund(fund)
    return missing("fund", fund) if found is None else record(request, found)


@router.get("/funds/{fund}/history", response_model=Page[HistoryPoint], responses={**OF_FUND, **TABLES})
def history(
    request: Request,
    fund: Fund,
    state: SlotState | None = None,
    cadence: Cadence | None = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    format: Format = None,
) -> Response:
    """The fund's slots with what was found and posted, newest first; posts, holds and emergencies are annotations."""
    model = model_of(request)
    if model.fund_row(fund) is None:
        return missing("fund", fund)
    ask = slots_asked(fund, state, cadence, since, until)

    def page(at: str | None, rows: int) -> Page[HistoryPoint]:
        return model.history(ask, cursor=at, limit=rows)

    return page_or_table(request, page, HISTORY_COLUMNS, cursor=cursor, limit=limit, form=wanted(request, format))


@router.get("/funds/{fund}/frames", response_model=Page[FrameRecord], responses=OF_FUND)
def frames(
    request: Request,
    fund: Fund,
    status: NavStatus | None = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What frames found for the fund, newest first."""
    model = model_of(request)
    if model.fund_row(fund) is None:
        return missing("fund", fund)
    ask = FrameQuestion(fund, status, span(since, until))
    return record(request, model.frames(ask, cursor=cursor, limit=limit))


@router.get("/funds/{fund}/posts", response_model=Page[PostRecord], responses=OF_FUND)
def fund_posts(
    request: Request, fund: Fund, state: TransactionState | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """The posts that the fund was part of, newest first."""
    model = model_of(request)
    if model.fund_row(fund) is None:
        return missing("fund", fund)
    return record(request, model.posts(fund, state, cursor=cursor, limit=limit))


@router.get("/funds/{fund}/slots", response_model=Page[SlotRecord], responses=OF_FUND)
def fund_slots(
    request: Request,
    fund: Fund,
    state: SlotState | None = None,
    cadence: Cadence | None = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The fund's slots and how each ended, newest first."""
    model = model_of(request)
    if model.fund_row(fund) is None:
        return missing("fund", fund)
    ask = slots_asked(fund, state, cadence, since, until)
    return record(request, model.slots(ask, cursor=cursor, limit=limit))


@router.get("/funds/{fund}/risk", response_model=FundRisk, responses=OF_FUND)
def fund_risk(request: Request, fund: Fund) -> Response:
    """The risks of the fund: its `risk.json`, alerts that stand, its gate and peaks."""
    found = model_of(request).risk(fund)
    return missing("fund", fund) if found is None else record(request, found)


@router.get("/funds/{fund}/prices", response_model=OffsetPage[PriceRow], responses=OF_FUND)
def fund_prices(request: Request, fund: Fund, text: Text = None, offset: Offset = 0, limit: Limit = 50) -> Response:
    """The newest prices that the fund needs."""
    found = model_of(request).fund_prices(fund, text, offset=offset, limit=limit)
    return missing("fund", fund) if found is None else record(request, found)


@router.get("/risk", response_model=OffsetPage[RiskRow], responses=reads(), tags=["risk"])
def risks(
    request: Request,
    text: Text = None,
    risk_status: RiskWord | None = None,
    sort: FundColumn = "risk_status",
    descending: Annotated[bool, Query(description="From the worst to the best.")] = True,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Response:
    """The risks of every fund in one line each."""
    return record(
        request,
        model_of(request).risks(
            text=text, risk_status=risk_status, sort=sort, descending=descending, offset=offset, limit=limit
        ),
    )
