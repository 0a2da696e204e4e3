"""The Compound v3 reader against a double of a market."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.ports import Address
from navoracle.positions.compound_v3 import CompoundV3Position
from tests.protocols.chain import Chain, ReaderFailed
from tests.protocols.comet_world import USDC, WAD, CometWorld, deploy_comet
from tests.requirements import needs_node

pytestmark = needs_node

DAY = 86_400


@pytest.fixture(scope="module")
def world(chain: Chain) -> CometWorld:
    return deploy_comet(chain)


@pytest.fixture(scope="module")
def borrower(world: CometWorld) -> Address:
    account = world.chain.accounts[1]
    world.pledge(account, "WETH", 5 * WAD)
    world.set_base(account, -10_000 * USDC)
    return account


async def amounts(world: CometWorld, reader: CompoundV3Position) -> dict[str, int]:
    found: tuple[Holding, ...] = await world.chain.read(reader)
    return {holding.id.rpartition("/")[2]: holding.amount.value for holding in found}


async def test_read__no_touch_for_90_days__debt_is_what_the_market_says_after_a_touch_at_that_time(
    world: CometWorld, borrower: Address, same_time: None
) -> None:
    world.chain.travel(90 * DAY)
    found = await amounts(world, world.reader(borrower))
    world.chain.send(world.comet, "accrueAccount(address)", borrower)
    after = -int(world.chain.view(world.comet, "principal(address)", ("int104",), borrower))
    index: int = world.chain.view(world.comet, "borrowIndex()", ("uint256",))
    assert found == {"USDC-supplied": 0, "USDC-borrowed": after * index // 10**15, "WETH-pledged": 5 * WAD}
    assert found["USDC-borrowed"] > 10_120 * USDC


async def test_read__supply__accrues_to_the_block_and_is_cash_where_configured(world: CometWorld) -> None:
    lender = world.chain.accounts[2]
    world.set_base(lender, 50_000 * USDC)
    world.chain.travel(90 * DAY)
    found = await world.chain.read(world.reader(lender))
    assert (found[0].component, found[0].amount.value) == (Component.CASH, world.view("balanceOf", lender))
    assert found[0].amount.value > 50_300 * USDC
    assert found[1].amount.value == 0


async def test_read__collateral_that_is_not_configured__is_refused_by_name_once_it_could_matter(
    world: CometWorld, borrower: Address
) -> None:
    bitcoin = world.tokens["WBTC"]
    # 5 WETH of 2,000 are configured; a basis point of them is 1 USDC, or 2,000 satoshi.
    world.pledge(borrower, "WBTC", 2_000)
    found = await amounts(world, world.reader(borrower))
    assert (found[f"{bitcoin} left out"], found["WETH-pledged"]) == (0, 5 * WAD)
    with pytest.raises(ReaderFailed, match=f"has collateral in {bitcoin}, which is not configured"):
        await world.chain.read(world.reader(borrower, unlisted_bps=0))
    world.pledge(borrower, "WBTC", 2_001)
    with pytest.raises(ReaderFailed, match=f"has collateral in {bitcoin}, which is not configured"):
        await world.chain.read(world.reader(borrower))
    assert set(await amounts(world, world.reader(borrower, uncounted=[bitcoin]))) == {
        "USDC-supplied",
        "USDC-borrowed",
        "WETH-pledged",
    }
    both = [{"asset": symbol, "token": world.tokens[symbol]} for symbol in ("WBTC", "WETH")]
    found = await amounts(world, world.reader(borrower, collateral=both))
    assert (found["WBTC-pledged"], found["WETH-pledged"]) == (2_001, 5 * WAD)


async def test_read__dust_of_a_stranger_whose_feed_fails__is_refused_as_it_could_be_anything(
    world: CometWorld, borrower: Address
) -> None:
    world.pledge(borrower, "WBTC", 1)
    world.chain.send(world.comet, "setPrice(address,uint256)", world.tokens["WBTC"], 0)
    with pytest.raises(ReaderFailed, match=f"has collateral in {world.tokens['WBTC']}, which is not configured"):
        await world.chain.read(world.reader(borrower))


async def test_read__collateral_listed_since_the_start__is_found_and_refused_by_name(
    world: CometWorld, borrower: Address
) -> None:
    resolved = await world.chain.resolve(world.reader(borrower))
    world.chain.send(world.comet, "list(address)", world.tokens["COMP"])
    assert len(await world.chain.read_resolved(resolved)) == 3
    world.pledge(borrower, "COMP", WAD)
    with pytest.raises(ReaderFailed, match=f"has collateral in {world.tokens['COMP']}, which is not configured"):
        await world.chain.read_resolved(resolved)


async def test_read__base_asset_weth__is_read_in_its_own_scale(chain: Chain) -> None:
    world = deploy_comet(chain, base="WETH")
    account = chain.accounts[3]
    world.set_base(account, 7 * WAD)
    base = {"asset": "WETH", "token": world.tokens["WETH"]}
    with pytest.raises(SourceRefused, match=f"baseToken.. of {world.comet} is {world.tokens['WETH']}, not"):
        await chain.resolve(world.reader(account))
    found = await chain.read(world.reader(account, base=base, collateral=[]))
    assert (found[0].asset, found[0].amount.decimals, found[0].component) == ("WETH", 18, Component.COLLATERAL)
    assert found[0].amount.value == world.view("balanceOf", account) >= 7 * WAD


async def test_read__rewards__are_those_of_a_call_that_accrues_and_not_the_stored_ones(
    world: CometWorld, borrower: Address
) -> None:
    world.chain.send(world.tokens["COMP"], "mint(address,uint256)", world.contract, 10**9 * WAD)
    reader = world.reader(borrower, rewards=world.rewards)
    world.chain.travel(DAY)
    stored: int = world.chain.view(world.comet, "tracked(address)", ("uint256",), borrower)
    since: int = world.chain.view(world.comet, "trackedAt(address)", ("uint256",), borrower)
    *_, found = await world.chain.read(reader)
    assert (found.asset, found.component) == ("COMP", Component.REWARDS)
    assert found.amount.value == (stored + (world.chain.time - since) * 10**6) * 10**12
    assert found.amount.value >= DAY * WAD
    # Asking changes nothing.
    assert world.chain.view(world.comet, "tracked(address)", ("uint256",), borrower) == stored


async def test_read__rewards_that_the_contract_cannot_pay__count_nothing(
    world: CometWorld, borrower: Address, same_time: None
) -> None:
    world.chain.travel(DAY)
    reader = world.reader(borrower, rewards=world.rewards)
    owed = world.chain.view(
        world.contract, "getRewardOwed(address,address)", ("address", "uint256"), world.comet, borrower
    )[1]
    world.chain.send(world.tokens["COMP"], "mint(address,uint256)", world.contract, owed - 1)
    assert (await amounts(world, reader))["COMP-rewards"] == 0
    world.chain.send(world.tokens["COMP"], "mint(address,uint256)", world.contract, 1)
    assert (await amounts(world, reader))["COMP-rewards"] == owed


async def test_resolve__collateral_that_the_market_does_not_list__is_refused(
    world: CometWorld, borrower: Address
) -> None:
    stranger = [{"asset": "COMP", "token": world.tokens["COMP"]}]
    with pytest.raises(SourceRefused, match="is no collateral of the market"):
        await world.chain.resolve(world.reader(borrower, collateral=stranger))
