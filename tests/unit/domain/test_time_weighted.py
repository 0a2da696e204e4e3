"""The time-weighted average over a window, and the gap from it."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import DomainError
from navoracle.domain.prices import gap_exceeds, time_weighted_average
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from tests.unit.domain.builders import NOW


def average(*samples: tuple[int, int], window: int = 100) -> int | None:
    return time_weighted_average([(Timestamp(NOW - age), Wad(price)) for age, price in samples], now=NOW, window=window)


def test_average__step_function__weighs_each_price_by_how_long_it_held() -> None:
    assert average((100, 10), (75, 20), (25, 40)) == (25 * 10 + 50 * 20 + 25 * 40) // 100


def test_average__fraction__is_rounded_down() -> None:
    assert average((100, 10), (1, 11)) == 10


def test_average__sample_at_now__has_no_weight() -> None:
    assert average((100, 10), (0, 1_000)) == 10


def test_average__half_of_the_window_covered__is_enough() -> None:
    assert average((50, 10)) == 10
    assert average((49, 10)) is None


def test_average__no_samples__is_none() -> None:
    assert average() is None


def test_average__only_prices_from_before_an_outage__is_none() -> None:
    assert average((5_000, 10), (40, 20)) is None
    assert average((5_000, 10)) is None


def test_average__sample_at_the_windows_start__counts() -> None:
    assert average((101, 1_000), (100, 10)) == 10


def test_average__samples_after_now__do_not_count() -> None:
    assert average((100, 10), (-1, 1_000)) == 10


def test_average__unordered__is_ordered_first() -> None:
    assert average((25, 40), (100, 10), (75, 20)) == average((100, 10), (75, 20), (25, 40))


def test_average__several_samples_at_one_time__takes_the_last_one_given() -> None:
    assert average((100, 10), (100, 30)) == 30


def test_average__window_not_positive__raises() -> None:
    with pytest.raises(DomainError, match="window"):
        average((100, 10), window=0)


def test_average__price_not_positive__raises() -> None:
    with pytest.raises(DomainError, match="sample of 0"):
        average((100, 0))


@pytest.mark.parametrize(
    ("price", "exceeds"),
    [(105 * WAD, False), (105 * WAD + 1, True), (95 * WAD, False), (95 * WAD - 1, True), (100 * WAD, False)],
)
def test_gap__around_five_percent__is_strict_in_both_directions(price: int, exceeds: bool) -> None:
    assert gap_exceeds(Wad(price), Wad(100 * WAD), Bps(500)) is exceeds


def test_gap__no_average__raises() -> None:
    assert not gap_exceeds(Wad(1), Wad(1), Bps(500))
    with pytest.raises(DomainError, match="average"):
        gap_exceeds(Wad(1), Wad(0), Bps(500))
