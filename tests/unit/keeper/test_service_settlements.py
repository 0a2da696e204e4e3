"""The service settles a vault after a post of its fund, sees it to its end, and tells of what fails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from navoracle.domain.errors import ChainError
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.keeper.examined_settlements import VaultAccess
from navoracle.keeper.parts import ServiceTimes
from navoracle.keeper.service import KeeperService
from navoracle.keeper.settlement_events import ENDED, STARTED
from navoracle.keeper.settlements import Settlements
from navoracle.ports import Address
from navoracle.store_port import TransactionKind
from navoracle.testing import block_stamp
from navoracle.vault_port import VaultLook
from tests.unit.keeper.service_world import HOUR, START, ServiceWorld
from tests.unit.keeper.settlement_world import FUND, NONE, SERVED, FakeVault, state
from tests.unit.keeper.world import CHAIN


@dataclass
class PostedVault(FakeVault):
    """A vault whose registry serves what was posted last; nothing is queued in it."""

    world: ServiceWorld | None = None
    down: bool = False

    async def look(self, sender: Address | None) -> VaultLook:
        assert self.world is not None
        if self.down:
            raise ChainError("no node", advice="Wait.")
        (row,) = self.world.store.posts(fund=FUND, limit=1)
        (post,) = [each for each in row.batch.posts if each.fund == FUND]
        served = replace(
            SERVED, nav=post.nav, price_per_share=post.price_per_share, valuation_time=row.batch.valuation_time
        )
        quiet = state(
            deposit_assets=0,
            redeem_shares=Wad(0),
            deliveries=(),
            supply=Wad(1_000 * WAD),
            closes_at=Timestamp(START + HOUR - 700),
            settleable_at=Timestamp(START + HOUR - 100),
        )
        return VaultLook(block_stamp(self.world.clock.now(), chain=CHAIN, number=100), quiet, served, NONE, True)


@pytest.fixture
async def here(tmp_path: Path) -> tuple[ServiceWorld, PostedVault]:
    world = ServiceWorld(tmp_path / "keeper.db")
    vault = PostedVault(world=world)
    access = VaultAccess(FUND, CHAIN, vault, world.lane)
    settlements = Settlements({FUND: access}, world.store, world.clock, live=True)
    world.service = KeeperService(replace(world.keeper, settlements=settlements), ServiceTimes(stop_grace=1))
    await world.service.start()
    return world, vault


def settlements_of(world: ServiceWorld) -> int:
    return sum(row.intent.kind is TransactionKind.SETTLE for row in world.store.transactions())


async def test_post__of_a_fund_with_a_vault__is_followed_by_its_settlement_once(
    here: tuple[ServiceWorld, PostedVault],
) -> None:
    world, _ = here
    await world.at(HOUR)
    assert settlements_of(world) == 1
    await world.service.look_at_transactions()
    (begun,) = world.store.events(fund=FUND, kind=STARTED)
    assert begun.event.data["transaction"] == world.store.transactions(limit=1)[0].id
    await world.service.settle()
    assert len(world.store.events(fund=FUND, kind=ENDED)) == 1
    assert settlements_of(world) == 1
    assert world.heard.crashes == []


async def test_settle__chain_that_fails__is_told_once_and_ends_nothing(here: tuple[ServiceWorld, PostedVault]) -> None:
    world, vault = here
    vault.down = True
    await world.at(HOUR)
    await world.service.settle()
    assert world.slots() == [(HOUR, "posted", None)]
    assert world.heard.failures.count((f"settlement of {FUND}", "no node")) >= 1
    vault.down = False
    await world.service.settle()
    assert settlements_of(world) == 1
    assert world.heard.recoveries == [f"settlement of {FUND}"]


async def test_jobs__settlements__are_looked_at_by_the_scheduler(here: tuple[ServiceWorld, PostedVault]) -> None:
    world, _ = here
    assert (15, "settlements") in [(seconds, name) for seconds, name, _ in world.service.jobs()]
