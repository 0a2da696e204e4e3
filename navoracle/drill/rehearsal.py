"""A rehearsal: a keeper in this process, on a made-up world, in simulated time, with faults on the way to its nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from navoracle.config.models import Config
from navoracle.domain.cadence import HOUR
from navoracle.domain.units import Timestamp
from navoracle.drill.commands import POSTER
from navoracle.drill.configuration import rehearsal, write
from navoracle.drill.expect import RowFailed, require
from navoracle.drill.invariants import Facts, senders_of, violations
from navoracle.drill.keepers import GRID, InProcessKeeper
from navoracle.drill.node import LocalNode
from navoracle.drill.proxy import Fault, FaultProxy
from navoracle.drill.shape import Shape
from navoracle.drill.time import SimulatedClock
from navoracle.drill.world import World
from navoracle.registry_port import GuardBounds
from navoracle.store_port import EventRow, SlotRow, SlotState, Store, TransactionRow

HOUR_BEGINS: Final = 1_799_996_400
"""A full hour of 2027: the first slot falls due then."""

BEFORE: Final = 60
"""Seconds before it at which a rehearsal begins."""

PATIENCE: Final = 1_800
"""Simulated seconds within which a slot ends, whatever happens: a post must land within 900."""

LOOK: Final = 4
NODE_TIMEOUT: Final = 2
"""Seconds of the machine that a node may take to answer."""

NODES: Final = 3
NODE_ARGUMENTS: Final = ("--no-mining", "--slots-in-an-epoch", "2", "--block-base-fee-per-gas", "100000000")


@dataclass(slots=True)
class Rehearsal:
    """What a scenario works with."""

    world: World
    proxies: Sequence[FaultProxy]
    clock: SimulatedClock
    folder: Path
    config: Config | None
    chain: Mapping[str, Any]
    transactions: Mapping[str, Any]
    keepers: list[InProcessKeeper] = field(default_factory=list)
    relays: list[FaultProxy] = field(default_factory=list)
    accounts: set[int] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    lost_to_reorganization: bool = False
    open_slots: bool = False
    budget: int | None = None

    # ---- keepers

    @property
    def keeper(self) -> InProcessKeeper:
        """The keeper that was started last."""
        if not self.keepers:
            raise RowFailed("no keeper was started")
        return self.keepers[-1]

    @property
    def store(self) -> Store:
        """Its store."""
        return self.keeper.store

    @property
    def funds(self) -> tuple[str, ...]:
        """Every fund."""
        return tuple(self.world.shape.funds)

    async def start(
        self,
        name: str = "keeper",
        *,
        account: int = POSTER,
        database: str | None = None,
        urls: Sequence[str] | None = None,
        lease: int = 30,
        grid: int = GRID,
        idle_grid: int | None = None,
        changes: Mapping[str, Any] | None = None,
        chain: Mapping[str, Any] | None = None,
        transactions: Mapping[str, Any] | None = None,
    ) -> InProcessKeeper:
        """Start a keeper; with the name of an earlier one it goes on with its database."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        configuration = rehearsal(
            self.world,
            urls or [proxy.url for proxy in self.proxies],
            folder,
            config=self.config,
            account=account,
            chain={"timeout": NODE_TIMEOUT, **self.chain, **(chain or {})},
            transactions={**self.transactions, **(transactions or {})},
            changes={"service": {"http": {"enabled": False}, "lease": lease}, **(changes or {})},
        )
        if database is not None:
            configuration["store"] = {"url": database}
        path = write(folder / "navoracle.yaml", configuration)
        self.accounts.add(account)
        keeper = await self.clock.drive(InProcessKeeper.start(path, self.clock, grid=grid, idle_grid=idle_grid))
        self.keepers.append(keeper)
        return keeper

    async def crash(self) -> None:
        """Let the keeper that was started last be gone, without a chance to tidy up, and its leases run out.

        Leases are measured by the database's clock, which no simulation moves: start it with a short one.
        """
        await self.keeper.crash()
        await asyncio.sleep(self.keeper.config.service.lease + 0.2)

    # ---- time

    async def pass_time(self, seconds: int) -> None:
        """Let time go by; keepers work meanwhile."""
        await self.clock.go(seconds)
        for keeper in self.keepers:
            keeper.raise_defects()

    async def until(self, holds: Callable[[], bool], what: str, *, within: int = PATIENCE) -> None:
        """Let time go by until something holds. Raises RowFailed when it never does."""
        limit = self.clock.true_time + within
        while not holds():
            require(self.clock.true_time < limit, f"not within {within} s: {what}")
            await self.pass_time(LOOK)

    async def slot(self, *, within: int = PATIENCE) -> dict[str, SlotRow]:
        """Let time go by until the next full hour's slots have ended; returns them by fund."""
        return await self.slot_ends(await self.come_due(), within=within)

    async def slot_ends(self, slot_time: int, *, within: int = PATIENCE) -> dict[str, SlotRow]:
        """Let time go by until every fund's slot of that time has ended; returns them by fund."""
        what = f"every slot of {slot_time} ends"
        await self.until(lambda: len(self.ended(slot_time)) == len(self.funds), what, within=within)
        return self.ended(slot_time)

    async def come_due(self) -> int:
        """Let time go by to just after the next full hour; returns it. An idle rest of an hour is left out."""
        slot_time = (self.clock.true_time // HOUR + 1) * HOUR
        if self.clock.true_time < slot_time - BEFORE:
            await self.clock.leap(slot_time - BEFORE)
        await self.pass_time(slot_time - self.clock.true_time + 1)
        return slot_time

    def ended(self, slot_time: int) -> dict[str, SlotRow]:
        """The slots of that time that have ended, by fund."""
        rows = [row for keeper in self.keepers for row in keeper.store.slots(since=Timestamp(slot_time))]
        return {row.fund: row for row in rows if row.slot_time == slot_time and row.state is not SlotState.CLAIMED}

    # ---- faults

    def fault(self, method: str, fault: Fault, *, nodes: Sequence[int] = range(NODES)) -> None:
        """Put a fault on a method of these nodes; all of them unless it is said."""
        for number in nodes:
            self.proxies[number].fault(method, fault)

    def sound(self) -> None:
        """Take all faults away."""
        for proxy in self.proxies:
            proxy.sound()

    # ---- what there is

    def events(self, kind: str) -> tuple[EventRow, ...]:
        """What the keepers recorded of one kind."""
        return tuple(row for keeper in self.keepers for row in keeper.store.events(kind=kind))

    def open_transactions(self) -> list[TransactionRow]:
        """The transactions that have not ended."""
        return [row for keeper in self.keepers for row in keeper.store.transactions() if not row.state.is_end]

    @property
    def broadcast(self) -> list[str]:
        """Every hash that was handed to a node, in order, each once."""
        return list(dict.fromkeys(sent for proxy in (*self.proxies, *self.relays) for sent in proxy.broadcast))

    async def is_sent(self) -> TransactionRow:
        """Let time go by until a transaction is under way; returns it."""
        await self.until(lambda: bool(self._sent()), "a transaction is sent", within=300)
        return self._sent()[0]

    def _sent(self) -> list[TransactionRow]:
        return [row for row in self.open_transactions() if any(each.sent_at is not None for each in row.attempts)]

    async def violations(self) -> list[tuple[int, str]]:
        """The invariants that do not hold."""
        for keeper in self.keepers:
            keeper.catch_up()
        return await violations(
            self.world,
            Facts(
                stores=list({id(keeper.store): keeper.store for keeper in self.keepers}.values()),
                senders=senders_of(*sorted(self.accounts)),
                broadcast=self.broadcast,
                foreign=self.foreign,
                open_slots=self.open_slots,
                budget=self.budget,
                event_files=sorted(self.folder.glob("*/events/**/*.jsonl")),
                lost_to_reorganization=self.lost_to_reorganization,
            ),
        )


@asynccontextmanager
async def rehearsing(
    binary: Path,
    shape: Shape,
    folder: Path,
    *,
    config: Config | None = None,
    chain: Mapping[str, Any] | None = None,
    transactions: Mapping[str, Any] | None = None,
    bounds: GuardBounds | None = None,
    node_arguments: Sequence[str] = NODE_ARGUMENTS,
) -> AsyncIterator[Rehearsal]:
    """A world with no keeper yet, a minute before a full hour."""
    start = HOUR_BEGINS - BEFORE
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(
            LocalNode(binary, "--timestamp", str(start - 2 * HOUR), "--chain-id", str(shape.chain_id), *node_arguments)
        )
        world = await World.build(node, shape, start - 120, bounds)
        await world.mine(start, blocks=8)
        proxies = [await stack.enter_async_context(FaultProxy(node.url)) for _ in range(NODES)]
        clock = SimulatedClock(world.newest, world.time_is, lambda: _traffic(proxies))
        found = Rehearsal(world, proxies, clock, folder, config, chain or {}, transactions or {})
        try:
            yield found
        finally:
            for keeper in found.keepers:
                await keeper.close()


def _traffic(proxies: Sequence[FaultProxy]) -> tuple[int, bool]:
    return sum(proxy.asked.total() for proxy in proxies), any(proxy.busy for proxy in proxies)
