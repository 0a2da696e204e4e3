"""Laws of aggregation, and the same rules written a second time with fractions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from statistics import median

from hypothesis import assume, given
from hypothesis import strategies as st

from navoracle.domain.prices import (
    AggregationPolicy,
    LastValid,
    PriceStatus,
    Quote,
    Side,
    aggregate,
    apply_native_rate,
    convert_quote,
    derive,
)
from navoracle.domain.prices.native_rate import NativeBandPolicy
from navoracle.domain.units import BPS, Bps, Timestamp, Wad
from tests.property.domain.strategies import (
    ASSET,
    NOW,
    confidences,
    last_valids,
    near_prices,
    policies,
    positive_wads,
    quote_lists,
    sides,
)


def reference(
    quotes: list[Quote], policy: AggregationPolicy, side: Side
) -> tuple[str | None, int | None, int, set[str], set[tuple[str, str]]]:
    """Reason, price, confidence, used and excluded of a live price, by the rules' text and in fractions."""
    to_int = floor if side == "asset" else ceil
    excluded, groups = set[tuple[str, str]](), dict[str, list[Quote]]()
    for quote in quotes:
        limit = policy.max_age if quote.max_age is None else quote.max_age
        broken = [
            reason
            for reason, holds in (
                ("non_positive", quote.price <= 0),
                ("low_confidence", quote.confidence < policy.min_confidence),
                ("future", quote.observed_at - NOW > policy.max_future),
                ("stale", NOW - quote.observed_at > limit),
            )
            if holds
        ]
        if broken:
            excluded.add((quote.source, broken[0]))
        else:
            groups.setdefault(quote.group, []).append(quote)
    votes = {
        name: (
            to_int(median([Fraction(q.price) for q in members])),
            floor(Fraction(sum(q.confidence for q in members), len(members))),
        )
        for name, members in groups.items()
    }
    if not votes:
        return "no_quotes", None, 0, set(), excluded
    middle = median([Fraction(price) for price, _ in votes.values()])
    gone = {g for g, (price, _) in votes.items() if abs(price - middle) / middle > Fraction(policy.outlier_bps, BPS)}
    excluded |= {(quote.source, "outlier") for g in gone for quote in groups[g]}
    if gone and len(gone) * 2 >= len(votes):
        return "no_majority", None, 0, set(), excluded
    left = {g: vote for g, vote in votes.items() if g not in gone}
    if len(left) < policy.min_sources:
        return "no_quorum", None, 0, set(), excluded
    middle = median([Fraction(price) for price, _ in left.values()])
    spread = max(abs(price - middle) / middle for price, _ in left.values())
    weight = sum(confidence for _, confidence in left.values())
    exact = middle
    if policy.method == "weighted_mean" and spread <= Fraction(policy.wide_bps, BPS) and weight:
        exact = Fraction(sum(price * confidence for price, confidence in left.values()), weight)
    used = [quote for g in left for quote in groups[g]]
    deviation = Fraction(1) if spread < Fraction(2, 100) else Fraction(8 if spread < Fraction(5, 100) else 5, 10)
    freshness = Fraction(1)
    for quote in used:
        part = Fraction(NOW - quote.observed_at, max(300, policy.max_age if quote.max_age is None else quote.max_age))
        freshness = min(freshness, Fraction(10 if part <= Fraction(1, 5) else 9 if part <= Fraction(3, 5) else 7, 10))
    confidence = floor(Fraction(weight, len(left)) * deviation * freshness)
    if len(left) == 1 or spread > Fraction(policy.wide_bps, BPS):
        confidence = min(confidence, 5_000)
    return None, to_int(exact), confidence, {quote.source for quote in used}, excluded


@given(quote_lists(), policies, sides)
def test_aggregate__any_quotes__agrees_with_the_rules_in_fractions(
    quotes: list[Quote], policy: AggregationPolicy, side: Side
) -> None:
    reason, price, confidence, used, excluded = reference(quotes, policy, side)
    estimate = aggregate(ASSET, quotes, now=NOW, policy=policy, side=side)
    assert (estimate.reason, estimate.price, estimate.confidence) == (reason, price, confidence)
    assert estimate.used == tuple(sorted(used))
    assert estimate.excluded == tuple(sorted(excluded))


@given(st.data(), quote_lists(), policies, st.none() | last_valids, sides)
def test_aggregate__quotes_permuted__is_the_same(
    data: st.DataObject, quotes: list[Quote], policy: AggregationPolicy, last: LastValid | None, side: Side
) -> None:
    shuffled = data.draw(st.permutations(quotes))
    estimates = [
        aggregate(ASSET, order, now=NOW, policy=policy, last_valid=last, side=side) for order in (quotes, shuffled)
    ]
    assert estimates[0] == estimates[1]


@given(quote_lists(), policies, st.none() | last_valids, sides)
def test_estimate__any_quotes__is_consistent(
    quotes: list[Quote], policy: AggregationPolicy, last: LastValid | None, side: Side
) -> None:
    estimate = aggregate(ASSET, quotes, now=NOW, policy=policy, last_valid=last, side=side)
    assert (estimate.price is None) is (estimate.status is PriceStatus.UNAVAILABLE)
    assert estimate.price is None or estimate.price > 0
    assert (estimate.reason is None) is (estimate.status is PriceStatus.LIVE)
    assert 0 <= estimate.confidence <= (BPS if estimate.status is PriceStatus.LIVE else 5_000)
    assert not set(estimate.used) & {source for source, _ in estimate.excluded}
    assert (estimate.spread_bps is None) is (estimate.status is not PriceStatus.LIVE)
    assert bool(estimate.used) is (estimate.status is PriceStatus.LIVE)
    if estimate.status is PriceStatus.ESTIMATED:
        assert last is not None
        assert (estimate.undecayed_price, estimate.as_of) == (last.price, last.observed_at)


