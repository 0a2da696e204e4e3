"""GET what a frame found for a fund and its evidence; POST its verification."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from navoracle.read_model.evidence import Proof
from navoracle.read_model.frame import FrameDetail
from navoracle.read_model.verification import Verification
from navoracle.web_service.access import reading
from navoracle.web_service.answers import missing, record, tagged
from navoracle.web_service.api.parameters import PREFIX, Frame, Fund, failing, reads
from navoracle.web_service.keeper import keeper_of, model_of

router = APIRouter(prefix=f"{PREFIX}/frames/{{frame}}/funds/{{fund}}", dependencies=[Depends(reading)], tags=["frames"])
_NONE = "There is no such frame of the fund, or no evidence of it."
OF_FRAME = reads(_404=_NONE)


@router.get("", response_model=FrameDetail, responses=OF_FRAME)
def frame_of_fund(request: Request, frame: Frame, fund: Fund) -> Response:
    """What the frame found: components before and after, positions, prices, verdicts, failures, posts."""
    found = model_of(request).frame(frame, fund)
    return _missing(frame, fund) if found is None else record(request, found)


@router.get(
    "/evidence",
    response_class=Response,
    responses={**OF_FRAME, 200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
)
def evidence(request: Request, frame: Frame, fund: Fund) -> Response:
    """The evidence document, byte for byte as it was hashed."""
    document = model_of(request).evidence(frame, fund)
    return _missing(frame, fund) if document is None else tagged(request, document, "application/json")


@router.get(
    "/evidence.zip",
    response_class=Response,
    responses={**OF_FRAME, 200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def evidence_archive(request: Request, frame: Frame, fund: Fund) -> Response:
    """The evidence with its proof, and how to check both."""
    archive = model_of(request).archive(frame, fund)
    if archive is None:
        return _missing(frame, fund)
    name = f"evidence-{frame}.zip"
    return tagged(request, archive, "application/zip", {"content-disposition": f'attachment; filename="{name}"'})


@router.get("/proof", response_model=Proof, responses=OF_FRAME)
def proof(request: Request, frame: Frame, fund: Fund) -> Response:
    """The hash of the evidence, and the posts whose roots cover it."""
    found = model_of(request).proof(frame, fund)
    return _missing(frame, fund) if found is None else record(request, found)


@router.post("/verify", response_model=Verification, responses=failing(_404=_NONE))
async def verify(request: Request, frame: Frame, fund: Fund) -> Response:
    """Compute the NAV and its verdicts again from the evidence, and compare all that is stored of them, bit for bit."""
    model = model_of(request)
    async with keeper_of(request).verifying:
        found = await run_in_threadpool(model.verify, frame, fund)
    return _missing(frame, fund) if found is None else record(request, found)


def _missing(frame: str, fund: str) -> Response:
    return missing("evidence of", f"{fund} in frame {frame}")
