"""Who knows that the fund will jump, deposits just before and redeems as soon as possible gains nothing by it."""

from __future__ import annotations

import os
from collections import Counter
from fractions import Fraction
from random import Random
from typing import Any, Final

import pytest

from navoracle.domain.fees import FeesPayable, FeeState, FeeTerms, fees_payable
from navoracle.domain.settlement import VaultFeeTerms, VaultLimits
from navoracle.domain.units import Timestamp, Wad
from tests.contracts.peers import DAY
from tests.contracts.vault_world import ADMIN, DELAY, KEEPER, LENGTH, LIMITS, MANAGER, SCALE, TERMS, USER
from tests.contracts.vault_world import VaultWorld as Contract
from tests.vault_jump import ATTACKER, Outcome, Step, play
from tests.vault_mirror import Mirror

TRIALS: Final = int(os.environ.get("NAVORACLE_TRIALS_JUMP", "100"))
ON_CONTRACT: Final = max(4, TRIALS // 50)
"""How many of the trials are played on the contract too."""

NO_FEES: Final = VaultFeeTerms(Wad(0), Wad(0), Wad(0), 0)
FREE: Final = VaultFeeTerms(Wad(TERMS[0]), Wad(TERMS[1]), Wad(TERMS[2]), 1_000)
CAPPED: Final = VaultFeeTerms(Wad(TERMS[0]), Wad(TERMS[1]), Wad(TERMS[2]), TERMS[3])
START: Final = 1_800_000_000


def mirror(terms: VaultFeeTerms, closes_at: int = START + LENGTH, fee_clock: int = START) -> Mirror:
    limits = VaultLimits(Wad(LIMITS[2]), LIMITS[4], LIMITS[5])
    return Mirror(terms, limits, LENGTH, DELAY, closes_at=closes_at, fee_clock=fee_clock)


def judge(seed: int, outcome: Outcome) -> None:
    """What must hold after a trial."""
    if outcome.was_holder:
        # The jump is the attacker's too, as far as the shares were: no more.
        assert outcome.profit <= max(Fraction(0), outcome.part * outcome.jumped), (seed, outcome)
        return
    assert outcome.profit <= 0, (seed, outcome)
    assert outcome.lost <= outcome.payouts, (seed, outcome)


@pytest.mark.slow
def test_jump__known_before_to_somebody__is_the_holders_alone() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(TRIALS):
        terms = (NO_FEES, FREE, CAPPED)[seed % 3]
        outcome = play(lambda terms=terms: mirror(terms), Random(seed))  # type: ignore[misc]
        judge(seed, outcome)
        kinds["holder before the jump" if outcome.was_holder else "no holder before the jump"] += 1
        kinds["up" if outcome.jumped > 0 else "down" if outcome.jumped < 0 else "none"] += 1
    print(f"{TRIALS} trials: {dict(kinds)}")
    assert min(kinds[each] for each in ("holder before the jump", "no holder before the jump", "up", "down")) > 0


def test_jump__fees_beyond_the_cap_counted_as_owed__is_shared_by_who_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a vault forgives must not be in the fees that the keeper deducts: it would come back, to newcomers too."""
    monkeypatch.setattr(Mirror, "fees", uncapped)
    outcomes = [play(lambda: mirror(CAPPED), Random(seed)) for seed in range(60)]
    assert any(outcome.profit > 0 for outcome in outcomes if not outcome.was_holder)


def uncapped(self: Mirror, time: int) -> FeesPayable:
    """The fees payable of a keeper that does not know of the cap."""
    return fees_payable(
        FeeTerms(self.terms.management_rate, self.terms.performance_rate),
        FeeState(Wad(self.mark), Timestamp(self.fee_clock)),
        gross=self.gross,
        shares=Wad(self.supply),
        pending_withdrawals=Wad(0),
        now=Timestamp(time),
    )


class OnContract:
    """A trial's steps on the contract, valued by the world's own keeper."""

    def __init__(self, world: Contract) -> None:
        self.world = world
        self.place = {name: USER + 1 + number for number, name in enumerate([ATTACKER, "holder 0", "holder 1"])}
        self.place["holder 2"] = USER
        self.posted = 0

    def play(self, steps: tuple[Step, ...]) -> None:
        for time, what, who, amount in steps:
            if what in ("deposit", "redeem") and time - self.posted > DAY // 2:
                # Requests are taken on a fresh post only.
                self.publish(time - 1)
            getattr(self, what.replace(" ", "_"))(time, who, amount)

    def publish(self, time: int) -> None:
        self.world.publish(time, int(self.world.view(self.world.vault, "settlement")[4]) * SCALE)
        self.posted = time

    def vault(self, time: int, account: int, function: str, *arguments: Any) -> Any:
        receipt = self.world.send(time, account, self.world.vault, function, *arguments)
        assert receipt["status"] == 1
        return receipt

    def post(self, time: int, _who: str, _amount: int) -> None:
        self.publish(time)

    def nothing(self, _time: int, _who: str, _amount: int) -> None:
        """Time goes by."""

    def deposit(self, time: int, who: str, assets: int) -> None:
        account = self.place[who]
        address = self.world.accounts[account]
        self.vault(time, account, "requestDeposit", assets, address, address)

    def redeem(self, time: int, who: str, shares: int) -> None:
        address = self.world.accounts[self.place[who]]
        self.vault(time, self.place[who], "requestRedeem", shares, address, address)

    def deploy(self, time: int, _who: str, amount: int) -> None:
        if amount:
            self.vault(time, MANAGER, "deployIdle", self.world.asset.address, amount)

    def deliver(self, time: int, _who: str, amount: int) -> None:
        if amount:
            epoch = self.world.view(self.world.vault, "settlement")[0]
            self.vault(time, MANAGER, "deliver", epoch, self.world.asset.address, amount)

    def deliverFromIdle(self, time: int, _who: str, amount: int) -> None:  # noqa: N802 - the contract's name
        if amount:
            epoch = self.world.view(self.world.vault, "settlement")[0]
            self.vault(time, MANAGER, "deliverFromIdle", epoch, self.world.asset.address, amount)

    def jump(self, _time: int, _who: str, gain: int) -> None:
        self.world.gross += gain * SCALE

    def settle(self, time: int, _who: str, _amount: int) -> None:
        served = self.world.served()
        epoch, queued = (self.world.view(self.world.vault, "settlement")[each] for each in (0, 4))
        self.vault(time, KEEPER, "settle", epoch, list(served.components))
        _, paid = self.world.view(self.world.vault, "payoutsOf", epoch)
        self.world.gross += (queued - sum(paid)) * SCALE

    def claim_deposit(self, time: int, who: str, epoch: int) -> None:
        address = self.world.accounts[self.place[who]]
        self.vault(time, self.place[who], "claimDeposit", epoch, address, address)

    def claim_redemption(self, time: int, who: str, epoch: int) -> None:
        address = self.world.accounts[self.place[who]]
        self.vault(time, self.place[who], "claimRedemption", epoch, address, address)


@pytest.fixture(scope="module")
def world() -> Contract:
    built = Contract()
    # A post a day, and a jump of a tenth: the registry's own guards are not what is tried here.
    built.send(built.next_time(), ADMIN, built.registry, "setProfile", 0, (3_000, 3_000, 3_200, 1, DAY))
    return built


@pytest.mark.slow
def test_jump__on_the_contract__has_the_mirrors_outcome_to_the_wei(world: Contract) -> None:
    played = 0
    for seed in range(ON_CONTRACT):
        with world.rewound():
            for account in (USER, USER + 1, USER + 2, USER + 3):
                world.give(account, 10**15)
            world.give(MANAGER, 10**18)
            world.gross = 0
            clock = int(world.view(world.vault, "feeState")[1])
            closes_at = world.closes_at()
            outcome = play(lambda: mirror(CAPPED, closes_at, clock), Random(seed))  # noqa: B023 - played at once
            judge(seed, outcome)
            trial = OnContract(world)
            trial.play(outcome.steps)
            attacker = world.accounts[trial.place[ATTACKER]]
            assert int(world.view(world.asset, "balanceOf", attacker)) - 10**15 == outcome.profit, seed
            played += 1
    print(f"{played} of {TRIALS} trials on the contract")