@given(quote_lists(), policies, sides)
def test_live_price__any_quotes__rests_on_a_quorum_and_lies_among_its_votes(
    quotes: list[Quote], policy: AggregationPolicy, side: Side
) -> None:
    estimate = aggregate(ASSET, quotes, now=NOW, policy=policy, side=side)
    if estimate.price is None:
        return
    assert len({quote.group for quote in quotes if quote.source in estimate.used}) >= policy.min_sources
    used = [vote.price for vote in estimate.votes if set(vote.sources) <= set(estimate.used)]
    assert min(used) <= estimate.price <= max(used)
    assert 2 * len(used) > len(estimate.votes)


@given(quote_lists(), policies)
def test_price__of_a_debt__is_never_below_that_of_an_asset(quotes: list[Quote], policy: AggregationPolicy) -> None:
    # A group's vote is itself rounded by side, which at a few wei can move it across a limit: of outliers, where the
    # example is left out, or of the spread, where the method would change.
    policy = replace(policy, method="median")
    asset = aggregate(ASSET, quotes, now=NOW, policy=policy, side="asset")
    debt = aggregate(ASSET, quotes, now=NOW, policy=policy, side="debt")
    assume(asset.used == debt.used)
    if asset.price is not None and debt.price is not None:
        assert 0 <= debt.price - asset.price <= 2


@given(st.data(), quote_lists(near_prices), policies)
def test_confidence__of_a_used_quote_raised__never_lowers_the_estimates(
    data: st.DataObject, quotes: list[Quote], policy: AggregationPolicy
) -> None:
    before = aggregate(ASSET, quotes, now=NOW, policy=policy)
    assume(before.used)
    source = data.draw(st.sampled_from(before.used))
    raised = [
        replace(quote, confidence=Bps(data.draw(st.integers(quote.confidence, BPS))))
        if quote.source == source
        else quote
        for quote in quotes
    ]
    assert aggregate(ASSET, raised, now=NOW, policy=policy).confidence >= before.confidence


@given(st.data(), quote_lists(near_prices), policies)
def test_confidence__of_an_older_quote__never_raises_the_estimates(
    data: st.DataObject, quotes: list[Quote], policy: AggregationPolicy
) -> None:
    before = aggregate(ASSET, quotes, now=NOW, policy=policy)
    assume(before.used)
    source = data.draw(st.sampled_from(before.used))
    older = [
        replace(quote, observed_at=Timestamp(quote.observed_at - data.draw(st.integers(0, 600))))
        if quote.source == source
        else quote
        for quote in quotes
    ]
    after = aggregate(ASSET, older, now=NOW, policy=policy)
    assume(after.used == before.used)
    assert after.confidence <= before.confidence
    assert after.price == before.price


@given(quote_lists(), policies, st.none() | last_valids)
def test_aggregate__one_more_refused_quote__changes_only_what_is_excluded(
    quotes: list[Quote], policy: AggregationPolicy, last: LastValid | None
) -> None:
    refused = Quote(ASSET, "zz", "zz", Wad(0), Bps(BPS), NOW)
    before = aggregate(ASSET, quotes, now=NOW, policy=policy, last_valid=last)
    after = aggregate(ASSET, [*quotes, refused], now=NOW, policy=policy, last_valid=last)
    assert replace(after, excluded=before.excluded) == before
    assert set(after.excluded) - set(before.excluded) == {("zz", "non_positive")}


@given(quote_lists(near_prices), policies, positive_wads, st.integers(0, 500), st.integers(0, 500))
def test_native_rate__any_gap__never_changes_a_price_but_to_none(
    quotes: list[Quote], policy: AggregationPolicy, rate: Wad, band: int, more: int
) -> None:
    before = aggregate(ASSET, quotes, now=NOW, policy=policy)
    after = apply_native_rate(before, rate, NativeBandPolicy(band, band + more))
    assert after.price in (before.price, None)
    if before.price is not None:
        gap = Fraction(abs(before.price - rate), rate) * BPS
        assert (after.price is None) is (gap > band + more)
        assert after.native_alarm is (gap > band)


@given(quote_lists(near_prices), positive_wads, confidences)
def test_derived_price__any_rate__rounds_against_the_fund(quotes: list[Quote], rate: Wad, confidence: Bps) -> None:
    policy = AggregationPolicy(min_sources=1)
    for side in ("asset", "debt"):
        base = aggregate(ASSET, quotes, now=NOW, policy=policy, side="debt" if side == "debt" else "asset")
        derived = derive("PT", base, rate, rate_confidence=confidence, side="debt" if side == "debt" else "asset")
        assert derived.confidence <= min(base.confidence, confidence)
        if base.price is not None and derived.price is not None:
            exact = Fraction(base.price * rate, 10**18)
            assert derived.price == (ceil(exact) if side == "debt" else floor(exact))


@given(quote_lists(near_prices, max_size=3), quote_lists(near_prices, max_size=3))
def test_converted_quote__any_leg__is_no_surer_and_no_newer_than_either(legs: list[Quote], quotes: list[Quote]) -> None:
    leg = aggregate(ASSET, legs, now=NOW, policy=AggregationPolicy(min_sources=1))
    for quote in quotes:
        converted = convert_quote(quote, leg, "asset")
        if converted is not None and leg.as_of is not None:
            assert converted.confidence <= min(quote.confidence, leg.confidence)
            assert converted.observed_at == min(quote.observed_at, leg.as_of)
