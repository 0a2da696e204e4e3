"""A FundVault and its fund in Python: every account and every person's due, moved by the engine's own settlements.

It reads no chain: what a chain says can be held against it to the wei. The base asset is worth 1; amounts of it are raw
units, of which one is worth `scale` (Wad).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from navoracle.domain.fees import FeesPayable, FeeState, FeeTerms, fees_payable
from navoracle.domain.settlement import (
    Delivery,
    Post,
    SettlementPlan,
    SettlementState,
    VaultFeeTerms,
    VaultLimits,
    plan_settlement,
)
from navoracle.domain.shares import price_per_share
from navoracle.domain.units import SECONDS_PER_YEAR, WAD, Timestamp, Wad

ASSET, FEES = "asset", "fees"
"""The delivered token, and the account that takes the fee shares."""

INDEX = 2**128
MAX_AGE = 7_200


@dataclass
class Epoch:
    """What is queued in one epoch and, once it is settled, what its requests share."""

    deposits: Counter[str] = field(default_factory=Counter)
    redemptions: Counter[str] = field(default_factory=Counter)
    credited_until: dict[str, int] = field(default_factory=dict)
    cancelled: list[tuple[int, int]] = field(default_factory=list)
    deposited: int = 0
    minted: int = 0
    redeemed: int = 0
    paid: int = 0
    claimed: int = 0
    index: int = 0


@dataclass
class Mirror:
    """A vault that was just opened, without shares.

    Attributes:
        custodian, idle, delivered: the fund's units, by where they lie.
        wallets, shares: of each person.
        brought, paid_out, profit: units that people gave in deposits, that they took out again in any way, and that the
            custodian gained less those that it lost.
        donated: units that somebody left in the vault; they belong to no account.
        dividends_due: exact, of every person; `dividends_paid` is what came of it.
    """

    terms: VaultFeeTerms
    limits: VaultLimits
    length: int
    delay: int
    closes_at: int
    fee_clock: int
    scale: int = 10**12
    epoch: int = 1
    newer_than: int = 0
    mark: int = WAD
    supply: int = 0
    custodian: int = 0
    idle: int = 0
    delivered: int = 0
    donated: int = 0
    brought: int = 0
    paid_out: int = 0
    profit: int = 0
    index: int = 0
    dividend_pool: int = 0
    wallets: Counter[str] = field(default_factory=Counter)
    shares: Counter[str] = field(default_factory=Counter)
    owed: Counter[str] = field(default_factory=Counter)
    settled_index: Counter[str] = field(default_factory=Counter)
    dividends_paid: Counter[str] = field(default_factory=Counter)
    dividends_due: dict[str, Fraction] = field(default_factory=dict)
    epochs: dict[int, Epoch] = field(default_factory=dict)

    def at(self, number: int) -> Epoch:
        """An epoch."""
        return self.epochs.setdefault(number, Epoch())

    def joinable(self, time: int) -> int:
        """The epoch that a request of this time joins."""
        return self.epoch if time < self.closes_at else self.epoch + 1

    # ---- people

    def deposit(self, who: str, assets: int, time: int) -> int:
        epoch = self.joinable(time)
        self.wallets[who] -= assets
        self.brought += assets
        self.at(epoch).deposits[who] += assets
        return epoch

    def redeem(self, who: str, shares: int, time: int) -> int:
        number = self.joinable(time)
        epoch = self.at(number)
        self._credit(who, epoch.redemptions[who], epoch.credited_until.get(who, 0), self.index)
        epoch.credited_until[who] = self.index
        self._move(who, -shares)
        epoch.redemptions[who] += shares
        return number

    def cancel_deposit(self, number: int, who: str, time: int) -> None:
        epoch = self.at(number)
        assets = epoch.deposits.pop(who)
        epoch.cancelled.append((time, assets))
        self._pay(who, assets)

    def cancel_redemption(self, number: int, who: str) -> None:
        epoch = self.at(number)
        shares = epoch.redemptions.pop(who)
        self._credit(who, shares, epoch.credited_until.pop(who), self.index)
        self._move(who, shares)

    def claim_deposit(self, number: int, who: str) -> int:
        epoch = self.at(number)
        shares = epoch.minted * epoch.deposits.pop(who) // epoch.deposited
        self._credit(who, shares, epoch.index, self.index)
        self._move(who, shares)
        return shares

    def claim_redemption(self, number: int, who: str) -> int:
        epoch = self.at(number)
        shares = epoch.redemptions.pop(who)
        self._credit(who, shares, epoch.credited_until.pop(who), epoch.index)
        amount = epoch.paid * shares // epoch.redeemed
        epoch.claimed += amount
        self._pay(who, amount)
        return amount

    def claim_dividend(self, who: str) -> int:
        self._move(who, 0)
        amount = self.owed.pop(who)
        self.dividend_pool -= amount
        self.dividends_paid[who] += amount
        self._pay(who, amount)
        return amount

    def dividend_of(self, who: str) -> int:
        """What the person could claim."""
        return self.owed[who] + self.shares[who] * (self.index - self.settled_index[who]) // INDEX

    def transfer(self, giver: str, taker: str, shares: int) -> None:
        self._move(giver, -shares)
        self._move(taker, shares)

    # ---- the fund

    def move_market(self, gain: int) -> None:
        """The custodian gains units, or loses them."""
        self.custodian += gain
        self.profit += gain

    def deploy(self, amount: int) -> None:
        self.idle -= amount
        self.custodian += amount

    def deliver(self, amount: int) -> None:
        self.custodian -= amount
        self.delivered += amount

    def deliver_from_idle(self, amount: int) -> None:
        self.idle -= amount
        self.delivered += amount

    def recall(self, amount: int) -> None:
        self.delivered -= amount
        self.idle += amount

    def donate(self, amount: int) -> None:
        self.donated += amount

    def sweep(self) -> None:
        """Donations become the fund's when they reach the custodian."""
        self.custodian += self.donated
        self.profit += self.donated
        self.donated = 0

    def declare_dividend(self, assets: int, time: int, *, from_idle: bool) -> None:
        self.mark -= assets * self.scale * WAD // self.supply
        self.newer_than = time
        for who, held in self.beneficial().items():
            due = self.dividends_due.get(who, Fraction(0))
            self.dividends_due[who] = due + Fraction(assets * held, self.supply)
        self.index += assets * INDEX // self.supply
        self.dividend_pool += assets
        if from_idle:
            self.idle -= assets
        else:
            self.custodian -= assets

    def beneficial(self) -> Counter[str]:
        """Shares of each person: own ones, in escrow, and minted but not claimed."""
        held = Counter(self.shares)
        for number, epoch in self.epochs.items():
            if number >= self.epoch:
                held.update(epoch.redemptions)
            else:
                held.update({who: epoch.minted * each // epoch.deposited for who, each in epoch.deposits.items()})
        return held

    # ---- valuation and settlement

    @property
    def gross(self) -> Wad:
        """What the fund is worth before fees, without queued deposits."""
        return Wad((self.custodian + self.idle + self.delivered) * self.scale)

    def fees(self, time: int) -> FeesPayable:
        """What a keeper counts as fees payable at a time."""
        return fees_payable(
            FeeTerms(
                self.terms.management_rate,
                self.terms.performance_rate,
                cap_bps=self.terms.cap_bps,
                max_seconds=SECONDS_PER_YEAR,
            ),
            FeeState(Wad(self.mark), Timestamp(self.fee_clock)),
            gross=self.gross,
            shares=Wad(self.supply),
            pending_withdrawals=Wad(0),
            now=Timestamp(time),
        )

    def net(self, time: int) -> int:
        """NAV_before (Wad)."""
        return self.gross - self.fees(time).total

    def valued(self, time: int) -> Post:
        """The post of this time, all of it cash and fees payable."""
        before, owed = self.net(time), self.fees(time).total
        nav = before + self.at(self.epoch).deposits.total() * self.scale
        return Post(
            nav=Wad(nav),
            price_per_share=price_per_share(Wad(before), Wad(self.supply)),
            valuation_time=Timestamp(time),
            confidence=100,
            max_age=MAX_AGE,
            components=(Wad(nav + owed), Wad(0), Wad(0), Wad(0), owed),
        )

    def plan(self, post: Post, time: int) -> SettlementPlan:
        """What would be settled in a block of this time."""
        epoch = self.at(self.epoch)
        state = SettlementState(
            epoch=self.epoch,
            closes_at=Timestamp(self.closes_at),
            settleable_at=Timestamp(self.closes_at + self.delay),
            newer_than=Timestamp(self.newer_than),
            epoch_length=self.length,
            deposit_assets=epoch.deposits.total(),
            cancelled_assets=sum(assets for when, assets in epoch.cancelled if when >= post.valuation_time),
            redeem_shares=Wad(epoch.redemptions.total()),
            supply=Wad(self.supply),
            asset_scale=self.scale,
            high_water_mark=Wad(self.mark),
            fee_clock=Timestamp(self.fee_clock),
            deliveries=(Delivery(ASSET, self.delivered, Wad(self.delivered * self.scale)),),
            terms=self.terms,
            limits=self.limits,
        )
        return plan_settlement(state, post, Timestamp(time))

    def settle(self, plan: SettlementPlan, post: Post) -> None:
        """Do what the plan says."""
        assert plan.settles, plan.reasons
        epoch, redemptions = self.at(self.epoch), plan.redemptions
        self._move(FEES, plan.fees.shares + redemptions.fee_shares)
        self.mark, self.fee_clock = plan.fees.high_water_mark, post.valuation_time
        epoch.deposited, epoch.minted = plan.deposits.assets, plan.deposits.shares
        epoch.redeemed, epoch.paid = redemptions.shares, sum(each.paid for each in redemptions.payouts)
        self.idle += plan.deposits.assets + self.delivered - epoch.paid
        self.delivered = 0
        self.supply += plan.fees.shares + plan.deposits.shares - redemptions.burned
        epoch.index = self.index
        self.epoch += 1
        self.closes_at = plan.closes_at

    # ---- sums

    @property
    def accounted(self) -> int:
        """Units of all accounts of the vault together."""
        queued = sum(each.deposits.total() for number, each in self.epochs.items() if number >= self.epoch)
        pools = sum(each.paid - each.claimed for each in self.epochs.values())
        return self.idle + self.delivered + queued + pools + self.dividend_pool

    @property
    def left(self) -> int:
        """Units that are not paid out: in the vault's accounts, and with the custodian."""
        return self.accounted + self.custodian

    def _pay(self, who: str, amount: int) -> None:
        self.wallets[who] += amount
        self.paid_out += amount

    def _credit(self, who: str, shares: int, since: int, until: int) -> None:
        self.owed[who] += shares * (until - since) // INDEX

    def _move(self, who: str, shares: int) -> None:
        self._credit(who, self.shares[who], self.settled_index[who], self.index)
        self.settled_index[who] = self.index
        self.shares[who] += shares
