"""Ranges of prices: true ranges, Wilder's average, the day's fall, and what too little is known of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.units import WAD, Timestamp, Wad, to_wad
from navoracle.state_files.price_ranges import BAR_SECONDS, LEAST_BARS, PriceRanges, average_range, regime_of

DAY = 86_400
NOON = Timestamp(1_700_000_000 // DAY * DAY + DAY // 2)


def fed(*bars: tuple[str, ...], until: int = NOON) -> PriceRanges:
    """Ranges that saw these bars of prices, the last of which begins at `until`."""
    found = PriceRanges()
    for number, prices in enumerate(bars):
        start = until - (len(bars) - 1 - number) * BAR_SECONDS
        for place, price in enumerate(prices):
            found.observe("ETH", Timestamp(start + place * 60), to_wad(price))
    return found


def test_average__of_fourteen_ranges__is_their_mean_and_then_moves_by_a_fourteenth() -> None:
    assert average_range([2] * 14) == 2
    # (1400 + 13 x ...) by hand: mean of 14 is 100; then (13 x 100 + 240) / 14 = 110.
    assert average_range([100] * 14 + [240]) == 110
    assert average_range([100] * 14 + [240, 110]) == 110


def test_range__of_bars_alike__is_one_times_the_days_mean() -> None:
    found = fed(*[("100", "102", "101")] * LEAST_BARS).of("ETH", NOON)
    assert found is not None
    assert found.ratio == WAD
    assert found.average_range == 2 * WAD * WAD // to_wad("101")
    assert found.regime == "normal"


def test_range__after_a_gap_between_bars__counts_from_the_close_before() -> None:
    bars = [("100",)] * (LEAST_BARS - 1) + [("107", "109")]
    found = fed(*bars).of("ETH", NOON)
    assert found is not None
    # One true range of 9 among 28: the average is 9/14 of Wilder's last step, the day's mean 9/28.
    assert found.average_range == (to_wad("9") // 14) * WAD // to_wad("109")
    assert found.ratio == (to_wad("9") // 14) * 28 * WAD // to_wad("9")
    assert found.regime == "wild"


def test_range__of_too_few_bars__is_unknown_but_the_days_fall_is_known() -> None:
    found = fed(*[("100", "90")] * (LEAST_BARS - 1)).of("ETH", NOON)
    assert found is not None
    assert (found.average_range, found.ratio, found.regime) == (None, None, "unknown")
    assert found.reason == f"{LEAST_BARS - 1} of {LEAST_BARS} bars of prices"
    assert found.day_fall == to_wad("0.1")


def test_range__of_a_price_that_stands_still__has_no_ratio() -> None:
    found = fed(*[("1",)] * LEAST_BARS).of("ETH", NOON)
    assert found is not None
    assert (found.average_range, found.ratio, found.reason) == (0, None, "the price did not move")


def test_day_fall__of_a_new_utc_day__begins_with_its_first_price() -> None:
    midnight = Timestamp(NOON - NOON % DAY)
    found = PriceRanges()
    found.observe("ETH", Timestamp(midnight - 60), to_wad("200"))
    found.observe("ETH", midnight, to_wad("100"))
    found.observe("ETH", Timestamp(midnight + 60), to_wad("97"))
    known = found.of("ETH", Timestamp(midnight + 61))
    assert known is not None
    assert known.day_fall == to_wad("0.03")


def test_range__of_an_old_price_or_another_day__is_not_known() -> None:
    found = fed(("100",))
    assert found.of("ETH", Timestamp(NOON + 2 * BAR_SECONDS)) is not None
    assert found.of("ETH", Timestamp(NOON + 2 * BAR_SECONDS + 1)) is None
    assert found.of("WBTC", NOON) is None
    late = fed(("100",), until=NOON - NOON % DAY + DAY - BAR_SECONDS)
    assert late.of("ETH", Timestamp(NOON - NOON % DAY + DAY)) is None


def test_price__that_comes_too_late__changes_nothing() -> None:
    found = fed(("100",), ("100",))
    found.observe("ETH", Timestamp(NOON - BAR_SECONDS), to_wad("500"))
    known = found.of("ETH", NOON)
    assert known is not None
    assert known.day_fall == 0


def test_known__of_several_assets__leaves_out_what_is_not() -> None:
    assert set(fed(("100",)).known(["ETH", "WBTC"], NOON)) == {"ETH"}


@pytest.mark.parametrize(
    ("ratio", "regime"),
    [("0.499999999999999999", "quiet"), ("0.5", "normal"), ("1.5", "normal"), ("1.500000000000000001", "wild")],
)
def test_regime__at_its_bounds__is_normal(ratio: str, regime: str) -> None:
    assert regime_of(to_wad(ratio)) == regime


@given(st.lists(st.integers(1, 10**24), min_size=LEAST_BARS, max_size=96), st.integers(2, 1_000))
def test_ratio__of_prices_all_times_the_same__is_the_same_within_rounding(prices: list[int], factor: int) -> None:
    def ratio(times: int) -> int | None:
        found = PriceRanges()
        for number, price in enumerate(prices):
            at = Timestamp(NOON - (len(prices) - 1 - number) * BAR_SECONDS)
            found.observe("X", at, Wad(price * WAD * times))
        known = found.of("X", NOON)
        assert known is not None
        assert 0 <= known.day_fall <= WAD
        return known.ratio

    one, many = ratio(1), ratio(factor)
    assert (one is None) is (many is None)
    if one is not None and many is not None:
        assert abs(one - many) <= 10
