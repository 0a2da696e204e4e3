"""The web server inside the keeper's own loop: it stops when the keeper stops, and takes no signals of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

from navoracle.domain.errors import ConfigurationError

CONNECTIONS: Final = 128
"""Connections at once; one more is answered with 503."""

STOP_SECONDS: Final = 3

LARGEST_MESSAGE: Final = 65_536
"""Bytes of a message that a page may send over its WebSocket."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the keeper."""
        yield


@asynccontextmanager
async def serving(
    app: FastAPI, host: str, port: int, *, with_pages: bool = False, place: str = "service.http"
) -> AsyncIterator[int]:
    """Serve while the block runs; gives the port (another one than `port` where that is 0).

    Args:
        with_pages: whether the application has live pages: it is started and stopped, and WebSockets are let in.
        place: where host and port were named, for whoever reads the error.

    Raises:
        ConfigurationError: the address cannot be listened at.
    """
    listener = _listen(host, port, place)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on" if with_pages else "off",
        ws="websockets-sansio" if with_pages else "none",
        ws_max_size=LARGEST_MESSAGE,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="web service")
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        if task.done():
            task.result()
        yield listener.getsockname()[1]
    finally:
        app.state.closing.set()  # or those who listen to the stream would be waited for
        server.should_exit = True
        try:
            await task
        finally:
            listener.close()


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until cancelled. Raises ConfigurationError as `serving` does."""
    async with serving(app, host, port):
        await asyncio.Event().wait()


def _listen(host: str, port: int, place: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(CONNECTIONS)
        listener.settimeout(0)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"{place}: cannot listen at {host} port {port}: {error.strerror or error}",
            advice="Another process (another keeper?) has the port, or the host is not this machine's: change either.",
        ) from error
    return listener
