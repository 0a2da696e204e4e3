"""Uniswap v3's ticks: the price 1.0001**tick as an exact square root, and averages of ticks.

A square root of a price is in Q64.96: sqrt(raw units of token 1 per raw unit of token 0) x 2**96. It is bit for bit
what the pool computes (`TickMath.getSqrtRatioAtTick`), because a position's amounts follow from it.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt
from typing import Final

from navoracle.domain.errors import OutOfRange
from navoracle.domain.units import WAD, Rounding, Wad, divide

MAX_TICK: Final = 887_272
MIN_TICK: Final = -MAX_TICK
Q96: Final = 1 << 96
Q192: Final = 1 << 192

_PRECISION: Final = 512


def _half_powers() -> tuple[int, ...]:
    """1.0001**(-2**i / 2) for i = 0 to 19 in Q128, each rounded to the nearest, as the pool's constants are."""
    power = isqrt((10_000 << 2 * _PRECISION) // 10_001)
    found = []
    for _ in range(MAX_TICK.bit_length()):
        found.append((power + (1 << (_PRECISION - 129))) >> (_PRECISION - 128))
        power = power * power >> _PRECISION
    return tuple(found)


_HALF_POWERS: Final = _half_powers()


@lru_cache(maxsize=4096)
def sqrt_ratio_at_tick(tick: int) -> int:
    """The square root (Q64.96) of the price at a tick, rounded as the pool rounds it.

    Raises:
        OutOfRange: the tick lies outside -887_272 to 887_272.
    """
    if not MIN_TICK <= tick <= MAX_TICK:
        raise OutOfRange(
            f"tick {tick} outside {MIN_TICK} to {MAX_TICK}", advice="Check the pool's address: no pool has this tick."
        )
    ratio = 1 << 128
    for bit, power in enumerate(_HALF_POWERS):
        if abs(tick) >> bit & 1:
            ratio = ratio * power >> 128
    if tick > 0:
        ratio = ((1 << 256) - 1) // ratio
    return divide(ratio, 1 << 32, Rounding.UP)


def mean_tick(cumulative_change: int, seconds: int) -> int:
    """The average tick over some seconds, from the change of the pool's 56-bit cumulative tick; rounded down.

    Down is towards minus infinity also below zero, as `OracleLibrary.consult` rounds. The counter may have wrapped.

    Raises:
        DomainError: the time is not positive.
    """
    change = (cumulative_change + (1 << 55)) % (1 << 56) - (1 << 55)
    return divide(change, seconds, Rounding.DOWN)


def mean_liquidity(cumulative_change: int, seconds: int) -> int:
    """The harmonic mean of the liquidity in range over some seconds, rounded down (`OracleLibrary.consult`).

    `cumulative_change` is that of the pool's 160-bit seconds per liquidity (Q128), which may have wrapped.

    Raises:
        OutOfRange: the counter did not move, though it does with any liquidity and time.
    """
    change = cumulative_change % (1 << 160)
    if change == 0:
        raise OutOfRange(
            "the seconds per liquidity did not move", advice="Check the pool's address: this counter always moves."
        )
    return divide(seconds * ((1 << 160) - 1), change << 32, Rounding.DOWN)


def price_at(sqrt_ratio: int, decimals: tuple[int, int], *, of_first: bool) -> Wad:
    """The price (Wad per whole token) of token 0 in token 1, or of token 1 in token 0; one rounding, down.

    Args:
        sqrt_ratio: Q64.96, positive.
        decimals: of token 0 and token 1.
        of_first: whether token 0 is priced.
    """
    first, second = decimals
    square = sqrt_ratio * sqrt_ratio
    if of_first:
        return Wad(divide(square * 10**first * WAD, Q192 * 10**second, Rounding.DOWN))
    return Wad(divide(Q192 * 10**second * WAD, square * 10**first, Rounding.DOWN))


def sqrt_ratio_of_prices(price_0: Wad, price_1: Wad, decimals: tuple[int, int]) -> int:
    """The square root (Q64.96, rounded down) of the ratio that two prices (Wad per whole token) imply.

    Raises:
        DomainError: the price of token 1 is not positive.
    """
    first, second = decimals
    return isqrt(divide(price_0 * 10**second * Q192, price_1 * 10**first, Rounding.DOWN))
