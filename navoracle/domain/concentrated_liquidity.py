"""What a position in a Uniswap v3 pool consists of, at the prices of its two tokens and never at the pool's own.

A pool's price can be moved within a transaction. Of all the mixtures that a position can hold, the one at the ratio of
the true prices is worth the least, so the ratio of the estimates is both what arbitrage leads to and against the fund.
"""

from __future__ import annotations

from typing import Final

from navoracle.domain.positions import ConcentratedLiquidity, Holding
from navoracle.domain.tick_math import Q96, sqrt_ratio_at_tick, sqrt_ratio_of_prices
from navoracle.domain.units import RawAmount, Rounding, Wad, divide, mul_div

_Q128: Final = 1 << 128
_Q256: Final = 1 << 256


def amounts_of_liquidity(liquidity: int, sqrt_ratio: int, tick_lower: int, tick_upper: int) -> tuple[int, int]:
    """Raw amounts of token 0 and token 1 that the pool pays for liquidity at a price (sqrt, Q64.96), each rounded down.

    The pool's own formula for burning (`SqrtPriceMath`): outside its range a position is of one token.
    """
    low, high = sqrt_ratio_at_tick(tick_lower), sqrt_ratio_at_tick(tick_upper)
    at = min(max(sqrt_ratio, low), high)
    first = divide(liquidity * Q96 * (high - at), high * at, Rounding.DOWN)
    return first, mul_div(liquidity, at - low, Q96, Rounding.DOWN)


def holdings_at(position: ConcentratedLiquidity, price_0: Wad, price_1: Wad) -> tuple[Holding, Holding]:
    """The position as one holding per token, at the ratio of two prices (Wad per whole token), both positive.

    Raises:
        DomainError: the price of token 1 is not positive.
    """
    decimals = position.owed[0].decimals, position.owed[1].decimals
    ratio = sqrt_ratio_of_prices(price_0, price_1, decimals)
    amounts = amounts_of_liquidity(position.liquidity, ratio, position.tick_lower, position.tick_upper)
    first, second = (
        Holding(
            position.holding_ids[index],
            position.component,
            position.assets[index],
            RawAmount(amounts[index] + position.owed[index].value, decimals[index]),
            position.epoch,
        )
        for index in (0, 1)
    )
    return first, second


def fee_growth_inside(
    everywhere: int, outside_lower: int, outside_upper: int, *, tick: int, tick_lower: int, tick_upper: int
) -> int:
    """Fees per unit of liquidity (Q128, modulo 2**256) within a range, from what the pool keeps at its ends.

    Only differences of it mean something: the counters start anywhere and wrap.
    """
    below = outside_lower if tick >= tick_lower else everywhere - outside_lower
    above = outside_upper if tick < tick_upper else everywhere - outside_upper
    return (everywhere - below - above) % _Q256


def fees_since(inside: int, inside_last: int, liquidity: int) -> int:
    """Raw fees that a position earned since its growth was last taken down, rounded down; 128 bits, as the pool's."""
    return mul_div((inside - inside_last) % _Q256, liquidity, _Q128, Rounding.DOWN) % _Q128
