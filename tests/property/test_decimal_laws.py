"""Decimal text as scaled integers: the laws of an exact reading."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.units import Rounding
from navoracle.services import scaled_decimal

DIGITS = st.text("0123456789", min_size=1, max_size=40)
NUMBERS = st.builds(
    lambda sign, whole, fraction, mark, exponent: (
        f"{sign}{whole}{fraction}{mark}{exponent}" if mark else sign + whole + fraction
    ),
    st.sampled_from(["", "-", "+"]),
    DIGITS,
    st.one_of(st.just(""), DIGITS.map(lambda digits: f".{digits}")),
    st.sampled_from(["", "e", "E"]),
    st.integers(-77, 77),
)
PLACES = st.integers(0, 36)


@given(NUMBERS, PLACES)
def test_scaled_decimal__any_number__is_its_floor_and_its_ceiling(text: str, places: int) -> None:
    exact = Fraction(text) * 10**places
    down, up = (scaled_decimal(text, places, rounding) for rounding in (Rounding.DOWN, Rounding.UP))
    assert down <= exact <= up
    assert exact - down < 1
    assert up - exact < 1


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e60, max_value=1e60).filter(
        lambda x: x == 0 or abs(x) > 1e-60
    )
)
def test_scaled_decimal__text_of_a_machine_number__is_that_decimal(number: float) -> None:
    assert scaled_decimal(repr(number), 18, Rounding.DOWN) <= Fraction(repr(number)) * 10**18
    assert scaled_decimal(repr(number), 18, Rounding.UP) >= Fraction(repr(number)) * 10**18
