"""The account at an Aave v3 pool of each manner: computed again, and refused when the pool says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from navoracle.abi import encode_call
from navoracle.domain.errors import CallReverted, OutOfRange, SourceRefused
from navoracle.domain.lending import AavePosition, AaveReserve, AaveRules, EMode
from navoracle.domain.units import Bps, RawAmount
from navoracle.ports import Address, Call, Request
from navoracle.positions.aave_v3_account import E_MODE_BITMAP, AaveV3Account
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive
from tests.unit.addresses import address
from tests.unit.positions.test_aave_v3 import ACCOUNT, AT, NOBODY, NOW, POOL, RESERVE_TYPES, USDC, WETH

PROVIDER, ORACLE, SOURCE, STAKED = address(31), address(32), address(33), address(34)
TOKENS = {
    WETH: (0, 18, address(41), NOBODY, address(43)),
    STAKED: (1, 18, address(51), NOBODY, address(53)),
    USDC: (3, 6, address(61), address(62), address(63)),
}
CATEGORY = "(uint16,uint16,uint16,address,string)"

RESERVES = (
    AaveReserve(WETH, RawAmount(0, 18), RawAmount(3 * 10**18 + 1, 18), 3_000_12345678, Bps(8_250), False, True),
    AaveReserve(STAKED, RawAmount(7 * 10**18, 18), RawAmount(0, 18), 3_612_34567890, Bps(7_900), True, True),
    AaveReserve(USDC, RawAmount(9_999_999, 6), RawAmount(1_234_567, 6), 99998765, Bps(8_000), True, False),
)
"""What the account has: WETH owed, staked WETH and USDC pledged."""


def reader(e_mode: str, **changes: Any) -> AaveV3Account:
    listed = [
        {
            "token": token,
            "reserve_id": place,
            "decimals": decimals,
            "a_token": a_token,
            "stable_debt_token": None if stable == NOBODY else stable,
            "variable_debt_token": variable,
        }
        for token, (place, decimals, a_token, stable, variable) in TOKENS.items()
    ]
    fields = {"kind": "aave_v3_account", "id": "fund.account", "chain": "local", "pool": POOL, "account": ACCOUNT}
    listing = {"provider": PROVIDER, "e_mode": e_mode, "reserves": listed}
    return AaveV3Account.model_validate({**fields, "listing": listing, **changes})


def world(position: AavePosition, *, bitmap: bool, source: Address = NOBODY) -> FakeChain:
    """A pool that says of the account what the position computes."""
    chain = FakeChain(block_stamp(NOW))
    chain.put(POOL, "ADDRESSES_PROVIDER()", (), ("address",), PROVIDER)
    chain.put(POOL, "getReservesList()", (), ("address[]",), list(TOKENS))
    chain.put(PROVIDER, "getPriceOracle()", (), ("address",), ORACLE)
    for token, (place, decimals, a_token, stable, variable) in TOKENS.items():
        values = (decimals << 48, 1, 1, 1, 1, 1, 1, place, a_token, stable, variable, NOBODY, 0, 0, 0)
        chain.put(POOL, "getReserveData(address)", (token,), RESERVE_TYPES, *values)
    configuration = 0
    for reserve in position.reserves:
        place, decimals, a_token, stable, variable = TOKENS[Address(reserve.token)]
        configuration |= (1 if reserve.owed.value else 0) << 2 * place | (
            2 if reserve.is_collateral else 0
        ) << 2 * place
        category = position.e_mode.category if position.e_mode and reserve.in_e_mode and not bitmap else 0
        terms = reserve.liquidation_threshold << 16 | decimals << 48 | category << 168
        chain.put(POOL, "getConfiguration(address)", (reserve.token,), ("uint256",), terms)
        chain.put(a_token, "balanceOf(address)", (ACCOUNT,), ("uint256",), reserve.supplied.value)
        by_stable = 0 if stable == NOBODY else reserve.owed.value // 3
        chain.put(variable, "balanceOf(address)", (ACCOUNT,), ("uint256",), reserve.owed.value - by_stable)
        if stable != NOBODY:
            chain.put(stable, "balanceOf(address)", (ACCOUNT,), ("uint256",), by_stable)
        chain.put(ORACLE, "getAssetPrice(address)", (reserve.token,), ("uint256",), reserve.price)
    chain.put(POOL, "getUserConfiguration(address)", (ACCOUNT,), ("uint256",), configuration)
    e_mode = position.e_mode
    chain.put(POOL, "getUserEMode(address)", (ACCOUNT,), ("uint256",), e_mode.category if e_mode else 0)
    if bitmap:
        chain.put(POOL, E_MODE_BITMAP, (1,), ("uint128",), 0b0011)
    else:
        chain.revert(POOL, E_MODE_BITMAP, 1)
    if e_mode and bitmap:
        chain.put(POOL, "getEModeCategoryCollateralConfig(uint8)", (e_mode.category,), ("uint16",) * 3, 9_000, 9_300, 1)
    elif e_mode:
        category_data = (9_000, e_mode.liquidation_threshold, 10_100, source, "ETH correlated")
        chain.put(POOL, "getEModeCategoryData(uint8)", (e_mode.category,), (CATEGORY,), category_data)
    if e_mode and source != NOBODY:
        chain.put(ORACLE, "getAssetPrice(address)", (source,), ("uint256",), e_mode.price or 0)
    account = position.account()
    health = 2**256 - 1 if account.health_factor is None else account.health_factor
    figures = (account.collateral, account.debt, 0, account.liquidation_threshold, 0, health)
    chain.put(POOL, "getUserAccountData(address)", (ACCOUNT,), ("uint256",) * 6, *figures)
    return chain


def plain(rules: AaveRules) -> AavePosition:
    return AavePosition(tuple(replace(reserve, in_e_mode=False) for reserve in RESERVES), None, rules)


def answers(chain: FakeChain, *, bitmap: bool) -> dict[Any, Any]:
    """Also that a pool before 3.2 reverts where it is asked for a bitmap."""
    found: dict[Request, Any] = dict(chain.good_answers())
    probe = Call(POOL, encode_call(E_MODE_BITMAP, 1))
    return found if bitmap else {**found, probe: chain.answer(probe)}


class TestAccountWithCategories(ReaderSpec):
    def example(self) -> Example:
        position = AavePosition(RESERVES, EMode(1, Bps(9_300), 3_100 * 10**8), AaveRules.V3_0)
        chain = world(position, bitmap=False, source=SOURCE)
        return Example(reader("category"), answers(chain, bitmap=False), AT, position)


class TestAccountWithBitmaps(ReaderSpec):
    def example(self) -> Example:
        position = AavePosition(RESERVES, EMode(1, Bps(9_300)), AaveRules.V3_6)
        return Example(reader("bitmap"), answers(world(position, bitmap=True), bitmap=True), AT, position)


class TestAccountOutsideEMode(ReaderSpec):
    def example(self) -> Example:
        position = plain(AaveRules.V3_0)
        return Example(reader("bitmap"), answers(world(position, bitmap=True), bitmap=True), AT, position)


@pytest.mark.parametrize("rules", list(AaveRules))
def test_read__pool_of_each_version__is_recognised_by_its_figures(rules: AaveRules) -> None:
    reserves = (*plain(rules).reserves[:2], replace(RESERVES[2], liquidation_threshold=Bps(0)))
    position = AavePosition(reserves, None, rules)
    assert drive(reader("bitmap").read(AT), world(position, bitmap=True).answer) == position


def test_read__pool_of_categories__is_not_taken_for_a_later_version() -> None:
    position = plain(AaveRules.V3_5)
    with pytest.raises(SourceRefused, match="which no known version computes"):
        drive(reader("category").read(AT), world(position, bitmap=False).answer)


def test_read__category_without_a_source__leaves_each_asset_its_price() -> None:
    position = AavePosition(RESERVES, EMode(1, Bps(9_300)), AaveRules.V3_0)
    for source in (NOBODY, SOURCE):
        chain = world(position, bitmap=False, source=source)
        assert drive(reader("category").read(AT), chain.answer) == position


def test_read__account_that_never_used_the_pool__is_empty() -> None:
    position = AavePosition((), None, AaveRules.V3_0)
    found = drive(reader("category").read(AT), world(position, bitmap=False).answer)
    assert (found.account().collateral, found.account().health_factor) == (0, None)


@pytest.mark.parametrize("place", range(4))
def test_read__figure_that_is_not_the_pools__is_refused(place: int) -> None:
    position = plain(AaveRules.V3_0)
    account = position.account()
    assert account.health_factor is not None
    figures = [account.collateral, account.debt, account.liquidation_threshold, int(account.health_factor)]
    figures[place] += 1
    chain = world(position, bitmap=True)
    values = (figures[0], figures[1], 0, figures[2], 0, figures[3])
    chain.put(POOL, "getUserAccountData(address)", (ACCOUNT,), ("uint256",) * 6, *values)
    with pytest.raises(SourceRefused, match="which no known version computes"):
        drive(reader("bitmap").read(AT), chain.answer)


def test_read__one_zero_feed__reverts_the_account_data_and_is_refused() -> None:
    chain = world(plain(AaveRules.V3_0), bitmap=True)
    chain.revert(POOL, "getUserAccountData(address)", ACCOUNT)
    with pytest.raises(CallReverted):
        drive(reader("bitmap").read(AT), chain.answer)
    chain = world(plain(AaveRules.V3_0), bitmap=True)
    chain.put(ORACLE, "getAssetPrice(address)", (WETH,), ("uint256",), 0)
    with pytest.raises(OutOfRange, match=f"{WETH} has the price 0"):
        drive(reader("bitmap").read(AT), chain.answer)


def test_read__reserve_listed_since_the_start__is_refused() -> None:
    chain = world(plain(AaveRules.V3_0), bitmap=True)
    chain.put(POOL, "getUserConfiguration(address)", (ACCOUNT,), ("uint256",), 1 << 2 * 9)
    with pytest.raises(SourceRefused, match="uses reserve number 9"):
        drive(reader("bitmap").read(AT), chain.answer)


def test_resolve__pool_without_a_provider__is_refused() -> None:
    chain = world(plain(AaveRules.V3_0), bitmap=True)
    chain.put(POOL, "ADDRESSES_PROVIDER()", (), ("address",), NOBODY)
    with pytest.raises(SourceRefused, match="names no addresses provider"):
        drive(reader("bitmap", listing=None).resolve(AT), chain.answer)
