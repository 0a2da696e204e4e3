"""A Morpho Blue market accrued: worked figures, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.domain.errors import OutOfRange
from navoracle.domain.morpho import MorphoMarket, accrue, is_healthy, loan_to_value, owed, supplied, taylor_compounded
from navoracle.domain.units import SECONDS_PER_YEAR, WAD, Timestamp, Wad

START = Timestamp(1_700_000_000)
DAY = 86_400


def market(**changes: int) -> MorphoMarket:
    """A million of 2.5 million is lent out."""
    fields: dict[str, Any] = {
        "total_supply_assets": 2_500_000 * 10**6,
        "total_supply_shares": 2_500_000 * 10**12,
        "total_borrow_assets": 1_000_000 * 10**6,
        "total_borrow_shares": 1_000_000 * 10**12,
        "last_update": START,
        "fee": 0,
    }
    return MorphoMarket(**{**fields, **changes})


def test_taylor__40_percent_for_90_days__is_three_terms() -> None:
    rate = Wad(4 * WAD // 10 // SECONDS_PER_YEAR)
    # x = 0.098630136982..., cut off to a whole rate per second
    assert taylor_compounded(rate, 90 * DAY) == 103653999692330902
    assert taylor_compounded(Wad(WAD), 1) == WAD + WAD // 2 + WAD // 6


def test_accrue__fee_of_ten_percent__mints_shares_for_a_tenth_of_the_interest() -> None:
    accrued = accrue(market(fee=WAD // 10), Wad(WAD // 10), Timestamp(START + 1))
    interest = (WAD // 10 + WAD // 200 + WAD // 6_000) * 10**12 // WAD
    assert accrued.market.total_borrow_assets == 10**12 + interest
    assert accrued.market.total_supply_assets == 25 * 10**11 + interest
    assert interest // 10 - 1 <= supplied(accrued.fee_shares, accrued.market) <= interest // 10


def test_shares__virtual_ones__take_part() -> None:
    assert supplied(10**6, market(total_supply_assets=0, total_supply_shares=0)) == 1
    assert owed(1, market()) == 1
    assert supplied(1, market()) == 0


@pytest.mark.parametrize(("now", "rate"), [(START - 1, 0), (START, -1)])
def test_accrue__backwards__is_refused(now: int, rate: int) -> None:
    with pytest.raises(OutOfRange, match="cannot accrue over"):
        accrue(market(), Wad(rate), Timestamp(now))


def test_accrue__beyond_128_bits__is_refused_as_the_contract_reverts() -> None:
    with pytest.raises(OutOfRange, match="outside 0 to"):
        accrue(market(), Wad(10 * WAD), Timestamp(START + 10**9))


@pytest.mark.parametrize(
    "changes",
    [
        {"total_supply_assets": -1},
        {"total_supply_shares": 2**128},
        {"total_borrow_assets": 2**128},
        {"total_borrow_shares": -1},
        {"last_update": 2**128},
        {"fee": WAD + 1},
        {"fee": -1},
    ],
)
def test_market__figure_that_the_contract_cannot_hold__is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(OutOfRange, match="holds a figure outside"):
        market(**changes)


def test_is_healthy__at_the_limit__is_healthy() -> None:
    price = 3_000 * 10**24
    assert is_healthy(2_580 * 10**6, WAD, price, Wad(86 * WAD // 100))
    assert not is_healthy(2_580 * 10**6 + 1, WAD, price, Wad(86 * WAD // 100))
    assert loan_to_value(2_580 * 10**6, WAD, price) == 86 * WAD // 100
    assert loan_to_value(0, WAD, price) == 0
    assert loan_to_value(1, 0, price) is None
