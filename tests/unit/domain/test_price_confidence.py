"""The confidence of a live price: its mean, its multipliers, their bounds, and the caps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.prices import aggregate
from navoracle.domain.units import WAD, Bps
from tests.unit.domain.builders import ASSET, NOW, POLICY, quote, quotes

WEIGHTED = replace(POLICY, method="weighted_mean")
ONE_SOURCE = replace(POLICY, min_sources=1)


def test_single_vote__where_one_is_enough__is_at_most_half_sure() -> None:
    estimate = aggregate(ASSET, quotes("100", confidence=10_000), now=NOW, policy=ONE_SOURCE)
    assert (estimate.price, estimate.confidence, estimate.spread_bps) == (100 * WAD, 5_000, 0)


def test_wide_spread__over_five_percent__takes_the_median_at_half_confidence() -> None:
    rows = [quote("100", 10_000), quote("100", 10_000, source="b"), quote(105 * WAD + 1, 10_000, source="c")]
    estimate = aggregate(ASSET, rows, now=NOW, policy=WEIGHTED)
    assert (estimate.price, estimate.confidence, estimate.spread_bps) == (100 * WAD, 5_000, 501)


def test_wide_spread__exactly_five_percent__keeps_the_method() -> None:
    rows = [quote("100", 10_000), quote("100", 10_000, source="b"), quote("105", 10_000, source="c")]
    estimate = aggregate(ASSET, rows, now=NOW, policy=WEIGHTED)
    assert estimate.price == 305 * WAD // 3
    assert estimate.spread_bps == 500
    assert estimate.confidence == 5_000  # by the deviation multiplier 0.5, which begins at 5 %


def test_wide_spread__with_wider_limit__caps_only_beyond_it() -> None:
    rows = [quote("100", 10_000), quote("100", 10_000, source="b"), quote("101.9", 10_000, source="c")]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).confidence == 10_000
    assert aggregate(ASSET, rows, now=NOW, policy=replace(POLICY, wide_bps=Bps(189))).confidence == 5_000


@pytest.mark.parametrize(
    ("third", "confidence"),
    [
        (102 * WAD - 1, 9_000),
        (102 * WAD, 7_200),
        (98 * WAD, 7_200),
        (98 * WAD + 1, 9_000),
        (105 * WAD - 1, 7_200),
        (105 * WAD, 4_500),
    ],
)
def test_deviation_multiplier__around_its_bounds__is_strict(third: int, confidence: int) -> None:
    assert aggregate(ASSET, quotes("100", "100", third), now=NOW, policy=POLICY).confidence == confidence


@pytest.mark.parametrize(
    ("age", "confidence"),
    [(-30, 9_000), (0, 9_000), (60, 9_000), (61, 8_100), (180, 8_100), (181, 6_300), (300, 6_300)],
)
def test_freshness_multiplier__around_its_bounds__is_inclusive(age: int, confidence: int) -> None:
    rows = [quote("100"), quote("100", source="b", age=age)]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).confidence == confidence


@pytest.mark.parametrize(
    ("age", "max_age", "confidence"),
    [
        (720, 3_600, 9_000),
        (721, 3_600, 8_100),
        (2_160, 3_600, 8_100),
        (2_161, 3_600, 6_300),
        (60, 60, 9_000),
        (60, 100, 9_000),
        (61, 100, 8_100),
    ],
)
def test_freshness_multiplier__source_with_own_max_age__scales_with_it_but_not_under_300_s(
    age: int, max_age: int, confidence: int
) -> None:
    rows = [quote("100"), quote("100", source="b", age=age, max_age=max_age)]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).confidence == confidence


def test_freshness_multiplier__policy_max_age__is_the_base_of_sources_without_one() -> None:
    policy = replace(POLICY, max_age=1_000)
    assert aggregate(ASSET, quotes("100", "100", age=200), now=NOW, policy=policy).confidence == 9_000
    assert aggregate(ASSET, quotes("100", "100", age=201), now=NOW, policy=policy).confidence == 8_100


def test_freshness_multiplier__old_quote_in_a_group__lowers_the_estimate() -> None:
    rows = [quote("100", group="g"), quote("100", source="b", group="g", age=181), quote("100", source="c")]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).confidence == 6_300


def test_freshness_multiplier__excluded_quote_is_old__does_not_count() -> None:
    rows = [*quotes("100", "100"), quote("150", source="c", age=250)]
    estimate = aggregate(ASSET, rows, now=NOW, policy=POLICY)
    assert (estimate.confidence, estimate.as_of) == (9_000, NOW)


def test_confidence__mean_and_two_multipliers__is_rounded_once() -> None:
    # 9,001.5 x 0.8 = 7,201.2; a floored mean gives 7,200.8.
    rows = [quote("100", 9_003), quote("104.5", 9_000, source="b")]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).confidence == 7_201
    # 9,001.5 x 0.8 x 0.9 = 6,481.08; rounding after the first multiplier gives 6,480.9.
    rows = [quote("100", 9_003, age=61), quote("104.5", 9_000, source="b")]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).confidence == 6_481
