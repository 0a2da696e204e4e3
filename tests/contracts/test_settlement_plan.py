"""The planner's settlement against the vault's own: every figure to the wei, every refusal by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from navoracle.domain.settlement import Post, SettlementPlan, plan_settlement
from navoracle.domain.units import Timestamp, Wad
from tests.contracts.peers import DAY, HOUR, WAD
from tests.contracts.vault_world import DELAY, KEEPER, LENGTH, MANAGER, SCALE, USER, VaultWorld

ERRORS = {
    "closed": "VaultIsClosed",
    "frozen": "VaultIsFrozen",
    "paused": "EnforcedPause",
    "too_early": "TooEarly",
    "held": "FundIsHeld",
    "stale": "FundIsStale",
    "post_too_old": "PostTooOld",
    "low_confidence": "LowConfidence",
    "wrong_breakdown": "WrongBreakdown",
    "no_delta": "DeltaTooSmall",
    "delta_too_small": "DeltaTooSmall",
    "under_delivered": "DeliveryTooSmall",
}


@pytest.fixture(scope="module")
def shared() -> VaultWorld:
    return VaultWorld()


@pytest.fixture
def world(shared: VaultWorld) -> Iterator[VaultWorld]:
    with shared.rewound():
        shared.gross = 0
        yield shared


def planned(world: VaultWorld, time: int, post: Post | None = None) -> SettlementPlan:
    """The plan for a block of this time; where it refuses, the vault must refuse with the first reason's error."""
    world.wait_until(time)
    served = world.served() if post is None else post
    plan = plan_settlement(world.state(served), served, Timestamp(time))
    refusal = world.refusal(time, KEEPER, world.vault, "settle", plan.epoch, list(served.components))
    assert refusal == ("" if plan.settles else ERRORS[plan.reasons[0]])
    return plan


def settle(world: VaultWorld, time: int) -> SettlementPlan:
    """Settle in a block of this time; every event, the supply and the next closing must be the plan's."""
    plan = planned(world, time)
    assert plan.settles
    components = list(world.served().components)
    receipt = world.send(time, KEEPER, world.vault, "settle", plan.epoch, components)
    assert receipt["status"] == 1
    told = world.events(world.vault, receipt)
    by_name = dict(told)
    fees, deposits, redemptions = plan.fees, plan.deposits, plan.redemptions
    assert by_name["FeesTaken"] == {
        "epoch": plan.epoch,
        "management": fees.management,
        "performance": fees.performance,
        "forgiven": fees.forgiven,
        "feeShares": fees.shares,
        "highWaterMark": fees.high_water_mark,
    }
    if deposits.assets:
        assert by_name["DepositsSettled"] == {
            "epoch": plan.epoch,
            "assets": deposits.assets,
            "value": deposits.value,
            "shares": deposits.shares,
        }
    else:
        assert "DepositsSettled" not in by_name
    if redemptions.shares:
        assert by_name["RedemptionsSettled"] == {
            "epoch": plan.epoch,
            "shares": redemptions.shares,
            "feeShares": redemptions.fee_shares,
            "part": redemptions.part,
            "worth": redemptions.worth,
        }
    paid = [(values["token"], values["paid"], values["returned"]) for name, values in told if name == "DeliverySettled"]
    assert paid == [(each.token, each.paid, each.returned) for each in redemptions.payouts]
    assert world.view(world.vault, "totalSupply") == plan.supply
    assert by_name["Settled"]["closesAt"] == world.closes_at() == plan.closes_at
    return plan


def run_epoch(world: VaultWorld, chance: Random) -> SettlementPlan:
    """Random requests, a random move of the fund's value, a post, what is missing delivered, and the settlement."""
    deposit = chance.choice([0, chance.randrange(10**4, 10**9), chance.randrange(10**9, 10**12)])
    if world.view(world.vault, "totalSupply") == 0:
        deposit = deposit or 10**9
    user = world.accounts[USER]
    # Requests are taken on a fresh post only.
    world.publish(world.next_time() + 60, 0)
    if deposit:
        world.give(USER, deposit)
        world.do(USER, "requestDeposit", deposit, user, user)
    held = int(world.view(world.vault, "balanceOf", user))
    redeemed = held * chance.randrange(0, 60) // 100
    if redeemed:
        world.do(USER, "requestRedeem", redeemed, user, user)
    world.gross = world.gross * chance.randrange(94_500, 107_000) // 100_000
    time = world.closes_at() + DELAY + chance.choice([0, 1, HOUR, LENGTH // 2, 2 * LENGTH])
    brought = deposit * SCALE * chance.randrange(9_960, 10_060) // 10_000
    world.publish(time, brought)
    first = planned(world, time + 60)
    missing = first.redemptions.missing
    if missing:
        assert first.reasons == ("under_delivered",)
        units = -(-missing // SCALE) * chance.choice([1, 1, 2])
        world.give(MANAGER, units)
        world.do(MANAGER, "deliver", first.epoch, world.asset.address, units)
    plan = settle(world, time + 120)
    paid = sum(each.paid for each in plan.redemptions.payouts) * SCALE
    world.gross += brought - paid
    if plan.deposits.shares:
        world.do(USER, "claimDeposit", plan.epoch, user, user)
    return plan


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
def test_plan__of_random_epochs__is_what_the_vault_then_does_to_the_wei(world: VaultWorld, seed: int) -> None:
    chance = Random(seed)
    plans = [run_epoch(world, chance) for _ in range(12)]
    assert any(plan.fees.performance for plan in plans)
    assert any(plan.fees.management for plan in plans)
    assert any(plan.fees.forgiven for plan in plans)
    assert any(plan.redemptions.burned for plan in plans)


def test_plan__of_each_reason__is_the_error_that_the_vault_gives(world: VaultWorld) -> None:
    run_epoch(world, Random(5))
    time = world.closes_at() + DELAY
    assert planned(world, time - 1).reasons[0] == "too_early"
    assert planned(world, time).reasons[0] == "stale"
    world.publish(time - DELAY - 1, 0, late=DELAY + 2)
    assert planned(world, time + 2).reasons == ("post_too_old",)
    world.publish(time + 3, 0, confidence=79)
    assert planned(world, time + 4).reasons == ("low_confidence",)
    world.publish(time + 63, 0)
    served = world.served()
    cash, collateral, income, debt, liabilities = served.components
    off = replace(served, components=(Wad(cash + 1), collateral, income, debt, liabilities))
    assert planned(world, time + 64, off).reasons == ("wrong_breakdown",)
    assert planned(world, time + 64).settles
    assert planned(world, time + 63 + HOUR).settles
    assert planned(world, time + 64 + HOUR).reasons == ("stale",)


def test_plan__of_a_queue_that_the_nav_does_not_show__is_refused_as_by_the_vault(world: VaultWorld) -> None:
    run_epoch(world, Random(6))
    user = world.accounts[USER]
    world.publish(world.next_time() + 60, 0)
    world.give(USER, 10**9)
    world.do(USER, "requestDeposit", 10**9, user, user)
    time = world.closes_at() + DELAY
    for number, (brought_bps, reason) in enumerate([(0, "no_delta"), (9_949, "delta_too_small"), (9_950, None)]):
        at = time + 120 * number
        world.publish(at, 10**21 * brought_bps // 10_000)
        assert planned(world, at + 1).reasons == (() if reason is None else (reason,))
    assert DAY == LENGTH
    assert WAD == 10**6 * SCALE
