"""The last valid price as a stand-in: decayed with age, always against the fund, never beyond an hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from navoracle.domain.errors import DomainError
from navoracle.domain.prices.types import (
    CONFIDENCE_CAP,
    AggregationPolicy,
    Exclusions,
    LastValid,
    PriceEstimate,
    PriceStatus,
    Side,
    Vote,
    rounding_for,
    unavailable,
)
from navoracle.domain.units import BPS, Bps, Rounding, Timestamp, Wad, mul_div

MAX_FALLBACK_AGE: Final = 3_600
"""Seconds, inclusive, for which a last valid price can stand in."""

_LADDER: Final = ((300, 10_000), (900, 9_800), (1_800, 9_500))
_LAST_STEP: Final = Bps(9_000)


def decay_factor(age: int) -> Bps | None:
    """Return the factor (Bps) for a last valid price of `age` seconds; None beyond 60 minutes.

    Under 5 minutes 10_000, under 15 minutes 9_800, under 30 minutes 9_500, up to and including 60 minutes 9_000.

    Raises:
        DomainError: the age is negative.
    """
    if age < 0:
        raise DomainError(f"negative age {age}", advice="An observation ahead of now has the age 0.")
    for limit, factor in _LADDER:
        if age < limit:
            return Bps(factor)
    return _LAST_STEP if age <= MAX_FALLBACK_AGE else None


def decayed_price(price: Wad, factor: Bps, side: Side) -> Wad:
    """Return the price after the haircut: floor(price x factor) for an asset, ceil(price / factor) for a debt."""
    rounding = rounding_for(side)
    if rounding is Rounding.DOWN:
        return Wad(mul_div(price, factor, BPS, rounding))
    return Wad(mul_div(price, BPS, factor, rounding))


def fall_back(
    asset: str,
    last_valid: LastValid | None,
    *,
    now: Timestamp,
    policy: AggregationPolicy,
    reason: str,
    side: Side,
    excluded: Exclusions = (),
    votes: Sequence[Vote] = (),
) -> PriceEstimate:
    """Return the ESTIMATED price that `last_valid` still carries, else UNAVAILABLE.

    The estimate keeps `reason`, why there is no live price. A last valid price older than 60 minutes gives "too_old";
    one observed more than the policy's `max_future` ahead of `now`, or so small that its haircut leaves nothing, is not
    used and `reason` stays. Confidence is floor(confidence x factor), at most 5_000.
    """
    if last_valid is None or last_valid.observed_at > now + policy.max_future:
        return unavailable(asset, reason, excluded=excluded, votes=votes)
    factor = decay_factor(max(0, now - last_valid.observed_at))
    if factor is None:
        return unavailable(asset, "too_old", excluded=excluded, votes=votes)
    price = decayed_price(last_valid.price, factor, side)
    if price == 0:
        return unavailable(asset, reason, excluded=excluded, votes=votes)
    return PriceEstimate(
        asset=asset,
        price=price,
        confidence=Bps(min(CONFIDENCE_CAP, last_valid.confidence * factor // BPS)),
        status=PriceStatus.ESTIMATED,
        reason=reason,
        spread_bps=None,
        as_of=last_valid.observed_at,
        used=(),
        excluded=excluded,
        votes=tuple(votes),
        undecayed_price=last_valid.price,
    )
