"""Rows as CSV or JSON lines: every row that matches, page by page as they are read."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from navoracle.read_model.events import EventRecord
from navoracle.read_model.history import HistoryPoint
from navoracle.read_model.records import MOST_ROWS, Page, Record
from navoracle.read_model.tables import write_rows
from navoracle.redaction import redact_text
from navoracle.web_service.answers import record

Form = Literal["json", "csv", "jsonl"]

MEDIA: Final[dict[str, Form]] = {
    "application/json": "json",
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
}
HISTORY_COLUMNS: Final = tuple(HistoryPoint.model_fields)
EVENT_COLUMNS: Final = tuple(EventRecord.model_fields)
TABLES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One page as JSON; every row that matches as CSV with a header, or as one JSON object a line.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


def wanted(request: Request, said: Form | None) -> Form:
    """The form that the query names, or the first one in `Accept` that there is."""
    if said is not None:
        return said
    for each in request.headers.get("accept", "").split(","):
        name = each.partition(";")[0].strip().lower()
        if name in MEDIA:
            return MEDIA[name]
    return "json"


def page_or_table(
    request: Request,
    page: Callable[[str | None, int], Page[Any]],
    columns: tuple[str, ...],
    *,
    cursor: str | None,
    limit: int,
    form: Form,
) -> Response:
    """One page as JSON; or every row from the cursor on as CSV with a header, or as JSON lines.

    Args:
        page: the rows from a cursor on, at most so many.
    """
    if form == "json":
        return record(request, page(cursor, limit))
    return exported(all_of(lambda at: page(at, MOST_ROWS), cursor), columns, form)


def all_of(page: Callable[[str | None], Page[Any]], cursor: str | None) -> Iterator[list[Record]]:
    """Every page from a cursor on; the first one is read at once, so that what is wrong is told as an error."""
    first = page(cursor)

    def rest() -> Iterator[list[Record]]:
        found = first
        yield found.items
        while found.next is not None:
            found = page(found.next)
            yield found.items

    return rest()


def exported(pages: Iterator[list[Record]], columns: tuple[str, ...], form: Form) -> Response:
    """The rows as CSV with a header, or as JSON lines."""
    media = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    return StreamingResponse(_written(pages, columns, lines=form == "jsonl"), media_type=media)


def _written(pages: Iterator[list[Record]], columns: tuple[str, ...], *, lines: bool) -> Iterator[bytes]:
    header = True
    for rows in pages:
        out = io.StringIO()
        write_rows([row.model_dump(mode="json") for row in rows], columns, out, lines=lines, header=header)
        header = False
        yield redact_text(out.getvalue()).encode("utf-8", "replace")
