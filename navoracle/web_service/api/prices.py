"""GET prices."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from navoracle.read_model.prices import PriceDetail, PriceRow
from navoracle.read_model.records import OffsetPage
from navoracle.web_service.access import reading
from navoracle.web_service.answers import missing, record
from navoracle.web_service.api.parameters import PREFIX, Asset, Limit, Offset, Text, reads
from navoracle.web_service.keeper import model_of

router = APIRouter(prefix=PREFIX, dependencies=[Depends(reading)], tags=["prices"])


@router.get("/prices", response_model=OffsetPage[PriceRow], responses=reads())
def prices(request: Request, text: Text = None, offset: Offset = 0, limit: Limit = 50) -> Response:
    """The newest price of every asset and side that a frame of the last day estimated."""
    return record(request, model_of(request).prices(text, offset=offset, limit=limit))


@router.get("/prices/{asset}", response_model=PriceDetail, responses=reads(_404="There is no price of such an asset."))
def price(
    request: Request,
    asset: Asset,
    seconds: Annotated[int, Query(ge=0, le=366 * 86_400, description="Of its past.")] = 86_400,
    limit: Limit = 500,
) -> Response:
    """An asset's price: votes, exclusions and why, ages against limits, spread, rates, and its past."""
    found = model_of(request).price(asset, seconds=seconds, limit=limit)
    return missing("price of", asset) if found is None else record(request, found)
