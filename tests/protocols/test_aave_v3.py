"""The Aave v3 readers against a whole Aave 3.0.2 pool."""

from __future__ import annotations

import pytest
from eth_utils.address import to_checksum_address

from navoracle.domain.aave_rules import AaveRules
from navoracle.domain.errors import SourceRefused
from navoracle.domain.lending import AavePosition
from navoracle.domain.positions import Component, Holding
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.units import WAD
from navoracle.ports import Address
from navoracle.positions.aave_v3 import AaveV3Position
from navoracle.positions.base import Claim
from tests.protocols.aave_world import ETH_CORRELATED, STABLE, STABLECOINS, AaveWorld, deploy_aave
from tests.protocols.chain import NAME, Chain, NodeError, ReaderFailed
from tests.requirements import needs_node

pytestmark = needs_node

DAY = 86_400


@pytest.fixture(scope="module")
def world(chain: Chain) -> AaveWorld:
    return deploy_aave(chain)


@pytest.fixture(scope="module")
def fund(world: AaveWorld) -> Address:
    """Ten WETH and five wstETH against 12,000 USDC and 3 WETH."""
    account = world.chain.accounts[1]
    world.supply(account, "WETH", 10 * WAD)
    world.supply(account, "wstETH", 5 * WAD)
    world.borrow(account, "USDC", 12_000 * 10**6)
    world.borrow(account, "WETH", 3 * WAD)
    return account


async def holdings(world: AaveWorld, reader: AaveV3Position) -> dict[str, Holding]:
    found: tuple[Holding, ...] = await world.chain.read(reader)
    return {holding.id.partition("/")[2]: holding for holding in found}


async def read_account(world: AaveWorld, account: Address) -> tuple[LendingAccount, AavePosition]:
    found: LendingAccount = await world.chain.read(world.account(account))
    assert isinstance(found.detail, AavePosition)
    return found, found.detail


async def health(world: AaveWorld, account: Address) -> tuple[int, int, int, int, int]:
    """Collateral, debt, threshold, limit and health factor; the reader refuses any but the pool's."""
    risk, position = await read_account(world, account)
    found = position.account()
    assert found.health_factor is not None
    assert (risk.collateral, risk.debt, risk.base_decimals) == (found.collateral, found.debt, 8)
    assert (risk.loan_to_value, risk.health_factor) == (found.loan_to_value, found.health_factor)
    assert risk.liquidation_threshold == found.liquidation_threshold * 10**14
    assert risk.max_ltv == found.max_ltv * 10**14
    return found.collateral, found.debt, found.liquidation_threshold, found.max_ltv, found.health_factor


def pools_own(world: AaveWorld, account: Address) -> tuple[int, int, int, int, int]:
    collateral, debt, _, threshold, max_ltv, factor = world.account_data(account)
    return collateral, debt, threshold, max_ltv, factor


def stored_debt(world: AaveWorld, account: Address, symbol: str) -> int:
    """The variable debt by the index that the pool stored at its last touch."""
    signature, types = "getReserveData(address)", ("uint256", "uint128", "uint128", "uint128")
    *_, index = world.chain.view(world.pool, signature, types, world.tokens[symbol])
    token = world.reserve_tokens(symbol)[2]
    scaled: int = world.chain.view(Address(token), "scaledBalanceOf(address)", ("uint256",), account)
    return scaled * int(index) // 10**27


async def test_position__each_reserve__is_what_the_tokens_say(world: AaveWorld, fund: Address) -> None:
    found = await holdings(world, world.position(fund, "WETH", "wstETH", "USDC"))
    assert list(found) == [
        f"{symbol}-{part}" for symbol in ("WETH", "wstETH", "USDC") for part in ("supplied", "borrowed")
    ]
    for symbol, (a_token, stable, variable) in {
        symbol: world.reserve_tokens(symbol) for symbol in ("WETH", "wstETH", "USDC")
    }.items():
        balances = [
            world.chain.view(Address(token), "balanceOf(address)", ("uint256",), fund)
            for token in (a_token, stable, variable)
        ]
        assert found[f"{symbol}-supplied"].amount.value == balances[0]
        assert found[f"{symbol}-borrowed"].amount.value == balances[1] + balances[2]
    assert found["WETH-supplied"].component is Component.COLLATERAL
    assert found["USDC-borrowed"].component is Component.DEBT
    assert (found["WETH-borrowed"].amount.decimals, found["USDC-borrowed"].amount.decimals) == (18, 6)


async def test_resolve__token_addresses__are_those_of_the_data_provider_and_claimed(
    world: AaveWorld, fund: Address
) -> None:
    reader = await world.chain.resolve(world.position(fund, "WETH", "USDC"))
    expected = [world.reserve_tokens(symbol) for symbol in ("WETH", "USDC")]
    assert [(t.a_token.lower(), t.stable_debt_token.lower(), t.variable_debt_token.lower()) for t in reader.tokens] == (
        expected
    )
    assert {(claim.contract.lower(), claim.account, claim.what) for claim in reader.claims} == {
        (token, fund, "balance") for tokens in expected for token in tokens
    }
    assert all(isinstance(claim, Claim) and claim.chain == NAME for claim in reader.claims)


