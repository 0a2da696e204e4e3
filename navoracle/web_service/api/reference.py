"""GET openapi.json, and a page that shows it without a script and without another host."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from navoracle.web_service.access import reading
from navoracle.web_service.answers import HEADERS, tagged
from navoracle.web_service.api.page import STYLE, page_of
from navoracle.web_service.api.parameters import PREFIX

router = APIRouter(prefix=PREFIX, dependencies=[Depends(reading)], include_in_schema=False)

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PAGE_POLICY: Final = f"{HEADERS['content-security-policy']}; style-src 'sha256-{_STYLE_HASH}'"
"""Nothing but the page's own style sheet is applied."""


@router.get("/openapi.json")
def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    document = json.dumps(request.app.openapi(), ensure_ascii=False, separators=(",", ":"))
    return tagged(request, document.encode(), "application/json")


@router.get("/docs")
def docs(request: Request) -> Response:
    """The same for people."""
    content = page_of(request.app.openapi()).encode()
    return tagged(request, content, "text/html; charset=utf-8", {"content-security-policy": PAGE_POLICY})
