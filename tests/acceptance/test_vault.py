"""A fund with a vault of its own, through the command line: request, post, settle, claim, as the engine says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from navoracle.chain.embedded import EmbeddedChain
from navoracle.demo.world import DemoWorld
from navoracle.domain.units import WAD, Timestamp
from tests.acceptance.vault_world import (
    ALICE,
    BOB,
    CONFIGURATION,
    CUSTODIAN,
    DELAY,
    FEES,
    MANAGER,
    USDC,
    VaultWorld,
)
from tests.acceptance.worlds import Bench, Result


class VaultBench:
    """The command line on a vault's world."""

    def __init__(self, world: VaultWorld, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.config = folder / "pool.yaml"
        self.config.write_text(CONFIGURATION, encoding="utf-8")
        self._bench = Bench(cast("DemoWorld", world), folder, capture)

    def cli(self, *arguments: str) -> Result:
        return self._bench.cli(*arguments, config=self.config)

    def post(self) -> Any:
        """Post, and return what was found for the fund."""
        result = self.cli("post", "--live", "--json")
        assert result.code == 0, result.out
        return result.json["funds"][0]["found"]

    def call(self, account: int, signature: str, *arguments: Any) -> None:
        asyncio.run(self.world.call(account, self.world.vault, signature, *arguments))

    def uint(self, signature: str, *arguments: Any) -> int:
        return int(asyncio.run(self.world.view(self.world.vault, signature, ("uint256",), *arguments)))

    def balance(self, account: int) -> int:
        return self.uint("balanceOf(address)", self.world.chain.accounts[account])

    def epoch(self) -> int:
        return asyncio.run(self.world.settlement())[0]

    def until_settleable(self) -> None:
        """Let the epoch close and the delay pass."""
        closes = asyncio.run(self.world.settlement())[1]
        self.world.chain.mine(Timestamp(closes + DELAY))

    def fresh(self) -> Any:
        """Post, so that the vault takes requests."""
        self.world.chain.mine(Timestamp(self.world.chain.now + 60))
        return self.post()

    def seed(self) -> None:
        """Alice's 1,000 USDC become the first shares."""
        self.fresh()
        asyncio.run(self.world.request_deposit(ALICE, 1_000 * USDC))
        self.until_settleable()
        self.post()
        assert self.cli("settle", "--live", "--json").code == 0
        who = self.world.chain.accounts[ALICE]
        self.call(ALICE, "claimDeposit(uint256,address,address)", 1, who, who)


@pytest.fixture
def pool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> VaultBench:
    world = asyncio.run(VaultWorld.build(EmbeddedChain()))
    return VaultBench(world, tmp_path, capsys)


def test_settle__first_deposit__is_planned_settled_and_claimed_one_for_one(pool: VaultBench) -> None:
    pool.fresh()
    asyncio.run(pool.world.request_deposit(ALICE, 1_000 * USDC))
    early = pool.cli("settle", "--json")
    assert (early.code, early.json["error"]["code"]) == (3, "guard_refused")
    assert "too_early" in [each["reason"] for each in early.json["funds"][0]["plan"]["refusals"]]
    pool.until_settleable()
    found = pool.post()
    assert (found["nav_before"], found["nav_after"]) == ("0", str(1_000 * WAD))
    before = pool.epoch()
    planned = pool.cli("settle", "--json")
    assert planned.code == 0
    plan = planned.json["funds"][0]["plan"]
    assert (plan["settles"], plan["epoch"], plan["deposits"]["shares"]) == (True, before, str(1_000 * WAD))
    assert pool.epoch() == before
    done = pool.cli("settle", "--live", "--json")
    assert done.code == 0
    (fund,) = done.json["funds"]
    assert (fund["state"], fund["differs"], fund["settled"]["minted"]) == ("settled", [], str(1_000 * WAD))
    assert fund["plan"]["asked_the_vault"]
    assert pool.epoch() == before + 1
    who = pool.world.chain.accounts[ALICE]
    pool.call(ALICE, "claimDeposit(uint256,address,address)", before, who, who)
    assert pool.balance(ALICE) == 1_000 * WAD
    again = pool.cli("settle", "--live", "--json")
    assert (again.code, again.json["funds"][0]["reason"]) == (3, "too_early")


@pytest.mark.slow
def test_settle__gain_deposit_and_redemption__are_the_engines_figures_to_the_wei(pool: VaultBench) -> None:
    pool.seed()
    world, who = pool.world, pool.world.chain.accounts
    pool.call(MANAGER, "deployIdle(address,uint256)", world.usdc, 600 * USDC)
    asyncio.run(world.trade(500 * USDC, 2_000))
    pool.fresh()
    asyncio.run(world.set_price("ETH", 2_100 * 10**8))
    pool.fresh()
    asyncio.run(world.request_deposit(BOB, 400 * USDC))
    pool.call(ALICE, "requestRedeem(uint256,address,address)", 100 * WAD, who[ALICE], who[ALICE])
    epoch = pool.epoch()
    pool.call(MANAGER, "deliverFromIdle(uint256,address,uint256)", epoch, world.usdc, 110 * USDC)
    pool.until_settleable()
    found = pool.post()
    # A gain of 25 on 500 in ETH, less the fees that the vault itself will take.
    owed = sum(int(found["fees"][name]) for name in ("management", "performance"))
    assert int(found["nav_before"]) == 1_025 * WAD - owed
    assert int(found["nav_after"]) == int(found["nav_before"]) + 400 * WAD
    price = int(found["price_per_share"])
    (fund,) = pool.cli("settle", "--live", "--json").json["funds"]
    plan, settled = fund["plan"], fund["settled"]
    assert (fund["state"], fund["differs"]) == ("settled", [])
    assert int(settled["price_per_share"]) == price == int(found["nav_before"]) * WAD // (1_000 * WAD)
    # The vault takes what was deducted, but for what rounding leaves.
    assert 0 <= owed - int(plan["fees"]["management"]) - int(plan["fees"]["performance"]) < 10**6
    assert pool.balance(FEES) == int(settled["fee_shares"]) + WAD // 10  # 0.1 % of the shares redeemed
    assert pool.uint("totalSupply()") == int(plan["supply_after"])
    pool.call(BOB, "claimDeposit(uint256,address,address)", epoch, who[BOB], who[BOB])
    assert pool.balance(BOB) == int(settled["minted"]) == int(plan["deposits"]["shares"])
    assert 0 < pool.balance(BOB) <= 400 * WAD * WAD // price
    pool.call(ALICE, "claimRedemption(uint256,address,address)", epoch, who[ALICE], who[ALICE])
    paid = asyncio.run(world.view(world.usdc, "balanceOf(address)", ("uint256",), who[ALICE]))
    assert [int(each["amount"]) for each in settled["payouts"]] == [paid]
    due = (100 * WAD - WAD // 10) * price // WAD
    assert due - 10**12 < paid * 10**12 <= due
    after = pool.fresh()
    # What was settled explains all of the change but dust, and the frame's own evidence says so again.
    bridge = after["bridge"]
    assert abs(int(bridge["unexplained"])) < 10**13
    paid_in_shares = int(settled["fee_shares"]) * price // WAD
    assert int(bridge["flows"]) == int(settled["deposited"]) - due + paid_in_shares
    assert bridge["shares"]["difference"] == "0"
    assert pool.cli("verify", "--json").code == 0
    assert pool.cli("history", "--json").json["slots"][0]["bridge"] == bridge
    assert pool.cli("nav", "--json").json["funds"][0]["bridge"]["unexplained"] == "0"


def test_post__value_that_nothing_explains__is_halted_until_a_deposit_explains_it(pool: VaultBench) -> None:
    pool.seed()
    pool.fresh()
    custodian = pool.world.chain.accounts[CUSTODIAN]
    asyncio.run(pool.world.call(0, pool.world.usdc, "mint(address,uint256)", custodian, 6 * USDC))
    pool.world.chain.mine(Timestamp(pool.world.chain.now + 60))
    result = pool.cli("post", "--live", "--json")
    assert result.code == 3
    (fund,) = result.json["funds"]
    assert fund["reason"] == "unexplained"
    assert fund["found"]["bridge"]["unexplained"] == str(6 * WAD)
    # A donation to the vault is none of its accounts, and needs no explanation.
    asyncio.run(pool.world.call(CUSTODIAN, pool.world.usdc, "transfer(address,uint256)", pool.world.vault, 6 * USDC))
    pool.fresh()
