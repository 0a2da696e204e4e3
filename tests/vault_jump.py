"""Trials of a person who knows when the fund will jump: in just before, out as soon as possible.

A trial is written down as steps, so that it can be played on a contract as well as on the mirror.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Final

from navoracle.domain.settlement import Post
from tests.vault_mirror import Mirror

ATTACKER: Final = "attacker"
STEP: Final = 2
"""Seconds between two steps at the least: each can have a block of its own, and a post before it."""

POST_LAG: Final = 30
"""Seconds from a valuation to its settlement at the earliest."""

Step = tuple[int, str, str, int]
"""Time, what is done, by whom (or nobody), and how much of what."""


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        steps: what was done.
        profit: units that the attacker took out beyond those brought in.
        was_holder: whether the attacker's deposit was valued before the jump: the jump is theirs as well then.
        jumped: units that the fund gained.
        part: of the shares, the most that was the attacker's.
        payouts: how often redeemers were paid; of each, less than a unit is left to whoever holds shares then.
        lost: units that the holders lost by the attack, exact: the difference of two shares' values, for all shares.
    """

    steps: tuple[Step, ...]
    profit: int
    was_holder: bool
    jumped: int
    part: Fraction
    payouts: int
    lost: Fraction


@dataclass(frozen=True)
class Plot:
    """What is decided before a trial: holders' deposits, the attacker's, the jump, and when each of it happens.

    `asked` and `jump` are times, `bps` is the jump as a part of the fund, `late` are the seconds by which each post
    comes after the earliest time, `settles` those from a post to its settlement.
    """

    holders: tuple[int, ...]
    assets: int
    bps: int
    asked: int
    jump: int
    late: tuple[int, int, int, int]
    settles: tuple[int, int, int, int]
    leaves: bool


