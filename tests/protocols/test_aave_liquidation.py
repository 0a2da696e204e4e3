"""Simulated liquidations at Aave v3 against those that a whole Aave 3.0.2 pool executes, to the wei."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from navoracle.domain.aave_liquidation import AaveLiquidation, simulate_liquidation
from navoracle.domain.aave_rules import AaveRules
from navoracle.domain.errors import DomainError
from navoracle.domain.lending import AavePosition
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.units import WAD, Wad
from navoracle.ports import Address
from tests.protocols.aave_world import ETH_CORRELATED, LISTINGS, STABLE, STABLECOINS, AaveWorld, deploy_aave
from tests.protocols.chain import Chain, NodeError
from tests.requirements import needs_node

pytestmark = needs_node

DAY = 86_400
ALL = 2**256 - 1
UNIT = {listing.symbol: 10**listing.decimals for listing in LISTINGS}
PRICE = {listing.symbol: listing.price for listing in LISTINGS}


@pytest.fixture(scope="module")
def world(chain: Chain) -> AaveWorld:
    """A pool whose indices have moved away from one, so that scaled balances are not balances."""
    world = deploy_aave(chain)
    whale = chain.accounts[9]
    for listing in LISTINGS:
        world.borrow(whale, listing.symbol, 10_000_000 * 10**listing.decimals + 1)
    chain.travel(97 * DAY + 11)
    for listing in LISTINGS:
        world.touch(listing.symbol)
    for listing in LISTINGS:
        world.fund(chain.accounts[3], listing.symbol, 10_000_000 * 10**listing.decimals)
    return world


async def read(world: AaveWorld, account: Address) -> tuple[LendingAccount, AavePosition]:
    found: LendingAccount = await world.chain.read(world.account(account))
    assert isinstance(found.detail, AavePosition)
    assert found.detail.rules is AaveRules.V3_0
    return found, found.detail


def balance(world: AaveWorld, token: Address | str, account: Address, what: str = "balanceOf") -> int:
    found: int = world.chain.view(Address(token), f"{what}(address)", ("uint256",), account)
    return found


@dataclass(frozen=True)
class Executed:
    """What a liquidation by the contract did."""

    repaid: int
    seized: int
    fee_scaled: int
    supplied: dict[str, int]
    owed: dict[str, int]
    account: tuple[int, ...]


def execute(world: AaveWorld, account: Address, debt: str, collateral: str, amount: int = ALL) -> Executed:
    """Liquidate, and look at what moved in the tokens themselves."""
    liquidator = world.chain.accounts[3]
    a_token = world.reserve_tokens(collateral)[0]

    def held() -> tuple[int, int]:
        tokens = {world.tokens[debt], world.tokens[collateral]}
        mine = sum(balance(world, token, liquidator) * (1 if token == world.tokens[debt] else -1) for token in tokens)
        return mine, balance(world, a_token, world.treasury, "scaledBalanceOf")

    before = held()
    world.liquidate(liquidator, account, debt, collateral, amount)
    after = held()
    repaid, seized = world.last_liquidation()
    assert before[0] - after[0] == (repaid - seized if debt == collateral else repaid + seized)
    supplied, owed = {}, {}
    for listing in LISTINGS:
        a_of, stable, variable = world.reserve_tokens(listing.symbol)
        supplied[listing.symbol] = balance(world, a_of, account)
        owed[listing.symbol] = balance(world, variable, account) + balance(world, stable, account)
    return Executed(repaid, seized, after[1] - before[1], supplied, owed, world.account_data(account))


def assert_equal(world: AaveWorld, found: AaveLiquidation, executed: Executed) -> None:
    """Everything that the simulation foretells is what the contract did."""
    assert found.repaid.value == executed.repaid
    assert found.seized.value == executed.seized
    before = found.before.reserve(found.collateral_token)
    assert found.before.rules.scaled_supply(found.protocol_fee.value, before.supply_index) == executed.fee_scaled
    symbols = {address: symbol for symbol, address in world.tokens.items()}
    for reserve in found.after.reserves:
        symbol = symbols[Address(reserve.token)]
        assert (symbol, reserve.supplied.value) == (symbol, executed.supplied[symbol])
        assert (symbol, reserve.owed.value) == (symbol, executed.owed[symbol])
    account = found.after.account()
    health = 2**256 - 1 if account.health_factor is None else account.health_factor
    collateral, debt, _, threshold, max_ltv, pools_health = executed.account
    assert (account.collateral, account.debt, account.liquidation_threshold, account.max_ltv, health) == (
        collateral,
        debt,
        threshold,
        max_ltv,
        pools_health,
    )


async def foretold(
    world: AaveWorld, account: Address, debt: str, collateral: str, amount: int | None = None
) -> AaveLiquidation:
    _, position = await read(world, account)
    found = simulate_liquidation(position, world.tokens[debt], world.tokens[collateral], amount)
    assert found is not None
    return found


# Collateral, its amount, debt, its amount, efficiency mode.
WETH_USDC = ("WETH", 10 * WAD + 7, "USDC", 23_000_123_457, 0)
WBTC_DAI = ("WBTC", 2_00000003, "DAI", 80_000 * WAD + 1, 0)
CASES: tuple[tuple[Any, ...], ...] = (
    WETH_USDC,
    WBTC_DAI,
    ("USDC", 50_000_000_001, "WETH", 12 * WAD + 3, 0),
    ("DAI", 40_000 * WAD + 99, "WBTC", 45_000_001, 0),
    ("wstETH", 7 * WAD + 123_456_789, "WETH", 7 * WAD + 1, ETH_CORRELATED),
    ("DAI", 10_000 * WAD + 1, "USDC", 9_100_000_001, STABLECOINS),
)
HALF, FULL, CAPPED = (Wad(part * WAD // 1_000) for part in (970, 945, 800))
"""Health factors: half of the debt, all of it, and more than the collateral lasts for."""


def each(cases: tuple[tuple[Any, ...], ...]) -> pytest.MarkDecorator:
    """Run for each case, named by its tokens."""
    return pytest.mark.parametrize("case", cases, ids=[f"{case[0]} for {case[2]}" for case in cases])


async def _fallen(
    world: AaveWorld, health: Wad, collateral: str, pledged: int, debt: str, owed: int, e_mode: int
) -> tuple[Address, AavePosition]:
    """An account after its collateral fell to about a health factor, and its position before."""
    account = world.chain.accounts[1]
    world.supply(account, collateral, pledged)
    if e_mode:
        world.enter_e_mode(account, e_mode)
    world.borrow(account, debt, owed)
    world.chain.travel(3 * DAY + 5)
    risk, before = await read(world, account)
    assert risk.health_factor is not None
    world.mark(collateral, PRICE[collateral] * health // risk.health_factor)
    return account, before


@each(CASES)
async def test_liquidation__health_above_0_95__takes_half_as_the_pool_does(
    world: AaveWorld, same_time: None, case: tuple[Any, ...]
) -> None:
    account, before = await _fallen(world, HALF, *case)
    assert simulate_liquidation(before, world.tokens[case[2]], world.tokens[case[0]]) is None
    found = await foretold(world, account, case[2], case[0])
    owed = found.before.reserve(found.debt_token).owed.value
    assert found.repaid == found.repayable
    assert found.repaid.value == (owed + 1) // 2
    assert_equal(world, found, execute(world, account, case[2], case[0]))


# At a threshold of 95 % the collateral lasts for all of the debt at no health factor under 0.95.
@each(CASES[:-1])
async def test_liquidation__health_under_0_95__takes_all_as_the_pool_does(
    world: AaveWorld, same_time: None, case: tuple[Any, ...]
) -> None:
    account, _ = await _fallen(world, FULL, *case)
    found = await foretold(world, account, case[2], case[0])
    assert found.repaid == found.before.reserve(found.debt_token).owed
    assert found.after.account().debt == 0
    assert_equal(world, found, execute(world, account, case[2], case[0]))


@each(CASES)
async def test_liquidation__collateral_does_not_last__takes_all_of_it_as_the_pool_does(
    world: AaveWorld, same_time: None, case: tuple[Any, ...]
) -> None:
    account, _ = await _fallen(world, CAPPED, *case)
    found = await foretold(world, account, case[2], case[0])
    pledged = found.before.reserve(found.collateral_token).supplied.value
    assert found.seized.value + found.protocol_fee.value in (pledged, pledged - 1)
    assert 0 < found.repaid.value < found.repayable.value
    after = found.after.account()
    assert (after.collateral, after.health_factor) == (0, 0)
    assert found.written_off == ()
    assert_equal(world, found, execute(world, account, case[2], case[0]))


@pytest.mark.parametrize("amount", [1_000_000, 5_000_123_457, 11_500_000_000, 11_600_000_000])
async def test_liquidation__amount_that_the_liquidator_names__is_taken_up_to_the_close_factor(
    world: AaveWorld, same_time: None, amount: int
) -> None:
    account, _ = await _fallen(world, HALF, *WETH_USDC)
    found = await foretold(world, account, "USDC", "WETH", amount)
    assert found.repaid.value == min(amount, found.repayable.value)
    assert_equal(world, found, execute(world, account, "USDC", "WETH", amount))


async def test_liquidation__again_and_again__is_foretold_from_the_position_after(
    world: AaveWorld, same_time: None
) -> None:
    account, _ = await _fallen(world, HALF, *WBTC_DAI)
    found = await foretold(world, account, "DAI", "WBTC")
    assert_equal(world, found, execute(world, account, "DAI", "WBTC"))
    world.mark("WBTC", 20_000_00000000)
    lower = found.after.marked({world.tokens["WBTC"]: 20_000_00000000})
    again = simulate_liquidation(lower, world.tokens["DAI"], world.tokens["WBTC"])
    assert again is not None
    assert lower == (await read(world, account))[1]
    assert_equal(world, again, execute(world, account, "DAI", "WBTC"))


async def test_liquidation__several_collaterals_and_debts_at_both_rates__is_the_pools(
    world: AaveWorld, same_time: None
) -> None:
    account = world.chain.accounts[1]
    world.supply(account, "WETH", 10 * WAD + 1)
    world.supply(account, "WBTC", 1_00000001)
    world.borrow(account, "DAI", 20_000 * WAD + 1)
    world.borrow(account, "USDC", 10_000_000_001)
    # The first loan at the stable rate must be of a token that the account does not hold much of.
    world.borrow(account, "USDC", 28_000_000_001, STABLE)
    world.chain.travel(DAY)
    world.mark("WETH", 1_900_00000000)
    world.mark("WBTC", 50_000_00000000)
    for collateral in ("WETH", "WBTC"):
        found = await foretold(world, account, "USDC", collateral)
        reserve = found.before.reserve(world.tokens["USDC"])
        assert reserve.owed_at_stable_rate > 28_000_000_001 - 20_000_000_000
        assert_equal(world, found, execute(world, account, "USDC", collateral))
        world.mark("WBTC", 47_000_00000000)


async def test_liquidation__e_mode_with_a_price_of_its_own__is_the_pools(world: AaveWorld, same_time: None) -> None:
    account = world.chain.accounts[1]
    world.supply(account, "DAI", 10_000 * WAD + 1)
    world.supply(account, "WBTC", 1_000_000)
    world.enter_e_mode(account, STABLECOINS)
    world.set_e_mode_price(STABLECOINS, 1_01234567)
    world.borrow(account, "USDC", 9_600_000_000)
    world.mark("WBTC", 10_000_00000000)
    world.chain.travel(120 * DAY)
    found = await foretold(world, account, "USDC", "DAI")
    assert found.before.e_mode is not None
    assert found.before.e_mode.price == 1_01234567
    assert_equal(world, found, execute(world, account, "USDC", "DAI"))


async def test_liquidation__collateral_that_is_owed_too__is_the_pools(world: AaveWorld, same_time: None) -> None:
    account = world.chain.accounts[1]
    world.supply(account, "WETH", 10 * WAD + 7)
    world.supply(account, "USDC", 10_000_000_001)
    world.borrow(account, "WETH", 9 * WAD + 1)
    world.mark("USDC", 20000000)
    found = await foretold(world, account, "WETH", "WETH", 2 * WAD)
    assert_equal(world, found, execute(world, account, "WETH", "WETH", 2 * WAD))


async def test_dropped__collateral__is_what_a_fallen_feed_gives_and_so_is_its_liquidation(
    world: AaveWorld, same_time: None
) -> None:
    account = world.chain.accounts[1]
    world.supply(account, "wstETH", 7 * WAD + 123_456_789)
    world.enter_e_mode(account, ETH_CORRELATED)
    world.borrow(account, "WETH", 7 * WAD + 1)
    risk, position = await read(world, account)
    drop = Wad(11 * WAD // 100)
    fallen = position.dropped(drop)
    found = simulate_liquidation(fallen, world.tokens["WETH"], world.tokens["wstETH"])
    assert found is not None
    world.mark("wstETH", PRICE["wstETH"] * 89 // 100)
    now, at_feed = await read(world, account)
    assert fallen == at_feed
    assert risk.dropped(drop) == now
    assert_equal(world, found, execute(world, account, "WETH", "wstETH"))


async def test_liquidation__health_of_exactly_one_or_more__is_refused_by_both(
    world: AaveWorld, same_time: None
) -> None:
    account, _ = await _fallen(world, HALF, *WETH_USDC)
    _, position = await read(world, account)
    lowest, highest = 1, PRICE["WETH"]
    while highest - lowest > 1:
        middle = (lowest + highest) // 2
        health = position.marked({world.tokens["WETH"]: middle}).account().health_factor
        assert health is not None
        lowest, highest = (lowest, middle) if health >= WAD else (middle, highest)
    world.mark("WETH", highest)
    _, healthy = await read(world, account)
    assert simulate_liquidation(healthy, world.tokens["USDC"], world.tokens["WETH"]) is None
    with pytest.raises(NodeError, match="45"):  # HEALTH_FACTOR_NOT_BELOW_THRESHOLD
        execute(world, account, "USDC", "WETH")
    world.mark("WETH", lowest)
    found = await foretold(world, account, "USDC", "WETH")
    assert_equal(world, found, execute(world, account, "USDC", "WETH"))


async def test_liquidation__supply_that_is_no_collateral__is_refused_by_both(world: AaveWorld, same_time: None) -> None:
    account = world.chain.accounts[1]
    world.supply(account, "DAI", 100 * WAD)
    world.use_as_collateral(account, "DAI", enabled=False)
    await _fallen(world, HALF, *WETH_USDC)
    with pytest.raises(NodeError, match="46"):  # COLLATERAL_CANNOT_BE_LIQUIDATED
        execute(world, account, "USDC", "DAI")
    _, position = await read(world, account)
    with pytest.raises(DomainError, match="has nothing in such a reserve"):
        simulate_liquidation(position, world.tokens["USDC"], world.tokens["DAI"])
    with pytest.raises(NodeError, match="47"):  # SPECIFIED_CURRENCY_NOT_BORROWED_BY_USER
        execute(world, account, "WETH", "WETH")
    with pytest.raises(DomainError, match="owes no"):
        simulate_liquidation(position, world.tokens["WETH"], world.tokens["WETH"])