@pytest.mark.parametrize("days", [60, 90])
async def test_position__no_touch_for_months__debt_is_what_the_contract_says_after_a_touch_at_that_time(
    world: AaveWorld, fund: Address, same_time: None, days: int
) -> None:
    chain = world.chain
    before = (await holdings(world, world.position(fund, "WETH", "USDC", "wstETH")))["USDC-borrowed"].amount.value
    chain.travel(days * DAY)
    found = (await holdings(world, world.position(fund, "WETH", "USDC", "wstETH")))["USDC-borrowed"].amount.value
    # The touch lies in a block of the same time: what it stores is the index that the reading used.
    now = chain.time
    world.touch("USDC")
    assert chain.time == now
    variable = Address(world.reserve_tokens("USDC")[2])
    assert chain.view(variable, "balanceOf(address)", ("uint256",), fund) == found
    assert abs(stored_debt(world, fund, "USDC") - found) <= 1
    assert found > before


async def test_position__stored_index__understates_the_debt_that_is_read(world: AaveWorld, fund: Address) -> None:
    # Nearly all of the liquidity is lent out, as it is when rates rise.
    whale = world.chain.accounts[9]
    world.borrow(whale, "USDC", 70_000_000 * 10**6)
    world.chain.travel(60 * DAY)
    found = (await holdings(world, world.position(fund, "WETH", "USDC", "wstETH")))["USDC-borrowed"].amount.value
    stored = stored_debt(world, fund, "USDC")
    assert 10_000 * (found - stored) > 50 * stored


async def test_position__stable_debt__is_counted_with_the_variable_one(world: AaveWorld) -> None:
    account = world.chain.accounts[2]
    world.supply(account, "WETH", 10 * WAD)
    world.borrow(account, "DAI", 1_000 * WAD)
    world.borrow(account, "USDC", 2_000 * 10**6)
    world.borrow(account, "USDC", 3_000 * 10**6, STABLE)
    world.chain.travel(90 * DAY)
    found = await holdings(world, world.position(account, "WETH", "DAI", "USDC"))
    _, stable, variable = world.reserve_tokens("USDC")
    owed = [
        world.chain.view(Address(token), "balanceOf(address)", ("uint256",), account) for token in (stable, variable)
    ]
    assert owed[0] > 3_000 * 10**6
    assert found["USDC-borrowed"].amount.value == sum(owed)
    assert await health(world, account) == pools_own(world, account)


async def test_position__debt_in_an_unconfigured_reserve__is_refused_naming_it(world: AaveWorld, fund: Address) -> None:
    world.borrow(fund, "WBTC", 10**6)
    with pytest.raises(ReaderFailed, match=f"{fund} owes {world.tokens['WBTC']}, which is not among") as failed:
        await world.chain.read(world.position(fund, "WETH", "wstETH", "USDC"))
    assert failed.value.code == "source_refused"
    found = await holdings(world, world.position(fund, "WETH", "wstETH", "USDC", "WBTC"))
    assert found["WBTC-borrowed"].amount.value >= 10**6


async def test_position__wei_of_another_reserve_sent_by_a_stranger__does_not_stop_the_fund(
    world: AaveWorld, fund: Address
) -> None:
    stranger = world.chain.accounts[3]
    world.fund(stranger, "DAI", 1)
    signature = "supply(address,uint256,address,uint16)"
    world.chain.send(world.pool, signature, world.tokens["DAI"], 1, fund, 0, sender=stranger)
    found = await holdings(world, world.position(fund, "WETH", "wstETH", "USDC"))
    named = [name for name in found if name.endswith("left out")]
    assert (len(found), len(named)) == (7, 1)
    assert found[named[0]].amount.value == 0


async def test_position__supplied_asset_not_enabled_as_collateral__is_absent_from_account_data_and_in_our_nav(
    world: AaveWorld,
) -> None:
    account = world.chain.accounts[4]
    world.supply(account, "WETH", 2 * WAD)
    world.supply(account, "DAI", 5_000 * WAD)
    world.use_as_collateral(account, "DAI", enabled=False)
    assert world.account_data(account)[0] == 2 * 3_000 * 10**8
    found = await holdings(world, world.position(account, "WETH", "DAI"))
    assert found["DAI-supplied"].amount.value >= 5_000 * WAD


async def test_position__one_zero_feed__reverts_account_data_and_our_balances_still_read(
    world: AaveWorld, fund: Address
) -> None:
    before = await holdings(world, world.position(fund, "WETH", "wstETH", "USDC"))
    world.mark("wstETH", 0)
    with pytest.raises(NodeError):
        world.account_data(fund)
    with pytest.raises(ReaderFailed) as failed:
        await world.chain.read(world.account(fund))
    assert failed.value.code == "call_reverted"
    found = await holdings(world, world.position(fund, "WETH", "wstETH", "USDC"))
    assert all(holding.amount.value >= before[name].amount.value for name, holding in found.items())
    assert len(found) == 6


