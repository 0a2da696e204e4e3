"""Random epochs of a vault on a node: people, a market, a manager and navoracle's keeper, held against the mirror."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any, Final

from navoracle.abi import encode_call
from navoracle.composition import System
from navoracle.domain.cadence import Cadence
from navoracle.domain.settlement import Post, SettlementPlan, VaultFeeTerms, VaultLimits
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.keeper.settlements import Settlement, Settlements, Step
from navoracle.store_port import SlotState, Store
from tests.acceptance.vault_node import (
    ADMIN,
    CUSTODIAN,
    DELAY,
    FEES,
    FIRST,
    FUND_ID,
    GRACE,
    GUARDIAN,
    HOUR,
    LIMITS,
    PEOPLE,
    RISK,
    START,
    TERMS,
    Call,
    VaultNode,
)
from tests.vault_mirror import FEES as FEE_ACCOUNT
from tests.vault_mirror import Mirror

GRANT: Final = 10**12
"""What each person has at first: a million whole units of 6 decimals."""

NAMES: Final = tuple(f"person {number}" for number in range(PEOPLE))
UINT: Final = ("uint256",)


def opened_mirror() -> Mirror:
    """The mirror of a vault that was just opened on a node."""
    terms = VaultFeeTerms(Wad(TERMS[0]), Wad(TERMS[1]), Wad(TERMS[2]), TERMS[3])
    limits = VaultLimits(Wad(LIMITS[2]), LIMITS[4], LIMITS[5])
    return Mirror(terms, limits, HOUR, DELAY, closes_at=START - 900, fee_clock=START - HOUR - 1_000)


@dataclass
class Story:
    """What happens in random epochs; `happened` counts it by kind."""

    world: VaultNode
    mirror: Mirror
    system: System
    settlements: Settlements
    chance: Random
    happened: Counter[str] = field(default_factory=Counter)
    prices: dict[int, Fraction] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    @classmethod
    async def begin(cls, world: VaultNode, system: System, store: Store, seed: int) -> Story:
        """Give everybody the same, and post for the first time, so that the vault takes requests."""
        story = cls(world, opened_mirror(), system, Settlements(system.vaults, store, world, live=True), Random(seed))
        for name in NAMES:
            story._asset(ADMIN, "mint(address,uint256)", story.address(name), GRANT)
            story.mirror.wallets[name] = GRANT
        await story._block(START - HOUR - 60)
        await story.post(START - HOUR)
        return story

    # ---- who and what

    def account(self, name: str) -> int:
        return FEES if name == FEE_ACCOUNT else FIRST + NAMES.index(name)

    def address(self, name: str) -> str:
        return self.world.accounts[self.account(name)]

    def maybe(self, percent: int, what: str = "") -> bool:
        """Whether something happens this time."""
        found = self.chance.randrange(100) < percent
        if found and what:
            self.happened[what] += 1
        return found

    def part(self, whole: int, most: int = 10_000) -> int:
        """A random part of something, up to `most` bps."""
        return whole * self.chance.randrange(0, most + 1) // 10_000

    def _vault(self, account: int, signature: str, *arguments: Any) -> None:
        self.calls.append((account, self.world.vault, encode_call(signature, *arguments)))

    def _asset(self, account: int, signature: str, *arguments: Any) -> None:
        self.calls.append((account, self.world.asset, encode_call(signature, *arguments)))

    async def _block(self, at: int | None = None) -> None:
        calls, self.calls = self.calls, []
        await self.world.act(calls, at)

    # ---- one epoch

    async def epoch(self, hour: int) -> None:
        """From one full hour to the next one: requests, a market, a post, and mostly a settlement."""
        closes = hour - 900
        self.claim(40)
        self.manage()
        self.request(closes - 1_500)
        await self._block(closes - 1_500)
        if self.mirror.supply and self.maybe(15, "dividend"):
            self.dividend(closes - 1_400)
            await self._block(closes - 1_400)
        self.request(closes - 1)
        await self._block(closes - 1)
        self.request(closes)
        self.market()
        self.donate()
        await self._block(closes)
        post = await self.post(hour)
        await self.after_the_post(post)
        if self.maybe(6, "left overdue"):
            await self.cancel_overdue(closes)
        else:
            await self.settle(post)
        await self.check()

    def request(self, time: int) -> None:
        """Deposits, redemptions of a part or of the whole, and shares that change hands."""
        mirror = self.mirror
        for name in NAMES:
            who = self.address(name)
            if mirror.wallets[name] >= LIMITS[1] and self.maybe(8, "deposit"):
                assets = max(LIMITS[1], self.part(min(mirror.wallets[name], 10 ** self.chance.randrange(5, 13))))
                mirror.deposit(name, assets, time)
                self._vault(self.account(name), "requestDeposit(uint256,address,address)", assets, who, who)
            if mirror.shares[name] and self.maybe(10):
                whole = self.maybe(30)
                shares = mirror.shares[name] if whole else max(1, self.part(mirror.shares[name]))
                self.happened["whole redemption" if whole else "partial redemption"] += 1
                mirror.redeem(name, shares, time)
                self._vault(self.account(name), "requestRedeem(uint256,address,address)", shares, who, who)
            if mirror.shares[name] and self.maybe(3, "transfer"):
                other, shares = self.chance.choice(NAMES), self.part(mirror.shares[name])
                mirror.transfer(name, other, shares)
                self._vault(self.account(name), "transfer(address,uint256)", self.address(other), shares)

    def claim(self, percent: int) -> None:
        """Claims of settled epochs; nobody may get more than the exact share."""
        mirror, claims = self.mirror, "claimDeposit(uint256,address,address)"
        for number in [each for each in mirror.epochs if each < mirror.epoch]:
            epoch, price = mirror.epochs[number], self.prices[number]
            for name in [each for each in epoch.deposits if self.maybe(percent, "claim of a deposit")]:
                assets, who = epoch.deposits[name], self.address(name)
                shares = mirror.claim_deposit(number, name)
                assert shares * price <= assets * mirror.scale
                self._vault(self.account(name), claims, number, who, who)
            for name in [each for each in epoch.redemptions if self.maybe(percent, "claim of a redemption")]:
                shares, who = epoch.redemptions[name], self.address(name)
                amount = mirror.claim_redemption(number, name)
                assert amount * mirror.scale <= shares * price
                self._vault(self.account(name), "claimRedemption(uint256,address,address)", number, who, who)
        for name in (*NAMES, FEE_ACCOUNT):
            if mirror.dividend_of(name) and self.maybe(percent // 2, "claim of a dividend"):
                mirror.claim_dividend(name)
                who = self.address(name)
                self._vault(self.account(name), "claimDividend(address,address)", who, who)

    def market(self) -> None:
        """The custodian gains or loses up to 1.5 % of the fund."""
        mirror, custodian = self.mirror, self.world.accounts[CUSTODIAN]
        worth = mirror.gross // mirror.scale
        gain = self.chance.randint(-worth * 12 // 1_000, worth * 15 // 1_000)
        gain = max(gain, -mirror.custodian)
        mirror.move_market(gain)
        self.happened["gain" if gain > 0 else "loss"] += 1
        self._asset(ADMIN, "mint(address,uint256)" if gain > 0 else "burn(address,uint256)", custodian, abs(gain))

    def donate(self) -> None:
        """Units that somebody sends to the vault, and a token that is none of the fund's; sweeping the former."""
        mirror, custodian = self.mirror, self.world.accounts[CUSTODIAN]
        worth = mirror.gross // mirror.scale
        if self.maybe(20, "donation"):
            amount = 1 + self.part(worth, 50)
            mirror.donate(amount)
            self._asset(ADMIN, "mint(address,uint256)", self.world.vault, amount)
            gift = encode_call("mint(address,uint256)", custodian, 10**24)
            self.calls.append((ADMIN, self.world.other, gift))
        if mirror.donated and self.maybe(15, "sweep"):
            mirror.sweep()
            self._vault(ADMIN, "sweep(address)", self.world.asset)

    def manage(self) -> None:
        """Idle units are deployed, units are delivered ahead and taken back."""
        mirror, epoch, asset = self.mirror, self.mirror.epoch, self.world.asset
        if mirror.idle and self.maybe(60):
            amount = max(1, self.part(mirror.idle))
            mirror.deploy(amount)
            self._vault(CUSTODIAN, "deployIdle(address,uint256)", asset, amount)
        if mirror.custodian and self.maybe(15, "delivery ahead"):
            self._deliver(1 + self.part(mirror.custodian, 500))
        if mirror.delivered and self.maybe(10, "recall"):
            amount = max(1, self.part(mirror.delivered))
            mirror.recall(amount)
            self._vault(CUSTODIAN, "recall(uint256,address,uint256)", epoch, asset, amount)

    def _deliver(self, amount: int) -> None:
        """Units for the redeemers: idle ones first, at times, and the custodian's."""
        mirror, place = self.mirror, (self.mirror.epoch, self.world.asset)
        amount = min(amount, mirror.idle + mirror.custodian)
        idle = max(min(mirror.idle, self.part(amount)), amount - mirror.custodian)
        if idle:
            mirror.deliver_from_idle(idle)
            self._vault(CUSTODIAN, "deliverFromIdle(uint256,address,uint256)", *place, idle)
        if amount > idle:
            mirror.deliver(amount - idle)
            self._vault(CUSTODIAN, "deliver(uint256,address,uint256)", *place, amount - idle)

    def dividend(self, time: int) -> None:
        """Up to 0.5 % of the fund."""
        mirror = self.mirror
        from_idle = mirror.idle > mirror.custodian
        assets = 1 + self.part(mirror.gross // mirror.scale, 50)
        assets = min(assets, mirror.idle if from_idle else mirror.custodian)
        if assets and assets * mirror.scale * WAD // mirror.supply < mirror.mark:
            mirror.declare_dividend(assets, time, from_idle=from_idle)
            self._vault(CUSTODIAN, "declareDividend(uint256,bool)", assets, from_idle)

    async def after_the_post(self, post: Post) -> None:
        """What may come between a valuation and its settlement."""
        time = self.world.newest + 20
        self.request(time)
        self.claim(10)
        await self._block(time)
        if self.maybe(8):
            self._vault(GUARDIAN, "freeze(string)", "a look is needed")
            await self._block()
            self.cancel(self.mirror.epoch, self.world.newest + 1)
            await self._block()
            self._vault(RISK, "unfreeze()")
            await self._block()
        if self.mirror.supply and self.maybe(5, "dividend after the post"):
            self.dividend(self.world.newest + 1)
            await self._block()

    async def cancel_overdue(self, closes: int) -> None:
        """Nobody settles: from the end of the grace on, requests can be taken back."""
        time = closes + GRACE
        self.cancel(self.mirror.epoch, time)
        await self._block(time)

    def cancel(self, number: int, time: int) -> None:
        mirror, epoch = self.mirror, self.mirror.at(number)
        for name in [each for each in epoch.deposits if self.maybe(40, "cancelled deposit")]:
            mirror.cancel_deposit(number, name, time)
            who = self.address(name)
            self._vault(self.account(name), "cancelDepositRequest(uint256,address,address)", number, who, who)
        for name in [each for each in epoch.redemptions if self.maybe(40, "cancelled redemption")]:
            mirror.cancel_redemption(number, name)
            who = self.address(name)
            self._vault(self.account(name), "cancelRedeemRequest(uint256,address,address)", number, who, who)

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
            await self._block()
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
        await self._block()
        await self.check()
        mirror = self.mirror
        settled = [epoch for number, epoch in mirror.epochs.items() if number < mirror.epoch]
        assert not any(epoch.deposits or epoch.redemptions for epoch in settled)
        # Rounded down for each claimant, the pools keep less than a unit for each of them.
        assert 0 <= sum(epoch.paid - epoch.claimed for epoch in settled) <= self.happened["claim of a redemption"]
