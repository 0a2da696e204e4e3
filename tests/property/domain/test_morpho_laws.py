"""Laws of a Morpho Blue market: interest only grows, and every rounding is against the one who asks."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from navoracle.domain.morpho import (
    MorphoMarket,
    accrue,
    is_healthy,
    loan_to_value,
    owed,
    supplied,
    taylor_compounded,
    to_shares,
)
from navoracle.domain.units import SECONDS_PER_YEAR, WAD, Rounding, Timestamp, Wad

rates = st.integers(0, 10**12).map(Wad)
spans = st.integers(0, 10 * SECONDS_PER_YEAR)
START = Timestamp(1_700_000_000)


@st.composite
def markets(draw: st.DrawFn) -> MorphoMarket:
    supply = draw(st.integers(0, 10**24))
    borrow = draw(st.integers(0, supply))
    supply_shares, borrow_shares = (draw(st.integers(assets * 10**5, assets * 10**6)) for assets in (supply, borrow))
    fee = Wad(draw(st.integers(0, WAD)))
    return MorphoMarket(supply, supply_shares, borrow, borrow_shares, START, fee)


@given(rates, spans)
def test_taylor__any_rate__lies_between_simple_interest_and_three_exact_terms(rate: Wad, seconds: int) -> None:
    exact = Fraction(rate * seconds, WAD)
    found = Fraction(taylor_compounded(rate, seconds), WAD)
    assert exact <= found <= exact + exact**2 / 2 + exact**3 / 6
    assert exact + exact**2 / 2 + exact**3 / 6 - found < Fraction(3 + exact, WAD)


@given(markets(), rates, spans)
def test_accrue__any_market__lends_and_borrows_the_same_interest(market: MorphoMarket, rate: Wad, seconds: int) -> None:
    accrued = accrue(market, rate, Timestamp(START + seconds))
    interest = accrued.market.total_borrow_assets - market.total_borrow_assets
    assert interest >= 0
    assert accrued.market.total_supply_assets - market.total_supply_assets == interest
    assert accrued.market.total_borrow_shares == market.total_borrow_shares
    assert accrued.market.total_supply_shares - market.total_supply_shares == accrued.fee_shares >= 0
    assert supplied(accrued.fee_shares, accrued.market) * WAD <= interest * market.fee
    assert accrued.market.last_update == START + seconds


@given(markets(), rates)
def test_accrue__no_time__changes_nothing(market: MorphoMarket, rate: Wad) -> None:
    accrued = accrue(market, rate, START)
    assert accrued.market == market
    assert accrued.fee_shares == 0


@given(markets(), rates, spans, st.integers(0, 10**6))
def test_accrue__later_or_dearer__owes_no_less(market: MorphoMarket, rate: Wad, seconds: int, more: int) -> None:
    debt = accrue(market, rate, Timestamp(START + seconds)).market.total_borrow_assets
    assert accrue(market, rate, Timestamp(START + seconds + more)).market.total_borrow_assets >= debt
    assert accrue(market, Wad(rate + more), Timestamp(START + seconds)).market.total_borrow_assets >= debt


@given(markets(), rates, spans, st.data())
def test_accrue__any_holder__is_never_worth_less_than_before(
    market: MorphoMarket, rate: Wad, seconds: int, data: st.DataObject
) -> None:
    accrued = accrue(market, rate, Timestamp(START + seconds)).market
    lender = data.draw(st.integers(0, market.total_supply_shares))
    borrower = data.draw(st.integers(0, market.total_borrow_shares))
    assert supplied(lender, accrued) >= supplied(lender, market)
    assert owed(borrower, accrued) >= owed(borrower, market)


@given(markets(), rates, st.integers(0, SECONDS_PER_YEAR), st.integers(0, SECONDS_PER_YEAR))
def test_accrue__touched_in_between__owes_no_less_but_for_a_rounded_unit(
    market: MorphoMarket, rate: Wad, first: int, second: int
) -> None:
    end = Timestamp(START + first + second)
    once = accrue(market, rate, end).market.total_borrow_assets
    touched = accrue(market, rate, Timestamp(START + first)).market
    twice = accrue(touched, rate, end).market.total_borrow_assets
    lost = 3 + (once - market.total_borrow_assets) // 10**9
    assert twice >= once - lost


@given(markets(), st.data())
def test_shares__split_between_two__are_worth_no_more_and_owe_no_less(
    market: MorphoMarket, data: st.DataObject
) -> None:
    lent = data.draw(st.integers(0, market.total_supply_shares))
    part = data.draw(st.integers(0, lent))
    whole, parts = supplied(lent, market), supplied(part, market) + supplied(lent - part, market)
    assert whole - 1 <= parts <= whole
    assert whole <= market.total_supply_assets + 1
    borrowed = data.draw(st.integers(0, market.total_borrow_shares))
    part = data.draw(st.integers(0, borrowed))
    whole, parts = owed(borrowed, market), owed(part, market) + owed(borrowed - part, market)
    assert whole <= parts <= whole + 1
    assert (owed(borrowed, market) == 0) == (borrowed == 0)


@given(markets(), st.data())
def test_repay__in_either_order__leaves_the_same_shares_and_never_a_free_debt(
    market: MorphoMarket, data: st.DataObject
) -> None:
    assume(market.total_borrow_shares > 0)
    first = data.draw(st.integers(0, market.total_borrow_shares))
    second = data.draw(st.integers(0, market.total_borrow_shares - first))
    left = [repaid(repaid(market, one), other) for one, other in ((first, second), (second, first))]
    assert left[0].total_borrow_shares == left[1].total_borrow_shares
    assert abs(left[0].total_borrow_assets - left[1].total_borrow_assets) <= 2
    # What a repayment rounds up is gone from the total: whoever stays owes no more than before, but for a unit.
    rest = market.total_borrow_shares - first - second
    assert owed(rest, left[0]) <= owed(rest, market) + 1


def repaid(market: MorphoMarket, shares: int) -> MorphoMarket:
    """The market after shares of its debt were repaid, as the contract does it."""
    assets = max(0, market.total_borrow_assets - owed(shares, market))
    return MorphoMarket(
        market.total_supply_assets,
        market.total_supply_shares,
        assets,
        market.total_borrow_shares - shares,
        market.last_update,
        market.fee,
    )


@given(markets(), st.integers(0, 10**24))
def test_to_shares__and_back__gains_nothing(market: MorphoMarket, assets: int) -> None:
    shares = to_shares(assets, market.total_supply_assets, market.total_supply_shares, Rounding.DOWN)
    assert supplied(shares, market) <= assets


@given(st.integers(0, 10**30), st.integers(0, 10**30), st.integers(0, 10**40), st.integers(0, WAD).map(Wad))
def test_is_healthy__lower_price_or_more_debt__never_heals(debt: int, collateral: int, price: int, lltv: Wad) -> None:
    if not is_healthy(debt, collateral, price, lltv):
        assert not is_healthy(debt + 1, collateral, price, lltv)
        assert price == 0 or not is_healthy(debt, collateral, price - 1, lltv)
    ratio = loan_to_value(debt, collateral, price)
    if ratio is None:
        assert collateral * price == 0
    else:
        assert (ratio - 1) * collateral * price < debt * 10**36 * WAD <= ratio * collateral * price
        assert ratio <= lltv or not is_healthy(debt, collateral, price, lltv)
