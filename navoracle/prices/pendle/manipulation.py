"""How far a Pendle market's spot rate can be pushed down by trading, and what that costs in confidence.

Pendle's curve prices a PT at 1 / r with r = anchor + ln(share / (1 - share)) / scalar, `share` being the part of the
pool that is PT, and takes no trade that leaves more than 96 % of it (MarketMathCore). A trade can therefore raise r by
at most x = ln(24 x asset / PT) / scalar, which takes the price p to 1 / (1 / p + x): a fall of p x / (1 + p x), and
because a PT is never worth more than 1, of at most x / (1 + x). Fees are left out, as they only make it less.

Only the fall counts. Pushed up, spot is the higher of two rates, which values no asset.
"""

from __future__ import annotations

from typing import Final

from navoracle.domain.prices.source_confidence import dispersion_factor
from navoracle.domain.units import SECONDS_PER_YEAR, WAD, Rounding, Wad, divide, mul_div

MAX_ODDS: Final = 24
"""PT to asset at the largest share that the curve allows: 96 to 4."""

LEAST_FACTOR: Final = Wad(4 * 10**17)
"""What is left of the confidence in a spot rate that can be pushed 5 % or more."""

_LN_2_UP: Final = 693_147_180_559_945_310
_PLACES: Final = 96
_BITS: Final = 64


def natural_log_up(numerator: int, denominator: int) -> Wad:
    """ln(numerator / denominator), never below the true value and at most 4 wei per unit above; 0 for a ratio up to 1.

    The binary logarithm bit by bit: squaring a mantissa between 1 and 2 shows its next bit. Each step rounds up.
    """
    if numerator <= denominator:
        return Wad(0)
    whole = (numerator // denominator).bit_length() - 1
    mantissa = divide(numerator << _PLACES, denominator << whole, Rounding.UP)
    fraction = 0
    for _ in range(_BITS):
        mantissa = divide(mantissa * mantissa, 1 << _PLACES, Rounding.UP)
        bit = mantissa >> (_PLACES + 1) != 0
        fraction = 2 * fraction + bit
        if bit:
            mantissa = divide(mantissa, 2, Rounding.UP)
    # What the remaining mantissa holds is at most one more unit of the last bit.
    return Wad(mul_div((whole << _BITS) + fraction + 1, _LN_2_UP, 1 << _BITS, Rounding.UP))


def rate_rise(total_pt: int, total_asset: int, scalar_root: int, seconds_to_expiry: int) -> Wad:
    """The most that a trade can add to the market's exchange rate (asset to PT), rounded up.

    `total_pt` and `total_asset` are the pool's reserves in raw units of the accounting asset, `scalar_root` a Wad.

    Raises:
        DomainError: there is no PT, or the time to expiry is not positive.
    """
    scalar = max(1, mul_div(scalar_root, SECONDS_PER_YEAR, seconds_to_expiry, Rounding.DOWN))
    return Wad(mul_div(natural_log_up(MAX_ODDS * total_asset, total_pt), WAD, scalar, Rounding.UP))


def manipulation_factor(rise: Wad) -> Wad:
    """1 while spot can fall by 10 bps at most, falling in a straight line to 0.4 at 500 bps; rounded down."""
    return Wad(LEAST_FACTOR + mul_div(WAD - LEAST_FACTOR, dispersion_factor(rise, WAD + rise), WAD, Rounding.DOWN))
