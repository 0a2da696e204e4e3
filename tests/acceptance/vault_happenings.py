"""What people, a market and a manager do to a vault on a node by chance, on the chain and on the mirror alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any, Final

from navoracle.abi import encode_call
from navoracle.domain.settlement import Post
from navoracle.domain.units import WAD
from tests.acceptance.vault_node import (
    ADMIN,
    CUSTODIAN,
    FEES,
    FIRST,
    GRACE,
    GUARDIAN,
    LIMITS,
    PEOPLE,
    RISK,
    Call,
    VaultNode,
)
from tests.vault_mirror import FEES as FEE_ACCOUNT
from tests.vault_mirror import Mirror

GRANT: Final = 10**12
"""What each person has at first: a million whole units of 6 decimals."""

NAMES: Final = tuple(f"person {number}" for number in range(PEOPLE))


@dataclass(kw_only=True)
class Happenings:
    """Calls are gathered, done on the mirror at once, and sent together in a block; `happened` counts them by kind.

    `prices` are the exact values of a share (Wad over Wad) at which epochs were settled.
    """

    world: VaultNode
    mirror: Mirror
    chance: Random
    happened: Counter[str] = field(default_factory=Counter)
    prices: dict[int, Fraction] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

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

    async def send(self, at: int | None = None) -> None:
        """Send what was gathered in a block of this time, a second after the newest when None."""
        calls, self.calls = self.calls, []
        await self.world.act(calls, at)

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
        await self.send(time)
        if self.maybe(8):
            self._vault(GUARDIAN, "freeze(string)", "a look is needed")
            await self.send()
            self.cancel(self.mirror.epoch, self.world.newest + 1)
            await self.send()
            self._vault(RISK, "unfreeze()")
            await self.send()
        if self.mirror.supply and self.maybe(5, "dividend after the post"):
            self.dividend(self.world.newest + 1)
            await self.send()

    async def cancel_overdue(self, closes: int) -> None:
        """Nobody settles: from the end of the grace on, requests can be taken back."""
        time = closes + GRACE
        self.cancel(self.mirror.epoch, time)
        await self.send(time)

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
