"""Aave's own RewardsController under the reader: accrued to the block, paid by a vault, claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from navoracle.ports import Address
from navoracle.positions import AaveRewards
from tests.protocols.chain import NAME, Chain, ReaderFailed
from tests.protocols.contracts import artifact
from tests.requirements import needs_node

pytestmark = needs_node

PERIPHERY = "@aave/periphery-v3@2.5.2"
CORE = "@aave/core-v3@1.19.3"
WAD = 10**18
PER_SECOND = 3 * 10**14
MONTH = 30 * 86_400
EARNED = ("address[]", "uint256[]")
CONFIGURE = "configureAssets((uint88,uint256,uint32,address,address,address,address)[])"


@dataclass(frozen=True)
class World:
    controller: Address
    a_token: Address
    reward: Address
    other: Address
    strategy: Address
    vault: Address
    holder: Address


def periphery(path: str) -> Any:
    return artifact(PERIPHERY, f"artifacts/contracts/{path}.sol/{path.rpartition('/')[2]}.json")


@pytest.fixture(scope="module")
def world(chain: Chain) -> World:
    """One earning token, whose holder has a quarter of the supply, and a reward that a vault pays."""
    owner, vault, holder = chain.accounts[:3]
    controller = chain.deploy(periphery("rewards/RewardsController"), owner)
    token = periphery("mocks/testnet-helpers/TestnetERC20")
    reward, other = (chain.deploy(token, name, name, 18, owner) for name in ("REWARD", "OTHER"))
    a_token = chain.deploy(periphery("mocks/ATokenMock"), controller, 18)
    strategy = chain.deploy(
        periphery("rewards/transfer-strategies/PullRewardsTransferStrategy"), controller, owner, vault
    )
    oracle = chain.deploy(
        artifact(CORE, "artifacts/contracts/mocks/oracle/CLAggregators/MockAggregator.sol/MockAggregator.json"), 10**8
    )
    chain.send(a_token, "setUserBalanceAndSupply(uint256,uint256)", 250 * WAD, 1_000 * WAD)
    for earned in (reward, other):
        entry = (PER_SECOND, 0, chain.time + 10 * MONTH, a_token, earned, strategy, oracle)
        chain.send(controller, CONFIGURE, [entry])
        chain.send(earned, "mint(address,uint256)", vault, 10**6 * WAD)
        chain.send(earned, "approve(address,uint256)", strategy, 10**6 * WAD, sender=vault)
    return World(controller, a_token, reward, other, strategy, vault, holder)


def reader(world: World, **changes: Any) -> AaveRewards:
    rewards = [
        {"asset": asset, "token": token, "strategy": world.strategy, "vault": world.vault}
        for asset, token in (("REWARD", world.reward), ("OTHER", world.other))
    ]
    fields = {"kind": "aave_rewards", "id": "aave", "chain": NAME, "holder": world.holder, "rewards": rewards}
    fields |= {"controller": world.controller, "earning": [world.a_token]}
    return AaveRewards.model_validate({**fields, **changes})


async def found(chain: Chain, world: World, **changes: Any) -> dict[str, int]:
    return {holding.id: holding.amount.value for holding in await chain.read(reader(world, **changes))}


async def test_aave_rewards__a_month_without_a_touch__are_the_controllers_own_figure_and_what_a_claim_pays(
    chain: Chain, world: World
) -> None:
    chain.travel(MONTH)
    holdings = await found(chain, world)
    _, amounts = chain.view(
        world.controller, "getAllUserRewards(address[],address)", EARNED, [world.a_token], world.holder
    )
    assert holdings == {"aave/REWARD": amounts[0], "aave/OTHER": amounts[1]}
    assert holdings["aave/REWARD"] >= PER_SECOND * MONTH // 4
    claim = "claimRewardsToSelf(address[],uint256,address)"
    chain.send(world.controller, claim, [world.a_token], 2**256 - 1, world.reward, sender=world.holder)
    paid = chain.view(world.reward, "balanceOf(address)", ("uint256",), world.holder)
    # The claim was mined a second after the reading.
    assert 0 <= paid - holdings["aave/REWARD"] <= 2 * PER_SECOND
    assert (await found(chain, world))["aave/REWARD"] == 0


async def test_aave_rewards__unknown_token__is_refused_by_name(chain: Chain, world: World) -> None:
    chain.travel(MONTH)
    one = reader(world).rewards[:1]
    with pytest.raises(ReaderFailed, match=world.other.lower()) as refusal:
        await found(chain, world, rewards=one)
    assert refusal.value.code == "source_refused"
    assert set(await found(chain, world, rewards=one, ignored=[world.other])) == {"aave/REWARD"}


async def test_aave_rewards__vault_that_withdrew_its_allowance__counts_nothing_as_a_claim_would_revert(
    chain: Chain, world: World
) -> None:
    chain.travel(MONTH)
    chain.send(world.reward, "approve(address,uint256)", world.strategy, 5, sender=world.vault)
    holdings = await found(chain, world)
    assert holdings["aave/REWARD"] == holdings["aave/REWARD not covered"] == 0
    assert holdings["aave/OTHER"] > 0
    claim = "claimRewardsToSelf(address[],uint256,address)"
    with pytest.raises(Exception, match="revert"):
        chain.send(world.controller, claim, [world.a_token], 2**256 - 1, world.reward, sender=world.holder)


async def test_aave_rewards__earning_token_listed_twice__would_be_counted_twice_by_the_contract(
    chain: Chain, world: World
) -> None:
    chain.travel(MONTH)
    view = "getAllUserRewards(address[],address)"
    once, twice = (
        chain.view(world.controller, view, EARNED, [world.a_token] * times, world.holder)[1] for times in (1, 2)
    )
    assert twice[0] == 2 * once[0] > 0
    with pytest.raises(ValueError, match="twice"):
        reader(world, earning=[world.a_token, world.a_token])
