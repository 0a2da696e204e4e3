"""From Wad to a contract's integer and back, at every scale, at the bounds of the field and one unit beyond."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.conversions import (
    ANSWER_DECIMALS,
    INT192,
    INT256,
    UINT96,
    UINT128,
    UINT224,
    UINT256,
    IntegerType,
    from_units,
    integer_type,
    inverted_asset_price,
    inverted_price,
    price_of_inverted,
    price_to_units,
    to_units,
)
from navoracle.domain.errors import OutOfRange
from navoracle.domain.units import WAD, Rounding, Wad

DOWN, UP = Rounding.DOWN, Rounding.UP
SCALES = (0, 6, 8, 18, 27)
at_every_scale = pytest.mark.parametrize("decimals", SCALES)
signed = st.integers(-(10**45), 10**45)
prices = st.integers(1, 10**36).map(Wad)
roundings = st.sampled_from(Rounding)
fields = pytest.mark.parametrize("field", [UINT96, UINT128, UINT224, UINT256, INT192, INT256], ids=lambda t: t.name)


@at_every_scale
@given(signed)
def test_to_units__any_value__is_the_floor_or_the_ceiling_of_the_exact_number(decimals: int, value: int) -> None:
    exact = Fraction(value * 10**decimals, WAD)
    assert to_units(Wad(value), decimals, DOWN) == floor(exact)
    assert to_units(Wad(value), decimals, UP) == ceil(exact)


@at_every_scale
@given(signed)
def test_from_units__any_value__is_the_floor_or_the_ceiling_of_the_exact_number(decimals: int, units: int) -> None:
    exact = Fraction(units * WAD, 10**decimals)
    assert from_units(units, decimals, DOWN) == floor(exact)
    assert from_units(units, decimals, UP) == ceil(exact)


@at_every_scale
@given(signed)
def test_to_units__there_and_back__never_gains_and_loses_less_than_one_unit(decimals: int, value: int) -> None:
    back = from_units(to_units(Wad(value), decimals, DOWN), decimals, DOWN)
    assert 0 <= value - back < 10 ** max(0, 18 - decimals)
    assert from_units(to_units(Wad(value), decimals, UP), decimals, UP) >= value


@at_every_scale
@given(signed)
def test_to_units__of_the_wad_of_a_unit__is_that_unit_where_the_scale_is_no_finer_than_a_wad(
    decimals: int, units: int
) -> None:
    if decimals <= 18:
        assert to_units(from_units(units, decimals, DOWN), decimals, DOWN) == units
        assert to_units(from_units(units, decimals, UP), decimals, UP) == units
    else:
        assert to_units(from_units(units, decimals, DOWN), decimals, DOWN) <= units
        assert to_units(from_units(units, decimals, UP), decimals, UP) >= units


@at_every_scale
@given(signed, st.integers(0, 10**30), roundings)
def test_to_units__a_higher_value__is_never_fewer_units(
    decimals: int, value: int, more: int, rounding: Rounding
) -> None:
    assert to_units(Wad(value + more), decimals, rounding) >= to_units(Wad(value), decimals, rounding)
    assert from_units(value + more, decimals, rounding) >= from_units(value, decimals, rounding)


@at_every_scale
@given(prices)
def test_inverted_price__any_price__is_the_floor_or_the_ceiling_of_the_shares_that_1e18_units_buy(
    decimals: int, price: Wad
) -> None:
    exact = WAD * WAD / (Fraction(price, WAD) * 10**decimals)
    if floor(exact) >= 1 and ceil(exact) <= UINT224.maximum:
        assert inverted_price(price, decimals, DOWN) == floor(exact)
        assert inverted_price(price, decimals, UP) == ceil(exact)
    else:
        with pytest.raises(OutOfRange):
            inverted_price(price, decimals, DOWN)


@at_every_scale
@given(prices)
def test_inverted_price__rounded_up_and_turned_back__never_states_more_than_the_price(
    decimals: int, price: Wad
) -> None:
    inverted = inverted_price(price, decimals, UP)
    back = price_of_inverted(inverted, decimals, DOWN)
    exact = WAD * WAD * WAD
    assert back <= price
    # The price that one unit less would state is not under the true one: the loss is less than that of one unit.
    assert inverted == 1 or exact > price * 10**decimals * (inverted - 1)


@at_every_scale
@given(st.integers(1, UINT224.maximum))
def test_price_of_inverted__any_report__is_the_floor_or_the_ceiling(decimals: int, inverted: int) -> None:
    exact = Fraction(WAD**3, inverted * 10**decimals)
    assert price_of_inverted(inverted, decimals, DOWN) == floor(exact)
    assert price_of_inverted(inverted, decimals, UP) == ceil(exact)


@at_every_scale
@given(prices, prices, roundings)
def test_inverted_price__a_higher_price__is_never_more_shares(
    decimals: int, low: Wad, high: Wad, rounding: Rounding
) -> None:
    low, high = min(low, high), max(low, high)
    if high * 10**decimals <= WAD**3:
        assert inverted_price(high, decimals, rounding) <= inverted_price(low, decimals, rounding)


@pytest.mark.parametrize(
    ("price", "decimals", "inverted"), [(WAD, 6, 10**30), (WAD, 18, WAD), (2 * WAD, 8, 5 * 10**27)]
)
def test_inverted_price__figures_of_the_peer__are_met(price: int, decimals: int, inverted: int) -> None:
    assert inverted_price(Wad(price), decimals, DOWN) == inverted_price(Wad(price), decimals, UP) == inverted
    assert price_of_inverted(inverted, decimals, DOWN) == price


@at_every_scale
def test_inverted_price__at_the_last_price_that_is_not_zero__is_one_and_then_refused(decimals: int) -> None:
    last = WAD**3 // 10**decimals
    assert inverted_price(Wad(last), decimals, DOWN) == 1
    with pytest.raises(OutOfRange):
        inverted_price(Wad(last + 1), decimals, DOWN)


def test_inverted_price__more_than_a_uint224__is_refused() -> None:
    # 1e54 / 1 fits a uint224 (2.69e67) at every price; the price of another asset need not.
    assert inverted_price(Wad(1), 0, DOWN) == 10**54
    within = UINT224.maximum // 10**54
    of = {"base_decimals": 0, "asset_decimals": 0, "rounding": DOWN}
    assert inverted_asset_price(10**54, Wad(within * WAD), **of) == within * 10**54  # type: ignore[arg-type]
    with pytest.raises(OutOfRange):
        inverted_asset_price(10**54, Wad((within + 1) * WAD), **of)  # type: ignore[arg-type]


@given(st.sampled_from(SCALES), st.sampled_from(SCALES), prices, st.integers(10**6, 10**30).map(Wad))
def test_inverted_asset_price__any_asset__is_the_base_price_times_what_a_unit_is_worth_in_base_units(
    base: int, asset: int, price: Wad, share_price: Wad
) -> None:
    inverted = inverted_price(share_price, base, UP)
    exact = inverted * Fraction(price, WAD) * 10**base / 10**asset
    for rounding, whole in ((DOWN, floor(exact)), (UP, ceil(exact))):
        if 1 <= whole <= UINT224.maximum:
            found = inverted_asset_price(inverted, price, base_decimals=base, asset_decimals=asset, rounding=rounding)
            assert found == whole
        else:
            with pytest.raises(OutOfRange):
                inverted_asset_price(inverted, price, base_decimals=base, asset_decimals=asset, rounding=rounding)


@pytest.mark.parametrize("price", [0, -1])
def test_inverted_price__price_that_is_not_positive__is_refused_in_both_directions(price: int) -> None:
    with pytest.raises(OutOfRange):
        inverted_price(Wad(price), 6, UP)
    with pytest.raises(OutOfRange):
        price_of_inverted(price, 6, UP)
    with pytest.raises(OutOfRange):
        inverted_asset_price(1, Wad(price), base_decimals=6, asset_decimals=6, rounding=UP)
    with pytest.raises(OutOfRange):
        inverted_asset_price(price, Wad(1), base_decimals=6, asset_decimals=6, rounding=UP)


@fields
@at_every_scale
def test_price_to_units__at_the_field_s_bound__fits_and_one_unit_beyond_is_refused(
    field: IntegerType, decimals: int
) -> None:
    last = from_units(field.maximum, decimals, UP if decimals < 18 else DOWN)
    assert price_to_units(last, decimals, DOWN, field) <= field.maximum
    if decimals <= 18:
        assert price_to_units(last, decimals, DOWN, field) == field.maximum
    beyond = from_units(field.maximum + 1, decimals, UP)
    with pytest.raises(OutOfRange, match=field.name):
        price_to_units(beyond, decimals, DOWN, field)


@at_every_scale
def test_price_to_units__smallest_price_of_the_scale__is_a_unit_and_one_wei_less_is_refused(decimals: int) -> None:
    smallest = from_units(1, decimals, UP)
    assert price_to_units(smallest, decimals, DOWN, UINT256) >= 1
    with pytest.raises(OutOfRange):
        price_to_units(Wad(smallest - 1), decimals, DOWN, UINT256)
    assert price_to_units(Wad(1), decimals, UP, UINT256) >= 1


@given(prices)
def test_answer__of_eight_decimals__is_the_price_over_1e10(price: Wad) -> None:
    assert to_units(price, ANSWER_DECIMALS, DOWN) == price // 10**10


@given(st.integers(1, 32), st.booleans(), st.integers(-(2**257), 2**257))
def test_integer_type__any_value__fits_exactly_within_its_bits(size: int, is_signed: bool, value: int) -> None:
    field = IntegerType(8 * size, signed=is_signed)
    assert integer_type(field.name) == field
    for bound in (field.minimum, field.maximum):
        assert field.check(bound, "bound") == bound
        bound.to_bytes(size, signed=is_signed)
    for beyond in (field.minimum - 1, field.maximum + 1):
        with pytest.raises(OutOfRange, match=field.name):
            field.check(beyond, "beyond")
    if field.minimum <= value <= field.maximum:
        assert field.check(value, "value") == value
    else:
        with pytest.raises(OverflowError):
            value.to_bytes(size, signed=is_signed)
        with pytest.raises(OutOfRange):
            field.check(value, "value")


@pytest.mark.parametrize(
    "name", ["uint", "int", "uint0", "uint7", "uint257", "int264", "bytes32", "Uint8", "uint256[]"]
)
def test_integer_type__name_of_none__is_refused(name: str) -> None:
    with pytest.raises(OutOfRange):
        integer_type(name)


@pytest.mark.parametrize("decimals", [-1, 37])
def test_conversions__scale_that_no_token_has__is_refused(decimals: int) -> None:
    with pytest.raises(OutOfRange):
        to_units(Wad(1), decimals, DOWN)
    with pytest.raises(OutOfRange):
        from_units(1, decimals, DOWN)
    with pytest.raises(OutOfRange):
        inverted_price(Wad(1), decimals, DOWN)
