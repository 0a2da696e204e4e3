"""Answers: JSON with its secrets hidden, errors with advice, tags by which a reader learns that nothing changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict

from navoracle.redaction import redact_text

JSON: Final = "application/json; charset=utf-8"
REVALIDATE: Final = "private, no-cache"
"""It may be kept, and must be asked for again: what is the same costs no second transfer."""

HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Of every answer; the first two only where the answer has none of its own."""

OWN: Final = frozenset({"cache-control", "content-security-policy"})


class ErrorBody(BaseModel):
    """Why nothing came of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    message: str
    advice: str


class ErrorDocument(BaseModel):
    """What every refusal and failure looks like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    error: ErrorBody


class Refused(Exception):
    """The caller gets an answer at once, and nothing else is done."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def plain(status: int, document: Mapping[str, object]) -> Response:
    """An answer that says how it stands now; secrets that slipped into a text are hidden."""
    text = redact_text(json.dumps(document, ensure_ascii=False))
    return Response(text.encode("utf-8", "replace"), status_code=status, headers={"content-type": JSON})


def error(status: int, code: str, message: str, advice: str) -> Response:
    """A refusal or a failure."""
    return plain(status, {"error": {"code": code, "message": message, "advice": advice}})


def missing(what: str, name: str) -> Response:
    """There is nothing of that name."""
    return error(404, "not_found", f"there is no {what} {name}", "The lists have the names of what there is.")


def record(request: Request, found: BaseModel) -> Response:
    """A record, or 304 where the caller has the same one."""
    return tagged(request, redact_text(found.model_dump_json()).encode("utf-8", "replace"), JSON)


def tagged(request: Request, content: bytes, media: str, headers: Mapping[str, str] | None = None) -> Response:
    """Content with a tag of its bytes, or 304 where the caller has the same."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    common = {"etag": tag, "cache-control": REVALIDATE}
    if _knows(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=common)
    return Response(content, headers={**common, "content-type": media, **(headers or {})})


def _knows(said: str | None, tag: str) -> bool:
    """Whether one of the tags of an `If-None-Match` is this one, compared weakly (RFC 9110, 13.1.2)."""
    given = [each.strip().removeprefix("W/") for each in (said or "").split(",")]
    return tag in given or given == ["*"]
