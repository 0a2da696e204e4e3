"""Scaled integers: rounding, parsing, formatting and exact comparison."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.units import (
    MAX_DECIMALS,
    SCALES,
    WAD,
    RawAmount,
    Rounding,
    Wad,
    divide,
    exceeds_bps,
    format_wad,
    mul_div,
    to_wad,
    wad_text,
)


@pytest.mark.parametrize(
    ("a", "b", "denominator", "down", "up"),
    [
        (7, 1, 2, 3, 4),
        (-7, 1, 2, -4, -3),
        (7, -1, 2, -4, -3),
        (-7, -1, 2, 3, 4),
        (6, 1, 2, 3, 3),
        (-6, 1, 2, -3, -3),
        (0, 5, 3, 0, 0),
        (1, 1, 10**60, 0, 1),
        (-1, 1, 10**60, -1, 0),
        (10**50, 10**50, 3, (10**100 - 1) // 3, (10**100 + 2) // 3),
    ],
)
def test_mul_div__either_rounding__is_floor_or_ceiling_also_below_zero(
    a: int, b: int, denominator: int, down: int, up: int
) -> None:
    assert mul_div(a, b, denominator, Rounding.DOWN) == down
    assert mul_div(a, b, denominator, Rounding.UP) == up


@pytest.mark.parametrize("denominator", [0, -1])
@pytest.mark.parametrize("rounding", list(Rounding))
def test_divide__denominator_not_positive__raises_with_advice(denominator: int, rounding: Rounding) -> None:
    with pytest.raises(DomainError, match=f"division by {denominator}") as caught:
        divide(1, denominator, rounding)
    assert caught.value.advice


@pytest.mark.parametrize(
    ("text", "wad"),
    [
        ("0", 0),
        ("42000.5", 42_000_500_000_000_000_000_000),
        ("-1.5", -1_500_000_000_000_000_000),
        ("+2", 2 * WAD),
        ("0.000000000000000001", 1),
        ("0.0000000000000000010000", 1),
        (" 1 ", WAD),
        ("007", 7 * WAD),
        ("-0.0", 0),
    ],
)
def test_to_wad__plain_decimal__is_scaled_exactly(text: str, wad: int) -> None:
    assert to_wad(text) == wad


@pytest.mark.parametrize("text", ["", "abc", "1e3", "1,000", ".5", "5.", "--1", "1.2.3", "0x10", "NaN", "1 000", "1_0"])
def test_to_wad__not_a_plain_decimal__raises(text: str) -> None:
    with pytest.raises(DomainError, match="not a decimal number"):
        to_wad(text)


def test_to_wad__nineteen_places__raises_instead_of_rounding() -> None:
    with pytest.raises(DomainError, match="more than 18"):
        to_wad("0.0000000000000000001")


@pytest.mark.parametrize(
    ("amount", "places", "text"),
    [
        (0, 18, "0.000000000000000000"),
        (1, 18, "0.000000000000000001"),
        (-1, 18, "-0.000000000000000001"),
        (1_999_999_999_999_999_999, 2, "1.99"),
        (-1_500_000_000_000_000_000, 1, "-1.5"),
        (42 * WAD, 0, "42"),
        (-42 * WAD - 1, 0, "-42"),
    ],
)
def test_format_wad__any_places__cuts_and_never_rounds(amount: int, places: int, text: str) -> None:
    assert format_wad(amount, places) == text


@pytest.mark.parametrize("places", [-1, 19])
def test_format_wad__places_out_of_range__raises(places: int) -> None:
    with pytest.raises(OutOfRange):
        format_wad(1, places)


@pytest.mark.parametrize("decimals", [0, MAX_DECIMALS])
def test_raw_amount__decimals_at_either_end__are_held(decimals: int) -> None:
    one = RawAmount(10**decimals, decimals)
    assert one.value_at(to_wad("3"), Rounding.DOWN) == one.value_at(to_wad("3"), Rounding.UP) == to_wad("3")


@pytest.mark.parametrize("decimals", [-1, MAX_DECIMALS + 1])
def test_raw_amount__decimals_beyond__raise(decimals: int) -> None:
    with pytest.raises(OutOfRange, match="outside 0 to 36"):
        RawAmount(1, decimals)


def test_raw_amount__negative__raises_and_zero_does_not() -> None:
    assert RawAmount(0, 6).value_at(to_wad("1"), Rounding.UP) == 0
    with pytest.raises(OutOfRange, match="negative token amount"):
        RawAmount(-1, 6)


def test_raw_amount__does_not_divide__is_rounded_as_asked() -> None:
    assert RawAmount(1, 18).value_at(Wad(WAD // 2), Rounding.DOWN) == 0
    assert RawAmount(1, 18).value_at(Wad(WAD // 2), Rounding.UP) == 1


def test_scales__all_decimals__are_powers_of_ten() -> None:
    assert tuple(10**decimals for decimals in range(37)) == SCALES


@pytest.mark.parametrize("whole", [1, 3, WAD, 10**30 + 7])
def test_exceeds_bps__exactly_at_the_limit__does_not_and_one_more_does(whole: int) -> None:
    at_limit = whole * 3_000 // 10_000
    exact = at_limit * 10_000 == whole * 3_000
    assert not exceeds_bps(at_limit, whole, 3_000)
    assert exceeds_bps(at_limit + 1, whole, 3_000)
    assert exact or exceeds_bps(at_limit + 1, whole, 3_000)


def test_exceeds_bps__a_hair_above_a_limit_that_rounds__is_seen() -> None:
    # 30 % and one wei of a NAV of a million: a ratio rounded to basis points would not see it.
    nav = to_wad("1000000")
    assert not exceeds_bps(to_wad("300000"), nav, 3_000)
    assert exceeds_bps(to_wad("300000") + 1, nav, 3_000)


@given(st.integers(min_value=-(2**256), max_value=2**256))
def test_wad_text__any_integer__survives_json(amount: int) -> None:
    assert int(json.loads(json.dumps(wad_text(amount)))) == amount


def test_wad_text__missing__is_null_and_not_zero() -> None:
    missing: int | None = None
    assert wad_text(missing) is None
    assert wad_text(0) == "0"