def plot(chance: Random, closes_at: int, length: int, delay: int) -> Plot:
    """A random plot around the second epoch, whose closing follows `closes_at` by `length`."""
    closes = closes_at + length
    late = (0, chance.choice([0, 1, chance.randrange(length // 3)]), chance.randrange(60), chance.randrange(60))
    settles = tuple(chance.choice([POST_LAG, chance.randrange(POST_LAG, 3_000)]) for _ in range(4))
    valued, settled = closes + delay + late[1], closes + delay + late[1] + settles[1]
    places = (
        closes - chance.randrange(2, length // 4),
        closes - 1,
        closes,
        chance.randrange(closes, valued + 1),
        valued,
        chance.randrange(valued, settled + 1),
        settled - 1,
        settled + chance.randrange(1, 600),
    )
    asked = chance.choice(places)
    near = chance.choice((asked, asked, valued, settled, valued + length, settled + length))
    away = chance.choice([1, chance.randrange(1, 900), chance.randrange(1, length // 2)])
    jump = near + chance.choice([1, -1]) * away
    holders = tuple(10 ** chance.randrange(4, 12) + chance.randrange(10**4) for _ in range(3))
    return Plot(
        holders=holders,
        # Not so much that a fall between its last valuation and settlement would leave the others nothing.
        assets=max(10**4, sum(holders) * 4 // 10 ** chance.randrange(6) - chance.randrange(10**4)),
        bps=chance.choice([1, -1]) * chance.randrange(1, 900),
        asked=asked,
        jump=max(jump, closes_at + delay + settles[0] + 10),
        late=late,
        settles=(settles[0], settles[1], settles[2], settles[3]),
        leaves=chance.random() < 0.3,
    )


@dataclass
class Trial:
    """One plot, played on a mirror."""

    mirror: Mirror
    plot: Plot
    attacked: bool
    time: int = 0
    jumped: int = 0
    jumped_at: int | None = None
    deposit_valued: int | None = None
    part: Fraction = Fraction(0)
    steps: list[Step] = field(default_factory=list)
    waiting: list[tuple[int, Callable[[], None]]] = field(default_factory=list)

    def play(self) -> None:
        """Four epochs: the holders come in; the attacker does; the attacker goes out; what was late."""
        start = self.mirror.closes_at
        self.time = start - 1_000
        for number, assets in enumerate(self.plot.holders):
            self._deposit(f"holder {number}", assets)
        self.waiting = [(self.plot.jump, self._jump), (self.plot.asked, self._attack)]
        if self.plot.leaves:
            self.waiting.append((start + self.mirror.length // 2, self._one_holder_leaves))
        for late, settles in zip(self.plot.late, self.plot.settles, strict=True):
            self._epoch(self.mirror.closes_at + self.mirror.delay + late, settles)

    def _until(self, time: int) -> None:
        """Let happen what is due by a time, that second included."""
        for due in sorted((each for each in self.waiting if each[0] <= time), key=lambda each: each[0]):
            self.waiting.remove(due)
            self.time = max(self.time, due[0])
            due[1]()
        self.time = max(self.time, time)

    def _do(self, what: str, who: str = "", amount: int = 0) -> None:
        """Write a step down, when it was done on the mirror; the next one is later."""
        self.steps.append((self.time, what, who, amount))
        self.time += STEP

    def _epoch(self, valued: int, settles: int) -> None:
        mirror = self.mirror
        self._until(valued)
        valued = self.time
        post = mirror.valued(valued)
        self._do("post")
        self._until(valued + settles)
        part = mirror.plan(post, self.time).redemptions.part
        units = -(-part // mirror.scale) - mirror.delivered
        if units > 0:
            idle = min(units, mirror.idle)
            mirror.deliver_from_idle(idle)
            mirror.deliver(units - idle)
            self._do("deliver", "", units - idle)
            self._do("deliverFromIdle", "", idle)
        plan = mirror.plan(post, self.time)
        if self.attacked and mirror.at(mirror.epoch).deposits[ATTACKER]:
            self.deposit_valued = valued
        self._settle(plan.epoch, post)

    def _settle(self, number: int, post: Post) -> None:
        mirror = self.mirror
        mirror.settle(mirror.plan(post, self.time), post)
        self._do("settle")
        epoch = mirror.at(number)
        for who in list(epoch.deposits):
            shares = mirror.claim_deposit(number, who)
            self._do("claim deposit", who, number)
            if who == ATTACKER:
                self.part = Fraction(shares, mirror.supply)
                if shares:
                    mirror.redeem(who, shares, self.time)
                    self._do("redeem", who, shares)
        for who in list(epoch.redemptions):
            mirror.claim_redemption(number, who)
            self._do("claim redemption", who, number)

    def _deposit(self, who: str, assets: int) -> None:
        self.mirror.deposit(who, assets, self.time)
        self._do("deposit", who, assets)

    def _attack(self) -> None:
        if self.attacked:
            self._deposit(ATTACKER, self.plot.assets)
        else:
            self._do("nothing")

    def _jump(self) -> None:
        mirror = self.mirror
        # What lies in the vault can neither grow nor shrink: the custodian has to have it.
        idle = mirror.idle
        mirror.deploy(idle)
        self._do("deploy", "", idle)
        self.jumped, self.jumped_at = mirror.custodian * self.plot.bps // 10_000, self.time
        mirror.move_market(self.jumped)
        self._do("jump", "", self.jumped)

    def _one_holder_leaves(self) -> None:
        who = "holder 0"
        shares = min(self.mirror.shares[who], self.mirror.supply // 2)
        if shares:
            self.mirror.redeem(who, shares, self.time)
            self._do("redeem", who, shares)


def play(opened: Callable[[], Mirror], chance: Random) -> Outcome:
    """Play a random plot with the attacker, and without."""
    mirror, alone = opened(), opened()
    decided = plot(chance, mirror.closes_at, mirror.length, mirror.delay)
    trial, control = Trial(mirror, decided, attacked=True), Trial(alone, decided, attacked=False)
    trial.play()
    control.play()
    assert trial.deposit_valued is not None
    assert mirror.beneficial()[ATTACKER] == 0
    end = max(trial.time, control.time)
    price, price_alone = Fraction(mirror.net(end), mirror.supply), Fraction(alone.net(end), alone.supply)
    return Outcome(
        steps=tuple(trial.steps),
        profit=mirror.wallets[ATTACKER],
        was_holder=trial.jumped_at is None or trial.deposit_valued < trial.jumped_at,
        jumped=trial.jumped,
        part=trial.part,
        payouts=sum(1 for epoch in mirror.epochs.values() if epoch.redeemed),
        lost=(price_alone - price) * alone.supply / alone.scale,
    )
