"""Aggregation: what is refused, who votes, what is left out, and the figures that come out."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from navoracle.domain.errors import DomainError
from navoracle.domain.prices import AggregationPolicy, PriceStatus, Quote, Vote, aggregate
from navoracle.domain.units import WAD, Bps, Timestamp, Wad, to_wad
from tests.unit.domain.builders import ASSET, NOW, POLICY, last_valid, quote, quotes

WEIGHTED = replace(POLICY, method="weighted_mean")
ONE_SOURCE = replace(POLICY, min_sources=1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (quote("0", source="x"), "non_positive"),
        (quote("-1", source="x"), "non_positive"),
        (quote("100", 4_999, source="x"), "low_confidence"),
        (quote("100", source="x", age=-31), "future"),
        (quote("100", source="x", age=301), "stale"),
        (quote("100", source="x", age=61, max_age=60), "stale"),
        (quote("100", source="x", age=1, max_age=0), "stale"),
        (quote("0", 0, source="x", age=999), "non_positive"),
        (quote("100", 0, source="x", age=999), "low_confidence"),
        (quote("100", 0, source="x", age=-999), "low_confidence"),
    ],
)
def test_refusal__rule_broken__carries_the_first_reason(bad: Quote, reason: str) -> None:
    estimate = aggregate(ASSET, [*quotes("100", "100"), bad], now=NOW, policy=POLICY)
    assert estimate.excluded == (("x", reason),)
    assert estimate.used == ("a", "b")


@pytest.mark.parametrize(
    "good",
    [
        quote(1, source="x"),
        quote("100", 5_000, source="x"),
        quote("100", source="x", age=-30),
        quote("100", source="x", age=300),
        quote("100", source="x", age=3_600, max_age=3_600),
        quote("100", source="x", max_age=0),
    ],
)
def test_refusal__exactly_at_the_limit__is_accepted(good: Quote) -> None:
    estimate = aggregate(ASSET, [good], now=NOW, policy=ONE_SOURCE)
    assert estimate.used == ("x",)
    assert estimate.excluded == ()


def test_max_future__set_in_policy__decides() -> None:
    strict = replace(ONE_SOURCE, max_future=0)
    assert aggregate(ASSET, [quote("1", age=-1)], now=NOW, policy=strict).excluded == (("a", "future"),)


def test_aggregate__no_quotes__is_unavailable() -> None:
    estimate = aggregate(ASSET, [], now=NOW, policy=POLICY)
    assert estimate.status is PriceStatus.UNAVAILABLE
    assert (estimate.price, estimate.confidence, estimate.reason) == (None, 0, "no_quotes")
    assert (estimate.spread_bps, estimate.as_of, estimate.used, estimate.undecayed_price) == (None, None, (), None)


def test_aggregate__all_refused__names_every_refusal() -> None:
    estimate = aggregate(ASSET, quotes("100", "100", age=900), now=NOW, policy=POLICY)
    assert estimate.reason == "no_quotes"
    assert estimate.excluded == (("a", "stale"), ("b", "stale"))


def test_aggregate__two_agreeing_votes__is_live() -> None:
    estimate = aggregate(ASSET, [quote("100", 9_500, age=20), quote("102", source="b", age=5)], now=NOW, policy=POLICY)
    assert estimate.asset == ASSET
    assert estimate.status is PriceStatus.LIVE
    assert estimate.price == estimate.undecayed_price == 101 * WAD
    assert estimate.confidence == 9_250
    assert estimate.reason is None
    assert estimate.spread_bps == 100
    assert estimate.as_of == NOW - 20
    assert estimate.used == ("a", "b")
    assert estimate.excluded == ()


def test_duplicate_source__in_input__raises() -> None:
    with pytest.raises(DomainError, match="two quotes from the source a"):
        aggregate(ASSET, quotes("1") + quotes("1"), now=NOW, policy=POLICY)


def test_foreign_quote__in_input__raises() -> None:
    with pytest.raises(DomainError, match="is of ETH"):
        aggregate(ASSET, [quote("1", asset="ETH")], now=NOW, policy=POLICY)


def test_group__of_three_pools__has_one_vote_with_median_and_floored_mean() -> None:
    pools = [
        quote("100", 9_000, source="p1", group="dex"),
        quote("300", 9_001, source="p2", group="dex"),
        quote("101", 9_001, source="p3", group="dex"),
    ]
    estimate = aggregate(ASSET, [*pools, quote("101", 8_000, source="feed")], now=NOW, policy=POLICY)
    assert estimate.votes == (
        Vote("dex", to_wad("101"), Bps(9_000), ("p1", "p2", "p3")),
        Vote("feed", to_wad("101"), Bps(8_000), ("feed",)),
    )
    assert estimate.confidence == 8_500


def test_group__many_sources_alone__is_no_quorum() -> None:
    pools = [quote("100", source=source, group="dex") for source in "abcd"]
    estimate = aggregate(ASSET, pools, now=NOW, policy=POLICY)
    assert (estimate.reason, estimate.used, estimate.excluded) == ("no_quorum", (), ())


def test_group__refused_member__does_not_count_in_the_vote() -> None:
    members = [quote("100", group="g"), quote("200", source="b", group="g", age=301)]
    estimate = aggregate(ASSET, members, now=NOW, policy=ONE_SOURCE)
    assert estimate.votes == (Vote("g", to_wad("100"), Bps(9_000), ("a",)),)
    assert estimate.excluded == (("b", "stale"),)


def test_outlier_group__of_several_sources__excludes_each_of_them() -> None:
    rows = [
        *quotes("100", "101"),
        quote("150", source="y", group="dex"),
        quote("152", source="x", group="dex"),
        quote("100", source="z", group="dex", age=301),
    ]
    estimate = aggregate(ASSET, rows, now=NOW, policy=POLICY)
    assert estimate.excluded == (("x", "outlier"), ("y", "outlier"), ("z", "stale"))
    assert estimate.price == to_wad("100.5")


def test_outlier__exactly_ten_percent__stays() -> None:
    estimate = aggregate(ASSET, quotes("100", "100", "110"), now=NOW, policy=POLICY)
    assert estimate.excluded == ()


@pytest.mark.parametrize("beyond", [110 * WAD + 1, 90 * WAD - 1])
def test_outlier__one_wei_beyond_ten_percent__is_excluded(beyond: int) -> None:
    estimate = aggregate(ASSET, quotes("100", "100", beyond), now=NOW, policy=POLICY)
    assert estimate.excluded == (("c", "outlier"),)


def test_outlier__median_half_a_wei_up__is_compared_with_the_exact_median() -> None:
    # The median of 9, 9, 10, 11 wei is 9.5: 11 is 15.79 % off, 9 is 5.26 % off. Rounded to 9 or 10 it would not be so.
    policy = replace(POLICY, outlier_bps=Bps(1_578), wide_bps=Bps(10_000))
    assert aggregate(ASSET, quotes(9, 9, 10, 11), now=NOW, policy=policy).excluded == (("d", "outlier"),)
    policy = replace(policy, outlier_bps=Bps(1_579))
    assert aggregate(ASSET, quotes(9, 9, 10, 11), now=NOW, policy=policy).excluded == ()


def test_outliers__excluded_once__spread_is_measured_from_the_new_median() -> None:
    estimate = aggregate(ASSET, quotes("100", "105", "109", "130"), now=NOW, policy=POLICY)
    # Median of all 107: 130 goes. Median of the rest 105: 100 is 4.76 % off and stays.
    assert estimate.excluded == (("d", "outlier"),)
    assert estimate.price == to_wad("105")
    assert estimate.spread_bps == 477


def test_outliers__vote_far_from_the_new_median__is_not_excluded_in_a_second_round() -> None:
    # Median 100: 200 goes, 110 is exactly 10 % off and stays. Median of the rest 95.5: 110 is now 15.2 % off.
    estimate = aggregate(ASSET, quotes("91", "91", "100", "110", "200"), now=NOW, policy=POLICY)
    assert estimate.used == ("a", "b", "c", "d")
    assert (estimate.price, estimate.spread_bps) == (to_wad("95.5"), 1_519)


def test_majority__two_votes_far_apart__is_refused_not_averaged() -> None:
    estimate = aggregate(ASSET, quotes("0.65", "0.995"), now=NOW, policy=POLICY)
    assert (estimate.price, estimate.reason) == (None, "no_majority")
    assert estimate.excluded == (("a", "outlier"), ("b", "outlier"))
    assert estimate.used == ()


def test_majority__half_of_four_excluded__is_refused() -> None:
    estimate = aggregate(ASSET, quotes("50", "100", "101", "150"), now=NOW, policy=POLICY)
    assert estimate.reason == "no_majority"
    assert estimate.excluded == (("a", "outlier"), ("d", "outlier"))


def test_majority__two_of_five_excluded__is_live() -> None:
    estimate = aggregate(ASSET, quotes("50", "100", "101", "102", "150"), now=NOW, policy=POLICY)
    assert estimate.price == to_wad("101")
    assert estimate.used == ("b", "c", "d")


def test_quorum__one_of_two_sources_stale__is_not_lowered() -> None:
    rows = [quote("100"), quote("100", source="b", age=301)]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).reason == "no_quorum"


def test_quorum__outlier_leaves_too_few__has_no_live_price() -> None:
    rows = quotes("100", "100", "150")
    estimate = aggregate(ASSET, rows, now=NOW, policy=replace(POLICY, min_sources=3))
    assert estimate.reason == "no_quorum"
    assert estimate.excluded == (("c", "outlier"),)
    assert [vote.group for vote in estimate.votes] == ["a", "b", "c"]


def test_even_median__half_a_wei__goes_against_the_fund() -> None:
    rows = quotes(100, 101)
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY, side="asset").price == 100
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY, side="debt").price == 101


def test_even_group__half_a_wei__goes_against_the_fund() -> None:
    rows = [quote(100, group="g"), quote(101, source="b", group="g")]
    assert aggregate(ASSET, rows, now=NOW, policy=ONE_SOURCE, side="asset").votes[0].price == 100
    assert aggregate(ASSET, rows, now=NOW, policy=ONE_SOURCE, side="debt").votes[0].price == 101


def test_side__unknown__raises() -> None:
    with pytest.raises(DomainError, match="neither asset nor debt"):
        aggregate(ASSET, [], now=NOW, policy=POLICY, side="other")  # type: ignore[arg-type]


def test_weighted_mean__spread_within_limit__weighs_by_confidence_and_rounds_by_side() -> None:
    rows = [quote(1_000, 6_000), quote(1_001, 9_000, source="b")]
    assert aggregate(ASSET, rows, now=NOW, policy=WEIGHTED, side="asset").price == 1_000
    assert aggregate(ASSET, rows, now=NOW, policy=WEIGHTED, side="debt").price == 1_001


def test_weighted_mean__zero_weight__falls_back_to_the_median() -> None:
    policy = replace(WEIGHTED, min_confidence=Bps(0))
    estimate = aggregate(ASSET, quotes("100", "102", confidence=0), now=NOW, policy=policy)
    assert (estimate.price, estimate.confidence) == (101 * WAD, 0)


def test_weighted_mean__the_least_weight__still_weighs() -> None:
    rows = [quote("100", 1), quote("102", 0, source="b")]
    policy = replace(WEIGHTED, min_confidence=Bps(0))
    assert aggregate(ASSET, rows, now=NOW, policy=policy).price == 100 * WAD


def test_spread__reported__is_rounded_up() -> None:
    assert aggregate(ASSET, quotes("100", "100", 100 * WAD + 1), now=NOW, policy=POLICY).spread_bps == 1


def test_published_at__some_sources_have_one__is_the_oldest_of_those_used() -> None:
    rows = [
        quote("100", published_at=NOW - 500),
        quote("100", source="b", published_at=NOW - 700),
        quote("100", source="c"),
        quote("150", source="d", published_at=NOW - 900),
    ]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).published_at == NOW - 700
    assert aggregate(ASSET, quotes("100", "100"), now=NOW, policy=POLICY).published_at is None


def test_aggregate__input_permuted__gives_the_same_estimate() -> None:
    rows = [
        quote("100", 9_100),
        quote("101", 8_000, source="b", group="dex", age=70),
        quote("103", 7_000, source="c", group="dex"),
        quote("150", 9_900, source="d"),
        quote("99", 9_900, source="e", age=400),
    ]
    estimates = {aggregate(ASSET, list(order), now=NOW, policy=WEIGHTED) for order in permutations(rows)}
    assert len(estimates) == 1


def test_fallback__no_quorum_and_last_valid__is_estimated_and_says_why() -> None:
    estimate = aggregate(ASSET, quotes("100"), now=NOW, policy=POLICY, last_valid=last_valid("100", age=600))
    assert estimate.status is PriceStatus.ESTIMATED
    assert (estimate.price, estimate.undecayed_price) == (98 * WAD, 100 * WAD)
    assert (estimate.confidence, estimate.reason, estimate.spread_bps) == (5_000, "no_quorum", None)
    assert (estimate.as_of, estimate.used) == (NOW - 600, ())


def test_fallback__debt__is_decayed_upwards() -> None:
    estimate = aggregate(ASSET, [], now=NOW, policy=POLICY, last_valid=last_valid("98", age=600), side="debt")
    assert estimate.price == 100 * WAD


def test_fallback__last_valid_too_old__says_so() -> None:
    estimate = aggregate(ASSET, [], now=NOW, policy=POLICY, last_valid=last_valid("98", age=3_601))
    assert (estimate.status, estimate.price, estimate.reason) == (PriceStatus.UNAVAILABLE, None, "too_old")


def test_fallback__no_last_valid__keeps_the_live_reason() -> None:
    assert aggregate(ASSET, quotes("1", "2"), now=NOW, policy=POLICY).reason == "no_majority"


def test_live_price__with_last_valid__ignores_it() -> None:
    estimate = aggregate(ASSET, quotes("100", "100"), now=NOW, policy=POLICY, last_valid=last_valid("50"))
    assert (estimate.status, estimate.price) == (PriceStatus.LIVE, 100 * WAD)


def test_policy__defaults__are_those_of_the_design() -> None:
    assert AggregationPolicy() == AggregationPolicy(
        max_age=300,
        max_future=30,
        min_confidence=Bps(5_000),
        outlier_bps=Bps(1_000),
        wide_bps=Bps(500),
        min_sources=2,
        method="median",
    )


def test_aggregate__very_large_and_very_small_prices__stay_exact() -> None:
    huge = Wad(10**60)
    estimate = aggregate(ASSET, quotes(huge, huge + 2), now=Timestamp(NOW), policy=POLICY)
    assert estimate.price == huge + 1
    assert aggregate(ASSET, quotes(1, 1), now=NOW, policy=POLICY).price == 1
