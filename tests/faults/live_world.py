"""A world in real time for real processes: a block a second, three proxies, and a clock that is set ahead at will."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.anvil import binary
from navoracle.composition.stores import open_existing_store, open_store
from navoracle.domain.cadence import HOUR, Cadence
from navoracle.domain.units import Timestamp
from navoracle.drill.commands import POSTER
from navoracle.drill.configuration import rehearsal, write
from navoracle.drill.invariants import Facts, senders_of, violations
from navoracle.drill.node import LocalNode
from navoracle.drill.proxy import FaultProxy
from navoracle.drill.world import World
from navoracle.store_port import Event, Severity
from tests.faults.keeper_process import KeeperProcess
from tests.faults.worlds import HOUR_BEGINS, NODE_ARGUMENTS, shape

NODES = 3


@dataclass
class LiveWorld:
    """A chain that makes a block every second of a simulated time, which is the machine's but for `jump`."""

    world: World
    proxies: list[FaultProxy]
    folder: Path
    anchor: tuple[int, float]
    processes: list[KeeperProcess] = field(default_factory=list)
    accounts: set[int] = field(default_factory=set)

    @property
    def now(self) -> int:
        """The simulated time that a sound process has now."""
        simulated, real = self.anchor
        return simulated + int(time.time() - real)

    @property
    def clock(self) -> str:
        """What NAVORACLE_CLOCK has to say."""
        simulated, real = self.anchor
        return f"scale:1:{simulated}@{real:.6f}"

    async def jump(self, to: int) -> None:
        """Let the chain's time, and that of processes started from now on, be `to`."""
        self.anchor = (to, time.time())
        await self.world.node.rpc("evm_setTime", hex(to))
        await self.world.node.rpc("evm_mine")

    async def next_hour(self) -> int:
        """Jump to just after the next full hour; returns the hour. A keeper that is started then finds its slot due."""
        hour = (self.now // HOUR + 1) * HOUR
        await self.jump(hour + 1)
        return hour

    async def mining(self, *, every: int) -> None:
        """Make a block every so many seconds; none at 0."""
        await self.world.node.rpc("evm_setIntervalMining", every)

    @property
    def broadcast(self) -> list[str]:
        """Every hash that was handed to a node, in order."""
        return [sent for proxy in self.proxies for sent in proxy.broadcast]

    def keeper(
        self,
        name: str = "a",
        *,
        account: int = POSTER,
        database: str | None = None,
        mutation: str | None = None,
        clock: str | None = None,
        service: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> KeeperProcess:
        """A keeper to be started, with a folder of its own; `service` and `settings` are more of its configuration."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        port = free_port()
        url = database or f"sqlite:///{folder}/keeper.db"
        changes: dict[str, Any] = {
            "store": {"url": url},
            "service": {
                "lease": 2,
                "tick": 1,
                "http": {"port": port},
                "events": {"folder": str(folder / "events")},
                **(service or {}),
            },
            **settings,
        }
        chain = {"confirmations": 1, "timeout": 3, **changes.pop("chain", {})}
        transactions = {"resubmit_seconds": 6, "republish_seconds": 3, **changes.pop("transactions", {})}
        configuration = rehearsal(
            self.world,
            [proxy.url for proxy in self.proxies],
            folder,
            account=account,
            chain=chain,
            transactions=transactions,
            changes=changes,
        )
        path = write(folder / "navoracle.yaml", configuration)
        self.prime(url)
        process = KeeperProcess(path, url, clock or self.clock, port, folder / "keeper.log", mutation)
        self.processes.append(process)
        self.accounts.add(account)
        return process

    def prime(self, url: str) -> None:
        """Give a new database a past: a keeper without one takes up no slot that is due when it starts."""
        with open_store(url) as store:
            if not store.slots(limit=1):
                past = Timestamp(self.now // HOUR * HOUR)
                for fund in self.world.shape.funds:
                    store.miss_slot(fund, past, Cadence.HOURLY, "before the test", past)
                    store.append_event(
                        Event(past, "slot_missed", fund, Severity.INFO, "before the test", "", {"slot_time": past})
                    )

    async def facts(self, **more: Any) -> list[tuple[int, str]]:
        """The invariants that do not hold now."""
        urls = list(dict.fromkeys(process.database for process in self.processes))
        stores = [open_existing_store(url) for url in urls]
        files = sorted(self.folder.glob("*/events/**/*.jsonl"))
        try:
            facts = Facts(
                stores=stores,
                senders=senders_of(*sorted(self.accounts)),
                broadcast=self.broadcast,
                event_files=files,
                **more,
            )
            return await violations(self.world, facts)
        finally:
            for store in stores:
                store.close()

    async def must_hold(self, **more: Any) -> None:
        """Check the seven invariants."""
        found = await self.facts(**more)
        logs = "\n".join(process.tail() for process in self.processes) if found else ""
        assert found == [], f"{found}\n{logs}"


@asynccontextmanager
async def live_world(folder: Path, funds: int = 2, block_time: str = "1") -> AsyncIterator[LiveWorld]:
    """A world that begins ten seconds before a full hour. Whatever was started in it is killed at its end."""
    start = HOUR_BEGINS - 10
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(LocalNode(binary(), "--timestamp", str(start - 7_200), *NODE_ARGUMENTS))
        world = await World.build(node, shape(funds), start)
        proxies = [await stack.enter_async_context(FaultProxy(node.url)) for _ in range(NODES)]
        live = LiveWorld(world, proxies, folder, (start, time.time()))
        await node.rpc("evm_setTime", hex(start + 1))
        await node.rpc("evm_setIntervalMining", int(block_time))
        try:
            yield live
        finally:
            for process in live.processes:
                process.kill()


def free_port() -> int:
    """A port of the loopback address that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
