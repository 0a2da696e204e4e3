"""How far a Pendle market's spot rate can be pushed: a bound in integers that is never too low."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.units import SECONDS_PER_YEAR, WAD, Wad
from navoracle.prices.pendle.manipulation import LEAST_FACTOR, manipulation_factor, natural_log_up, rate_rise

amounts = st.integers(1, 10**40)


def exact_log(numerator: int, denominator: int) -> Decimal:
    return (Decimal(numerator) / Decimal(denominator)).ln() * WAD


@given(amounts, amounts)
def test_natural_log_up__any_ratio__is_never_too_low_and_hardly_too_high(numerator: int, denominator: int) -> None:
    found = natural_log_up(numerator, denominator)
    with localcontext() as context:
        context.prec = 120
        true = max(Decimal(0), exact_log(numerator, denominator))
        assert true <= found <= true + 4 + 4 * true / WAD


@pytest.mark.parametrize("power", [0, 1, 2, 64, 128])
def test_natural_log_up__powers_of_two__are_multiples_of_ln_2(power: int) -> None:
    assert 0 <= natural_log_up(2**power, 1) - power * 693_147_180_559_945_309 <= power + 2


def test_rate_rise__market_as_measured__is_the_curves_own() -> None:
    # scalarRoot 75, half PT, 180 days to expiry: ln 24 / (75 x 365 / 180) is 2.09 %
    assert rate_rise(10**24, 10**24, 75 * WAD, 180 * 86_400) == 20_896_792_309_137_177


@given(amounts, amounts, st.integers(1, 10**24), st.integers(1, 10**9))
def test_rate_rise__more_time_or_less_pt__is_never_less(pt: int, asset: int, scalar: int, seconds: int) -> None:
    rise = rate_rise(pt, asset, scalar, seconds)
    assert rate_rise(pt, asset, scalar, seconds + 86_400) >= rise
    assert rate_rise(pt, asset + 1, scalar, seconds) >= rise
    assert rate_rise(pt, asset, scalar + 1, seconds) <= rise


def test_rate_rise__pool_at_its_limit__cannot_be_pushed_further() -> None:
    assert rate_rise(24, 1, WAD, SECONDS_PER_YEAR) == 0
    assert rate_rise(25, 1, WAD, SECONDS_PER_YEAR) == 0
    assert rate_rise(23, 1, WAD, SECONDS_PER_YEAR) > 0


@pytest.mark.parametrize(
    ("rise", "factor"),
    [
        (0, WAD),
        (WAD // 999, WAD),  # a fall of 10 bps exactly
        (WAD // 19, LEAST_FACTOR),  # a fall of 500 bps exactly
        (WAD, LEAST_FACTOR),
        (255 * WAD // 9_745, 7 * WAD // 10),  # half way
    ],
)
def test_manipulation_factor__fall_of_the_price__costs_in_a_straight_line(rise: int, factor: int) -> None:
    assert abs(manipulation_factor(Wad(rise)) - factor) <= 20


@given(st.integers(0, 10**20), st.integers(0, 10**20))
def test_manipulation_factor__easier_to_push__is_never_surer(one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert LEAST_FACTOR <= manipulation_factor(Wad(more)) <= manipulation_factor(Wad(less)) <= WAD
