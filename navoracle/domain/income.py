"""Income that accrues outside a token balance, and gains of positions carried at cost."""

from __future__ import annotations

from navoracle.domain.errors import OutOfRange
from navoracle.domain.units import SCALES, SECONDS_PER_YEAR, WAD, RawAmount, Rounding, Wad, divide, mul_div


def accrued_income(
    amount: RawAmount, annual_rate: Wad, seconds: int, price: Wad, rounding: Rounding = Rounding.DOWN
) -> Wad:
    """Return amount x annual_rate x seconds / 365 days x price (Wad), simple interest, one division.

    Args:
        annual_rate: Wad, 5 % = 0.05e18.
        price: Wad per whole token.
        rounding: UP for interest that is owed.

    Raises:
        OutOfRange: rate, time or price is negative.
    """
    for name, value in (("annual rate", annual_rate), ("seconds", seconds), ("price", price)):
        if value < 0:
            raise OutOfRange(f"income with negative {name}: {value}", advice="State what is owed as a debt.")
    denominator = SECONDS_PER_YEAR * WAD * SCALES[amount.decimals]
    return Wad(divide(amount.value * annual_rate * seconds * price, denominator, rounding))


def unrealized_gain(amount: RawAmount, entry_price: Wad, price: Wad) -> Wad:
    """Return amount x (price - entry_price) (Wad), negative for a loss, rounded down (a loss away from zero).

    Only for positions carried at cost: a position marked to market already holds its gain.
    """
    return Wad(mul_div(amount.value, price - entry_price, SCALES[amount.decimals], Rounding.DOWN))
