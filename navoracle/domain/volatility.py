"""Annualized realized volatility, in integers.

Logarithms are fixed-point numbers with 192 fractional bits, taken of the exact ratio of two prices, so that scaling all
prices by the same factor changes nothing at all. Source: ln(x) = 2 artanh((x - 1) / (x + 1)), and the definition of
realized volatility: the sample standard deviation of log returns x sqrt(periods per year).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isqrt
from typing import Final

from navoracle.domain.errors import DomainError
from navoracle.domain.units import SECONDS_PER_YEAR, WAD, Wad

FRACTION_BITS: Final = 192
MIN_PRICES: Final = 3
"""Two prices give one return, and one return has no deviation."""


def _log_of_fraction(numerator: int, denominator: int) -> int:
    """Return ln(numerator / denominator) for a ratio in [1, 2], by the series 2 (z + z^3/3 + z^5/5 + ...)."""
    z = ((numerator - denominator) << FRACTION_BITS) // (numerator + denominator)
    z_squared = z * z >> FRACTION_BITS
    total = 0
    odd = 1
    while z:
        total += z // odd
        z = z * z_squared >> FRACTION_BITS
        odd += 2
    return 2 * total


_LN_2: Final = _log_of_fraction(2, 1)


def log_return(before: Wad, after: Wad) -> int:
    """Return ln(after / before) scaled by 2**192, to at least 1e-50 absolute.

    Raises:
        DomainError: a price is not positive.
    """
    if before <= 0 or after <= 0:
        raise DomainError(
            f"no return between the prices {before} and {after}", advice="Leave out a price that was not to be had."
        )
    if after < before:
        return -log_return(after, before)
    doublings = (after // before).bit_length() - 1
    return doublings * _LN_2 + _log_of_fraction(after, before << doublings)


def annualized_volatility_of_returns(returns: Sequence[int], step_seconds: int) -> Wad:
    """Return the annualized volatility (Wad) of returns from `log_return`, rounded down.

    For a caller that keeps the returns of a moving window and adds one at a time.

    Raises:
        DomainError: fewer than two returns, or the step is not positive.
    """
    count = len(returns)
    if count < MIN_PRICES - 1:
        raise DomainError(
            f"{count} returns have no deviation", advice=f"Wait until there are {MIN_PRICES} prices of the asset."
        )
    if step_seconds <= 0:
        raise DomainError(f"step of {step_seconds} seconds", advice="State the seconds between two prices.")
    # n * sum(r^2) - sum(r)^2 = n (n - 1) * sample variance, exact in integers.
    spread = count * sum(r * r for r in returns) - sum(returns) ** 2
    numerator = spread * SECONDS_PER_YEAR * WAD * WAD
    return Wad(isqrt(numerator // (count * (count - 1) * step_seconds << 2 * FRACTION_BITS)))


def annualized_volatility(prices: Sequence[Wad], step_seconds: int) -> Wad:
    """Return the annualized realized volatility (Wad, 80 % = 0.8e18) of prices `step_seconds` apart, rounded down.

    Standard deviation of the log returns (n - 1) x sqrt(365 days / step).

    Raises:
        DomainError: fewer than three prices, a price that is not positive, or a step that is not positive.
    """
    if len(prices) < MIN_PRICES:
        raise DomainError(
            f"{len(prices)} prices have no volatility", advice=f"Wait until there are {MIN_PRICES} prices of the asset."
        )
    return annualized_volatility_of_returns([log_return(a, b) for a, b in pairwise(prices)], step_seconds)
