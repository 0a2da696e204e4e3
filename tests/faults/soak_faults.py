"""What happens to a keeper in a soak: faults by chance, each of them over after a while."""

from __future__ import annotations

import ctypes
import gc
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from navoracle.chain.transactions.policy import GWEI
from navoracle.domain.errors import ChainError
from navoracle.domain.units import Wad
from navoracle.drill.commands import GUARDIAN, RISK
from navoracle.drill.faults import counted_back, frozen_head, refusing_after
from navoracle.drill.keepers import InProcessKeeper
from navoracle.drill.proxy import (
    ANY_METHOD,
    Fault,
    drop_request,
    drop_response,
    error,
    lag,
    status,
    truncate,
    wrong_id,
)
from navoracle.drill.rehearsal import Rehearsal
from navoracle.drill.rows.chain_reads import lying

SEND: Final = "eth_sendRawTransaction"
LEASE: Final = 3
BUSY_GRID: Final = 60
IDLE_GRID: Final = 600
CONFIRMATIONS: Final = 3

Cure = Callable[[], Awaitable[None]]


@dataclass
class Troubles:
    """Brings faults about, and ends them. `said` counts what happened, by kind."""

    r: Rehearsal
    dice: random.Random
    said: Counter[str] = field(default_factory=Counter)
    cures: list[tuple[int, Cure]] = field(default_factory=list)

    async def hour(self) -> None:
        """An hour's worth: prices move a little, and something may go wrong; what is over is ended first."""
        await self.end_what_is_over()
        await self.prices_move()
        kind = self.dice.choices(
            ("nothing", "node", "two_nodes", "outage", "sends", "restart", "kill", "reorganization", "fees", "jump",
             "feed", "pool", "standstill", "pause"),
            (40, 12, 4, 2, 8, 3, 4, 6, 4, 0.3, 5, 4, 3, 2),
        )[0]  # fmt: skip
        if kind != "nothing":
            await getattr(self, kind)()
            self.said[kind] += 1

    async def end_what_is_over(self, *, all_of_it: bool = False) -> None:
        """Cure what has lasted long enough."""
        now = self.r.clock.true_time
        over = [each for each in self.cures if all_of_it or each[0] <= now]
        self.cures = [each for each in self.cures if each not in over]
        for _, cure in over:
            await cure()

    def _until(self, minutes: int, cure: Cure) -> None:
        self.cures.append((self.r.clock.true_time + 60 * minutes, cure))

    # ---- prices and feeds

    async def prices_move(self) -> None:
        prices = {
            symbol: Wad(price * (10_000 + self.dice.randint(-8, 8)) // 10_000) if symbol != "USDC" else price
            for symbol, price in self.r.world.prices.items()
        }
        await self.r.world.set_prices(prices, at=self.r.clock.true_time)

    async def jump(self) -> None:
        """A move of more than five percent, within what the registry takes."""
        factor = self.dice.choice((93, 94, 106, 107))
        prices = {s: Wad(p * factor // 100) for s, p in self.r.world.prices.items() if s != "USDC"}
        await self.r.world.set_prices(prices, at=self.r.clock.true_time)

    async def feed(self) -> None:
        symbol = self.dice.choice(sorted(self.r.world.prices))
        await self.r.world.set_failing(symbol, failing=True)
        self._until(self.dice.choice((30, 90)), lambda: self.r.world.set_failing(symbol, failing=False))

    # ---- nodes

    def _node_fault(self) -> tuple[str, Fault]:
        return self.dice.choice(
            (
                (ANY_METHOD, drop_request),
                (ANY_METHOD, drop_response),
                (ANY_METHOD, status(502, "<html>bad gateway</html>")),
                (ANY_METHOD, wrong_id),
                (ANY_METHOD, truncate),
                ("eth_call", error(-32000, "missing trie node")),
                ("eth_call", lying(104)),
                ("eth_getBlockByNumber", lag(10)),
                ("eth_getBlockByNumber", frozen_head()),
                ("eth_getTransactionCount", counted_back(1)),
            )
        )

    async def _on_nodes(self, count: int, minutes: int, fault: tuple[str, Fault] | None = None) -> None:
        nodes = self.dice.sample(range(len(self.r.proxies)), count)
        for node in nodes:
            self.r.fault(*(fault or self._node_fault()), nodes=[node])

        async def sound() -> None:
            for node in nodes:
                self.r.proxies[node].sound()

        self._until(minutes, sound)

    async def node(self) -> None:
        await self._on_nodes(1, self.dice.choice((10, 60, 180)))

    async def two_nodes(self) -> None:
        await self._on_nodes(2, 20, (ANY_METHOD, drop_request))

    async def outage(self) -> None:
        await self._on_nodes(len(self.r.proxies), self.dice.choice((20, 130)), (ANY_METHOD, drop_request))

    async def sends(self) -> None:
        known = refusing_after(-32000, "already known")
        await self._on_nodes(len(self.r.proxies), 15, (SEND, self.dice.choice((drop_request, drop_response, known))))

    # ---- the chain

    async def reorganization(self) -> None:
        depth = self.dice.randint(1, CONFIRMATIONS - 1)
        await self.r.world.reorganize(depth)

    async def fees(self) -> None:
        self.r.world.base_fee = self.dice.choice((50, 150, 300)) * GWEI

        async def fall() -> None:
            self.r.world.base_fee = None
            await self.r.world.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))

        self._until(self.dice.choice((20, 70)), fall)

    async def pool(self) -> None:
        await self.r.world.node.rpc("anvil_dropAllTransactions")

    async def standstill(self) -> None:
        self.r.world.mining = False

        async def on() -> None:
            self.r.world.mining = True

        self._until(self.dice.choice((10, 25)), on)

    async def pause(self) -> None:
        await self.r.world.set_paused(GUARDIAN, paused=True)
        self._until(50, lambda: self.r.world.set_paused(RISK, paused=False))

    # ---- the keeper

    async def restart(self) -> None:
        old = self.r.keeper
        await self.r.clock.drive(old.stop())
        await self._again(old)

    async def kill(self) -> None:
        """At whatever it is doing: the hour's slot is begun first, and left after a random while."""
        await self.r.pass_time(self.dice.choice((1, 5, 13, 17, 29, 45)))
        old = self.r.keeper
        await self.r.crash()
        if self.dice.random() < 0.3:
            await self.r.clock.leap(self.r.clock.true_time + self.dice.choice((600, 4_000, 9_000)))
        await self._again(old)

    async def _again(self, old: InProcessKeeper) -> None:
        """Start it again, for as long as it takes: a node may be out just then."""
        while True:
            try:
                await start(self.r)
            except ChainError:
                await self.r.pass_time(600)
                await self.end_what_is_over()
                continue
            break
        self.r.keepers.remove(old)
        await old.close()
        give_memory_back()


def give_memory_back() -> None:
    """A keeper that is started again has a process of its own: here the old one's memory goes back to the system."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


async def start(r: Rehearsal) -> None:
    """Start the keeper of a soak."""
    await r.start(
        lease=LEASE,
        grid=BUSY_GRID,
        idle_grid=IDLE_GRID,
        transactions={"confirmations": CONFIRMATIONS},
        changes={"cadence": {"sample_seconds": IDLE_GRID}},
    )
