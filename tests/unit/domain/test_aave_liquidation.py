"""Liquidations at Aave v3: worked figures of each version, and what the pool refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.aave_liquidation import AaveLiquidation, simulate_liquidation
from navoracle.domain.aave_rules import RAY, AaveRules
from navoracle.domain.errors import DomainError
from navoracle.domain.lending import AavePosition, AaveReserve, EMode
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Wad, to_wad

WETH, WEETH, USDC = "weth", "weeth", "usdc"
ETHER = 3_000 * 10**8
E_MODE = EMode(1, Bps(9_300), Bps(9_500), Bps(100))
SINCE_3_3 = [rules for rules in AaveRules if rules.since(AaveRules.V3_3)]


def reserve(token: str, supplied: int = 0, owed: int = 0, decimals: int = 18, price: int = ETHER) -> AaveReserve:
    return AaveReserve(
        token=token,
        supplied=RawAmount(supplied, decimals),
        owed=RawAmount(owed, decimals),
        price=price,
        loan_to_value=Bps(8_000),
        liquidation_threshold=Bps(8_250),
        liquidation_bonus=Bps(500),
        protocol_fee=Bps(0),
        supply_index=RAY,
        debt_index=RAY,
        is_collateral=supplied > 0,
    )


def leveraged(collateral: int, debt: int, rules: AaveRules = AaveRules.V3_0) -> AavePosition:
    """weETH against WETH in the mode of their kind: threshold 95 %, bonus 1 %; one is worth the other."""
    reserves = (replace(reserve(WEETH, collateral), in_e_mode=True), replace(reserve(WETH, 0, debt), in_e_mode=True))
    return AavePosition(reserves, E_MODE, rules)


def dollars(collateral: int, debt: int, rules: AaveRules) -> AavePosition:
    """USDC owed against WETH at its usual terms; whole dollars, one of which is 1e8 of the base currency."""
    weth = reserve(WETH, collateral * WAD // 3_000)
    return AavePosition((weth, reserve(USDC, 0, debt * 10**6, 6, 10**8)), None, rules)


def liquidated(position: AavePosition, debt: str = WETH, collateral: str = WEETH) -> AaveLiquidation:
    found = simulate_liquidation(position, debt, collateral)
    assert found is not None
    return found


def test_liquidation__sample_of_the_risk_document__repays_100_seizes_101_and_loses_1() -> None:
    found = liquidated(leveraged(205 * WAD, 200 * WAD))
    assert (found.repaid.value, found.seized.value, found.lost) == (100 * WAD, 101 * WAD, ETHER)
    after = found.after
    assert (after.reserve(WEETH).supplied.value, after.reserve(WETH).owed.value) == (104 * WAD, 100 * WAD)
    assert after.account().health_factor == 988 * 10**15
    assert after.account().loan_to_value == -(-100 * WAD // 104)


def test_liquidation__sample_account_after_15_percent__is_whole_where_the_document_takes_half() -> None:
    fallen = leveraged(to_wad("107.44"), to_wad("95.796")).dropped(Wad(15 * WAD // 100))
    assert fallen.account().health_factor == 905651592968391165
    found = liquidated(fallen)
    # Health under 0.95: all of the debt could be repaid, and the collateral does not last for it.
    assert found.repayable.value == to_wad("95.796")
    assert found.seized.value == to_wad("107.44")
    assert found.repaid.value == to_wad("90.419801980198019802")
    assert found.after.account().collateral == 0
    assert found.after.reserve(WETH).owed.value == to_wad("95.796") - found.repaid.value


def test_liquidation__sample_account__begins_at_a_drop_of_6_14_percent() -> None:
    position = leveraged(to_wad("107.44"), to_wad("95.796"))
    assert simulate_liquidation(position.dropped(Wad(614 * 10**14)), WETH, WEETH) is None
    assert simulate_liquidation(position.dropped(Wad(615 * 10**14)), WETH, WEETH) is not None


@pytest.mark.parametrize(("collateral", "part"), [(951, 5_000), (950, 10_000), (949, 10_000)])
def test_close_factor__health_of_0_95__is_the_whole_debt_at_it_and_below(collateral: int, part: int) -> None:
    position = leveraged(collateral * WAD * 100 // 95, 1_000 * WAD)
    health = position.account().health_factor
    assert health is not None
    assert (health > 95 * WAD // 100) == (part == 5_000)
    assert liquidated(position).repayable.value == 1_000 * WAD * part // BPS


@pytest.mark.parametrize("rules", SINCE_3_3)
def test_close_factor__since_3_3__is_half_of_the_whole_debt_and_not_of_the_reserves(rules: AaveRules) -> None:
    # 12,000 owed in two reserves: the larger one may be repaid up to 6,000, and the smaller one whole.
    position = dollars(14_100, 7_000, rules)
    position = replace(position, reserves=(*position.reserves, reserve(WEETH, 0, 5_000 * WAD // 3_000)))
    large, small = liquidated(position, USDC, WETH), liquidated(position, WEETH, WETH)
    assert large.repayable.value == 6_000 * 10**6
    assert small.repaid == small.repayable == position.reserve(WEETH).owed
    old = replace(position, rules=AaveRules.V3_0)
    assert liquidated(old, USDC, WETH).repayable.value == 3_500 * 10**6
    assert liquidated(old, WEETH, WETH).repayable.value == (5_000 * WAD // 3_000 + 1) // 2


@pytest.mark.parametrize("rules", SINCE_3_3)
@pytest.mark.parametrize(("debt", "part"), [(1_999, 10_000), (2_000, 5_000)])
def test_close_factor__debt_under_2000_dollars__is_whole_since_3_3(rules: AaveRules, debt: int, part: int) -> None:
    position = dollars(debt * 12 // 10, debt, rules)
    assert liquidated(position, USDC, WETH).repayable.value == debt * 10**6 * part // BPS
    assert liquidated(replace(position, rules=AaveRules.V3_0), USDC, WETH).repayable.value == debt * 10**6 // 2


@pytest.mark.parametrize("rules", SINCE_3_3)
def test_dust__since_3_3__is_not_left_over(rules: AaveRules) -> None:
    # The debt of 2,100 could be repaid up to 2,050, half of the whole debt; 50 would be left.
    position = dollars(4_900, 2_100, rules)
    position = replace(position, reserves=(*position.reserves, reserve(WEETH, 0, 2_000 * WAD // 3_000)))
    for amount in (2_050, 1_101):
        with pytest.raises(DomainError, match="leaves too little over"):
            simulate_liquidation(position, USDC, WETH, amount * 10**6)
    most = liquidated(position, USDC, WETH)
    assert most.repayable.value in (2_050 * 10**6, 2_050 * 10**6 - 1)
    assert most.repaid.value == 1_100 * 10**6
    assert most.after.reserve(USDC).owed.value == 1_000 * 10**6
    old = simulate_liquidation(replace(position, rules=AaveRules.V3_0), USDC, WETH, 1_050 * 10**6)
    assert old is not None
    assert old.after.reserve(USDC).owed.value == 1_050 * 10**6


@pytest.mark.parametrize("rules", SINCE_3_3)
def test_dust__of_the_collateral__is_not_left_over_either(rules: AaveRules) -> None:
    # 6,000 of 8,000 could be repaid for 6,300 of 6,900: 2,000 would be left to owe, and 600 of the collateral.
    position = dollars(6_900, 8_000, rules)
    position = replace(position, reserves=(*position.reserves, reserve(WEETH, 72 * WAD // 30, 4_000 * WAD // 3_000)))
    with pytest.raises(DomainError, match="leaves too little over"):
        simulate_liquidation(position, USDC, WETH, 6_000 * 10**6)
    found = liquidated(position, USDC, WETH)
    assert found.repayable.value == 6_000 * 10**6
    assert found.repaid.value == 5_900 * 10**6 * 100 // 105
    left = found.after.reserve(WETH).supplied.value
    assert 1_000 * WAD <= left * 3_000 < 1_001 * WAD


@pytest.mark.parametrize("rules", AaveRules)
def test_bad_debt__without_collateral__is_written_off_since_3_3(rules: AaveRules) -> None:
    position = dollars(9_000, 10_000, rules)
    position = replace(position, reserves=(*position.reserves, reserve(WEETH, 0, 2 * WAD)))
    found = liquidated(position, USDC, WETH)
    assert found.seized.value == 3 * WAD
    left = 10_000 * 10**6 - found.repaid.value
    after = found.after.account()
    if rules is AaveRules.V3_0:
        assert found.written_off == ()
        assert (after.debt, after.health_factor) == (left * 100 + 6_000 * 10**8, 0)
    else:
        assert found.written_off == ((USDC, RawAmount(left, 6)), (WEETH, RawAmount(2 * WAD, 18)))
        assert (after.debt, after.health_factor) == (0, None)
    assert not found.after.reserve(WETH).is_collateral


@pytest.mark.parametrize("rules", SINCE_3_3)
def test_bad_debt__other_collateral_left__is_not_written_off(rules: AaveRules) -> None:
    position = dollars(9_000, 10_000, rules)
    position = replace(position, reserves=(*position.reserves, reserve(WEETH, WAD // 10)))
    found = liquidated(position, USDC, WETH)
    assert found.written_off == ()
    assert found.after.account().debt > 0


@pytest.mark.parametrize(
    ("rules", "seized", "fee"),
    [
        # 1.000_000_15 of debt and its bonus of 5 % are 105_000_015.75; the bonus is 5_000_001, a third of it the fee.
        (AaveRules.V3_0, 105_000_016, 1_666_500),
        (AaveRules.V3_3, 105_000_016, 1_666_500),
        (AaveRules.V3_5, 105_000_016, 1_666_500),
        (AaveRules.V3_6, 105_000_016, 1_666_500),
        (AaveRules.V3_7, 105_000_015, 1_666_501),
    ],
)
def test_rounding__of_the_bonus_and_the_fee__is_the_versions(rules: AaveRules, seized: int, fee: int) -> None:
    pledged = replace(reserve(WEETH, 10**12, 0, 8, 10**8), protocol_fee=Bps(3_333))
    position = AavePosition((pledged, reserve(USDC, 0, 9 * 10**11, 8, 10**8)), None, rules)
    found = simulate_liquidation(position, USDC, WEETH, 100_000_015)
    assert found is not None
    assert (found.seized.value + found.protocol_fee.value, found.protocol_fee.value) == (seized, fee)
    assert found.lost == seized - 100_000_015


@pytest.mark.parametrize(("rules", "repaid"), [(AaveRules.V3_3, 952_381), (AaveRules.V3_5, 952_381)])
def test_rounding__of_the_debt_for_all_collateral__is_the_versions(rules: AaveRules, repaid: int) -> None:
    position = AavePosition((reserve(WEETH, 10**6, 0, 6), reserve(USDC, 0, 2 * 10**6, 6)), None, rules)
    assert liquidated(position, USDC, WEETH).repaid.value == repaid
    # 1_000_010 / 1.05 is 952_390.47: half up and up differ.
    position = AavePosition((reserve(WEETH, 1_000_010, 0, 6), reserve(USDC, 0, 2 * 10**6, 6)), None, rules)
    assert liquidated(position, USDC, WEETH).repaid.value == 952_390 + (1 if rules.since(AaveRules.V3_5) else 0)


@pytest.mark.parametrize(
    ("rules", "supplied", "owed"),
    [(AaveRules.V3_0, 896, 954), (AaveRules.V3_5, 895, 956)],
)
def test_balances__scaled_units__round_against_the_account_since_3_5(
    rules: AaveRules, supplied: int, owed: int
) -> None:
    # 770 units of 1.3 and 620 of 1.7: 105 are 80.8 units, of which 689 are left; 100 are 58.8, 561 or 562 are left.
    weeth = replace(reserve(WEETH, 1_001, 0, 6, 10**17), supply_index=13 * RAY // 10)
    weth = replace(reserve(WETH, 0, 1_054, 6, 10**17), debt_index=17 * RAY // 10)
    position = AavePosition((weeth, weth), None, rules)
    found = simulate_liquidation(position, WETH, WEETH, 100)
    assert found is not None
    assert found.seized.value == 105
    assert found.after.reserve(WEETH).supplied.value == supplied
    assert found.after.reserve(WETH).owed.value == owed


def test_stable_debt__is_repaid_after_the_variable_one() -> None:
    weth = replace(reserve(WETH, 0, 200 * WAD), owed_at_stable_rate=120 * WAD)
    found = liquidated(AavePosition((reserve(WEETH, 220 * WAD), weth), None, AaveRules.V3_0))
    assert found.repaid.value == 200 * WAD
    partly = simulate_liquidation(found.before, WETH, WEETH, 90 * WAD)
    assert partly is not None
    left = partly.after.reserve(WETH)
    assert (left.owed.value, left.owed_at_stable_rate) == (110 * WAD, 110 * WAD)


def test_liquidation__what_the_account_has_not__is_refused() -> None:
    position = leveraged(205 * WAD, 200 * WAD)
    with pytest.raises(DomainError, match="usdc: the account has nothing"):
        simulate_liquidation(position, USDC, WEETH)
    with pytest.raises(DomainError, match="owes no weeth"):
        simulate_liquidation(position, WEETH, WEETH)
    with pytest.raises(DomainError, match="weth is no collateral"):
        simulate_liquidation(position, WETH, WETH)


@pytest.mark.parametrize("amount", [0, -1])
def test_liquidation__nothing_to_cover__is_refused(amount: int) -> None:
    with pytest.raises(DomainError, match="to cover"):
        simulate_liquidation(leveraged(205 * WAD, 200 * WAD), WETH, WEETH, amount)


def test_liquidation__less_than_the_pool_can_count__is_refused() -> None:
    position = AavePosition((reserve(WEETH, 10**6, 0, 6, 10**14), reserve(WETH, 0, 10**18, 18)), None, AaveRules.V3_0)
    with pytest.raises(DomainError, match="is too little for the pool"):
        simulate_liquidation(position.marked({WEETH: 10**8}), WETH, WEETH, 1)


@pytest.mark.parametrize("rules", [AaveRules.V3_6, AaveRules.V3_7])
def test_liquidation__collateral_without_a_bonus__cannot_be_seized(rules: AaveRules) -> None:
    plain = replace(reserve(WEETH, 200 * WAD), liquidation_threshold=Bps(0), liquidation_bonus=None)
    position = AavePosition((plain, reserve(WETH, 0, 100 * WAD)), None, rules)
    assert position.account().health_factor == 0
    with pytest.raises(DomainError, match="weeth is no collateral"):
        simulate_liquidation(position, WETH, WEETH)
