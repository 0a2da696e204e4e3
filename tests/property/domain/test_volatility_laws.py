"""Laws of realized volatility."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.units import SECONDS_PER_YEAR, WAD, Wad
from navoracle.domain.volatility import annualized_volatility, log_return

prices = st.lists(st.integers(10**15, 10**24).map(Wad), min_size=3, max_size=40)


@given(prices, st.integers(1, 10**30))
def test_volatility__all_prices_scaled__is_exactly_the_same(series: list[Wad], factor: int) -> None:
    scaled = [Wad(price * factor) for price in series]
    assert annualized_volatility(scaled, 300) == annualized_volatility(series, 300)


@given(prices)
def test_volatility__series_reversed__is_the_same(series: list[Wad]) -> None:
    assert annualized_volatility(series[::-1], 300) == annualized_volatility(series, 300)


@given(prices, st.integers(1, 86_400))
def test_volatility__any_series__agrees_with_floats(series: list[Wad], step: int) -> None:
    returns = [math.log(after) - math.log(before) for before, after in pairwise(series)]
    expected = statistics.stdev(returns) * math.sqrt(SECONDS_PER_YEAR / step)
    assert annualized_volatility(series, step) / WAD == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(st.integers(1, 10**40).map(Wad), st.integers(1, 10**40).map(Wad), st.integers(1, 10**40).map(Wad))
def test_log_return__over_two_steps__is_their_sum(one: Wad, two: Wad, three: Wad) -> None:
    assert abs(log_return(one, two) + log_return(two, three) - log_return(one, three)) < 2**20
    assert log_return(one, two) == -log_return(two, one)
    assert (log_return(one, two) > 0) is (two > one)
