"""Random epochs of a vault on a node, with navoracle's keeper, held against the mirror."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Final

from navoracle.composition.system import System
from navoracle.domain.cadence import Cadence
from navoracle.domain.settlement import Post, SettlementPlan, VaultFeeTerms, VaultLimits
from navoracle.domain.units import Timestamp, Wad
from navoracle.keeper.settlement_look import Settlement, Step
from navoracle.keeper.settlements import Settlements
from navoracle.store_port import SlotState, Store
from tests.acceptance.vault_happenings import GRANT, NAMES, Happenings
from tests.acceptance.vault_node import (
    ADMIN,
    CUSTODIAN,
    DELAY,
    FUND_ID,
    HOUR,
    LIMITS,
    PEOPLE,
    START,
    TERMS,
    VaultNode,
)
from tests.vault_mirror import FEES as FEE_ACCOUNT
from tests.vault_mirror import Mirror

UINT: Final = ("uint256",)


def opened_mirror() -> Mirror:
    """The mirror of a vault that was just opened on a node."""
    terms = VaultFeeTerms(Wad(TERMS[0]), Wad(TERMS[1]), Wad(TERMS[2]), TERMS[3])
    limits = VaultLimits(Wad(LIMITS[2]), LIMITS[4], LIMITS[5])
    return Mirror(terms, limits, HOUR, DELAY, closes_at=START - 900, fee_clock=START - HOUR - 1_000)


@dataclass(kw_only=True)
class Story(Happenings):
    """A vault's epochs. Make it with `begin`."""

    system: System
    settlements: Settlements

    @classmethod
    async def begin(cls, world: VaultNode, system: System, store: Store, seed: int) -> Story:
        """Give everybody the same, and post for the first time, so that the vault takes requests."""
        story = cls(
            world=world,
            mirror=opened_mirror(),
            chance=Random(seed),
            system=system,
            settlements=Settlements(system.vaults, store, world, live=True),
        )
        for name in NAMES:
            story._asset(ADMIN, "mint(address,uint256)", story.address(name), GRANT)
            story.mirror.wallets[name] = GRANT
        await story.send(START - HOUR - 60)
        await story.post(START - HOUR)
        return story

    # ---- one epoch

    async def epoch(self, hour: int) -> None:
        """From one full hour to the next one: requests, a market, a post, and mostly a settlement."""
        closes = hour - 900
        self.claim(40)
        self.manage()
        self.request(closes - 1_500)
        await self.send(closes - 1_500)
        if self.mirror.supply and self.maybe(15, "dividend"):
            self.dividend(closes - 1_400)
            await self.send(closes - 1_400)
        self.request(closes - 1)
        await self.send(closes - 1)
        self.request(closes)
        self.market()
        self.donate()
        await self.send(closes)
        post = await self.post(hour)
        await self.after_the_post(post)
        if self.maybe(6, "left overdue"):
            await self.cancel_overdue(closes)
        else:
            await self.settle(post)
        await self.check()

    # ---- the keeper

    async def post(self, hour: int) -> Post:
        """The keeper's slot; what the registry then serves must be the mirror's valuation, to the wei."""
        await self.world.mine(hour)
        expected = self.mirror.valued(hour)
        _, outcomes = await self.system.runner_or_fail().run(["pool"], Timestamp(hour), Cadence.HOURLY)
        assert outcomes["pool"].state is SlotState.POSTED, outcomes["pool"]
        (served,) = await self.world.ask([(self.world.registry, "read(uint256)", UINT * 5, (FUND_ID,))])
        assert served[:3] == (expected.nav, expected.price_per_share, hour)
        return expected

    async def settle(self, post: Post) -> None:
        """The keeper settles, after the manager has delivered what it says is missing."""
        mirror, fund = self.mirror, "pool"
        found = await self.settlements.look(fund)
        plan = mirror.plan(post, self.world.newest)
        assert found.step is (Step.SENT if plan.settles else Step.WAITING), (found, plan)
        if plan.reasons == ("under_delivered",):
            assert found.reason == "under_delivered"
            due = (
                plan.redemptions.part if self.maybe(70) else plan.redemptions.missing + mirror.delivered * mirror.scale
            )
            self._deliver(-(-due // mirror.scale) * self.chance.choice([10, 10, 13]) // 10 - mirror.delivered + 1)
            await self.send()
            plan = mirror.plan(post, self.world.newest)
            found = await self.settlements.look(fund)
        if not plan.settles:
            assert (found.step, found.reason) == (Step.WAITING, "post_too_old")
            assert plan.reasons[0] == "post_too_old"
            self.happened["post older than the dividend"] += 1
            return
        assert found.step is Step.SENT, found
        done = await self._to_its_end(found)
        assert (done.step, done.differs) == (Step.SETTLED, ()), done
        self.apply(plan, post)

    async def _to_its_end(self, found: Settlement) -> Settlement:
        lane = self.settlements.vaults[found.fund].lane
        assert lane is not None
        while found.step is Step.SENT:
            await self.world.sleep(1)
            await lane.tick()
            found = await self.settlements.look(found.fund)
        return found

    def apply(self, plan: SettlementPlan, post: Post) -> None:
        """Settle the mirror; nothing of it may be dearer for the others than exact arithmetic."""
        mirror, time = self.mirror, post.valuation_time
        net, supply = mirror.net(time), mirror.supply
        price = Fraction(net, supply) if supply else Fraction(1)
        owed = mirror.fees(time).total
        mirror.settle(plan, post)
        self.prices[plan.epoch] = price
        self.happened["fees"] += plan.fees.shares > 0
        self.happened["performance fee"] += plan.fees.performance > 0
        self.happened["forgiven"] += plan.fees.forgiven > 0
        self.happened["settled"] += 1
        assert plan.fees.shares * price <= owed
        assert plan.deposits.shares * price <= plan.deposits.assets * mirror.scale
        assert mirror.epochs[plan.epoch].paid * mirror.scale <= plan.redemptions.burned * price
        # Settling alone never makes a share cheaper. What was deducted for fees that the cap forgives comes back.
        assert not mirror.supply or Fraction(mirror.net(time), mirror.supply) >= price

    # ---- what must hold

    async def check(self) -> None:
        """The chain's accounts against the mirror's, unit by unit, and the sums against one another."""
        mirror, world = self.mirror, self.world
        vault, asset = world.vault, world.asset
        names = (*NAMES, FEE_ACCOUNT)
        holders = [world.accounts[CUSTODIAN], vault, *(self.address(name) for name in names)]
        found = await world.ask(
            [
                (vault, "settlement()", UINT * 9 + ("bool",) * 3, ()),
                (vault, "deliveries()", ("address[]", "uint256[]", "uint256[]"), ()),
                (vault, "feeState()", UINT * 2, ()),
                (vault, "flowTotals()", UINT * 8, ()),
                (vault, "dividendPool()", UINT, ()),
                (vault, "accountedOf(address)", UINT, (asset,)),
                (vault, "accountedOf(address)", UINT, (vault,)),
                *((asset, "balanceOf(address)", UINT, (each,)) for each in holders),
                *((vault, "balanceOf(address)", UINT, (each,)) for each in holders),
                *((vault, "dividendOf(address)", UINT, (self.address(name),)) for name in names),
            ]
        )
        state, (_, delivered, idle), fees, flows, pool, accounted, held = found[:7]
        count = len(holders)
        (custodian, in_vault, *wallets), shares = found[7 : 7 + count], found[7 + count : 7 + 2 * count]
        assert state[:2] == (mirror.epoch, mirror.closes_at)
        assert (delivered, idle, pool) == ((mirror.delivered,), (mirror.idle,), mirror.dividend_pool)
        assert fees == (mirror.mark, mirror.fee_clock)
        assert dict(zip(names, wallets, strict=True)) == {name: mirror.wallets[name] for name in names}
        assert dict(zip(names, shares[2:], strict=True)) == {name: mirror.shares[name] for name in names}
        assert (accounted, custodian) == (mirror.accounted, mirror.custodian)
        assert in_vault == accounted + mirror.donated
        # Paid out and left is what was brought and gained.
        paid_out = sum(wallets) - GRANT * PEOPLE + mirror.brought
        assert paid_out + accounted + custodian == mirror.brought + mirror.profit
        # Shares are what was minted and not burned, and somebody has each of them.
        _, _, _, minted, burned, fee_shares, _, _ = flows
        assert state[8] == mirror.supply == minted + fee_shares - burned == sum(shares)
        assert held == shares[1]
        for name, due in mirror.dividends_due.items():
            assert mirror.dividends_paid[name] + mirror.dividend_of(name) <= due

    async def end(self) -> None:
        """Everybody claims everything."""
        self.claim(200)
        await self.send()
        await self.check()
        mirror = self.mirror
        settled = [epoch for number, epoch in mirror.epochs.items() if number < mirror.epoch]
        assert not any(epoch.deposits or epoch.redemptions for epoch in settled)
        # Rounded down for each claimant, the pools keep less than a unit for each of them.
        assert 0 <= sum(epoch.paid - epoch.claimed for epoch in settled) <= self.happened["claim of a redemption"]
