"""What a service tells the service manager that started it: systemd's notification protocol, as sd_notify(3) has it.

The manager names a datagram socket in `NOTIFY_SOCKET`. A service of `Type=notify` counts as started when it says
`READY=1`, and with a watchdog it is restarted when it does not say `WATCHDOG=1` often enough.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

_ADVICE: Final = "Nothing is wrong with the keeper, but the service manager may restart it: look at the unit's log."
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Where the manager listens, and how often it wants to hear of us.

    Attributes:
        address: of its datagram socket; a leading "@" is one of Linux' abstract names.
        watchdog: seconds after which silence is taken for a hang; None without a watchdog.
    """

    address: str
    watchdog: float | None

    def tell(self, *states: str) -> None:
        """Say something; that nobody listens is logged, and is no reason to stop.

        Args:
            states: assignments like "READY=1".
        """
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(0)  # a manager that does not read must not stop the keeper
                channel.sendto("\n".join(states).encode(), name)
        except OSError as error:
            structlog.get_logger("navoracle.run").warning(
                "service_manager_deaf", said=states[0], error=error.strerror or str(error), advice=_ADVICE
            )


def service_manager(environment: Mapping[str, str], process: int) -> ServiceManager | None:
    """The manager that started this process; None where none did, or none that wants to be told.

    Args:
        environment: the process's variables.
        process: its id; a watchdog that is meant for another process is left to that one.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return None
    said = environment.get("WATCHDOG_USEC", "")
    ours = environment.get("WATCHDOG_PID", str(process)) == str(process)
    watchdog = int(said) / _MICROSECONDS if ours and said.isdecimal() and int(said) > 0 else None
    return ServiceManager(address, watchdog)


def manager_of_this_process() -> ServiceManager | None:
    """The manager that started this process."""
    return service_manager(os.environ, os.getpid())


async def attend(manager: ServiceManager, alive: Callable[[], bool], status: str) -> None:
    """Say that the service is ready, keep the watchdog quiet while it is alive, and say when it stops.

    Runs until cancelled. Half the watchdog's time lies between two looks.

    Args:
        alive: whether the service does its work; while it does not, the watchdog hears nothing.
        status: one line for `systemctl status`.
    """
    manager.tell("READY=1", f"STATUS={status}")
    try:
        while True:
            await asyncio.sleep(3_600 if manager.watchdog is None else manager.watchdog / 2)
            if manager.watchdog is not None and alive():
                manager.tell("WATCHDOG=1")
    finally:
        manager.tell("STOPPING=1")
