"""From the quotes of one asset to its price: refuse, group, exclude outliers, demand a quorum, combine, fall back.

Nothing depends on the order of the quotes. Distances from a median are compared with the exact median, which for an
even count may lie half a wei between two prices: `doubled` names a median times two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from navoracle.domain.errors import DomainError
from navoracle.domain.prices.fallback import fall_back
from navoracle.domain.prices.types import (
    CONFIDENCE_CAP,
    AggregationPolicy,
    Exclusions,
    LastValid,
    PriceEstimate,
    PriceStatus,
    Quote,
    Side,
    Vote,
    rounding_for,
)
from navoracle.domain.units import BPS, Bps, Rounding, Timestamp, Wad, divide, exceeds_bps, mul_div

_MIN_FRESHNESS_BASE: Final = 300
_FRESHNESS: Final = ((20, 10), (60, 9))
_STALEST: Final = 7
_DEVIATION: Final = ((200, 10), (500, 8))
_WIDEST: Final = 5
_TENTHS: Final = 10


def aggregate(
    asset: str,
    quotes: Sequence[Quote],
    *,
    now: Timestamp,
    policy: AggregationPolicy,
    last_valid: LastValid | None = None,
    side: Side = "asset",
) -> PriceEstimate:
    """Return the price of `asset` at `now`, LIVE, ESTIMATED from the last valid price, or UNAVAILABLE.

    A quote is refused for the first of these that holds: "non_positive", "low_confidence", "future", "stale". The
    sources of an excluded vote carry "outlier". Without a live price the reason is "no_quotes" (nothing left after
    refusal), "no_majority" (half or more of the votes would be outliers), "no_quorum" (fewer votes remain than
    `min_sources`), or "too_old" (and the last valid price is over an hour old). A missing price is never an exception.

    Rounding: the median of an even count and the weighted mean go down for an asset, up for a debt; confidence goes
    down, once, at the end.

    Raises:
        DomainError: a quote is of another asset, or two quotes come from one source.
    """
    rounding = rounding_for(side)
    _check_sources(asset, quotes)
    refused = [(quote.source, reason) for quote in quotes if (reason := _refusal(quote, now, policy)) is not None]
    refused_sources = {source for source, _ in refused}
    accepted = [quote for quote in quotes if quote.source not in refused_sources]
    votes = _votes(accepted, rounding)

    outliers = _outliers(votes, policy.outlier_bps)
    remaining = tuple(vote for vote in votes if vote not in outliers)
    excluded = tuple(sorted(refused + [(source, "outlier") for vote in outliers for source in vote.sources]))
    reason = _no_live_price(len(votes), len(outliers), policy.min_sources)
    if reason is not None:
        return fall_back(
            asset,
            last_valid,
            now=now,
            policy=policy,
            reason=reason,
            side=side,
            excluded=excluded,
            votes=votes,
        )
    used = frozenset(source for vote in remaining for source in vote.sources)
    return _live(asset, votes, remaining, [q for q in accepted if q.source in used], excluded, now, policy, rounding)


def _check_sources(asset: str, quotes: Iterable[Quote]) -> None:
    seen: set[str] = set()
    for quote in quotes:
        if quote.asset != asset:
            raise DomainError(
                f"{asset}: the quote from {quote.source} is of {quote.asset}",
                advice="Pass an asset's own quotes; convert one that is stated in another asset.",
            )
        if quote.source in seen:
            raise DomainError(
                f"{asset}: two quotes from the source {quote.source}", advice="Give every source an id of its own."
            )
        seen.add(quote.source)


def _refusal(quote: Quote, now: Timestamp, policy: AggregationPolicy) -> str | None:
    if quote.price <= 0:
        return "non_positive"
    if quote.claimed < policy.min_confidence:
        return "low_confidence"
    if quote.observed_at > now + policy.max_future:
        return "future"
    if now - quote.observed_at > _max_age(quote, policy):
        return "stale"
    return None


def _max_age(quote: Quote, policy: AggregationPolicy) -> int:
    return policy.max_age if quote.max_age is None else quote.max_age


def _votes(accepted: Iterable[Quote], rounding: Rounding) -> tuple[Vote, ...]:
    groups: dict[str, list[Quote]] = {}
    for quote in accepted:
        groups.setdefault(quote.group, []).append(quote)
    return tuple(
        Vote(
            group=group,
            price=_median([quote.price for quote in members], rounding),
            confidence=Bps(sum(quote.claimed for quote in members) // len(members)),
            sources=tuple(sorted(quote.source for quote in members)),
        )
        for group, members in sorted(groups.items())
    )


def _doubled_median(prices: Iterable[int]) -> int:
    ordered = sorted(prices)
    return ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]


def _median(prices: Iterable[int], rounding: Rounding) -> Wad:
    return Wad(divide(_doubled_median(prices), 2, rounding))


def _outliers(votes: Sequence[Vote], limit: Bps) -> tuple[Vote, ...]:
    if not votes:
        return ()
    doubled = _doubled_median(vote.price for vote in votes)
    return tuple(vote for vote in votes if exceeds_bps(abs(2 * vote.price - doubled), doubled, limit))


def _no_live_price(votes: int, outliers: int, min_sources: int) -> str | None:
    if votes == 0:
        return "no_quotes"
    if 2 * outliers >= votes:
        return "no_majority"
    if votes - outliers < min_sources:
        return "no_quorum"
    return None


def _live(
    asset: str,
    votes: tuple[Vote, ...],
    remaining: tuple[Vote, ...],
    used: Sequence[Quote],
    excluded: Exclusions,
    now: Timestamp,
    policy: AggregationPolicy,
    rounding: Rounding,
) -> PriceEstimate:
    doubled = _doubled_median(vote.price for vote in remaining)
    distance = max(abs(2 * vote.price - doubled) for vote in remaining)
    wide = exceeds_bps(distance, doubled, policy.wide_bps)
    multiplier = _deviation_tenths(distance, doubled) * min(_freshness_tenths(quote, now, policy) for quote in used)
    confidence = sum(vote.confidence for vote in remaining) * multiplier // (len(remaining) * _TENTHS * _TENTHS)
    if wide or len(remaining) == 1:
        confidence = min(confidence, CONFIDENCE_CAP)
    price = _combine(remaining, "median" if wide else policy.method, rounding)
    return PriceEstimate(
        asset=asset,
        price=price,
        confidence=Bps(confidence),
        status=PriceStatus.LIVE,
        reason=None,
        spread_bps=mul_div(distance, BPS, doubled, Rounding.UP),
        as_of=min(quote.observed_at for quote in used),
        used=tuple(sorted(quote.source for quote in used)),
        excluded=excluded,
        votes=votes,
        undecayed_price=price,
        published_at=min((q.published_at for q in used if q.published_at is not None), default=None),
    )


def _combine(votes: Sequence[Vote], method: str, rounding: Rounding) -> Wad:
    weight = sum(vote.confidence for vote in votes)
    # Votes of no confidence (a policy with min_confidence 0) have no weighted mean.
    if method == "weighted_mean" and weight > 0:
        return Wad(divide(sum(vote.price * vote.confidence for vote in votes), weight, rounding))
    return _median([vote.price for vote in votes], rounding)


def _deviation_tenths(distance: int, doubled: int) -> int:
    for limit, tenths in _DEVIATION:
        if distance * BPS < limit * doubled:
            return tenths
    return _WIDEST


def _freshness_tenths(quote: Quote, now: Timestamp, policy: AggregationPolicy) -> int:
    base = max(_MIN_FRESHNESS_BASE, _max_age(quote, policy))
    age = max(0, now - quote.observed_at)
    for percent, tenths in _FRESHNESS:
        if age * 100 <= percent * base:
            return tenths
    return _STALEST
