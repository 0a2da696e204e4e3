"""What questions take, and the answers that all of them share."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Path, Query

from navoracle.domain.cadence import Cadence
from navoracle.domain.units import Timestamp
from navoracle.read_model.records import MOST_ROWS
from navoracle.store_port import SlotQuestion, SlotState, Span
from navoracle.web_service.answers import ErrorDocument

PREFIX: Final = "/api/v1"
_NAME: Final = r"^[^\x00-\x1f\x7f/]+$"
_LATEST: Final = 2**53

Fund = Annotated[str, Path(max_length=200, pattern=_NAME, description="The fund's name in the configuration.")]
Frame = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-zA-Z_-]+$", description="A frame's id.")]
Asset = Annotated[str, Path(max_length=200, pattern=_NAME, description="The asset's name in the configuration.")]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows of a page.")]
Offset = Annotated[int, Query(ge=0, le=10**9, description="Rows to leave out before the first one.")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="`next` of the page before.")]
Text = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="Stands in it, in any case.")]
Since = Annotated[int | None, Query(ge=0, le=_LATEST, description="From then on, in Unix seconds.")]
Until = Annotated[int | None, Query(ge=0, le=_LATEST, description="Up to and including then, in Unix seconds.")]
NameFilter = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
Format = Annotated[
    Literal["json", "csv", "jsonl"] | None,
    Query(description="csv and jsonl give every row that matches, whatever `limit` says; else by `Accept`."),
]

_ERRORS: Final[dict[int, str]] = {
    401: "A bearer token is missing or wrong.",
    403: "Nobody may: there are no tokens.",
    421: "The service is not called by that name.",
    422: "The question cannot be read.",
    429: "Too often.",
    503: "The database or a file cannot be read now.",
}


def failing(**more: str) -> dict[int | str, dict[str, Any]]:
    """The errors that every question may end in, and more by their status, as in `failing(_404="no such fund")`."""
    known = {**_ERRORS, **{int(status.lstrip("_")): text for status, text in more.items()}}
    return {status: {"model": ErrorDocument, "description": text} for status, text in sorted(known.items())}


def reads(**more: str) -> dict[int | str, dict[str, Any]]:
    """What a question that is answered with a tag may end in."""
    return {304: {"description": "The same as before (`If-None-Match`)."}, **failing(**more)}


def span(since: int | None, until: int | None) -> Span:
    """From one time to another."""
    return Span(
        None if since is None else Timestamp(since),
        None if until is None else Timestamp(until),
    )


def slots_asked(
    fund: str | None, state: SlotState | None, cadence: Cadence | None, since: int | None, until: int | None
) -> SlotQuestion:
    """Which slots the filters let through."""
    return SlotQuestion(fund, None if state is None else (state,), cadence, span(since, until))
