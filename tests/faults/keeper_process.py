"""The real service as a process of its own: started, killed, frozen, and asked how it is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientError, ClientSession, ClientTimeout

from navoracle.clock import VARIABLE as CLOCK
from navoracle.composition.stores import open_existing_store
from navoracle.domain.errors import StoreError
from navoracle.failpoints import VARIABLE as FAIL_POINT
from navoracle.storage import SqlStore
from navoracle.store_port import SlotRow, SlotState, TransactionRow
from tests.requirements import PROJECT

T = TypeVar("T")

LOOK = 0.05
"""Seconds between two looks at a process or its database."""


@dataclass
class KeeperProcess:
    """`navoracle run --live` as a child. `mutation` names a change of the code under it (tests/faults/mutations.py)."""

    config: Path
    database: str
    clock: str
    port: int
    log: Path
    mutation: str | None = None
    owner: str | None = None
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, fail_point: str | None = None) -> None:
        """Start it; it is not waited for."""
        environment = {**os.environ, CLOCK: self.clock, "PYTHONPATH": str(PROJECT)}
        environment.pop(FAIL_POINT, None)
        if fail_point is not None:
            environment[FAIL_POINT] = fail_point
        prelude = (
            "" if self.mutation is None else f"from tests.faults.mutations import apply; apply({self.mutation!r});"
        )
        code = f"{prelude}from navoracle.cli.main import main; main()"
        arguments = ["--log-format", "json", "run", "--config", str(self.config), "--live"]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", code, *arguments],
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.config.parent,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self._child is not None, "it was never started"
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def code(self) -> int | None:
        return None if self._child is None else self._child.poll()

    def kill(self) -> None:
        """As a power cut does."""
        if self.is_running:
            os.kill(self.pid, signal.SIGKILL)
        if self._child is not None:
            self._child.wait()

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    async def stop(self, within: float = 20.0) -> int:
        """SIGTERM, once it can hear it, and its exit code."""
        async with asyncio.timeout(within):
            while self.is_running and (await self.health("/livez"))[0] == 0:
                await asyncio.sleep(LOOK)
        if self.is_running:
            os.kill(self.pid, signal.SIGTERM)
        await self.until(lambda: not self.is_running, within, "it stops when it is asked to")
        assert self.code is not None
        return self.code

    async def until(self, ready: Callable[[], bool], within: float, what: str) -> None:
        """Wait until something holds; fails with the end of the log."""
        try:
            async with asyncio.timeout(within):
                while not ready():
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise AssertionError(f"not within {within:g} s: {what}\n{self.tail()}") from None

    async def until_dead(self, within: float = 30.0) -> None:
        """Wait until it is gone, by a fail point."""
        await self.until(lambda: not self.is_running, within, "it comes by its fail point and dies")

    async def until_healthy(self, within: float = 40.0) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(within):
            while (await self.health("/livez"))[0] != 200:
                assert self.is_running, self.tail()
                await asyncio.sleep(LOOK)

    async def until_frozen(self, within: float = 30.0) -> None:
        """Wait until a fail point has stopped it."""
        stat = Path(f"/proc/{self.pid}/stat")
        await self.until(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T", within, "it freezes")

    def slots(self) -> tuple[SlotRow, ...]:
        """What its database says of slots; nothing while there is none."""
        return self._ask(lambda store: store.slots())

    def transactions(self) -> tuple[TransactionRow, ...]:
        """What its database says of transactions."""
        return self._ask(lambda store: store.transactions())

    def _ask(self, question: Callable[[SqlStore], tuple[T, ...]]) -> tuple[T, ...]:
        try:
            store = open_existing_store(self.database)
        except StoreError:
            return ()
        try:
            return question(store)
        finally:
            store.close()

    async def until_slots_end(self, slot_time: int, funds: int, within: float = 40.0) -> dict[str, SlotRow]:
        """Wait until every fund's slot of that time or later has ended."""

        def ended() -> dict[str, SlotRow]:
            rows = [row for row in self.slots() if row.slot_time >= slot_time and row.state is not SlotState.CLAIMED]
            return {row.fund: row for row in rows}

        await self.until(lambda: len(ended()) == funds, within, f"the slots of {slot_time} end ({self.slots()})")
        return ended()

    async def health(self, path: str = "/healthz") -> tuple[int, Any]:
        """Status and document of a health question; (0, None) where nobody answers."""
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=2)) as session,
                session.get(f"http://127.0.0.1:{self.port}{path}") as response,
            ):
                text = await response.text()
        except (ClientError, OSError, TimeoutError):
            return 0, None
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
