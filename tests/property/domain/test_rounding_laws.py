"""Every division rounds against the fund's optimism, at every scale; nothing comes out of nothing."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.fees import (
    FeeState,
    FeeTerms,
    fees_payable,
    management_fee,
    performance_fee,
    performance_fee_on_total,
    raise_high_water_mark,
    withdrawal_fee,
)
from navoracle.domain.flows import distributions_added_back, dividend_per_share
from navoracle.domain.income import accrued_income, unrealized_gain
from navoracle.domain.shares import price_per_share, redemption, shares_for_delta
from navoracle.domain.units import (
    BPS,
    SECONDS_PER_YEAR,
    WAD,
    RawAmount,
    Rounding,
    Timestamp,
    Wad,
    divide,
    exceeds_bps,
    format_wad,
    mul_div,
    to_wad,
)
from tests.property.domain.strategies import positive_wads, rates, raw_amounts, seconds, wads

signed = st.integers(-(10**40), 10**40)


@given(signed, st.integers(1, 10**40))
def test_divide__any_integers__is_floor_or_ceiling(numerator: int, denominator: int) -> None:
    assert divide(numerator, denominator, Rounding.DOWN) == floor(Fraction(numerator, denominator))
    assert divide(numerator, denominator, Rounding.UP) == ceil(Fraction(numerator, denominator))


@given(signed, signed, st.integers(1, 10**40))
def test_mul_div__any_integers__rounds_the_exact_product_once(a: int, b: int, denominator: int) -> None:
    assert mul_div(a, b, denominator, Rounding.DOWN) == floor(Fraction(a * b, denominator))
    assert mul_div(a, b, denominator, Rounding.UP) == ceil(Fraction(a * b, denominator))


@given(signed)
def test_wad__formatted_and_parsed__is_the_same(amount: int) -> None:
    assert to_wad(format_wad(amount)) == amount


@given(wads, positive_wads, st.integers(0, 20_000))
def test_exceeds_bps__any_ratio__is_exact(part: Wad, whole: Wad, limit: int) -> None:
    assert exceeds_bps(part, whole, limit) is (Fraction(part, whole) > Fraction(limit, BPS))


@given(raw_amounts, wads)
def test_value__of_any_decimals__brackets_the_exact_value(amount: RawAmount, price: Wad) -> None:
    exact = Fraction(amount.value * price, 10**amount.decimals)
    assert amount.value_at(price, Rounding.DOWN) == floor(exact)
    assert amount.value_at(price, Rounding.UP) == ceil(exact)


@given(st.integers(0, 10**30), st.integers(0, 36), st.integers(0, 36), wads)
def test_value__same_tokens_in_other_decimals__is_the_same(tokens: int, one: int, other: int, price: Wad) -> None:
    values = {RawAmount(tokens * 10**scale, scale).value_at(price, Rounding.DOWN) for scale in (one, other)}
    assert values == {tokens * price}


@given(raw_amounts, rates, seconds, wads)
def test_income__any_amount__is_rounded_down(amount: RawAmount, rate: Wad, time: int, price: Wad) -> None:
    exact = Fraction(amount.value * rate * time * price, 10**amount.decimals * WAD * SECONDS_PER_YEAR)
    assert accrued_income(amount, rate, time, price) == floor(exact)


@given(raw_amounts, wads, wads)
def test_gain__any_prices__is_rounded_down_and_no_more_than_the_marked_value_explains(
    amount: RawAmount, entry: Wad, price: Wad
) -> None:
    gain = unrealized_gain(amount, entry, price)
    assert gain == floor(Fraction(amount.value * (price - entry), 10**amount.decimals))
    cost = amount.value_at(entry, Rounding.DOWN)
    assert 0 <= amount.value_at(price, Rounding.DOWN) - (cost + gain) <= 1


@given(st.integers(-(10**30), 10**30).map(Wad), rates, seconds)
def test_management_fee__any_gross__is_rounded_up_and_zero_below_zero(gross: Wad, rate: Wad, time: int) -> None:
    exact = Fraction(max(0, gross) * rate * time, WAD * SECONDS_PER_YEAR)
    assert management_fee(gross, rate, time) == ceil(exact)


@given(wads, rates, seconds, seconds)
def test_management_fee__taken_in_two_parts__costs_at_most_a_wei_more(
    gross: Wad, rate: Wad, first: int, second: int
) -> None:
    parts = management_fee(gross, rate, first) + management_fee(gross, rate, second)
    assert 0 <= parts - management_fee(gross, rate, first + second) <= 1


@given(st.integers(-(10**30), 10**30).map(Wad), wads, wads, rates)
def test_performance_fee__any_mark__is_rounded_up_and_zero_under_it(
    price: Wad, mark: Wad, shares: Wad, rate: Wad
) -> None:
    gain = max(0, price - mark)
    assert performance_fee(price, mark, shares, rate) == ceil(Fraction(gain * shares * rate, WAD * WAD))
    assert performance_fee_on_total(price, mark, rate) == ceil(Fraction(gain * rate, WAD))


@given(wads, wads, wads, rates)
def test_performance_fee__shares_split_in_two__costs_at_most_a_wei_more(
    price: Wad, one: Wad, other: Wad, rate: Wad
) -> None:
    parts = performance_fee(price, Wad(WAD), one, rate) + performance_fee(price, Wad(WAD), other, rate)
    assert 0 <= parts - performance_fee(price, Wad(WAD), Wad(one + other), rate) <= 1


@given(wads, wads, rates)
def test_withdrawal_fee__value_split_in_two__costs_at_most_a_wei_more(one: Wad, other: Wad, rate: Wad) -> None:
    whole = withdrawal_fee(Wad(one + other), rate)
    assert 0 <= withdrawal_fee(one, rate) + withdrawal_fee(other, rate) - whole <= 1
    assert whole == ceil(Fraction((one + other) * rate, WAD))


@given(st.integers(-(10**30), 10**30).map(Wad), positive_wads, wads, rates, rates, seconds)
def test_fees_payable__per_share__is_the_exact_fee_rounded_up_or_nothing_at_the_mark(
    gross: Wad, shares: Wad, mark: Wad, management: Wad, performance: Wad, time: int
) -> None:
    now = Timestamp(2_000_000_000)
    fees = fees_payable(
        FeeTerms(management, performance),
        FeeState(mark, Timestamp(now - time)),
        gross=gross,
        shares=shares,
        pending_withdrawals=Wad(0),
        now=now,
    )
    left = Wad(gross - fees.management)
    price = price_per_share(left, shares)
    exact = (Fraction(left * WAD, shares) - mark) * shares * performance / (WAD * WAD)
    assert fees.performance == (ceil(exact) if price > mark else 0)
    assert fees.performance >= performance_fee(price, mark, shares, performance)
    assert fees.total == fees.management + fees.performance


@given(st.lists(positive_wads, min_size=1, max_size=20))
def test_high_water_mark__any_share_prices__never_falls_and_is_their_highest(share_prices: list[Wad]) -> None:
    mark = None
    marks = [mark := raise_high_water_mark(mark, price) for price in share_prices]
    assert marks == sorted(marks)
    assert marks[-1] == max(share_prices)


@given(st.integers(-(10**30), 10**30).map(Wad), positive_wads)
def test_price_per_share__times_shares__is_the_nav_within_rounding(nav: Wad, shares: Wad) -> None:
    assert 0 <= nav * WAD - price_per_share(nav, shares) * shares < shares


@given(positive_wads, positive_wads, positive_wads)
def test_shares__minted_then_redeemed__never_return_more_than_was_paid(deposit: Wad, nav: Wad, shares: Wad) -> None:
    minted = shares_for_delta(deposit, nav, shares)
    assert redemption(nav + deposit, minted, Wad(shares + minted)) <= deposit
    assert minted * nav <= deposit * shares


@given(positive_wads)
def test_shares__first_deposit_then_redeemed__returns_what_was_paid(deposit: Wad) -> None:
    minted = shares_for_delta(deposit, Wad(0), Wad(0))
    assert redemption(deposit, minted, minted) == deposit


@given(positive_wads, positive_wads, positive_wads)
def test_shares__minted__never_lower_the_others_share_price(deposit: Wad, nav: Wad, shares: Wad) -> None:
    minted = shares_for_delta(deposit, nav, shares)
    assert price_per_share(Wad(nav + deposit), Wad(shares + minted)) >= price_per_share(nav, shares)


@given(positive_wads, positive_wads, positive_wads, positive_wads)
def test_shares__deposit_in_two_parts__never_buys_more(one: Wad, other: Wad, nav: Wad, shares: Wad) -> None:
    first = shares_for_delta(one, nav, shares)
    second = shares_for_delta(other, nav, shares)
    assert first + second <= shares_for_delta(Wad(one + other), nav, shares)


@given(st.integers(0, 10**40), st.lists(wads, min_size=1, max_size=8))
def test_redemption__by_every_holder__never_pays_out_more_than_there_is(amount: int, holders: list[Wad]) -> None:
    shares = Wad(sum(holders))
    if shares:
        paid = sum(redemption(amount, holder, shares) for holder in holders)
        assert amount - len(holders) < paid <= amount


@given(wads, positive_wads)
def test_dividend__any_amount__adds_back_no_more_than_was_paid(amount: Wad, shares: Wad) -> None:
    per_share = dividend_per_share(amount, shares)
    assert per_share * shares <= amount * WAD < (per_share + 1) * shares
    assert distributions_added_back(Wad(7), per_share) == 7 + per_share
