"""The fees of two other systems, against exact fractions that are rounded where the contracts round."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.fee_models import (
    LagoonFees,
    LagoonFeeState,
    VedaFees,
    VedaFeeState,
    lagoon_fees,
    lagoon_flow_fee,
    veda_fees,
)
from navoracle.domain.units import BPS, SECONDS_PER_YEAR, Timestamp

NOW = Timestamp(1_800_000_000)
YEAR = SECONDS_PER_YEAR
supplies = st.integers(0, 10**27)
rates = st.integers(0, 10**22)
bps = st.integers(0, 5_000)
periods = st.integers(0, 3 * YEAR)

VEDA = VedaFeeState(
    exchange_rate=1_000_000,
    high_water_mark=1_000_000,
    fees_owed=7,
    shares_last_update=10**12,
    last_update=Timestamp(NOW - YEAR),
    platform_bps=200,
    performance_bps=1_000,
    share_decimals=6,
)
LAGOON = LagoonFeeState(
    total_assets=10**12,
    total_supply=10**24,
    high_water_mark=10**6,
    last_fee_time=Timestamp(NOW - YEAR),
    management_bps=200,
    performance_bps=2_000,
    protocol_bps=1_000,
    share_decimals=18,
    decimals_offset=12,
)


def test_veda_fees__a_year_and_ten_percent__are_two_percent_of_the_old_assets_and_a_tenth_of_the_gain() -> None:
    found = veda_fees(VEDA, new_rate=1_100_000, shares=2 * 10**12, now=NOW)
    # Twice the shares now: the fees are on the smaller supply of a million, at the lower rate of 1.00.
    assert found == VedaFees(
        platform=20_000 * 10**6, performance=10_000 * 10**6, fees_owed=30_000 * 10**6 + 7, high_water_mark=1_100_000
    )


def test_veda_fees__under_the_mark__are_platform_fees_on_the_new_rate_alone() -> None:
    found = veda_fees(VEDA, new_rate=900_000, shares=10**11, now=NOW)
    assert found == VedaFees(1_800 * 10**6, 0, 1_800 * 10**6 + 7, 1_000_000)


@given(rates, rates, rates, supplies, supplies, periods, bps, bps, st.sampled_from([6, 8, 18]))
def test_veda_fees__any_update__round_every_step_down(
    old: int, new: int, mark: int, shares: int, before: int, seconds: int, platform: int, performance: int, digits: int
) -> None:
    state = VedaFeeState(old, mark, 0, before, Timestamp(NOW - seconds), platform, performance, digits)
    supply, one = min(shares, before), 10**digits
    assets = floor(Fraction(supply * min(old, new), one))
    yearly = floor(Fraction(assets * platform, BPS))
    gain = floor(Fraction(max(0, new - mark) * supply, one))
    exact = Fraction(supply * min(old, new) * platform * seconds, one * BPS * YEAR)
    if exact + gain >= 2**127:
        return
    found = veda_fees(state, new_rate=new, shares=shares, now=NOW)
    assert found.platform == floor(Fraction(yearly * seconds, YEAR))
    assert found.performance == floor(Fraction(gain * performance, BPS))
    assert found.platform <= exact
    assert found.high_water_mark == max(mark, new)
    assert found.fees_owed == found.platform + found.performance
    assert veda_fees(state, new_rate=new, shares=before, now=NOW) == veda_fees(
        state, new_rate=new, shares=max(before, shares), now=NOW
    )


def test_veda_fees__impossible_figures__are_refused() -> None:
    with pytest.raises(DomainError):
        veda_fees(VEDA, new_rate=1, shares=1, now=Timestamp(VEDA.last_update - 1))
    full = replace(VEDA, fees_owed=2**128 - 1, platform_bps=0)
    assert veda_fees(full, new_rate=1, shares=1, now=NOW).fees_owed == 2**128 - 1
    with pytest.raises(OutOfRange):
        veda_fees(replace(full, platform_bps=200), new_rate=1_000_000, shares=10**12, now=NOW)


def test_lagoon_fees__a_year_and_ten_percent__are_on_the_mean_of_the_assets() -> None:
    found = lagoon_fees(LAGOON, new_total_assets=11 * 10**11, now=NOW)
    # 2 % of 1.05 million; the share price after it is 1.079, of whose gain of 79,000 a fifth is taken.
    assert (found.management, found.performance) == (21_000 * 10**6, 15_800 * 10**6)
    left = 11 * 10**11 - 36_800 * 10**6 + 1
    assert found.management_shares == ceil(Fraction(21_000 * 10**6 * (10**24 + 10**12), left))
    assert found.performance_shares == ceil(Fraction(15_800 * 10**6 * (10**24 + 10**12), left))
    assert found.minted == found.management_shares + found.performance_shares
    assert found.protocol_shares == -(-found.management_shares // 10) - (-found.performance_shares // 10)
    assert found.high_water_mark == 1_063_199


@given(
    st.integers(1, 10**24),
    st.integers(1, 10**24),
    supplies,
    st.integers(0, 10**9),
    st.integers(0, 2 * YEAR),
    st.integers(0, 1_000),
    bps,
    st.integers(0, 10_000),
    st.sampled_from([(18, 12), (18, 0), (6, 0)]),
)
def test_lagoon_fees__any_settlement__round_every_step_up(
    old: int,
    new: int,
    supply: int,
    mark: int,
    seconds: int,
    management: int,
    performance: int,
    protocol: int,
    scale: tuple[int, int],
) -> None:
    digits, offset = scale
    state = LagoonFeeState(
        old, supply, mark, Timestamp(NOW - seconds), management, performance, protocol, digits, offset
    )
    one, virtual = 10**digits, supply + 10**offset
    due = ceil(Fraction(ceil(Fraction((old + new) // 2 * management, BPS)) * seconds, YEAR))
    price = ceil(Fraction(one * (new + 1 - due), virtual))
    profit = ceil(Fraction(max(0, price - mark) * supply, one))
    gain = ceil(Fraction(profit * performance, BPS))
    if due + gain > new:
        with pytest.raises(OutOfRange):
            lagoon_fees(state, new_total_assets=new, now=NOW)
        return
    found = lagoon_fees(state, new_total_assets=new, now=NOW)
    assert (found.management, found.performance) == (due, gain)
    left, both = new - due - gain + 1, (found.management_shares, found.performance_shares)
    assert both == (ceil(Fraction(due * virtual, left)), ceil(Fraction(gain * virtual, left)))
    parts = [(shares, ceil(Fraction(shares * min(protocol, 3_000), BPS))) for shares in both]
    assert found.protocol_shares == sum(part for shares, part in parts if part < shares)
    assert found.manager_shares == sum(shares - part for shares, part in parts if part < shares)
    after = floor(Fraction(one * (new + 1), virtual + found.minted))
    assert found.high_water_mark == max(mark, after)


def test_lagoon_fees__one_fee_share__is_minted_to_nobody_where_the_protocol_takes_a_part() -> None:
    single = replace(LAGOON, total_assets=10, total_supply=10, decimals_offset=0, share_decimals=0, high_water_mark=10)
    found = lagoon_fees(single, new_total_assets=10, now=NOW)
    assert found == LagoonFees(1, 0, 2, 0, 1, 1, 10)
    # 1 x 10 / 10: one share, of which the protocol's part, rounded up, is all.
    found = lagoon_fees(replace(single, total_supply=9), new_total_assets=10, now=NOW)
    assert (found.management_shares, found.minted) == (1, 0)


def test_lagoon_fees__taken_after_now__are_refused() -> None:
    with pytest.raises(DomainError):
        lagoon_fees(LAGOON, new_total_assets=1, now=Timestamp(LAGOON.last_fee_time - 1))


@given(supplies, st.integers(0, 200))
def test_lagoon_flow_fee__any_rate__is_rounded_up(shares: int, rate: int) -> None:
    assert lagoon_flow_fee(shares, rate) == ceil(Fraction(shares * rate, BPS))
