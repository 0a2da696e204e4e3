"""What liquidity between two ticks consists of: worth the least at true prices, never more than the pool pays."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from navoracle.domain.concentrated_liquidity import amounts_of_liquidity, fee_growth_inside, fees_since, holdings_at
from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.positions import LIABILITIES, Component, ConcentratedLiquidity, Holding
from navoracle.domain.tick_math import MAX_TICK, MIN_TICK, Q96, sqrt_ratio_at_tick, sqrt_ratio_of_prices
from navoracle.domain.units import WAD, RawAmount, Wad

Q128, Q256 = 1 << 128, 1 << 256
ranges = (
    st.tuples(st.integers(-300_000, 300_000), st.integers(-300_000, 300_000)).filter(lambda t: t[0] != t[1]).map(sorted)
)
liquidities = st.integers(0, 10**24)
ticks = st.integers(-300_000, 300_000)
growths = st.integers(0, Q256 - 1)
wads = st.integers(10**6, 10**26).map(Wad)


def position(liquidity: int, lower: int, upper: int, owed: tuple[int, int] = (0, 0)) -> ConcentratedLiquidity:
    amounts = RawAmount(owed[0], 18), RawAmount(owed[1], 6)
    return ConcentratedLiquidity("nft", Component.COLLATERAL, ("ETH", "USD"), liquidity, lower, upper, amounts, epoch=3)


@given(liquidities, ranges, ticks)
def test_amounts__any_price__are_floored_and_never_of_both_tokens_outside(
    liquidity: int, between: list[int], tick: int
) -> None:
    lower, upper = between
    first, second = amounts_of_liquidity(liquidity, sqrt_ratio_at_tick(tick), lower, upper)
    low, high = sqrt_ratio_at_tick(lower), sqrt_ratio_at_tick(upper)
    at = sqrt_ratio_at_tick(min(max(tick, lower), upper))
    assert first <= Fraction(liquidity * Q96 * (high - at), high * at) < first + 1
    assert second <= Fraction(liquidity * (at - low), Q96) < second + 1
    if tick <= lower:
        assert second == 0
    if tick >= upper:
        assert first == 0


@given(liquidities, ranges, st.tuples(wads, wads), ticks)
def test_holdings__at_the_ratio_of_the_prices__are_worth_the_least_of_all_mixtures(
    liquidity: int, between: list[int], prices: tuple[Wad, Wad], other: int
) -> None:
    lower, upper = between
    scales = 10**18, 10**6
    worth = sum(
        Fraction(holding.amount.value * price, scale)
        for holding, price, scale in zip(
            holdings_at(position(liquidity, lower, upper), *prices), prices, scales, strict=True
        )
    )
    mixture = amounts_of_liquidity(liquidity, sqrt_ratio_at_tick(other), lower, upper)
    elsewhere = sum(
        Fraction((amount + 1) * price, scale) for amount, price, scale in zip(mixture, prices, scales, strict=True)
    )
    ratio = sqrt_ratio_of_prices(*prices, (18, 6))
    # The root's own rounding weighs as much as its share of the root.
    assert worth <= elsewhere * (1 + Fraction(2, max(ratio, 1)))


def test_holdings__names_amounts_and_epoch__are_the_positions() -> None:
    prices = Wad(2_000 * WAD), Wad(WAD)
    found = holdings_at(position(10**15, -201_000, -195_000, owed=(7, 11)), *prices)
    plain = amounts_of_liquidity(10**15, sqrt_ratio_of_prices(*prices, (18, 6)), -201_000, -195_000)
    assert min(plain) > 0
    assert found == (
        Holding("nft/token0", Component.COLLATERAL, "ETH", RawAmount(plain[0] + 7, 18), 3),
        Holding("nft/token1", Component.COLLATERAL, "USD", RawAmount(plain[1] + 11, 6), 3),
    )
    assert position(1, 0, 1).holding_ids == ("nft/token0", "nft/token1")


@given(growths, growths, growths, ticks, ranges, growths)
def test_fee_growth_inside__any_counters__wraps_and_moves_with_what_is_earned_inside_only(
    everywhere: int, below: int, above: int, tick: int, between: list[int], earned: int
) -> None:
    lower, upper = between

    def inside(total: int) -> int:
        return fee_growth_inside(total, below, above, tick=tick, tick_lower=lower, tick_upper=upper)

    found = inside(everywhere)
    assert 0 <= found < Q256
    expected = earned if lower <= tick < upper else 0
    assert (inside((everywhere + earned) % Q256) - found) % Q256 == expected % Q256


@given(growths, growths, st.integers(0, Q128 - 1))
@example(Q256 - 1, Q256 - 1, Q128 - 1)
def test_fees__across_a_wrap_of_the_counter__are_those_of_the_difference(
    last: int, earned: int, liquidity: int
) -> None:
    assert fees_since((last + earned) % Q256, last, liquidity) == (earned * liquidity >> 128) % Q128


@pytest.mark.parametrize(
    ("liquidity", "lower", "upper"), [(-1, 0, 1), (1, 1, 1), (1, 2, 1), (1, MIN_TICK - 1, 0), (1, 0, MAX_TICK + 1)]
)
def test_position__beyond_what_a_pool_holds__raises(liquidity: int, lower: int, upper: int) -> None:
    with pytest.raises(OutOfRange, match=f"liquidity {liquidity} from {lower} to {upper}"):
        position(liquidity, lower, upper)


@pytest.mark.parametrize("component", sorted(component.value for component in LIABILITIES))
def test_position__as_a_liability__raises_because_it_would_round_down(component: str) -> None:
    with pytest.raises(DomainError, match=f"{component} is"):
        ConcentratedLiquidity("nft", Component(component), ("A", "B"), 1, 0, 1, (RawAmount(0, 0), RawAmount(0, 0)))
