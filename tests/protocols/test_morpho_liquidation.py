"""Health and simulated liquidations in a Morpho Blue market against Morpho Blue 1.0.0 itself, to the wei."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from navoracle.domain.errors import DomainError, SourceRefused
from navoracle.domain.morpho import MorphoPosition
from navoracle.domain.morpho_liquidation import MorphoLiquidation, simulate_liquidation
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.units import WAD, Wad
from navoracle.ports import Address
from tests.protocols.chain import Chain, NodeError, ReaderFailed
from tests.protocols.morpho_world import LLTV, PRICE, MorphoWorld, deploy_morpho
from tests.requirements import needs_node

pytestmark = needs_node

DAY = 86_400
USDC = 10**6


@pytest.fixture(scope="module")
def world(chain: Chain) -> MorphoWorld:
    """Somebody lends two and a half million, somebody else has borrowed of it, and half a year has gone."""
    world = deploy_morpho(chain)
    world.supply(chain.accounts[1], 2_500_000 * USDC)
    world.pledge(chain.accounts[4], 100 * WAD)
    world.borrow(chain.accounts[4], 123_456_789_013)
    chain.travel(180 * DAY + 7)
    world.fund(chain.accounts[3], world.loan, 100_000_000 * USDC)
    return world


@pytest.fixture(scope="module")
def borrower(world: MorphoWorld) -> Address:
    account = world.chain.accounts[2]
    world.pledge(account, 500 * WAD + 321)
    world.borrow(account, 1_000_000 * USDC + 17)
    world.chain.travel(90 * DAY)
    return account


async def read(world: MorphoWorld, account: Address) -> tuple[LendingAccount, MorphoPosition]:
    found: LendingAccount = await world.chain.read(world.account(account))
    assert isinstance(found.detail, MorphoPosition)
    return found, found.detail


async def edge(world: MorphoWorld, account: Address) -> tuple[int, int]:
    """The highest price at which the account can be liquidated, and the next one."""
    _, position = await read(world, account)
    low, high = 1, PRICE * 10
    while high - low > 1:
        middle = (low + high) // 2
        healthy = MorphoPosition(position.market, position.borrow_shares, position.collateral, middle, position.lltv)
        low, high = (low, middle) if healthy.is_healthy else (middle, high)
    return low, high


async def assert_equal(world: MorphoWorld, account: Address, found: MorphoLiquidation) -> None:
    """What the contract did in its last block is what was foretold, and so is what it left."""
    foretold = (found.repaid, found.repaid_shares, found.seized, found.bad_debt, found.bad_debt_shares)
    assert foretold == world.last_liquidation()
    _, after = await read(world, account)
    assert after == found.after
    assert astuple(after.market) == world.market()
    assert world.position(account)[1:] == (after.borrow_shares, after.collateral)


async def test_account__no_touch_for_months__is_what_the_contract_says_after_one(
    world: MorphoWorld, borrower: Address, same_time: None
) -> None:
    found, position = await read(world, borrower)
    assert position.debt == world.expected(borrower)[1]
    world.accrue()
    assert (await read(world, borrower))[1] == position
    assert astuple(position.market) == world.market()
    assert (found.protocol, found.base_decimals, found.debt) == ("morpho_blue", 6, position.debt)
    assert found.collateral == (500 * WAD + 321) * 3_000 * USDC // WAD
    assert found.max_ltv == found.liquidation_threshold == LLTV
    assert found.liquidation_bonus == WAD * WAD // (WAD - 3 * (WAD - LLTV) // 10) - WAD
    assert found.health_factor is not None
    assert found.health_factor > WAD


async def test_account__at_the_edge__nothing_can_be_withdrawn_or_borrowed_or_liquidated(
    world: MorphoWorld, borrower: Address, same_time: None
) -> None:
    lowest, highest = await edge(world, borrower)
    liquidator = world.chain.accounts[3]
    world.mark(highest)
    healthy, position = await read(world, borrower)
    assert (healthy.health_factor, position.is_healthy) == (WAD, True)
    assert healthy.buffer_to_liquidation is not None
    assert healthy.buffer_to_liquidation >= 0
    assert simulate_liquidation(position) is None
    with pytest.raises(NodeError, match="position is healthy"):
        world.liquidate(liquidator, borrower, WAD, 0)
    with pytest.raises(NodeError, match="insufficient collateral"):
        world.borrow(borrower, 1)
    # At this price a unit of the debt is pledged by more than the wei that is withdrawn.
    with pytest.raises(NodeError, match="insufficient collateral"):
        world.send("withdrawCollateral", ",uint256,address,address", 10**13, borrower, borrower, sender=borrower)
    world.mark(lowest)
    ill, position = await read(world, borrower)
    assert (ill.is_liquidatable, position.is_healthy, ill.move_to_liquidation) == (True, False, 0)
    found = simulate_liquidation(position, seized=WAD)
    assert found is not None
    world.liquidate(liquidator, borrower, WAD, 0)
    await assert_equal(world, borrower, found)


async def test_account__that_may_still_borrow__may_do_so_by_its_buffer_and_no_more(
    world: MorphoWorld, borrower: Address, same_time: None
) -> None:
    _, position = await read(world, borrower)
    limit = position.worth * LLTV // WAD
    with pytest.raises(NodeError, match="insufficient collateral"):
        world.borrow(borrower, limit - position.debt + 2)
    world.borrow(borrower, limit - position.debt - 1)
    found, _ = await read(world, borrower)
    assert found.health_factor is not None
    assert found.health_factor - WAD < 10**7


@pytest.mark.parametrize("part", [999, 950, 900])
@pytest.mark.parametrize("seized", [1, 10**12 + 1, 77 * WAD + 3])
async def test_liquidation__collateral_that_is_named__is_the_contracts(
    world: MorphoWorld, borrower: Address, same_time: None, part: int, seized: int
) -> None:
    world.mark((await edge(world, borrower))[0] * part // 1_000)
    found = simulate_liquidation((await read(world, borrower))[1], seized=seized)
    assert found is not None
    world.liquidate(world.chain.accounts[3], borrower, seized, 0)
    await assert_equal(world, borrower, found)


@pytest.mark.parametrize("shares", [10**6 - 1, 10**6 + 1, 123_456_789_012_345_678])
async def test_liquidation__shares_that_are_named__are_the_contracts(
    world: MorphoWorld, borrower: Address, same_time: None, shares: int
) -> None:
    world.mark((await edge(world, borrower))[0] * 97 // 100)
    found = simulate_liquidation((await read(world, borrower))[1], repaid_shares=shares)
    assert found is not None
    world.liquidate(world.chain.accounts[3], borrower, 0, shares)
    await assert_equal(world, borrower, found)


async def test_liquidation__collateral_lasts__repays_all_and_leaves_the_rest(
    world: MorphoWorld, borrower: Address, same_time: None
) -> None:
    world.mark((await edge(world, borrower))[0])
    found = simulate_liquidation((await read(world, borrower))[1])
    assert found is not None
    assert (found.after.borrow_shares, found.bad_debt) == (0, 0)
    assert found.after.collateral > 0
    assert found.after.health_factor is None
    world.liquidate(world.chain.accounts[3], borrower, 0, found.repaid_shares)
    await assert_equal(world, borrower, found)


@pytest.mark.parametrize("price", [0, 1, PRICE // 3, PRICE * 7 // 10])
async def test_liquidation__collateral_does_not_last__leaves_bad_debt_to_the_lenders(
    world: MorphoWorld, borrower: Address, same_time: None, price: int
) -> None:
    world.mark(price)
    found = simulate_liquidation((await read(world, borrower))[1])
    assert found is not None
    assert found.seized == found.before.collateral
    assert found.bad_debt > 0
    world.liquidate(world.chain.accounts[3], borrower, found.seized, 0)
    await assert_equal(world, borrower, found)


async def test_dropped__price__is_what_a_fallen_oracle_gives(
    world: MorphoWorld, borrower: Address, same_time: None
) -> None:
    account, position = await read(world, borrower)
    drop = Wad(123456789 * 10**9)
    world.mark(PRICE * (WAD - drop) // WAD)
    now, fallen = await read(world, borrower)
    assert position.dropped(drop) == fallen
    assert account.dropped(drop) == now


async def test_liquidation__more_than_there_is__is_refused_by_both(
    world: MorphoWorld, borrower: Address, same_time: None
) -> None:
    world.mark(PRICE // 2)
    _, position = await read(world, borrower)
    for seized, shares in ((position.collateral + 1, 0), (0, position.borrow_shares + 1)):
        with pytest.raises(NodeError):
            world.liquidate(world.chain.accounts[3], borrower, seized, shares)
        with pytest.raises(DomainError, match=f"of {position.collateral} collateral for"):
            simulate_liquidation(position, seized=seized or None, repaid_shares=shares or None)


async def test_account__nobody__has_no_debt_and_no_health_factor(world: MorphoWorld) -> None:
    found, _ = await read(world, world.chain.accounts[8])
    assert (found.collateral, found.debt, found.health_factor, found.loan_to_value) == (0, 0, None, None)


async def test_account__unknown_market__is_refused(world: MorphoWorld, borrower: Address) -> None:
    unknown = "0x" + 64 * "1"
    with pytest.raises(SourceRefused, match=f"has no market {unknown}"):
        await world.chain.resolve(world.account(borrower, market=unknown))
    resolved = await world.chain.resolve(world.account(borrower))
    with pytest.raises(ReaderFailed, match="was last updated at 0, read at"):
        await world.chain.read_resolved(resolved.model_copy(update={"market": unknown}))
