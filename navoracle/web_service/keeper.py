"""What the routes answer from. They are functions of a module: FastAPI's caches never let go of one they saw."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from fastapi import Request

from navoracle.read_model.model import ReadModel
from navoracle.web_service.view import MetricsText, RequestReceiver, ServiceView


@dataclass(slots=True)
class Streams:
    """How many listen to the stream."""

    open: int = 0


@dataclass(frozen=True, slots=True)
class Keeper:
    """The running keeper, and what is asked of it."""

    view: ServiceView
    desk: RequestReceiver | None
    metrics: MetricsText
    model: ReadModel | None
    streams: Streams = field(default_factory=Streams)
    verifying: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """One verification at a time: each takes a processor for as long as it lasts."""


def keeper_of(request: Request) -> Keeper:
    """What this app answers from."""
    keeper: Keeper = request.app.state.keeper
    return keeper


def model_of(request: Request) -> ReadModel:
    """The read model; the routes that ask for it are there only where there is one."""
    model = keeper_of(request).model
    if model is None:
        raise LookupError("this app has no read model")
    return model
