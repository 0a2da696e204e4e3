"""Fees payable: each formula, its zeros, its rounding, and how they follow on one another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.fees import (
    FeesPayable,
    FeeState,
    FeeTerms,
    fees_payable,
    management_fee,
    performance_fee,
    performance_fee_on_total,
    raise_high_water_mark,
    withdrawal_fee,
)
from navoracle.domain.units import BPS, SECONDS_PER_YEAR, WAD, Timestamp, Wad, to_wad

NOW = Timestamp(1_700_000_000)
DAY = 86_400
TWO_PERCENT = to_wad("0.02")
TWENTY_PERCENT = to_wad("0.2")


def payable(
    terms: FeeTerms,
    *,
    mark: str | None = None,
    seconds: int | None = None,
    gross: str = "1200000",
    shares: str = "1000000",
    pending: str = "0",
) -> FeesPayable:
    return fees_payable(
        terms,
        FeeState(None if mark is None else to_wad(mark), None if seconds is None else Timestamp(NOW - seconds)),
        gross=to_wad(gross),
        shares=to_wad(shares),
        pending_withdrawals=to_wad(pending),
        now=NOW,
    )


def test_management_fee__a_whole_year__is_the_rate() -> None:
    assert management_fee(to_wad("1000000"), TWO_PERCENT, SECONDS_PER_YEAR) == to_wad("20000")


def test_management_fee__fraction_of_a_wei__is_rounded_up() -> None:
    assert management_fee(Wad(1), Wad(1), 1) == 1


@pytest.mark.parametrize("gross", [0, -1, -(10**24)])
def test_management_fee__gross_not_positive__is_zero(gross: int) -> None:
    assert management_fee(Wad(gross), TWO_PERCENT, DAY) == 0


@pytest.mark.parametrize(("rate", "seconds"), [(-1, 1), (1, -1)])
def test_management_fee__negative_rate_or_time__raises(rate: int, seconds: int) -> None:
    with pytest.raises(OutOfRange):
        management_fee(Wad(WAD), Wad(rate), seconds)


def test_performance_fee__above_the_mark__is_of_the_gain_alone() -> None:
    assert performance_fee(to_wad("1.2"), to_wad("1"), to_wad("1000000"), TWENTY_PERCENT) == to_wad("40000")


@pytest.mark.parametrize("price", ["1", "0.9", "-1"])
def test_performance_fee__at_or_under_the_mark__is_zero(price: str) -> None:
    assert performance_fee(to_wad(price), to_wad("1"), to_wad("1000000"), TWENTY_PERCENT) == 0


def test_performance_fee__one_wei_of_gain__is_rounded_up() -> None:
    assert performance_fee(Wad(WAD + 1), Wad(WAD), Wad(1), Wad(1)) == 1


@pytest.mark.parametrize(("mark", "shares", "rate"), [(-1, 1, 1), (1, -1, 1), (1, 1, -1)])
def test_performance_fee__negative_argument__raises(mark: int, shares: int, rate: int) -> None:
    with pytest.raises(OutOfRange):
        performance_fee(Wad(WAD), Wad(mark), Wad(shares), Wad(rate))


def test_performance_fee_on_total__around_the_mark__is_of_the_gain_and_never_negative() -> None:
    mark = to_wad("1000000")
    assert performance_fee_on_total(to_wad("1200000"), mark, TWENTY_PERCENT) == to_wad("40000")
    assert performance_fee_on_total(mark, mark, TWENTY_PERCENT) == 0
    assert performance_fee_on_total(Wad(-1), mark, TWENTY_PERCENT) == 0
    assert performance_fee_on_total(Wad(mark + 1), mark, Wad(1)) == 1


@pytest.mark.parametrize(("mark", "rate"), [(-1, 1), (1, -1)])
def test_performance_fee_on_total__negative_argument__raises(mark: int, rate: int) -> None:
    with pytest.raises(OutOfRange):
        performance_fee_on_total(Wad(WAD), Wad(mark), Wad(rate))


def test_withdrawal_fee__value__is_rounded_up_and_never_negative() -> None:
    assert withdrawal_fee(to_wad("50000"), to_wad("0.01")) == to_wad("500")
    assert withdrawal_fee(Wad(1), Wad(1)) == 1
    assert withdrawal_fee(Wad(0), TWO_PERCENT) == withdrawal_fee(Wad(-5), TWO_PERCENT) == 0
    with pytest.raises(OutOfRange):
        withdrawal_fee(Wad(1), Wad(-1))


def test_high_water_mark__share_price_rises_and_falls__only_rises() -> None:
    assert raise_high_water_mark(Wad(10), Wad(12)) == 12
    assert raise_high_water_mark(Wad(12), Wad(11)) == 12
    assert raise_high_water_mark(Wad(12), Wad(-11)) == 12


def test_high_water_mark__none_yet__starts_at_the_share_price() -> None:
    assert raise_high_water_mark(None, Wad(7)) == 7


@pytest.mark.parametrize("price", [0, -1])
def test_high_water_mark__none_yet_and_nothing_worth__raises(price: int) -> None:
    with pytest.raises(DomainError, match="cannot start"):
        raise_high_water_mark(None, Wad(price))


def test_fees_payable__first_valuation__owes_neither_management_nor_performance() -> None:
    terms = FeeTerms(TWO_PERCENT, TWENTY_PERCENT)
    assert payable(terms) == FeesPayable(Wad(0), Wad(0), Wad(0))


def test_fees_payable__performance__is_taken_after_the_management_fee() -> None:
    terms = FeeTerms(TWO_PERCENT, TWENTY_PERCENT)
    fees = payable(terms, mark="1", seconds=SECONDS_PER_YEAR)
    assert fees.management == to_wad("24000")
    assert fees.performance == to_wad("35200")  # (1.176 - 1) x 1,000,000 x 20 %
    assert fees.total == to_wad("59200")


def test_fees_payable__management_eats_the_gain__owes_no_performance() -> None:
    terms = FeeTerms(TWO_PERCENT, TWENTY_PERCENT)
    assert payable(terms, mark="1", seconds=SECONDS_PER_YEAR, gross="1010000").performance == 0


def test_fees_payable__withdrawals_pending__owe_their_fee() -> None:
    assert payable(FeeTerms(withdrawal_rate=to_wad("0.01")), pending="50000").withdrawal == to_wad("500")


def test_fees_payable__no_shares__owes_no_performance_per_share() -> None:
    assert payable(FeeTerms(performance_rate=TWENTY_PERCENT), mark="0.5", shares="0").performance == 0


def test_fees_payable__insolvent__owes_neither_management_nor_performance() -> None:
    terms = FeeTerms(TWO_PERCENT, TWENTY_PERCENT)
    assert payable(terms, mark="1", seconds=DAY, gross="-9500").total == 0


def test_fees_payable__total_nav_basis__measures_nav_after_management() -> None:
    terms = FeeTerms(TWO_PERCENT, TWENTY_PERCENT, basis="total_nav")
    fees = payable(terms, mark="1000000", seconds=SECONDS_PER_YEAR, shares="0")
    assert fees.performance == to_wad("35200")


def test_fees_payable__share_price_does_not_divide__takes_the_exact_one() -> None:
    state = FeeState(high_water_mark=Wad(WAD))
    fees = fees_payable(
        FeeTerms(performance_rate=Wad(WAD)),
        state,
        gross=Wad(10**25 + 1),
        shares=Wad(3 * 10**24),
        pending_withdrawals=Wad(0),
        now=NOW,
    )
    # Of the share price rounded down to 3.333333333333333333 it would be a million wei less.
    assert fees.performance == 7 * 10**24 + 1


def test_fees_payable__only_the_rest_of_the_rounded_share_price__owes_nothing() -> None:
    terms = FeeTerms(performance_rate=TWENTY_PERCENT)
    shares = Wad(3 * 10**24)
    mark = Wad(3_333_333_333_333_333_333)
    fees = fees_payable(terms, FeeState(mark), gross=Wad(10**25), shares=shares, pending_withdrawals=Wad(0), now=NOW)
    assert fees.performance == 0


def test_fees_payable__clock_ahead_of_now__raises() -> None:
    with pytest.raises(DomainError, match="fee clock"):
        payable(FeeTerms(TWO_PERCENT), seconds=-1)


def test_fees_payable__negative_shares__raises() -> None:
    with pytest.raises(OutOfRange, match="shares"):
        payable(FeeTerms(), shares="-1")


@pytest.mark.parametrize(
    "terms",
    [
        {"management_rate": -1},
        {"management_rate": WAD + 1},
        {"performance_rate": -1},
        {"performance_rate": 20 * WAD},
        {"withdrawal_rate": WAD + 1},
        {"basis": "nav"},
    ],
)
def test_terms__out_of_range__raise(terms: dict[str, Any]) -> None:
    with pytest.raises(OutOfRange):
        FeeTerms(**terms)


def test_terms__not_stated__are_zero_per_share() -> None:
    assert FeeTerms() == FeeTerms(Wad(0), Wad(0), Wad(0), "per_share")


def test_state__negative_mark__raises() -> None:
    with pytest.raises(OutOfRange):
        FeeState(high_water_mark=Wad(-1))


@given(
    st.integers(0, 10**27),
    st.integers(0, 10**27),
    st.integers(0, 10_000),
    st.integers(0, 2 * 365 * DAY),
    st.integers(1, 2 * WAD),
)
def test_fees_payable__capped__leave_a_nav_of_which_they_are_the_cap_at_most(
    gross: int, shares: int, cap: int, seconds: int, mark: int
) -> None:
    def owed(cap_bps: int | None) -> FeesPayable:
        terms = FeeTerms(TWO_PERCENT, TWENTY_PERCENT, cap_bps=cap_bps)
        state = FeeState(Wad(mark), Timestamp(NOW - seconds))
        return fees_payable(terms, state, gross=Wad(gross), shares=Wad(shares), pending_withdrawals=Wad(0), now=NOW)

    free, capped = owed(None), owed(cap)
    most = -(-gross * cap // (BPS + cap))
    assert capped.total == min(free.total, most)
    assert (capped.total - 1) * BPS < (gross - (capped.total - 1)) * cap or capped.total == 0
    assert capped.management == min(free.management, most)


def test_fees_payable__capped__takes_it_off_the_performance_fee() -> None:
    terms = FeeTerms(performance_rate=TWENTY_PERCENT, cap_bps=100)
    # A gain of 200,000 would owe 40,000; of the 1,188,118.81 that are left 1 % is owed.
    owed = payable(terms, mark="1", gross="1200000")
    assert owed.performance == -(-to_wad("1200000") // 101)


def test_fees_payable__longer_ago_than_a_fee_is_due_for__takes_the_longest_time() -> None:
    def owed(seconds: int, longest: int | None) -> Wad:
        terms = FeeTerms(TWO_PERCENT, max_seconds=longest)
        state = FeeState(Wad(WAD), Timestamp(NOW - seconds))
        gross, shares = to_wad("1000000"), to_wad("1000000")
        return fees_payable(terms, state, gross=gross, shares=shares, pending_withdrawals=Wad(0), now=NOW).management

    year = SECONDS_PER_YEAR
    assert owed(2 * year, year) == owed(year, year) == to_wad("20000")
    assert owed(2 * year, None) == to_wad("40000")
    assert owed(year - 1, year) == owed(year - 1, None)
    with pytest.raises(OutOfRange, match="longest time"):
        FeeTerms(max_seconds=-1)


@pytest.mark.parametrize("cap", [-1, 10_001])
def test_fee_terms__cap_that_is_none__raises(cap: int) -> None:
    with pytest.raises(OutOfRange, match="cap_bps"):
        FeeTerms(cap_bps=cap)
