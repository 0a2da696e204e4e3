"""The soak: the service on a real node through real HTTP, for days of simulated time, with faults by chance.

    python -m tests.faults.soak --days 30 --seed 1 [--json]

Simulated is the time, and with it when jobs are run (looks that find nothing to do are ten minutes apart, samples
too) and when blocks are made (five minutes apart while nothing waits for one); prices, holdings and keys are made up.
Leases run by the database's own clock. The rest is what `navoracle run` runs: store, lanes, guards, a pool of three
nodes behind proxies, anvil.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

import structlog

from bench.anvil import binary
from navoracle.domain.cadence import HOUR
from navoracle.drill.chain_history import stored_records
from navoracle.drill.rehearsal import HOUR_BEGINS, NODE_ARGUMENTS, Rehearsal, rehearsing
from navoracle.keeper import slots
from navoracle.store_port import SlotState
from tests.faults.soak_faults import Troubles, start
from tests.faults.worlds import shape

FUNDS: Final = 2
SETTLE_WAIT: Final = 20.0
LOOK: Final = 300
SPARSE: Final = 300
FLAT: Final = 0.05
"""By how much the memory of the last quarter may differ from that of the second."""

NODE: Final = (*NODE_ARGUMENTS, "--prune-history", "300")
LONG_ENOUGH_DAYS: Final = 4
"""Days from which memory is compared: before, caches are still filling."""


@dataclass
class Soak:
    """What a soak found."""

    days: int
    seed: int
    slots: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    posts: int = 0
    transactions: Counter[str] = field(default_factory=Counter)
    unaccounted: list[str] = field(default_factory=list)
    violations: list[tuple[int, str]] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def quarter(self, number: int) -> float:
        """Mean resident memory (bytes) of a quarter, 1 to 4."""
        size = max(1, len(self.memory) // 4)
        part = self.memory[(number - 1) * size : number * size] or self.memory
        return sum(part) / len(part)

    @property
    def growth(self) -> float:
        """The last quarter's memory over the second one's, less one."""
        return self.quarter(4) / self.quarter(2) - 1

    @property
    def is_flat(self) -> bool:
        """Whether memory stayed what it was; too short a soak says nothing of it."""
        return self.days < LONG_ENOUGH_DAYS or abs(self.growth) <= FLAT

    @property
    def survived(self) -> bool:
        """Whether everything held."""
        return not self.unaccounted and not self.violations and self.is_flat and self.posts > 0

    def document(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "survived": self.survived,
            "days": self.days,
            "seed": self.seed,
            "slots": dict(sorted(self.slots.items())),
            "posts_on_chain": self.posts,
            "transactions": dict(sorted(self.transactions.items())),
            "faults": dict(sorted(self.faults.items())),
            "unaccounted": self.unaccounted,
            "violations": [{"invariant": number, "what": what} for number, what in self.violations],
            "memory": {
                "second_quarter": round(self.quarter(2)),
                "last_quarter": round(self.quarter(4)),
                "growth": f"{self.growth:+.4f}",
            },
            "simulated": "time, prices, holdings and keys; jobs that find nothing to do run every ten minutes",
            "seconds": round(self.seconds, 1),
        }


async def soak(days: int, seed: int, folder: Path, tell: Callable[[str], None] = lambda _line: None) -> Soak:
    """Run a soak of so many days."""
    found, began = Soak(days, seed), time.monotonic()
    with patch.object(slots, "SETTLE_WAIT", SETTLE_WAIT):
        async with rehearsing(binary(), shape(FUNDS), folder, node_arguments=NODE) as r:
            r.world.sparse = SPARSE
            troubles = Troubles(r, random.Random(seed))
            await start(r)
            end = HOUR_BEGINS + days * 24 * HOUR
            while r.clock.true_time < end:
                await troubles.hour()
                await pass_an_hour(r, troubles)
                found.memory.append(resident())
                if len(found.memory) % 24 == 0:
                    hours = (r.clock.true_time - HOUR_BEGINS) / HOUR
                    tell(f"day {hours / 24:.1f}: {resident() >> 20} MiB, {time.monotonic() - began:.0f} s")
            await calm(r, troubles)
            await judge(r, found, end)
            found.faults = troubles.said
    found.seconds = time.monotonic() - began
    return found


async def pass_an_hour(r: Rehearsal, troubles: Troubles) -> None:
    """Let time go by to a minute after the next full hour, ending what is over on the way."""
    until = (r.clock.true_time // HOUR + 1) * HOUR + 60
    while r.clock.true_time < until:
        await r.pass_time(min(LOOK, until - r.clock.true_time))
        await troubles.end_what_is_over()


async def calm(r: Rehearsal, troubles: Troubles) -> None:
    """Nothing goes wrong any more, and what is under way ends."""
    await troubles.end_what_is_over(all_of_it=True)
    r.sound()
    await r.slot()
    await r.until(lambda: not r.open_transactions(), "every transaction ends", within=2 * HOUR)


async def judge(r: Rehearsal, found: Soak, end: int) -> None:
    """Look at what is left."""
    store = r.store
    rows = store.slots()
    found.slots.update(row.state.value for row in rows)
    found.transactions.update(row.state.value for row in store.transactions())
    there = {(row.fund, row.slot_time) for row in rows if row.state is not SlotState.CLAIMED}
    for fund in r.funds:
        for slot in range(HOUR_BEGINS, end, HOUR):
            if (fund, slot) not in there:
                found.unaccounted.append(f"{fund}@{slot}")
    found.posts = len(await stored_records(r.world))
    found.violations = await r.violations()


def resident() -> int:
    """This process's resident memory in bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description="Runs the service for days of simulated time.")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    said = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with TemporaryDirectory(prefix="navoracle-soak-") as folder:
        found = asyncio.run(soak(said.days, said.seed, Path(folder), lambda line: print(line, file=sys.stderr)))
    if said.json:
        print(json.dumps(found.document(), indent=2))
    else:
        for name, value in found.document().items():
            print(f"{name}: {value}")
    return 0 if found.survived else 1


if __name__ == "__main__":
    sys.exit(main())
