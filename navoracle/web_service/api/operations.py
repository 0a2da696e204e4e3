"""GET operations: nodes, senders, checks, slots of the day."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from navoracle.read_model.operations import Operations
from navoracle.web_service.access import reading
from navoracle.web_service.answers import record
from navoracle.web_service.api.parameters import PREFIX, reads
from navoracle.web_service.keeper import model_of

router = APIRouter(prefix=PREFIX, dependencies=[Depends(reading)], tags=["operations"])


@router.get("/operations", response_model=Operations, responses=reads())
def operations(request: Request) -> Response:
    """How the keeper does: nodes, nonces and runways of senders, leases, checks, and how the day's slots ended."""
    return record(request, model_of(request).operations())
