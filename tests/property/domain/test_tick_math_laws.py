"""Ticks and averages of ticks, against arithmetic of high precision."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.tick_math import (
    MAX_TICK,
    MIN_TICK,
    Q96,
    Q192,
    mean_liquidity,
    mean_tick,
    price_at,
    sqrt_ratio_at_tick,
    sqrt_ratio_of_prices,
)
from navoracle.domain.units import WAD, Wad

ticks = st.integers(MIN_TICK, MAX_TICK)
scales = st.integers(0, 36)
ratios = st.integers(sqrt_ratio_at_tick(MIN_TICK), sqrt_ratio_at_tick(MAX_TICK))
wads = st.integers(1, 10**30).map(Wad)


def exact(tick: int) -> Decimal:
    with localcontext() as context:
        context.prec = 120
        return (Decimal("1.0001") ** tick).sqrt() * Q96


@given(ticks)
def test_sqrt_ratio__any_tick__is_the_true_root_within_the_pools_own_precision(tick: int) -> None:
    found, true = sqrt_ratio_at_tick(tick), exact(tick)
    # Each of twenty products loses less than one of 128 bits, of a factor as small as the root at minus |tick|.
    lost = 21 * exact(abs(tick)) / Q96 / 2**128
    assert abs(found - true) <= 1 + true * lost


@given(st.integers(MIN_TICK, MAX_TICK - 1))
def test_sqrt_ratio__next_tick__is_higher(tick: int) -> None:
    assert sqrt_ratio_at_tick(tick) < sqrt_ratio_at_tick(tick + 1)


def test_sqrt_ratio__known_points__are_those_of_the_protocol() -> None:
    assert sqrt_ratio_at_tick(0) == Q96
    assert sqrt_ratio_at_tick(MIN_TICK) == 4_295_128_739
    assert sqrt_ratio_at_tick(MAX_TICK) == 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342
    # Here it shows that the protocol's constants are rounded to the nearest.
    assert sqrt_ratio_at_tick(193_407) == 1_254_438_145_716_537_915_468_852_558_246_390


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_sqrt_ratio__tick_out_of_range__raises(tick: int) -> None:
    with pytest.raises(OutOfRange, match=f"tick {tick} outside"):
        sqrt_ratio_at_tick(tick)


@given(ticks, st.integers(1, 10**6), st.integers(0, 10**6), st.integers(-(2**55), 2**55 - 1))
@example(-7, 600, 599, -(2**55))
@example(7, 600, 1, 2**55 - 1)
def test_mean_tick__any_counter__is_floored_to_minus_infinity_also_across_a_wrap(
    tick: int, seconds: int, extra: int, start: int
) -> None:
    change = tick * seconds + extra % seconds
    end = (start + change + 2**55) % 2**56 - 2**55
    assert mean_tick(end - start, seconds) == tick


def test_mean_tick__no_time__raises() -> None:
    with pytest.raises(DomainError):
        mean_tick(1, 0)


@given(st.integers(1, 2**120), st.integers(1, 10**6), st.integers(0, 2**160 - 1))
@example(10**18, 600, 2**160 - 1)
def test_mean_liquidity__constant_liquidity__is_found_again_also_across_a_wrap(
    liquidity: int, seconds: int, start: int
) -> None:
    change = (seconds << 128) // liquidity
    if change == 0:
        with pytest.raises(OutOfRange):
            mean_liquidity(change, seconds)
        return
    found = mean_liquidity((start + change) % 2**160 - start, seconds)
    expected = Fraction(seconds << 128, change)
    assert found <= expected < found + 2


def test_mean_liquidity__no_liquidity_at_all__is_zero() -> None:
    # The pool counts as if there was one unit.
    assert mean_liquidity(600 << 128, 600) == 0


@given(ratios, scales, scales)
def test_price__of_either_token__is_floored_once(ratio: int, first: int, second: int) -> None:
    true = Fraction(ratio * ratio * 10**first, Q192 * 10**second) * WAD
    of_first, of_second = (price_at(ratio, (first, second), of_first=side) for side in (True, False))
    assert of_first <= true < of_first + 1
    assert of_second <= WAD**2 / true < of_second + 1


@given(wads, wads, scales, scales)
def test_sqrt_ratio_of_prices__squared__is_their_ratio_from_below(
    price_0: Wad, price_1: Wad, first: int, second: int
) -> None:
    found = sqrt_ratio_of_prices(price_0, price_1, (first, second))
    true = Fraction(price_0 * 10**second, price_1 * 10**first) * Q192
    assert found * found <= true < (found + 1) ** 2


def test_sqrt_ratio_of_prices__second_price_of_zero__raises() -> None:
    with pytest.raises(DomainError):
        sqrt_ratio_of_prices(Wad(WAD), Wad(0), (18, 6))
