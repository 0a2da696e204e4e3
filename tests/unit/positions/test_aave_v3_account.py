"""The account at an Aave v3 pool of each manner: computed again, and refused when the pool says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from navoracle.abi import encode_call
from navoracle.domain.aave_rules import RAY, AaveRules
from navoracle.domain.errors import CallReverted, OutOfRange, SourceRefused
from navoracle.domain.lending import AavePosition, AaveReserve, EMode
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.units import WAD, Bps, RawAmount
from navoracle.ports import Address, Call, Request
from navoracle.positions.aave_v3_account import AaveV3Account
from navoracle.positions.aave_v3_e_mode import E_MODE_BITMAP, E_MODE_CONFIG, E_MODE_ISOLATED, E_MODE_LTV_ZERO
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

REVISIONS = {AaveRules.V3_0: 3, AaveRules.V3_3: 8, AaveRules.V3_5: 9, AaveRules.V3_6: 10, AaveRules.V3_7: 12}
"""One revision of each version; the last is later than any that is known."""

RESERVES = (
    AaveReserve(
        token=WETH,
        supplied=RawAmount(0, 18),
        owed=RawAmount(3 * 10**18 + 1, 18),
        price=3_000_12345678,
        loan_to_value=Bps(8_050),
        liquidation_threshold=Bps(8_250),
        liquidation_bonus=Bps(500),
        protocol_fee=Bps(1_000),
        supply_index=RAY + 1,
        debt_index=RAY + 5,
        is_collateral=False,
        in_e_mode=True,
    ),
    AaveReserve(
        token=STAKED,
        supplied=RawAmount(7 * 10**18, 18),
        owed=RawAmount(0, 18),
        price=3_612_34567890,
        loan_to_value=Bps(7_500),
        liquidation_threshold=Bps(7_900),
        liquidation_bonus=Bps(700),
        protocol_fee=Bps(1_111),
        supply_index=RAY + 2,
        debt_index=RAY + 6,
        is_collateral=True,
        in_e_mode=True,
    ),
    AaveReserve(
        token=USDC,
        supplied=RawAmount(9_999_999, 6),
        owed=RawAmount(1_234_567, 6),
        owed_at_stable_rate=411_522,
        price=99998765,
        loan_to_value=Bps(7_700),
        liquidation_threshold=Bps(8_000),
        liquidation_bonus=None,
        protocol_fee=Bps(0),
        supply_index=RAY + 3,
        debt_index=RAY + 7,
        is_collateral=True,
        in_e_mode=False,
    ),
)
"""What the account has: WETH owed, staked WETH and USDC pledged."""


E_MODE = EMode(1, Bps(9_000), Bps(9_300), Bps(100))


def found_by(position: AavePosition) -> LendingAccount:
    return LendingAccount.of_aave(position, 8)


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
    chain.put(ORACLE, "BASE_CURRENCY_UNIT()", (), ("uint256",), 10**8)
    chain.put(POOL, "POOL_REVISION()", (), ("uint256",), REVISIONS[position.rules])
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
        bonus = 0 if reserve.liquidation_bonus is None else 10_000 + reserve.liquidation_bonus
        terms = reserve.loan_to_value | reserve.liquidation_threshold << 16 | bonus << 32 | decimals << 48
        terms |= reserve.protocol_fee << 152 | category << 168
        chain.put(POOL, "getReserveNormalizedIncome(address)", (reserve.token,), ("uint256",), reserve.supply_index)
        debt_index = "getReserveNormalizedVariableDebt(address)"
        chain.put(POOL, debt_index, (reserve.token,), ("uint256",), reserve.debt_index)
        chain.put(POOL, "getConfiguration(address)", (reserve.token,), ("uint256",), terms)
        chain.put(a_token, "balanceOf(address)", (ACCOUNT,), ("uint256",), reserve.supplied.value)
        by_stable = reserve.owed_at_stable_rate
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
    if e_mode:
        terms_of = (e_mode.loan_to_value, e_mode.liquidation_threshold, 10_000 + e_mode.liquidation_bonus)
        if bitmap:
            chain.put(POOL, E_MODE_CONFIG, (e_mode.category,), ("uint16",) * 3, *terms_of)
            nothing = sum(
                1 << TOKENS[Address(one.token)][0] for one in position.reserves if one.lends_nothing_in_e_mode
            )
            if position.rules.since(AaveRules.V3_6):
                chain.put(POOL, E_MODE_LTV_ZERO, (e_mode.category,), ("uint128",), nothing)
            if position.rules.since(AaveRules.V3_7):
                chain.put(POOL, E_MODE_ISOLATED, (e_mode.category,), ("bool",), e_mode.isolated)
        else:
            category_data = (*terms_of, source, "ETH correlated")
            chain.put(POOL, "getEModeCategoryData(uint8)", (e_mode.category,), (CATEGORY,), category_data)
    if e_mode and source != NOBODY:
        chain.put(ORACLE, "getAssetPrice(address)", (source,), ("uint256",), e_mode.price or 0)
    account = position.account()
    health = 2**256 - 1 if account.health_factor is None else account.health_factor
    figures = (account.collateral, account.debt, 0, account.liquidation_threshold, account.max_ltv, health)
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
        position = AavePosition(RESERVES, replace(E_MODE, price=3_100 * 10**8), AaveRules.V3_0)
        chain = world(position, bitmap=False, source=SOURCE)
        return Example(reader("category"), answers(chain, bitmap=False), AT, found_by(position))


class TestAccountWithBitmaps(ReaderSpec):
    def example(self) -> Example:
        position = AavePosition(RESERVES, E_MODE, AaveRules.V3_6)
        return Example(reader("bitmap"), answers(world(position, bitmap=True), bitmap=True), AT, found_by(position))


class TestAccountOutsideEMode(ReaderSpec):
    def example(self) -> Example:
        position = plain(AaveRules.V3_0)
        return Example(reader("bitmap"), answers(world(position, bitmap=True), bitmap=True), AT, found_by(position))


@pytest.mark.parametrize("rules", list(AaveRules))
def test_read__pool_of_each_version__is_recognised_by_its_figures(rules: AaveRules) -> None:
    reserves = (*plain(rules).reserves[:2], replace(RESERVES[2], liquidation_threshold=Bps(0)))
    position = AavePosition(reserves, None, rules)
    assert drive(reader("bitmap").read(AT), world(position, bitmap=True).answer) == found_by(position)


@pytest.mark.parametrize("rules", [AaveRules.V3_6, AaveRules.V3_7])
def test_read__what_is_not_lent_against_in_e_mode__is_read_since_3_6(rules: AaveRules) -> None:
    reserves = (RESERVES[0], replace(RESERVES[1], lends_nothing_in_e_mode=True), RESERVES[2])
    position = AavePosition(reserves, replace(E_MODE, isolated=rules is AaveRules.V3_7), rules)
    found = drive(reader("bitmap").read(AT), world(position, bitmap=True).answer)
    assert found == found_by(position)
    assert found.max_ltv < 10**15


def test_read__account__is_told_in_parts_of_one_with_the_bonus_of_the_largest_collateral() -> None:
    position = AavePosition(RESERVES, E_MODE, AaveRules.V3_0)
    found = drive(reader("bitmap").read(AT), world(position, bitmap=True).answer)
    assert (found.protocol, found.base_decimals, found.detail) == ("aave_v3", 8, position)
    assert found.liquidation_bonus == WAD // 100
    account = position.account()
    assert (found.max_ltv, found.liquidation_threshold) == (
        account.max_ltv * 10**14,
        account.liquidation_threshold * 10**14,
    )


def test_read__pool_that_computes_by_other_rules_than_its_version__is_refused() -> None:
    position = plain(AaveRules.V3_5)
    chain = world(position, bitmap=False)
    chain.put(POOL, "POOL_REVISION()", (), ("uint256",), 3)
    with pytest.raises(SourceRefused, match=r"by the rules of V3_0 \(revision 3\)"):
        drive(reader("category").read(AT), chain.answer)


def test_read__revision_of_no_version__is_refused() -> None:
    chain = world(plain(AaveRules.V3_0), bitmap=True)
    chain.put(POOL, "POOL_REVISION()", (), ("uint256",), 0)
    with pytest.raises(SourceRefused, match="its revision is 0"):
        drive(reader("bitmap").read(AT), chain.answer)


@pytest.mark.parametrize(("unit", "decimals"), [(1, 0), (10**18, 18)])
def test_read__other_base_currency__has_the_oracles_scale(unit: int, decimals: int) -> None:
    chain = world(plain(AaveRules.V3_0), bitmap=True)
    chain.put(ORACLE, "BASE_CURRENCY_UNIT()", (), ("uint256",), unit)
    assert drive(reader("bitmap").read(AT), chain.answer).base_decimals == decimals


def test_read__base_currency_of_no_scale__is_refused() -> None:
    chain = world(plain(AaveRules.V3_0), bitmap=True)
    chain.put(ORACLE, "BASE_CURRENCY_UNIT()", (), ("uint256",), 3)
    with pytest.raises(SourceRefused, match="counts in units of 3"):
        drive(reader("bitmap").read(AT), chain.answer)


def test_read__category_without_a_source__leaves_each_asset_its_price() -> None:
    position = AavePosition(RESERVES, E_MODE, AaveRules.V3_0)
    for source in (NOBODY, SOURCE):
        chain = world(position, bitmap=False, source=source)
        assert drive(reader("category").read(AT), chain.answer) == found_by(position)


def test_read__account_that_never_used_the_pool__is_empty() -> None:
    position = AavePosition((), None, AaveRules.V3_0)
    found = drive(reader("category").read(AT), world(position, bitmap=False).answer)
    assert (found.collateral, found.health_factor, found.loan_to_value) == (0, None, None)


@pytest.mark.parametrize("place", range(5))
def test_read__figure_that_is_not_the_pools__is_refused(place: int) -> None:
    position = plain(AaveRules.V3_0)
    account = position.account()
    assert account.health_factor is not None
    figures = [account.collateral, account.debt, account.liquidation_threshold, account.max_ltv, account.health_factor]
    figures = [figure + (1 if at == place else 0) for at, figure in enumerate(figures)]
    chain = world(position, bitmap=True)
    values = (*figures[:2], 0, *figures[2:])
    chain.put(POOL, "getUserAccountData(address)", (ACCOUNT,), ("uint256",) * 6, *values)
    with pytest.raises(SourceRefused, match="from the reserves it is"):
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
