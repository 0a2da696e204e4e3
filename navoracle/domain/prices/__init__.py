"""Pricing: quotes in, one explained price per asset out."""

from navoracle.domain.prices.aggregation import aggregate
from navoracle.domain.prices.derived import convert_quote, derive, identity_estimate
from navoracle.domain.prices.fallback import MAX_FALLBACK_AGE, decay_factor, decayed_price, fall_back
from navoracle.domain.prices.native_rate import NativeBandPolicy, apply_native_rate
from navoracle.domain.prices.time_weighted import gap_exceeds, time_weighted_average
from navoracle.domain.prices.types import (
    CONFIDENCE_CAP,
    AggregationPolicy,
    Exclusions,
    LastValid,
    Method,
    PriceEstimate,
    PriceStatus,
    Quote,
    Side,
    Vote,
    check_confidence,
    rounding_for,
    unavailable,
)

__all__ = [
    "CONFIDENCE_CAP",
    "MAX_FALLBACK_AGE",
    "AggregationPolicy",
    "Exclusions",
    "LastValid",
    "Method",
    "NativeBandPolicy",
    "PriceEstimate",
    "PriceStatus",
    "Quote",
    "Side",
    "Vote",
    "aggregate",
    "apply_native_rate",
    "check_confidence",
    "convert_quote",
    "decay_factor",
    "decayed_price",
    "derive",
    "fall_back",
    "gap_exceeds",
    "identity_estimate",
    "rounding_for",
    "time_weighted_average",
    "unavailable",
]