async def test_position__stale_feed__is_accepted_by_the_pool_and_not_asked_by_us(
    world: AaveWorld, fund: Address
) -> None:
    # The pool's feeds say no time at all: after a year it still lends at the old prices.
    world.chain.travel(365 * DAY)
    assert pools_own(world, fund) == await health(world, fund)
    asked = await world.chain.resolve(world.position(fund, "WETH", "wstETH", "USDC"))
    assert world.oracle not in {request.target for request in asked._requests}


async def test_resolve__a_token_instead_of_its_underlying__is_refused(world: AaveWorld, fund: Address) -> None:
    fields = world.position(fund, "WETH").model_dump(mode="json")
    fields["reserves"][0]["token"] = a_token = to_checksum_address(world.reserve_tokens("WETH")[0])
    with pytest.raises(SourceRefused, match=f"has no reserve of {a_token}"):
        await world.chain.resolve(AaveV3Position.model_validate(fields))


async def test_account__outside_e_mode__health_factor_is_the_pools_to_the_wei(world: AaveWorld, fund: Address) -> None:
    assert await health(world, fund) == pools_own(world, fund)
    world.chain.travel(77 * DAY + 13)
    assert await health(world, fund) == pools_own(world, fund)


async def test_account__inside_e_mode__health_factor_is_the_pools_to_the_wei(world: AaveWorld) -> None:
    account = world.chain.accounts[5]
    world.supply(account, "wstETH", 7 * WAD + 123_456_789)
    world.borrow(account, "WETH", 5 * WAD)
    outside = pools_own(world, account)
    assert await health(world, account) == outside
    world.enter_e_mode(account, ETH_CORRELATED)
    world.borrow(account, "WETH", 2 * WAD)
    world.chain.travel(31 * DAY)
    inside = pools_own(world, account)
    assert (outside[2:4], inside[2:4]) == ((7_900, 7_500), (9_300, 9_000))
    risk, _ = await read_account(world, account)
    assert risk.liquidation_bonus == WAD // 100
    assert await health(world, account) == inside
    # Collateral outside the category keeps its own threshold.
    world.supply(account, "WBTC", 10**7)
    mixed = pools_own(world, account)
    assert 7_500 < mixed[2] < 9_300
    assert await health(world, account) == mixed


async def test_account__e_mode_with_a_price_of_its_own__health_factor_is_the_pools_to_the_wei(world: AaveWorld) -> None:
    account = world.chain.accounts[6]
    world.supply(account, "DAI", 10_000 * WAD + 1)
    world.borrow(account, "USDC", 5_000 * 10**6)
    world.enter_e_mode(account, STABLECOINS)
    by_feeds = pools_own(world, account)
    assert await health(world, account) == by_feeds
    world.set_e_mode_price(STABLECOINS, 1_01234567)
    by_category = pools_own(world, account)
    assert by_category[:2] != by_feeds[:2]
    assert await health(world, account) == by_category


async def test_account__mark_of_minus_24_percent__is_foretold_to_the_wei(
    world: AaveWorld, fund: Address, same_time: None
) -> None:
    _, position = await read_account(world, fund)
    assert position.rules is AaveRules.V3_0
    lower = {"WETH": 3_000_00000000 * 76 // 100, "wstETH": 3_612_34567890 * 76 // 100}
    before = position.account().health_factor
    foretold = position.marked({str(world.tokens[symbol]): price for symbol, price in lower.items()}).account()
    for symbol, price in lower.items():
        world.mark(symbol, price)
    assert await health(world, fund) == pools_own(world, fund)
    assert pools_own(world, fund)[4] == foretold.health_factor
    assert before is not None
    assert foretold.health_factor is not None
    assert foretold.health_factor < before


async def test_position__price_capped_by_the_pool__moves_its_health_factor_and_no_balance_of_ours(
    world: AaveWorld, fund: Address, same_time: None
) -> None:
    reader = world.position(fund, "WETH", "wstETH", "USDC")
    before, factor = await holdings(world, reader), pools_own(world, fund)[4]
    world.mark("wstETH", 3_500_00000000)
    assert pools_own(world, fund)[4] < factor
    assert await holdings(world, reader) == before


async def test_account__no_debt__has_no_health_factor_where_the_pool_says_2_to_256_minus_1(world: AaveWorld) -> None:
    account = world.chain.accounts[4]
    world.supply(account, "WETH", WAD)
    assert world.account_data(account)[5] == 2**256 - 1
    found, _ = await read_account(world, account)
    assert found.health_factor is None
    assert found.move_to_liquidation is None
    nobody, _ = await read_account(world, world.chain.accounts[8])
    assert (nobody.collateral, nobody.debt, nobody.health_factor, nobody.loan_to_value) == (0, 0, None, None)
