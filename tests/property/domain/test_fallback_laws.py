"""Laws of the fallback and of the time-weighted average."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.prices import (
    AggregationPolicy,
    LastValid,
    PriceEstimate,
    PriceStatus,
    Side,
    aggregate,
    decay_factor,
    time_weighted_average,
)
from navoracle.domain.units import Bps, Timestamp, Wad
from tests.property.domain.strategies import ASSET, NOW, last_valids, positive_wads, sides

ages = st.integers(0, 4_000)


def fallen_back(last: LastValid, side: Side) -> PriceEstimate:
    return aggregate(ASSET, [], now=NOW, policy=AggregationPolicy(), last_valid=last, side=side)


@given(ages, ages)
def test_decay__older__never_decays_less(one: int, other: int) -> None:
    younger, older = (decay_factor(age) for age in sorted((one, other)))
    assert older is None or (younger is not None and older <= younger)


@given(st.integers(10, 10**30), ages, ages, sides)
def test_fallback__older__is_never_better_for_the_fund(price: int, one: int, other: int, side: Side) -> None:
    younger, older = (
        fallen_back(LastValid(Wad(price), Bps(9_000), Timestamp(NOW - age)), side) for age in sorted((one, other))
    )
    if older.price is None:
        return
    assert younger.price is not None
    assert older.price <= younger.price if side == "asset" else older.price >= younger.price
    assert older.confidence <= younger.confidence


@given(last_valids, sides)
def test_haircut__any_price__goes_against_the_fund_by_the_factor(last: LastValid, side: Side) -> None:
    estimate = fallen_back(last, side)
    if estimate.price is None:
        return
    factor = decay_factor(max(0, NOW - last.observed_at))
    assert factor is not None
    assert estimate.status is PriceStatus.ESTIMATED
    share = Fraction(factor, 10_000)
    assert estimate.price == (floor(last.price * share) if side == "asset" else ceil(last.price / share))
    assert estimate.confidence == min(5_000, floor(last.confidence * share))


@given(st.lists(st.tuples(st.integers(-50, 4_000), positive_wads), max_size=12), st.integers(1, 3_600))
def test_average__any_samples__lies_among_those_in_the_window(samples: list[tuple[int, Wad]], window: int) -> None:
    timed = [(Timestamp(NOW - age), price) for age, price in samples]
    average = time_weighted_average(timed, now=NOW, window=window)
    inside = [(age, price) for age, price in samples if 0 <= age <= window]
    assert (average is None) is (not inside or 2 * max(age for age, _ in inside) < window)
    if average is not None:
        assert min(price for _, price in inside) <= average <= max(price for _, price in inside)


@given(st.dictionaries(st.integers(0, 120), positive_wads, min_size=1), st.integers(1, 120))
def test_average__any_samples__is_the_mean_over_every_second(samples: dict[int, Wad], window: int) -> None:
    average = time_weighted_average(
        [(Timestamp(NOW - age), price) for age, price in samples.items()], now=NOW, window=window
    )
    if average is None:
        return
    first = max(age for age in samples if age <= window)
    held = [samples[min(age for age in samples if age >= second)] for second in range(first, 0, -1)]
    assert average == sum(held) // first
