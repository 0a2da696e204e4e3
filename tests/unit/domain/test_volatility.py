"""Annualized volatility against other ways of computing it."""

from __future__ import annotations

import math
import random
import statistics
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest

from navoracle.domain.errors import DomainError
from navoracle.domain.units import SECONDS_PER_YEAR, WAD, Wad, to_wad
from navoracle.domain.volatility import (
    FRACTION_BITS,
    annualized_volatility,
    annualized_volatility_of_returns,
    log_return,
)

STEP = 300


def walk(seed: int, count: int, deviation: float, start: int = 2_000 * WAD) -> list[Wad]:
    generator = random.Random(seed)
    prices = [Wad(start)]
    for _ in range(count - 1):
        prices.append(Wad(max(1, int(prices[-1] * math.exp(generator.gauss(0, deviation))))))
    return prices


def in_decimal(prices: list[Wad], step: int) -> Decimal:
    """The same definition with 60 decimal digits."""
    with localcontext() as context:
        context.prec = 60
        returns = [(Decimal(after) / Decimal(before)).ln() for before, after in pairwise(prices)]
        mean = sum(returns, Decimal(0)) / len(returns)
        variance = sum(((r - mean) ** 2 for r in returns), Decimal(0)) / (len(returns) - 1)
        return (variance * SECONDS_PER_YEAR / step).sqrt()


@pytest.mark.parametrize("deviation", [0.0001, 0.003, 0.1, 3.0])
def test_volatility__day_of_five_minute_prices__agrees_with_decimal_to_a_wei(deviation: float) -> None:
    prices = walk(1, 289, deviation)
    exact = in_decimal(prices, STEP) * WAD
    assert 0 <= exact - annualized_volatility(prices, STEP) < 1


@pytest.mark.parametrize("deviation", [0.003, 0.1])
def test_volatility__day_of_five_minute_prices__agrees_with_floats(deviation: float) -> None:
    prices = walk(2, 289, deviation)
    returns = [math.log(after / before) for before, after in pairwise(prices)]
    expected = statistics.stdev(returns) * math.sqrt(SECONDS_PER_YEAR / STEP)
    assert annualized_volatility(prices, STEP) / WAD == pytest.approx(expected, rel=1e-12)


def test_volatility__three_prices_by_hand__is_the_formulas() -> None:
    # Returns ln 2 and -ln 2: mean 0, variance 2 (ln 2)^2 with n - 1; one step a year leaves sqrt(2) ln 2.
    prices = [Wad(WAD), Wad(2 * WAD), Wad(WAD)]
    assert annualized_volatility(prices, SECONDS_PER_YEAR) == to_wad("0.980258143468547191")


def test_volatility__constant_or_steadily_growing_price__is_zero() -> None:
    assert annualized_volatility([Wad(WAD)] * 10, STEP) == 0
    assert annualized_volatility([Wad(2**n) for n in range(10)], STEP) == 0


def test_volatility__step_four_times_as_long__is_half() -> None:
    prices = walk(3, 50, 0.01)
    assert abs(annualized_volatility(prices, STEP) - 2 * annualized_volatility(prices, 4 * STEP)) <= 1


@pytest.mark.parametrize(
    ("before", "after"), [(1, 2), (3, 1), (10**18, 10**18 + 1), (1, 10**40), (10**40, 7), (5, 5), (999, 1_000)]
)
def test_log_return__any_ratio__is_exact_to_fifty_digits(before: int, after: int) -> None:
    with localcontext() as context:
        context.prec = 80
        expected = (Decimal(after) / Decimal(before)).ln()
        found = Decimal(log_return(Wad(before), Wad(after))) / Decimal(2) ** FRACTION_BITS
        assert abs(found - expected) < Decimal("1e-50")


def test_log_return__one_wei_of_a_wad__is_exact_relatively() -> None:
    with localcontext() as context:
        context.prec = 80
        expected = (Decimal(WAD + 1) / Decimal(WAD)).ln()
        found = Decimal(log_return(Wad(WAD), Wad(WAD + 1))) / Decimal(2) ** FRACTION_BITS
        assert abs(found / expected - 1) < Decimal("1e-18")


@pytest.mark.parametrize("prices", [[], [WAD], [WAD, 2 * WAD]])
def test_volatility__fewer_than_three_prices__raises_with_advice(prices: list[int]) -> None:
    with pytest.raises(DomainError, match="have no volatility") as refused:
        annualized_volatility([Wad(price) for price in prices], STEP)
    assert "3 prices" in refused.value.advice


@pytest.mark.parametrize("bad", [0, -1])
def test_volatility__price_not_positive__raises(bad: int) -> None:
    with pytest.raises(DomainError, match="no return between"):
        annualized_volatility([Wad(1), Wad(2), Wad(bad)], STEP)
    with pytest.raises(DomainError, match="no return between"):
        annualized_volatility([Wad(bad), Wad(2), Wad(1)], STEP)


@pytest.mark.parametrize("step", [0, -1])
def test_volatility__step_not_positive__raises(step: int) -> None:
    with pytest.raises(DomainError, match="step of"):
        annualized_volatility([Wad(1), Wad(2), Wad(1)], step)


def test_volatility_of_returns__kept_by_the_caller__equals_that_of_the_prices() -> None:
    prices = walk(4, 30, 0.01)
    returns = [log_return(before, after) for before, after in pairwise(prices)]
    assert annualized_volatility_of_returns(returns, STEP) == annualized_volatility(prices, STEP)


def test_volatility_of_returns__one_return__raises() -> None:
    with pytest.raises(DomainError, match="1 returns"):
        annualized_volatility_of_returns([0], STEP)
