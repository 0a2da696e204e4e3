"""A day in the life of three funds: what happens in the demo's world, and when."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from navoracle.demo.world import ALICE, BOB, BORROW_RATE, GROUPS, LOAN, PRICES, PT_RATE, DemoWorld
from navoracle.domain.units import BPS, Rounding, Timestamp, Wad, mul_div, to_wad

HOUR: Final = 3_600
MINUTE: Final = 60
REFRESH: Final = 30 * MINUTE
"""How often feeds answer anew."""

GROUP_OFFSETS_BPS: Final = {"chainlink": 0, "redstone": 2, "chronicle": -3}
"""How far each group's answers lie from the price, so that votes differ as they do in life."""

STEPS_BPS: Final = {"USDC": 1, "USDT": 1, "USDe": 2, "WBTC": 25, "ETH": 35, "XAUT": 10, "ZAR": 15}
"""The most that a price moves from one answer to the next."""

PT_ACCRUAL: Final = to_wad("0.00004")
"""What the principal token gains at every refresh."""

YIELD: Final = to_wad("40")
"""What the vault that `stable` saves in earns at every refresh, in USDC."""

DEPOSIT: Final = to_wad("2500000")
PUT_TO_WORK: Final = to_wad("1500000")
REDEEMED_SHARES: Final = to_wad("500000")
SET_ASIDE: Final = to_wad("510000")
"""USDC that the manager sets aside for them; what is more than their part stays the fund's."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens: seconds after the start, what it is called, and what it does to the world."""

    after: int
    title: str
    action: Callable[[Director], Awaitable[None]]


def nobody_measures(_now: Timestamp) -> None:
    """Nobody reads telemetry, and nobody writes any."""


class Director:
    """Plays the acts and keeps the feeds answering in between. Deterministic: the same day every time.

    Args:
        start: when the story begins.
        told: called for everything that happens.
        measure: writes the telemetry of a time.

    Attributes:
        measure: to be called before the keeper tells of a time, since it then reads telemetry.
    """

    def __init__(
        self,
        world: DemoWorld,
        start: Timestamp,
        told: Callable[[Timestamp, str], None],
        measure: Callable[[Timestamp], None] = nobody_measures,
    ) -> None:
        self.world = world
        self.measure = measure
        self.prices: dict[str, Wad] = dict(PRICES)
        self.outliers: dict[tuple[str, str], Wad] = {}
        self.failing: set[str] = set()
        self.joined = 0
        self._start = start
        self._told = told
        self._acts = list(STORY)
        self._refreshed: Timestamp | None = None
        self._rate = PT_RATE
        self._dice = random.Random(7)  # noqa: S311 a story, not a secret

    async def __call__(self, now: Timestamp) -> None:
        """Let everything happen that happens up to `now`."""
        if self._refreshed is None:
            self._refreshed = self._start
            await self.world.set_borrow_rate(BORROW_RATE)
        while self._acts and self._start + self._acts[0].after <= now:
            act = self._acts.pop(0)
            await act.action(self)
            self._told(now, act.title)
        if now >= self._refreshed + REFRESH:
            self._refreshed = now
            await self._live_on()

    async def _live_on(self) -> None:
        for asset, step in STEPS_BPS.items():
            moved = BPS + self._dice.randint(-step, step)
            self.prices[asset] = Wad(mul_div(self.prices[asset], moved, BPS, Rounding.DOWN))
        self._rate = Wad(self._rate + PT_ACCRUAL)
        await self.world.live_on(self._answers(), pt_rate=self._rate, earned=YIELD)

    async def answer(self) -> None:
        """Let every feed that works answer with the present prices."""
        await self.world.answer(self._answers())

    def _answers(self) -> dict[tuple[str, str], Wad]:
        return {
            (asset, group): self.outliers.get(
                (asset, group), Wad(mul_div(price, BPS + GROUP_OFFSETS_BPS[group], BPS, Rounding.DOWN))
            )
            for asset, price in self.prices.items()
            if asset not in self.failing
            for group in GROUPS
        }

    async def move(self, bps: int, *assets: str) -> None:
        """Move prices for all feeds to so many parts of 10,000."""
        for asset in assets:
            self.prices[asset] = Wad(mul_div(self.prices[asset], bps, BPS, Rounding.DOWN))
        await self.answer()


