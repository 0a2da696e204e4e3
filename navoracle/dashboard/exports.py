"""Files to take away: rows as CSV or JSON lines, and evidence as an archive. Asking for one changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from navoracle.dashboard.gate import PREFIX
from navoracle.domain.errors import NavoracleError
from navoracle.read_model.events import AlertRecord, EventRecord
from navoracle.read_model.history import HistoryPoint, SlotRecord
from navoracle.read_model.model import ReadModel
from navoracle.read_model.posts import PostRecord, TransactionRecord
from navoracle.read_model.records import MOST_ROWS, OffsetPage, Page, Record
from navoracle.store_port import EventQuestion, Severity, SlotQuestion
from navoracle.web_service.api.exports import all_of, exported

Pages = Callable[[str | None], Page[Any]]

FORMS: Final = ("csv", "jsonl")
SUBJECTS: Final[Mapping[str, type[Record]]] = {
    "events": EventRecord,
    "slots": SlotRecord,
    "history": HistoryPoint,
    "posts": PostRecord,
    "transactions": TransactionRecord,
    "alerts": AlertRecord,
}
"""What can be taken away, and what its rows are."""


def add_exports(app: FastAPI, model: ReadModel) -> None:
    """Add the files, behind the dashboard's gate."""
    app.state.exported_model = model  # the routes are functions of the module: FastAPI keeps those it saw for ever
    app.add_api_route(f"{PREFIX}/exports/{{subject}}.{{form}}", _table, methods=["GET"])
    app.add_api_route(f"{PREFIX}/exports/evidence/{{frame}}/{{fund:path}}.zip", _evidence, methods=["GET"])


async def _table(request: Request, subject: str, form: str) -> Response:
    """Every row that matches `fund`, and of events `kind`, `severity` and `text`; the newest first."""
    if subject not in SUBJECTS or form not in FORMS:
        return PlainTextResponse("There is no such file.", 404)
    model: ReadModel = request.app.state.exported_model
    given = {name: value for name, value in request.query_params.items() if value}
    if "severity" in given and given["severity"] not in {each.value for each in Severity}:
        return PlainTextResponse("There is no such severity.", 400)
    columns = tuple(SUBJECTS[subject].model_fields)
    try:
        pages = await asyncio.to_thread(all_of, pages_of(model, subject, given), None)
    except NavoracleError as error:
        return PlainTextResponse(f"{error.message}\n{error.advice}\n", 503)
    response = exported(pages, columns, "csv" if form == "csv" else "jsonl")
    return _attached(response, f"{subject}.{form}")


async def _evidence(request: Request, frame: str, fund: str) -> Response:
    """The evidence of a fund's frame with its proof."""
    model: ReadModel = request.app.state.exported_model
    try:
        archive = await asyncio.to_thread(model.archive, frame, fund)
    except NavoracleError as error:
        return PlainTextResponse(f"{error.message}\n{error.advice}\n", 503)
    if archive is None:
        return PlainTextResponse("There is no such evidence.", 404)
    return _attached(Response(archive, media_type="application/zip"), "evidence.zip")


def pages_of(model: ReadModel, subject: str, given: Mapping[str, str]) -> Pages:
    """The pages of a subject's rows, by cursor, as filtered.

    Args:
        given: "fund", and of events "kind", "severity" and "text".
    """
    fund = given.get("fund")
    if subject == "slots":
        return lambda cursor: model.slots(SlotQuestion(fund), cursor=cursor, limit=MOST_ROWS)
    if subject == "history":
        return lambda cursor: model.history(SlotQuestion(fund), cursor=cursor, limit=MOST_ROWS)
    if subject == "posts":
        return lambda cursor: model.posts(fund, cursor=cursor, limit=MOST_ROWS)
    if subject == "transactions":
        return lambda cursor: model.transactions(cursor=cursor, limit=MOST_ROWS)
    if subject == "alerts":
        return lambda cursor: _by_cursor(model.alerts(fund=fund, offset=int(cursor or 0), limit=MOST_ROWS))
    severity = None if "severity" not in given else Severity(given["severity"])
    asked = EventQuestion(fund=fund, kind=given.get("kind"), severity=severity, text=given.get("text"))
    return lambda cursor: model.events(asked, cursor=cursor, limit=MOST_ROWS)


def _by_cursor(page: OffsetPage[AlertRecord]) -> Page[AlertRecord]:
    following = None if page.next is None else str(page.next)
    return Page(items=page.items, total=page.total, limit=page.limit, next=following)


def _attached(response: Response, name: str) -> Response:
    response.headers["content-disposition"] = f'attachment; filename="{name}"'
    return response
