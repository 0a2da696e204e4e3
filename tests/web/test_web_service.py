"""The web service over real sockets: it starts inside the loop, stops with it, and says when its port is taken."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

import aiohttp
import pytest
from fastapi import FastAPI

from navoracle.cli.main import run
from navoracle.domain.errors import ConfigurationError
from navoracle.web_service import build_app, serve, serving
from navoracle.web_service.api import intake
from tests.unit.storage.builders import empty_sqlite_store
from tests.unit.web_service.fakes import TOKEN, Desk, Keeper, Text

pytestmark = pytest.mark.sockets
HOST = "127.0.0.1"


def app_of(desk: Desk | None = None) -> FastAPI:
    return build_app(Keeper(), desk, Text(), (TOKEN,))


async def test_serving__inside_the_loop__answers_and_is_gone_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with serving(app_of(), HOST, 0) as port, aiohttp.ClientSession() as session:
        assert signal.getsignal(signal.SIGTERM) is before
        async with session.get(f"http://{HOST}:{port}/livez") as answer:
            assert answer.status == 200
            assert "server" not in answer.headers
    with pytest.raises(OSError, match=r"refused|failed"):
        await asyncio.open_connection(HOST, port)


async def test_serving__port_that_is_taken__is_an_error_with_advice() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"^service.http: cannot listen at {HOST} port {port}"):
            async with serving(app_of(), HOST, port):
                pass
        with pytest.raises(ConfigurationError, match=f"^--port: cannot listen at {HOST} port {port}"):
            async with serving(app_of(), HOST, port, place="--port"):
                pass


async def test_serve__cancelled_with_an_open_connection__ends_within_seconds() -> None:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    task = asyncio.create_task(serve(app_of(), HOST, port))
    reader, writer = None, None
    for _ in range(200):
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
    assert reader is not None
    assert writer is not None
    writer.write(b"GET /livez HTTP/1.1\r\n")  # never finished
    await writer.drain()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(10):
            await task
    writer.close()


async def test_requests__body_in_many_parts_without_a_length__is_cut_off() -> None:
    desk = Desk()

    async def parts() -> object:
        for _ in range(64):
            yield b"x" * 1_024

    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    async with (
        serving(app_of(desk), HOST, 0) as port,
        aiohttp.ClientSession() as session,
        session.post(f"http://{HOST}:{port}/api/v1/requests", data=parts(), headers=headers) as answer,
    ):
        assert answer.status == 413
    assert desk.taken == []


async def test_requests__body_that_never_ends__is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BODY_SECONDS", 0.2)

    async def slow() -> object:
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    async with (
        serving(app_of(Desk()), HOST, 0) as port,
        aiohttp.ClientSession() as session,
        session.post(f"http://{HOST}:{port}/api/v1/requests", data=slow(), headers=headers) as answer,
    ):
        assert answer.status == 408


def test_dashboard__port_that_is_taken__is_refused_by_the_name_of_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = str(taken.getsockname()[1])
        database = empty_sqlite_store(tmp_path / "keeper.db")
        assert run(["dashboard", "--port", port, "--database", database]) == 4
    assert f"error: --port: cannot listen at {HOST} port {port}" in capsys.readouterr().err
