"""A levered holder of USDC in March 2023: as recorded series, and as feeds on the embedded chain.

It holds 1,000,000 USDC against a debt of 500,000 US dollars. What its prices imply is in `depeg_figures`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from navoracle.abi import encode_call
from navoracle.chain.reader import MULTICALL3
from navoracle.composition.embedded import CHAIN_ID, FundOpening, embedded_chain, embedded_registry
from navoracle.composition.service import RunningService, open_service
from navoracle.config.loading import load_config
from navoracle.domain.units import Timestamp, Wad
from navoracle.ports import Address
from navoracle.replay.clock import ReplayClock
from navoracle.risk.monitor import RiskReading
from navoracle.storage import SqlStore
from navoracle.store_port import EventRow, SlotRow
from tests.acceptance.depeg_figures import AGES, DEBT, FILES, HELD, SHARES, Prices, figures_of
from tests.requirements import shared_data
from tests.unit.addresses import address

FUND: Final = "depeg"
CHAIN: Final = "home"
STEP: Final = 300
"""Seconds between two samples, and between two looks at risk."""

_RISK: Final[Mapping[str, Any]] = {
    "mode": "pure_lending",
    "lending": [
        {
            "name": "loan",
            "label": "LOAN",
            "positions": ["usdc", "owed"],
            "max_ltv": "0.58",
            "liquidation_threshold": "0.6",
            "liquidation_bonus": "0.05",
            "close_factor": "0.5",
            "target_ltv": "0.5",
            "ltv": {"warning": "0.515", "urgent": "0.53", "critical": "0.545"},
            "health_factor": {"warning": "1.15", "critical": "1.095"},
        }
    ],
    "limits": {
        "max_leverage": None,
        "max_exposure": None,
        "max_drawdown": "0.15",
        "max_funding_cost": None,
        "warning_part": "0.6",
    },
}
_GATE: Final[Mapping[str, Any]] = {
    "max_drawdown": "0.12",
    "max_day_loss": "0.10",
    "on_stale": "fail_closed",
    "stops": ["posting"],
}


def configuration(folder: Path, *, feeds: Mapping[str, Address] | None = None, registry: Address | None = None) -> Path:
    """The fund, priced by recorded series, or by feeds on a chain with a registry."""
    fund: dict[str, Any] = {
        "id": 1,
        "supply": {"kind": "fixed", "shares": str(SHARES)},
        "positions": [
            {"kind": "declared", "id": "usdc", "asset": "USDC", "component": "collateral", "amount": str(HELD)},
            {"kind": "declared", "id": "owed", "asset": "USD", "component": "debt", "amount": str(DEBT)},
        ],
        "risk": dict(_RISK),
        "gate": dict(_GATE),
    }
    said: dict[str, Any] = {
        "cadence": {"sample_seconds": STEP},
        "service": {"risk_seconds": STEP, "risk_history": 10_000, "http": {"enabled": False}},
        "funds": {FUND: fund},
    }
    if feeds is None:
        said["recorded"] = {group: {"file": str(shared_data(file))} for group, file in FILES.items()}
        sources = [
            {"kind": "recorded", "group": group, "series": group, "max_age": AGES[group]} for group in sorted(FILES)
        ]
    else:
        said |= {
            "home_chain": CHAIN,
            "chains": {
                CHAIN: {
                    "chain_id": CHAIN_ID,
                    "rpc": "http://embedded.invalid",
                    "confirmations": 0,
                    "registry": registry,
                }
            },
        }
        fund["chain"] = CHAIN
        sources = [
            {"kind": "chainlink", "group": group, "chain": CHAIN, "feed": feed, "heartbeat": AGES[group] - 300}
            for group, feed in sorted(feeds.items())
        ]
    said["assets"] = {"USDC": {"sources": sources}}
    path = folder / f"{'recorded' if feeds is None else 'feeds'}.yaml"
    path.write_text(yaml.safe_dump(said))
    return path


class LiveClock(ReplayClock):
    """The embedded chain's clock, as the service's scheduler wants one; the machine's time is the same."""

    def machine_time_of(self, at: float) -> float:
        return at

    def time_of(self, machine: float) -> float:
        return machine


@dataclass(frozen=True)
class LiveRun:
    """What a run of the service left behind; `errors` are those that no limit of the fund explains."""

    readings: tuple[RiskReading, ...]
    slots: tuple[SlotRow, ...]
    events: tuple[EventRow, ...]
    errors: tuple[str, ...]


async def run_live(folder: Path, database: str, start: int, end: int) -> LiveRun:
    """Let the service run over feeds that say what the series say, job by job, every `STEP` seconds."""
    prices, begin = Prices.load(), Timestamp(start)
    chain = embedded_chain(begin)
    feeds = {group: await chain.deploy("Feed", 18, f"USDC / USD {group}") for group in FILES}
    first = figures_of(prices.median(start))
    opening = FundOpening(1, address(0xF1), Wad(first.nav), Wad(first.price_per_share), Timestamp(start - 3_600))
    world = await embedded_registry(chain, CHAIN, [opening])
    config = load_config(configuration(folder, feeds=feeds, registry=world.registry))
    clock = LiveClock(Timestamp(start - 1), chain)
    clock.mine()
    said: dict[str, tuple[int, int]] = {}

    async def tell(now: int) -> None:
        """Let every feed answer its series' newest row, in one transaction."""
        calls = []
        for group, feed in feeds.items():
            row = prices.newest(group, now)
            if row is not None and said.get(group) != row:
                said[group] = row
                calls.append((feed, False, encode_call("set(int256,uint256)", row[1], row[0])))
        if calls:
            await chain.transact(MULTICALL3, encode_call("aggregate3((address,bool,bytes)[])", calls))

    with closing(SqlStore.open(database)) as store:
        async with open_service(
            config,
            clock=clock,
            store=store,
            live=True,
            events_folder=folder / "events",
            chains={CHAIN: world.access},
        ) as running:
            await running.service.look_at_transactions()
            for now in range(start, end + 1, STEP):
                clock.advance(Timestamp(max(now, clock.now())))
                await tell(now)
                clock.mine()
                await _tick(running)
            monitor = running.monitor
            assert monitor is not None
            return LiveRun(
                monitor.history(FUND),
                tuple(reversed(store.slots(fund=FUND))),
                store.events(),
                tuple(_errors(store)),
            )


async def _tick(running: RunningService) -> None:
    """The jobs that are due at once, in the order of a replay."""
    await running.service.sample()
    await running.service.look_at_risk()
    await running.service.look_for_slots()
    async with asyncio.timeout(120):
        while running.service.busy:
            await asyncio.sleep(0)


def _errors(store: SqlStore) -> Iterator[str]:
    for row in store.events(kind="error"):
        if row.event.data["component"] != "risk":
            yield row.event.message
