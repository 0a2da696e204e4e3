"""Liquidations in a Morpho Blue market: worked figures, and what the contract refuses."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.morpho import MorphoMarket, MorphoPosition, liquidation_incentive_factor
from navoracle.domain.morpho_liquidation import MorphoLiquidation, simulate_liquidation
from navoracle.domain.units import WAD, Timestamp, Wad, to_wad

USDC = 10**6


def position(price: int, collateral: int = 100 * WAD, shares: int = 200_000 * 10**12) -> MorphoPosition:
    """200,000 of a million owed, against 100 WETH at a price in dollars, in a market of 86 %."""
    market = MorphoMarket(2_500_000 * USDC, 25 * 10**17, 1_000_000 * USDC, 10**18, Timestamp(1), Wad(0))
    return MorphoPosition(market, shares, collateral, price * 10**24, to_wad("0.86"))


def liquidated(found: MorphoLiquidation | None) -> MorphoLiquidation:
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("lltv", "factor"),
    [
        ("0.86", 1_043841336116910229),
        ("0.945", 1_016776817488561260),
        ("0.385", WAD * 115 // 100),
        ("0.56", WAD * 115 // 100),
        ("0.6", 1_136363636363636363),
        ("0", WAD * 115 // 100),
    ],
)
def test_incentive__limit__is_the_formulas_capped_at_15_percent(lltv: str, factor: int) -> None:
    assert liquidation_incentive_factor(to_wad(lltv)) == factor


def test_liquidation__healthy__is_none() -> None:
    # 200,000 / 0.86 / 100 = 2,325.58 dollars a piece
    assert simulate_liquidation(position(2_326)) is None
    assert simulate_liquidation(position(2_325)) is not None


def test_liquidation__collateral_lasts__repays_the_whole_debt_with_the_incentive() -> None:
    found = liquidated(simulate_liquidation(position(2_300)))
    assert (found.repaid, found.repaid_shares) == (200_000 * USDC, 200_000 * 10**12)
    assert found.seized == (200_000 * USDC * 1_043841336116910229 // WAD) * 10**12 // 2_300
    assert (found.bad_debt, found.after.borrow_shares) == (0, 0)
    assert found.after.collateral == 100 * WAD - found.seized
    assert found.after.market.total_borrow_assets == 800_000 * USDC
    # What the liquidator gets beyond what it repaid: 4.38 %.
    assert found.lost == 8_768_267_223


def test_liquidation__collateral_does_not_last__leaves_bad_debt() -> None:
    found = liquidated(simulate_liquidation(position(2_000)))
    assert found.seized == 100 * WAD
    repaid = -(-200_000 * USDC * WAD // 1_043841336116910229)
    assert found.repaid == repaid + 1 or found.repaid == repaid
    assert found.bad_debt == pytest.approx(200_000 * USDC - repaid, abs=1)
    assert found.after.market.total_supply_assets == 2_500_000 * USDC - found.bad_debt
    assert (found.after.collateral, found.after.borrow_shares, found.after.health_factor) == (0, 0, None)


def test_liquidation__collateral_a_wei_short_of_the_debt__takes_all_of_it() -> None:
    collateral = liquidated(simulate_liquidation(position(2_300))).seized - 1
    found = liquidated(simulate_liquidation(position(2_300, collateral)))
    assert (found.seized, found.after.collateral, found.after.borrow_shares) == (collateral, 0, 0)


def test_liquidation__in_part__heals() -> None:
    before = position(2_300)
    found = liquidated(simulate_liquidation(before, seized=10 * WAD))
    assert found.repaid == -(-23_000 * USDC * WAD // 1_043841336116910229)
    assert found.after.health_factor is not None
    assert before.health_factor is not None
    assert found.after.health_factor > before.health_factor
    same = liquidated(simulate_liquidation(before, repaid_shares=found.repaid_shares))
    assert same.repaid == found.repaid
    assert 0 <= same.seized - found.seized <= 10**12


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"seized": 1, "repaid_shares": 1}, "one of them follows from the other"),
        ({"seized": 0}, "nothing is seized"),
        ({"repaid_shares": -1}, "nothing is seized"),
        ({"seized": 100 * WAD + 1}, "of 100000000000000000000 collateral"),
        ({"repaid_shares": 200_000 * 10**12 + 1}, "of 200000000000000000 shares"),
    ],
)
def test_liquidation__that_the_contract_would_refuse__is_refused(asked: dict[str, int], message: str) -> None:
    with pytest.raises(DomainError, match=message):
        simulate_liquidation(position(2_300), **asked)


def test_liquidation__price_of_zero__takes_the_collateral_for_nothing() -> None:
    found = liquidated(simulate_liquidation(position(0)))
    assert (found.seized, found.repaid, found.bad_debt, found.lost) == (100 * WAD, 0, 200_000 * USDC, 0)
    with pytest.raises(DomainError, match="division by 0"):
        simulate_liquidation(position(0), repaid_shares=1)


def test_liquidation__nothing_pledged__cannot_be() -> None:
    with pytest.raises(DomainError, match="nothing is seized"):
        simulate_liquidation(position(2_300, collateral=0))


@pytest.mark.parametrize(
    "changes",
    [{"borrow_shares": -1}, {"borrow_shares": 10**18 + 1}, {"collateral": -1}, {"collateral": 2**128}, {"price": -1}],
)
def test_position__that_the_contract_cannot_hold__is_refused(changes: dict[str, Any]) -> None:
    fields = {"borrow_shares": 1, "collateral": 1, "price": 1, "lltv": Wad(1), "market": position(1).market}
    with pytest.raises(OutOfRange, match="not a position"):
        MorphoPosition(**{**fields, **changes})


@pytest.mark.parametrize("lltv", [-1, WAD])
def test_position__limit_outside_0_to_1__is_refused(lltv: int) -> None:
    with pytest.raises(OutOfRange, match="lies outside 0 to 1e18"):
        MorphoPosition(position(1).market, 1, 1, 1, Wad(lltv))


@pytest.mark.parametrize("drop", [-1, WAD + 1])
def test_dropped__outside_0_to_1__is_refused(drop: int) -> None:
    with pytest.raises(OutOfRange, match="outside 0 to 1e18"):
        position(1).dropped(Wad(drop))
