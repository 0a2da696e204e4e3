"""What systemd hears of the service: ready, alive while it is, stopping; and nothing that stops the keeper."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from navoracle.service_manager import ServiceManager, attend, service_manager


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """A manager's datagram socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(5)
        yield channel


def heard(listener: socket.socket) -> list[str]:
    """Every message that is there."""
    listener.setblocking(False)
    found = []
    while True:
        try:
            found.append(listener.recv(4_096).decode())
        except BlockingIOError:
            return found


@pytest.mark.parametrize("address", [None, "", "notify", "vsock:2:1"])
def test_service_manager__no_socket_that_is_known__is_none(address: str | None) -> None:
    environment = {} if address is None else {"NOTIFY_SOCKET": address}
    assert service_manager(environment, 7) is None


@pytest.mark.parametrize(
    ("watchdog", "process", "seconds"),
    [
        ("60000000", None, 60.0),
        ("1500000", "7", 1.5),
        ("60000000", "8", None),
        (None, None, None),
        ("", "7", None),
        ("0", "7", None),
        ("soon", "7", None),
    ],
)
def test_service_manager__watchdog__counts_when_it_is_for_this_process(
    watchdog: str | None, process: str | None, seconds: float | None
) -> None:
    said = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": watchdog, "WATCHDOG_PID": process}
    environment = {name: value for name, value in said.items() if value is not None}
    assert service_manager(environment, 7) == ServiceManager("/run/notify", seconds)


def test_tell__several_states__are_one_message(listener: socket.socket) -> None:
    ServiceManager(str(listener.getsockname()), None).tell("READY=1", "STATUS=live, 3 funds")
    assert heard(listener) == ["READY=1\nSTATUS=live, 3 funds"]


def test_tell__abstract_address__is_reached(tmp_path: Path) -> None:
    name = f"navoracle-test-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(f"\0{name}")
        ServiceManager(f"@{name}", None).tell("WATCHDOG=1")
        assert heard(channel) == ["WATCHDOG=1"]


def test_tell__nobody_listens__is_logged_with_advice_and_nothing_else(tmp_path: Path) -> None:
    with capture_logs() as logs:
        ServiceManager(str(tmp_path / "nobody"), None).tell("READY=1")
    (line,) = logs
    assert (line["event"], line["log_level"], line["said"]) == ("service_manager_deaf", "warning", "READY=1")
    assert line["advice"]


def test_tell__manager_that_does_not_read__does_not_block(listener: socket.socket) -> None:
    manager = ServiceManager(str(listener.getsockname()), None)
    with capture_logs() as logs:
        for _ in range(100_000):
            manager.tell("WATCHDOG=1")
            if logs:
                break
    assert {line["event"] for line in logs} == {"service_manager_deaf"}


async def test_attend__alive_then_stuck__says_ready_pings_only_while_alive_and_says_when_it_stops(
    listener: socket.socket,
) -> None:
    alive = True
    task = asyncio.create_task(attend(ServiceManager(str(listener.getsockname()), 0.02), lambda: alive, "live"))
    await asyncio.sleep(0.2)
    lively = heard(listener)
    assert lively[0] == "READY=1\nSTATUS=live"
    assert set(lively[1:]) == {"WATCHDOG=1"}
    assert len(lively) > 3
    alive = False
    await asyncio.sleep(0.1)
    heard(listener)  # what was under way when it got stuck
    await asyncio.sleep(0.1)
    assert heard(listener) == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert heard(listener) == ["STOPPING=1"]


async def test_attend__no_watchdog__never_pings(listener: socket.socket) -> None:
    task = asyncio.create_task(attend(ServiceManager(str(listener.getsockname()), None), lambda: True, "rehearsal"))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert heard(listener) == ["READY=1\nSTATUS=rehearsal", "STOPPING=1"]