async def _outlier_begins(director: Director) -> None:
    director.outliers["USDC", "chronicle"] = to_wad("1.25")
    await director.answer()


async def _outlier_ends(director: Director) -> None:
    director.outliers.clear()
    await director.answer()


async def _outage_begins(director: Director) -> None:
    director.failing.add("ETH")
    await director.world.set_failing("ETH", failing=True)


async def _outage_ends(director: Director) -> None:
    director.failing.clear()
    await director.world.set_failing("ETH", failing=False)
    await director.answer()


async def _deposit(director: Director) -> None:
    director.joined = await director.world.vault.request_deposit(ALICE, DEPOSIT)


async def _put_to_work(director: Director) -> None:
    await director.world.vault.claim_deposit(ALICE, director.joined)
    await director.world.vault.save(PUT_TO_WORK)


async def _redeem(director: Director) -> None:
    director.joined = await director.world.vault.request_redeem(BOB, REDEEMED_SHARES)
    await director.world.vault.deliver(SET_ASIDE)


async def _paid(director: Director) -> None:
    await director.world.vault.claim_redemption(BOB, director.joined)


async def _jump(director: Director) -> None:
    await director.move(10_640, "USDe")


async def _jump_ends(director: Director) -> None:
    director.prices["USDe"] = to_wad("1")
    await director.answer()


async def _discard(director: Director) -> None:
    await director.world.discard("levered-pt")


async def _loss(director: Director) -> None:
    await director.world.set_debt(to_wad("9900000"))


async def _repair(director: Director) -> None:
    await director.world.set_debt(LOAN)


async def _fall(director: Director) -> None:
    await director.move(9_200, "WBTC", "ETH")


async def _recovery(director: Director) -> None:
    await director.move(10_700, "WBTC", "ETH")


STORY: Final = (
    Act(4 * HOUR + 20 * MINUTE, "one of USDC's three feeds begins to answer 1.25", _outlier_begins),
    Act(6 * HOUR + 40 * MINUTE, "the feed is right again", _outlier_ends),
    Act(7 * HOUR + 50 * MINUTE, "all feeds of ETH fail", _outage_begins),
    Act(9 * HOUR + 20 * MINUTE, "the feeds of ETH answer again", _outage_ends),
    Act(11 * HOUR + 20 * MINUTE, "Alice asks to deposit 2,500,000 USDC into `stable`", _deposit),
    Act(12 * HOUR + 40 * MINUTE, "Alice takes her shares; the manager puts 1,500,000 USDC to work", _put_to_work),
    Act(13 * HOUR + 30 * MINUTE, "every feed of USDe jumps 6.4 %: 40 % of the NAV of `levered-pt`", _jump),
    Act(14 * HOUR + 20 * MINUTE, "Bob asks to redeem 500,000 shares of `stable`; the manager sets USDC aside", _redeem),
    Act(15 * HOUR + 40 * MINUTE, "USDe is back at 1.00", _jump_ends),
    Act(15 * HOUR + 50 * MINUTE, "the RISK role discards the value that the registry held", _discard),
    Act(16 * HOUR + 40 * MINUTE, "Bob is paid", _paid),
    Act(17 * HOUR + 30 * MINUTE, "the debt of `levered-pt` grows beyond its assets", _loss),
    Act(19 * HOUR + 30 * MINUTE, "the loss is made good", _repair),
    Act(20 * HOUR + 20 * MINUTE, "BTC and ETH fall 8 %", _fall),
    Act(22 * HOUR + 20 * MINUTE, "BTC and ETH recover", _recovery),
)
