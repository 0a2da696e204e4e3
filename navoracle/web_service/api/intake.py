"""GET status; POST requests: a signed request (EIP-712), as `navoracle emergency` sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from navoracle.domain.errors import RequestRefused
from navoracle.web_service.access import changing, client_of, reading
from navoracle.web_service.answers import error, plain
from navoracle.web_service.api.parameters import PREFIX, failing
from navoracle.web_service.keeper import keeper_of
from navoracle.web_service.limits import BodyTooLarge, read_body

router = APIRouter(prefix=PREFIX, tags=["keeper"])

LARGEST_BODY: Final = 16_384
BODY_SECONDS: Final = 10.0

_REFUSALS: Final[Mapping[str, int]] = {
    "malformed": 400,
    "bad_signature": 403,
    "wrong_role": 403,
    "wrong_chain": 422,
    "wrong_contract": 422,
    "unknown_fund": 422,
    "expired": 422,
    "too_early": 422,
    "too_long": 422,
    "replayed": 409,
    "too_often": 429,
}


class Taken(BaseModel):
    """A request that was taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: str
    fund: str
    action: str
    signer: str


@router.get("/status", response_model=dict[str, Any], responses=failing(), dependencies=[Depends(reading)])
async def status(request: Request) -> Response:
    """The keeper's state: version, funds, breakers, senders, nodes, risk monitor."""
    return plain(200, keeper_of(request).view.status())


@router.post(
    "/requests",
    status_code=202,
    response_model=Taken,
    responses=failing(
        _400="It is not a signed request.",
        _403="It is not signed by one who may, or there are no tokens.",
        _408="It did not arrive in time.",
        _409="It was taken before.",
        _413="It is too long.",
        _415="It is not JSON.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object", "description": "See docs/requests.md."}}},
        }
    },
)
async def requests(request: Request, token: Annotated[str, Depends(changing)]) -> Response:
    """Take a signed request. Taking one only queues it: what follows passes the same guards as everything else."""
    desk = keeper_of(request).desk
    if desk is None:
        return error(503, "no_requests", "this keeper takes no requests", "Send it to the keeper that posts.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return error(415, "malformed", "a request is JSON", "Send it with content-type: application/json.")
    try:
        body = await read_body(request.stream(), LARGEST_BODY, BODY_SECONDS)
    except BodyTooLarge:
        return error(413, "malformed", f"a request has at most {LARGEST_BODY} bytes", "Send one request at a time.")
    except TimeoutError:
        return error(408, "malformed", "the request did not arrive in time", "Send it again.")
    try:
        taken = await desk.receive(body, f"http {client_of(request)} token {token}")
    except RequestRefused as refusal:
        return error(_REFUSALS.get(refusal.reason, 403), refusal.reason, refusal.message, refusal.advice)
    document = {"request": taken.id, "fund": taken.fund, "action": taken.action, "signer": taken.signer}
    return plain(202, document)
