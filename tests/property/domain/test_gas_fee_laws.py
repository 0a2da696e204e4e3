"""Laws of the fee arithmetic, above all of replacements: what geth takes, within the ceiling."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from navoracle.domain.errors import OutOfRange
from navoracle.domain.gas_fees import (
    TRANSFER_GAS,
    FeeLimits,
    Fees,
    first_fees,
    gas_with_margin,
    intrinsic_gas,
    least_replacement,
    lower_median,
    replacement_fees,
    runway,
    suggested_fees,
    upper_median,
)

WEI = st.integers(0, 10**13)


@st.composite
def fees(draw: st.DrawFn) -> Fees:
    max_fee = draw(WEI)
    return Fees(max_fee, draw(st.integers(0, max_fee)))


@st.composite
def limits(draw: st.DrawFn) -> FeeLimits:
    ceiling = draw(st.integers(1, 10**13))
    max_tip = draw(st.integers(0, ceiling))
    return FeeLimits(ceiling=ceiling, min_tip=draw(st.integers(0, max_tip)), max_tip=max_tip)


def geth_takes(old: Fees, new: Fees) -> bool:
    """As geth decides (legacypool/list.go): both fields higher, and not below old * (100 + 10) / 100 in integers."""
    if not (new.max_fee > old.max_fee and new.max_tip > old.max_tip):
        return False
    return new.max_fee >= old.max_fee * 110 // 100 and new.max_tip >= old.max_tip * 110 // 100


@given(fees(), fees(), st.integers(0, 10**14))
def test_replacement_fees__any__are_what_nodes_take_within_the_ceiling(old: Fees, wanted: Fees, ceiling: int) -> None:
    new = replacement_fees(old, wanted, ceiling)
    if new is None:
        # Only where nothing that a node takes lies under the ceiling, but for what rounding up costs.
        assert ceiling < max(-(-old.max_fee * 110 // 100), old.max_fee + 1)
        return
    assert geth_takes(old, new)
    assert 10 * new.max_fee >= 11 * old.max_fee
    assert 10 * new.max_tip >= 11 * old.max_tip
    assert new.max_tip <= new.max_fee <= ceiling
    assert new.max_fee <= max(wanted.max_fee, least_replacement(old.max_fee))
    assert new.max_tip <= max(wanted.max_tip, least_replacement(old.max_tip))


@given(fees(), fees(), fees(), st.integers(0, 10**14), st.integers(0, 10**14))
def test_replacement_fees__more_wanted_or_a_higher_ceiling__is_never_less(
    old: Fees, one: Fees, other: Fees, low: int, high: int
) -> None:
    low, high = sorted((low, high))
    less = Fees(min(one.max_fee, other.max_fee), min(one.max_tip, other.max_tip))
    more = Fees(max(one.max_fee, other.max_fee), max(one.max_tip, other.max_tip))
    small = replacement_fees(old, less, low)
    assume(small is not None)
    large = replacement_fees(old, more, high)
    assert small is not None
    assert large is not None
    assert (large.max_fee, large.max_tip) >= (small.max_fee, small.max_tip)
    assert large.max_tip >= small.max_tip


@given(fees(), st.integers(1, 10**13))
def test_replacement_fees__again_and_again__ends_at_the_ceiling(old: Fees, ceiling: int) -> None:
    steps, now = 0, old
    while (new := replacement_fees(now, Fees(0, 0), ceiling)) is not None:
        assert new.max_fee > now.max_fee
        now, steps = new, steps + 1
    assert steps <= 400
    assert now.max_fee == old.max_fee or now.max_fee <= ceiling


@pytest.mark.parametrize(
    ("old", "wanted", "ceiling", "expected"),
    [
        (Fees(100, 10), Fees(0, 0), 1_000, Fees(110, 11)),
        (Fees(101, 11), Fees(0, 0), 1_000, Fees(112, 13)),  # 111.1 and 12.1, rounded up
        (Fees(5, 0), Fees(0, 0), 1_000, Fees(6, 1)),  # 10 % of little is less than one
        (Fees(100, 10), Fees(500, 40), 1_000, Fees(500, 40)),
        (Fees(100, 10), Fees(500, 40), 110, Fees(110, 40)),
        (Fees(100, 10), Fees(500, 400), 110, Fees(110, 110)),
        (Fees(100, 10), Fees(500, 40), 109, None),
    ],
)
def test_replacement_fees__example__is_golden(old: Fees, wanted: Fees, ceiling: int, expected: Fees | None) -> None:
    assert replacement_fees(old, wanted, ceiling) == expected


@given(WEI, WEI, limits())
def test_suggested_fees__any__lie_within_the_limits(base_fee: int, tip: int, within: FeeLimits) -> None:
    found = suggested_fees(base_fee, tip, within)
    assert within.min_tip <= found.max_tip <= within.max_tip
    assert found.max_fee <= within.ceiling
    first = first_fees(base_fee, tip, within)
    assert first in (found, None)
    # A first price is one that the next block takes.
    assert (first is not None) is (base_fee + found.max_tip <= within.ceiling)
    assert first is None or first.max_fee >= base_fee + first.max_tip


@given(WEI)
def test_least_replacement__any__is_a_tenth_more_rounded_up(fee: int) -> None:
    least = least_replacement(fee)
    assert 10 * least >= 11 * fee
    assert least > fee
    assert fee < 10 or 10 * (least - 1) < 11 * fee


@given(st.lists(st.integers(0, 100), min_size=1))
def test_medians__any__lie_in_the_middle(values: list[int]) -> None:
    low, high = lower_median(values), upper_median(values)
    assert low <= high
    assert {low, high} <= set(values)
    if len(values) % 2:
        assert low == high
    half = len(values) // 2
    assert sum(value <= low for value in values) >= half
    assert sum(value >= high for value in values) >= half
    if len(values) == 2:
        assert (low, high) == (min(values), max(values))


@given(st.lists(st.sampled_from([0, 0, 1, 255]), max_size=200).map(bytes))
def test_intrinsic_gas__any_data__is_what_the_protocol_charges(data: bytes) -> None:
    assert intrinsic_gas(data) == TRANSFER_GAS + sum(16 if byte else 4 for byte in data)


@given(st.integers(0, 10**9), st.integers(1, 10**8))
def test_gas_with_margin__any__is_a_fifth_more_within_the_block(estimate: int, block: int) -> None:
    gas = gas_with_margin(estimate, block)
    assert gas <= block
    assert gas == block or 12 * estimate <= 10 * gas < 12 * estimate + 10


@given(st.integers(0, 10**24), st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**20)), max_size=4))
def test_runway__any__is_the_dearest_windows(balance: int, spent: list[tuple[int, int]]) -> None:
    lasts = runway(balance, spent)
    if lasts is None:
        assert all(cost == 0 for _, cost in spent)
        return
    for seconds, cost in spent:
        assert lasts * cost <= balance * seconds
    assert any((lasts + 1) * cost > balance * seconds for seconds, cost in spent)


@pytest.mark.parametrize(("max_fee", "max_tip"), [(1, 2), (-1, -1), (1, -1)])
def test_fees__tip_outside_of_the_fee__raises(max_fee: int, max_tip: int) -> None:
    with pytest.raises(OutOfRange):
        Fees(max_fee, max_tip)


@pytest.mark.parametrize("bad", [(1, 0, 2), (10, 5, 4), (10, -1, 4)])
def test_fee_limits__contradiction__raises(bad: tuple[int, int, int]) -> None:
    with pytest.raises(OutOfRange):
        FeeLimits(ceiling=bad[0], min_tip=bad[1], max_tip=bad[2])
