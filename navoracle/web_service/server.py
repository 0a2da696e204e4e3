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


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the keeper."""
        yield


@asynccontextmanager
async def serving(app: FastAPI, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the block runs; gives the port (another one than `port` where that is 0).

    Raises:
        ConfigurationError: the address cannot be listened at.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
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
        server.should_exit = True
        try:
            await task
        finally:
            listener.close()


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until cancelled. Raises ConfigurationError as `serving` does."""
    async with serving(app, host, port):
        await asyncio.Event().wait()


def _listen(host: str, port: int) -> socket.socket:
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
            f"service.http: cannot listen at {host} port {port}: {error.strerror or error}",
            advice="Another process (another keeper?) has the port, or the host is not this machine's: change either.",
        ) from error
    return listener
