"""GET alerts; POST that somebody takes care of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from navoracle.read_model.events import Acknowledged, AlertRecord
from navoracle.read_model.records import OffsetPage
from navoracle.store_port import Severity
from navoracle.web_service.access import changing, reading
from navoracle.web_service.answers import missing, record
from navoracle.web_service.api.parameters import PREFIX, Limit, NameFilter, Offset, Text, failing, reads
from navoracle.web_service.keeper import model_of

router = APIRouter(prefix=PREFIX, tags=["alerts"])
Key = Annotated[str, Path(max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$", description="The alert's key.")]


class Acknowledgement(BaseModel):
    """Who takes care."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


@router.get("/alerts", response_model=OffsetPage[AlertRecord], responses=reads(), dependencies=[Depends(reading)])
def alerts(
    request: Request,
    open_only: Annotated[bool, Query(alias="open", description="Only those that are not over.")] = False,
    severity: Severity | None = None,
    fund: NameFilter = None,
    text: Text = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Response:
    """Alerts, the one seen last first. `text` stands in the key or the message."""
    return record(
        request,
        model_of(request).alerts(
            open_only=open_only, severity=severity, text=text, fund=fund, offset=offset, limit=limit
        ),
    )


@router.post(
    "/alerts/{key:path}/acknowledge",
    response_model=Acknowledged,
    responses=failing(_400="The body cannot be read.", _404="No open alert has this key."),
    dependencies=[Depends(changing)],
)
def acknowledge(request: Request, key: Key, body: Acknowledgement) -> Response:
    """Somebody takes care: the alert is neither repeated nor escalated."""
    found = model_of(request).acknowledge(key, body.by)
    return missing("open alert", key) if found is None else record(request, found)
