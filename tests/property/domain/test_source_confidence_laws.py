"""What holds for every source's confidence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.prices.source_confidence import depth_factor, dispersion_factor, source_confidence
from navoracle.domain.units import BPS, WAD, Bps, Wad

factors = st.lists(st.integers(0, WAD).map(Wad), max_size=4)
amounts = st.integers(0, 10**40)
positive = st.integers(1, 10**40)


@given(st.integers(0, BPS).map(Bps), factors)
def test_source_confidence__any_factors__never_exceeds_the_base(base: Bps, some: list[Wad]) -> None:
    assert 0 <= source_confidence(base, *some) <= base


@given(st.integers(0, BPS).map(Bps), factors)
def test_source_confidence__factors_in_another_order__is_the_same(base: Bps, some: list[Wad]) -> None:
    assert source_confidence(base, *some) == source_confidence(base, *reversed(some))


@given(amounts, amounts, positive)
def test_dispersion_factor__wider_interval__is_never_surer(one: int, other: int, value: int) -> None:
    narrow, wide = sorted((one, other))
    assert dispersion_factor(narrow, value) >= dispersion_factor(wide, value)


@given(amounts, positive, st.integers(1, 10**9))
def test_dispersion_factor__both_in_another_scale__is_the_same(deviation: int, value: int, scale: int) -> None:
    assert dispersion_factor(deviation, value) == dispersion_factor(deviation * scale, value * scale)


@given(amounts, amounts, positive)
def test_depth_factor__more_liquidity__is_never_less_sure(one: int, other: int, required: int) -> None:
    thin, deep = sorted((one, other))
    assert 0 <= depth_factor(thin, required) <= depth_factor(deep, required) <= WAD
