"""The confidence of a source, ADR 0009."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import OutOfRange
from navoracle.domain.prices.source_confidence import (
    MARKET_FEED,
    POOL_AVERAGE,
    depth_factor,
    dispersion_factor,
    less_deviation,
    source_confidence,
)
from navoracle.domain.units import WAD, Bps, Wad

HALF = Wad(WAD // 2)


def test_source_confidence__no_factor__is_the_base() -> None:
    assert source_confidence(MARKET_FEED) == 9_500


def test_source_confidence__several_factors__is_rounded_down_once() -> None:
    third = Wad(WAD // 3)
    # 7,000 x 0.333... x 0.5 = 1,166.6...: rounding after each factor would give 1,166 as well, but from 2,333.
    assert source_confidence(POOL_AVERAGE, third, HALF) == 1_166
    assert source_confidence(Bps(9_999), HALF, Wad(WAD)) == 4_999


@pytest.mark.parametrize("factor", [-1, WAD + 1])
def test_source_confidence__factor_outside_zero_to_one__is_refused(factor: int) -> None:
    with pytest.raises(OutOfRange, match="factor"):
        source_confidence(MARKET_FEED, Wad(factor))


@pytest.mark.parametrize("base", [-1, 10_001])
def test_source_confidence__base_out_of_range__is_refused(base: int) -> None:
    with pytest.raises(OutOfRange):
        source_confidence(Bps(base))


@pytest.mark.parametrize(
    ("deviation", "expected"),
    [
        (0, WAD),
        (1_000, WAD),  # 10 bps of 1,000,000
        (25_500, WAD // 2),  # half of the way from 10 to 500 bps
        (50_000, 0),  # 500 bps
        (10**30, 0),
    ],
)
def test_dispersion_factor__interval_beside_a_price__falls_from_ten_to_five_hundred_bps(
    deviation: int, expected: int
) -> None:
    assert dispersion_factor(deviation, 1_000_000) == expected


@pytest.mark.parametrize(("deviation", "value"), [(-1, 1), (1, 0), (1, -1)])
def test_dispersion_factor__impossible_figures__are_refused(deviation: int, value: int) -> None:
    with pytest.raises(OutOfRange):
        dispersion_factor(deviation, value)


def test_depth_factor__less_than_required__is_the_part_that_was_found() -> None:
    assert depth_factor(1, 3) == WAD // 3
    assert depth_factor(3, 3) == depth_factor(4, 3) == WAD
    assert depth_factor(0, 3) == 0


@pytest.mark.parametrize(("found", "required"), [(-1, 1), (1, 0)])
def test_depth_factor__impossible_figures__are_refused(found: int, required: int) -> None:
    with pytest.raises(OutOfRange):
        depth_factor(found, required)


def test_less_deviation__threshold_of_half_a_percent__costs_five_percent() -> None:
    assert less_deviation(MARKET_FEED, Bps(50)) == 9_000
    assert less_deviation(MARKET_FEED, Bps(2_000)) == 0
