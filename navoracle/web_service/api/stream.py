"""GET stream: what happens, as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Events of the store are told under their ids, so that a listener that was cut off goes on where it stopped
(`Last-Event-ID`). A new set of state files is told as `frame`, without an id: the files themselves say what is new.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from navoracle.domain.errors import StoreError
from navoracle.read_model.events import event_record
from navoracle.read_model.model import ReadModel
from navoracle.redaction import redact_text
from navoracle.store_port import EventRow
from navoracle.web_service.access import reading
from navoracle.web_service.answers import error
from navoracle.web_service.api.parameters import PREFIX, failing
from navoracle.web_service.keeper import Streams, keeper_of, model_of

router = APIRouter(prefix=PREFIX, dependencies=[Depends(reading)], tags=["keeper"])

LOOK_SECONDS: Final = 1.0
BEAT_SECONDS: Final = 15.0
"""After so long a silence a comment says that the line is alive."""

MOST_STREAMS: Final = 20
MOST_AT_ONCE: Final = 200
MOST_NAMED: Final = 200
"""Funds that a `frame` names; of more it says only that there are."""


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={**failing(), 200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream(request: Request, last_event_id: Annotated[str | None, Header(max_length=40)] = None) -> Response:
    """What happens from now on, or after `Last-Event-ID`: `slot`, `alert`, `post`, `event`, and `frame`."""
    keeper, model = keeper_of(request), model_of(request)
    if keeper.streams.open >= MOST_STREAMS:
        return error(429, "too_many_streams", f"{MOST_STREAMS} listen already", "Close one of them.")
    newest = await run_in_threadpool(model.newest_event)
    said = last_event_id or ""
    last = min(int(said), newest) if said.isascii() and said.isdecimal() else newest
    told = Telling(model, request.app.state.closing, keeper.streams).told(last)
    return StreamingResponse(told, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


class Telling:
    """Looks at the store and the state files, and tells one listener what is new.

    Args:
        closing: set when the service stops.
        look, beat: seconds between two looks, and of silence until a comment.
    """

    def __init__(
        self,
        model: ReadModel,
        closing: asyncio.Event,
        streams: Streams,
        *,
        look: float = LOOK_SECONDS,
        beat: float = BEAT_SECONDS,
    ) -> None:
        self._model = model
        self._closing = closing
        self._streams = streams
        self._look = look
        self._beat = beat

    async def told(self, last: int) -> AsyncIterator[bytes]:
        """What happens after the event `last`, until the listener or the service goes."""
        self._streams.open += 1
        try:
            yield b"retry: 3000\n\n"
            known = await run_in_threadpool(self._model.fund_frames)
            silent = 0.0
            while not self._closing.is_set():
                messages: list[bytes] = []
                try:
                    rows = await run_in_threadpool(self._model.events_after, last, MOST_AT_ONCE)
                    frames = await run_in_threadpool(self._model.fund_frames)
                except StoreError:
                    rows, frames = (), known  # it may be read again later; the listener hears of it by the alerts
                for row in rows:
                    messages.append(message_of(row))
                    last = row.id
                if changed := {fund: frame for fund, frame in frames.items() if known.get(fund) != frame}:
                    messages.append(frame_message(changed))
                known = frames
                if messages:
                    yield b"".join(messages)
                    silent = 0.0
                elif silent >= self._beat:
                    yield b": beat\n\n"
                    silent = 0.0
                if len(rows) < MOST_AT_ONCE:
                    silent += self._look
                    await self._pause()
        finally:
            self._streams.open -= 1

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), self._look)
        except TimeoutError:
            return


def message_of(row: EventRow) -> bytes:
    """An event of the store."""
    data = _one_line(event_record(row).model_dump_json())
    return f"id: {row.id}\nevent: {name_of(row.event.kind)}\ndata: {data}\n\n".encode()


def frame_message(changed: Mapping[str, str | None]) -> bytes:
    """New state files: their funds and frames; null for more than can be named."""
    funds = dict(changed) if len(changed) <= MOST_NAMED else None
    return f"event: frame\ndata: {_one_line(json.dumps({'funds': funds, 'count': len(changed)}))}\n\n".encode()


def name_of(kind: str) -> str:
    """What a listener calls an event of a kind."""
    word = kind.partition("_")[0]
    return {"slot": "slot", "alert": "alert", "transaction": "post"}.get(word, "event")


def _one_line(text: str) -> str:
    return redact_text(text).encode("utf-8", "replace").decode().replace("\r", "").replace("\n", "")
