"""The dashboard alone: over a database and state files, or beside a demo, without a keeper's web service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from navoracle.dashboard.attach import Settings, attach
from navoracle.read_model.model import ReadModel
from navoracle.requests.desk import RequestDesk
from navoracle.web_service.server import serving


@asynccontextmanager
async def serving_dashboard(
    model: ReadModel, settings: Settings, host: str, port: int, desk: RequestDesk | None = None
) -> AsyncIterator[int]:
    """Serve the dashboard while the block runs; gives the port.

    Args:
        desk: where signed requests go; None where this process takes none.

    Raises:
        ConfigurationError: the address cannot be listened at.
    """
    app = FastAPI(title="navoracle", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.closing = asyncio.Event()
    attach(app, model, settings, desk)
    async with serving(app, host, port, with_pages=True, place="--port") as taken:
        yield taken
