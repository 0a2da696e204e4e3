"""How sure one source's quote is (ADR 0009): base confidence of its class x dispersion x depth, rounded down once.

Factors are Wad between 0 and 1. Age is not a factor here: aggregation counts it for all sources alike.
"""

from __future__ import annotations

from typing import Final

from navoracle.domain.errors import OutOfRange
from navoracle.domain.prices.types import check_confidence
from navoracle.domain.units import BPS, WAD, Bps, Rounding, Wad, mul_div

MARKET_FEED: Final = Bps(9_500)
"""A feed of many nodes that watch many markets (Chainlink, Pyth)."""
PUSH_FEED: Final = Bps(9_000)
"""A feed of one operator (RedStone, API3, Chronicle)."""
EXCHANGE: Final = Bps(8_000)
"""One exchange's order book."""
POOL_AVERAGE: Final = Bps(7_000)
"""A time-weighted or moving average of one pool."""
AGGREGATOR: Final = Bps(6_000)
"""A service that averages exchanges and does not sign what it says."""

UNKNOWN_TIME_CAP: Final = Bps(5_000)
"""The most that a quote of unknown time can claim."""

CONFIDENCE_PER_DEVIATION: Final = 10
"""Confidence (Bps) lost per basis point of a feed's deviation threshold: 50 bps cost 5 %."""

NARROW_BPS: Final = 10
"""Dispersion up to which nothing is lost."""
WIDE_BPS: Final = 500
"""Dispersion from which nothing is left."""


def source_confidence(base: Bps, *factors: Wad) -> Bps:
    """Base confidence times all factors, rounded down once.

    Raises:
        OutOfRange: the base lies outside 0 to 10_000, or a factor outside 0 to 1.
    """
    check_confidence(base, "source confidence")
    product, scale = int(base), 1
    for factor in factors:
        if not 0 <= factor <= WAD:
            raise OutOfRange(f"confidence factor {factor} outside 0 to {WAD}", advice="Factors only lower confidence.")
        product *= factor
        scale *= WAD
    return Bps(product // scale)


def less_deviation(confidence: Bps, deviation_bps: Bps) -> Bps:
    """Confidence less ten times the deviation threshold, within which a push feed does not move; never below zero."""
    return Bps(max(0, confidence - CONFIDENCE_PER_DEVIATION * deviation_bps))


def dispersion_factor(deviation: int, value: int) -> Wad:
    """1 while deviation / value is at most 10 bps, falling in a straight line to 0 at 500 bps; rounded down.

    `deviation` and `value` are of one scale: an interval beside its price, half a spread beside its middle.

    Raises:
        OutOfRange: a negative deviation, or a value that is not positive.
    """
    if deviation < 0 or value <= 0:
        raise OutOfRange(
            f"dispersion of {deviation} around {value}", advice="Refuse a price that is not positive before this."
        )
    room = WIDE_BPS * value - deviation * BPS
    span = (WIDE_BPS - NARROW_BPS) * value
    return Wad(0 if room <= 0 else WAD if room >= span else mul_div(room, WAD, span, Rounding.DOWN))


def depth_factor(found: int, required: int) -> Wad:
    """found / required, at most 1, rounded down: what a thin pool's average is worth.

    Raises:
        OutOfRange: a negative figure, or nothing required.
    """
    if found < 0 or required <= 0:
        raise OutOfRange(f"depth {found} of {required}", advice="State the liquidity that the source must have.")
    return Wad(WAD if found >= required else mul_div(found, WAD, required, Rounding.DOWN))
