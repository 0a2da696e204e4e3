"""What risk is told of a loan, by any protocol: the sample's figures, buffers, and a fall of collateral."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.aave_rules import RAY, AaveRules
from navoracle.domain.errors import OutOfRange
from navoracle.domain.lending import AavePosition, AaveReserve
from navoracle.domain.morpho import MorphoMarket, MorphoPosition
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.units import WAD, Bps, RawAmount, Timestamp, Wad, to_wad

ONE_PERCENT = WAD // 100


def sample(**changes: Any) -> LendingAccount:
    """The risk document's account: 107.44 weETH against 95.796 WETH, told in ether."""
    collateral, debt = to_wad("107.44"), to_wad("95.796")
    fields: dict[str, Any] = {
        "protocol": "positions",
        "collateral": collateral,
        "debt": debt,
        "base_decimals": 18,
        "loan_to_value": Wad(-(-debt * WAD // collateral)),
        "max_ltv": to_wad("0.93"),
        "liquidation_threshold": to_wad("0.95"),
        "liquidation_bonus": Wad(ONE_PERCENT),
        "health_factor": Wad(to_wad("0.95") * collateral // debt),
        "detail": None,
    }
    return LendingAccount(**{**fields, **changes})


def reserve(token: str, supplied: int, owed: int, bonus: int | None, price: int = 10**8) -> AaveReserve:
    return AaveReserve(
        token=token,
        supplied=RawAmount(supplied, 18),
        owed=RawAmount(owed, 18),
        price=price,
        loan_to_value=Bps(8_000),
        liquidation_threshold=Bps(8_500),
        liquidation_bonus=None if bonus is None else Bps(bonus),
        protocol_fee=Bps(0),
        supply_index=RAY,
        debt_index=RAY,
        is_collateral=supplied > 0,
    )


def test_sample__figures__are_those_of_the_document_and_of_its_correction() -> None:
    found = sample()
    assert found.loan_to_value == 891623231571109457
    assert found.health_factor == 1_065472462315754311
    assert found.move_to_liquidation == 61449229925147940
    assert found.buffer_to_max_ltv == to_wad("0.93") - 891623231571109457
    assert found.buffer_to_liquidation == to_wad("0.95") - 891623231571109457
    assert not found.is_liquidatable


def test_sample__after_15_percent__is_liquidatable_with_negative_buffers() -> None:
    found = sample().dropped(to_wad("0.15"))
    assert found.collateral == to_wad("91.324")
    assert found.health_factor == 905651592968391164
    assert found.loan_to_value is not None
    assert found.loan_to_value > WAD
    assert found.buffer_to_max_ltv == to_wad("0.93") - found.loan_to_value < 0
    assert found.buffer_to_liquidation == to_wad("0.95") - found.loan_to_value < 0
    assert (found.move_to_liquidation, found.is_liquidatable) == (0, True)


@pytest.mark.parametrize(("health", "move"), [(WAD, 0), (WAD - 1, 0), (0, 0), (2 * WAD, WAD // 2), (None, None)])
def test_move_to_liquidation__health__is_one_less_its_reciprocal(health: int | None, move: int | None) -> None:
    found = sample(health_factor=health)
    assert found.move_to_liquidation == move
    assert found.is_liquidatable == (health is not None and health < WAD)


def test_account__without_collateral_worth__has_no_ratio_and_no_buffers() -> None:
    found = sample(loan_to_value=None, collateral=0, health_factor=Wad(0))
    assert (found.buffer_to_max_ltv, found.buffer_to_liquidation, found.is_liquidatable) == (None, None, True)
    fallen = sample().dropped(Wad(WAD))
    assert (fallen.collateral, fallen.loan_to_value, fallen.health_factor) == (0, None, 0)


def test_account__without_debt__has_no_health_factor_whatever_it_falls_by() -> None:
    found = sample(debt=0, loan_to_value=Wad(0), health_factor=None).dropped(to_wad("0.5"))
    assert (found.health_factor, found.loan_to_value) == (None, 0)


@pytest.mark.parametrize("name", ["collateral", "debt", "max_ltv", "liquidation_threshold", "liquidation_bonus"])
def test_account__negative_figure__is_refused(name: str) -> None:
    with pytest.raises(OutOfRange, match=f"{name} of a lending account is negative"):
        sample(**{name: -1})


@pytest.mark.parametrize("drop", [-1, WAD + 1])
def test_dropped__outside_0_to_1__is_refused(drop: int) -> None:
    with pytest.raises(OutOfRange, match="outside 0 to 1e18"):
        sample().dropped(Wad(drop))


def test_of_aave__bonus__is_that_of_the_largest_collateral() -> None:
    reserves = (reserve("a", 10 * WAD, 0, 500), reserve("b", 11 * WAD, 0, 700), reserve("c", 0, 12 * WAD, 900))
    position = AavePosition(reserves, None, AaveRules.V3_0)
    found = LendingAccount.of_aave(position, 8)
    assert (found.liquidation_bonus, found.max_ltv, found.liquidation_threshold) == (
        7 * ONE_PERCENT,
        80 * ONE_PERCENT,
        85 * ONE_PERCENT,
    )
    assert (found.collateral, found.debt) == (21 * 10**8, 12 * 10**8)
    assert (found.detail, found.protocol, found.base_decimals) == (position, "aave_v3", 8)
    bare = LendingAccount.of_aave(replace(position, reserves=reserves[2:]), 8)
    assert (bare.liquidation_bonus, bare.loan_to_value, bare.health_factor) == (0, None, 0)


def test_of_aave__dropped__keeps_what_is_collateral_and_owed_at_once() -> None:
    position = AavePosition(
        (reserve("a", 10 * WAD, 0, 500), reserve("b", 10 * WAD, 8 * WAD, 500)), None, AaveRules.V3_0
    )
    found = LendingAccount.of_aave(position, 8).dropped(to_wad("0.5"))
    assert (found.collateral, found.debt) == (15 * 10**8, 8 * 10**8)
    assert found.detail == position.dropped(to_wad("0.5"))


def test_of_morpho__market__gives_limits_bonus_and_worth() -> None:
    market = MorphoMarket(10**15, 10**21, 10**14, 10**20, Timestamp(1), Wad(0))
    position = MorphoPosition(market, 10**18, WAD, 2_000 * 10**24, to_wad("0.86"))
    found = LendingAccount.of_morpho(position, 6)
    assert (found.collateral, found.debt, found.base_decimals) == (2_000 * 10**6, position.debt, 6)
    assert found.max_ltv == found.liquidation_threshold == to_wad("0.86")
    # 1 / (1 - 0.3 x 0.14) - 1
    assert found.liquidation_bonus == 43841336116910229
    assert found.health_factor == 1_720 * 10**6 * WAD // position.debt
    assert found.detail == position
    assert found.dropped(to_wad("0.25")).collateral == 1_500 * 10**6


@given(st.integers(1, 10**30), st.integers(1, 10**30), st.integers(0, WAD), st.integers(0, 10**21).map(Wad))
def test_account__ratios__round_against_the_borrower(collateral: int, debt: int, drop: int, health: Wad) -> None:
    move = sample(health_factor=health).move_to_liquidation
    assert move is not None
    if health <= WAD:
        assert move == 0
    else:
        assert (WAD - move) * health >= WAD * WAD
        assert (WAD - move - 1) * health < WAD * WAD
    found = sample(collateral=collateral, debt=debt).dropped(Wad(drop))
    assert found.collateral * WAD <= collateral * (WAD - drop)
    assert found.health_factor is not None
    assert found.health_factor * debt <= found.collateral * found.liquidation_threshold
    if found.loan_to_value is not None:
        assert (found.loan_to_value - 1) * found.collateral < debt * WAD <= found.loan_to_value * found.collateral
