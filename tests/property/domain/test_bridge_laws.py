"""The parts of a bridge add up exactly, whatever happened between its ends; what both sides show cancels."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.bridge import bridge, end_of
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.flows import VaultFlows
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.units import RawAmount, Timestamp, Wad
from navoracle.domain.valuation import PriceKey
from tests.property.domain.test_valuation_laws import NOW, fee_states, fee_terms, funds, markets

NO_FEES, NO_STATE = FeeTerms(), FeeState()
Market = dict[PriceKey, PriceEstimate]
wads = st.integers(0, 10**30).map(Wad)
totals = st.builds(VaultFlows, *[wads] * 6)
shares = st.integers(0, 10**26).map(Wad)


def valued(
    fund: list[Position],
    market: Market,
    supply: Wad = Wad(10**24),
    terms: FeeTerms = NO_FEES,
    state: FeeState = NO_STATE,
    now: int = NOW,
) -> FundValuation:
    return value_fund(fund, market, shares=supply, fee_terms=terms, fee_state=state, now=Timestamp(now))


def grown(before: VaultFlows, period: VaultFlows) -> VaultFlows:
    return VaultFlows(
        Wad(before.deposited + period.deposited),
        Wad(before.redeemed + period.redeemed),
        Wad(before.dividends + period.dividends),
        Wad(before.minted + period.minted),
        Wad(before.burned + period.burned),
        Wad(before.fee_shares + period.fee_shares),
    )


@given(funds, funds, funds, markets(), markets(), shares, shares, fee_terms, fee_states, totals, totals, st.booleans())
def test_bridge__any_two_valuations__parts_add_up_to_the_change_of_nav(
    kept: list[Position],
    old: list[Position],
    new: list[Position],
    then: Market,
    here: Market,
    shares_then: Wad,
    shares_now: Wad,
    terms: FeeTerms,
    state: FeeState,
    sums: VaultFlows,
    period: VaultFlows,
    known: bool,
) -> None:
    first = valued(kept + old, then, shares_then, terms, state)
    second = valued(kept + new, here, shares_now, terms, state, NOW + 3_600)
    found = bridge(end_of(first, sums), end_of(second, grown(sums, period) if known else None))
    assert (found.before, found.now) == (first.before.nav, second.before.nav)
    change = second.before.nav - first.before.nav
    assert found.price + found.income + found.fees + found.residual == change
    if not known:
        assert (found.flows, found.unexplained, found.shares) == (None, None, None)
        assert found.base == first.before.nav
        return
    assert found.flows is not None
    assert found.unexplained is not None
    assert found.shares is not None
    assert found.flows + found.unexplained == found.residual
    paid = period.fee_shares * first.price_per_share // 10**18
    assert found.flows == period.deposited - period.redeemed - period.dividends + paid
    assert found.fees == first.fees.total - second.fees.total - paid
    assert found.base == first.before.nav + period.deposited
    expected = shares_then + period.minted + period.fee_shares - period.burned
    assert found.shares.difference == shares_now - expected
    assert sum(each.price for each in found.changes) == found.price
    assert sum(each.income for each in found.changes) == found.income
    assert sum(each.amount for each in found.changes) == found.unexplained + (found.flows - paid)


@given(funds, markets(), st.randoms(use_true_random=False))
def test_bridge__same_positions_and_prices__has_only_zeros_in_any_order(
    fund: list[Position], market: Market, random: Random
) -> None:
    named = [replace(position, id=f"p{number}") for number, position in enumerate(fund)]
    shuffled = random.sample(named, len(named))
    found = bridge(end_of(valued(named, market), None), end_of(valued(shuffled, market), None))
    assert (found.price, found.income, found.fees, found.residual, found.changes) == (0, 0, 0, 0, ())


held = st.builds(
    Holding,
    st.just("h"),
    st.sampled_from([each for each in Component if each not in {Component.ACCRUED_INCOME, Component.REWARDS}]),
    st.sampled_from(["A", "B", "C"]),
    st.builds(RawAmount, st.integers(0, 10**40), st.integers(0, 36)),
)


@given(held, markets(), markets())
def test_bridge__unchanged_holding__is_price_alone(position: Holding, then: Market, here: Market) -> None:
    found = bridge(end_of(valued([position], then), None), end_of(valued([position], here), None))
    assert (found.income, found.residual) == (0, 0)
    assert found.price == found.now - found.before


@given(held, st.integers(0, 10**40), markets())
def test_bridge__amount_alone__is_no_price(position: Holding, other: int, market: Market) -> None:
    moved = replace(position, amount=RawAmount(other, position.amount.decimals))
    found = bridge(end_of(valued([position], market), None), end_of(valued([moved], market), None))
    assert (found.price, found.income) == (0, 0)
    assert found.residual == found.now - found.before


@given(markets(decay=False), st.integers(0, 10**30), st.integers(0, 10**30), st.integers(0, 10**30))
def test_bridge__loan_taken_or_repaid__is_explained_by_itself(
    market: Market, cash: int, debt: int, borrowed: int
) -> None:
    def fund(more: int) -> list[Position]:
        return [
            Holding("cash", Component.CASH, "A", RawAmount(cash + more, 18)),
            Holding("debt", Component.DEBT, "A", RawAmount(debt + more, 18)),
        ]

    for then, here in ((0, borrowed), (borrowed, 0)):
        found = bridge(end_of(valued(fund(then), market), None), end_of(valued(fund(here), market), None))
        # A price of so many digits leaves a wei to each side's rounding.
        assert abs(found.residual) <= 2


@given(funds, markets(), totals, st.integers(1, 10**24).map(Wad))
def test_bridge__deposit_that_joins_the_fund__is_a_flow_and_nothing_unexplained(
    fund: list[Position], market: Market, sums: VaultFlows, units: Wad
) -> None:
    queued = Holding("queue", Component.CASH, "A", RawAmount(units, 18), epoch=1)
    settled = replace(queued, epoch=None)
    first, second = valued([*fund, queued], market), valued([*fund, settled], market)
    worth = Wad(second.before.nav - first.before.nav)
    zero = Wad(0)
    after = grown(sums, VaultFlows(worth, zero, zero, zero, zero, zero))
    found = bridge(end_of(first, sums), end_of(second, after))
    assert (found.flows, found.unexplained, found.price, found.income) == (worth, 0, 0, 0)


@given(fee_terms, fee_states, markets(decay=False), st.integers(0, 10**12))
def test_bridge__fees_paid_in_shares__are_a_flow_and_leave_the_rest_as_it_is(
    terms: FeeTerms, state: FeeState, market: Market, minted: int
) -> None:
    fund: list[Position] = [Holding("cash", Component.CASH, "A", RawAmount(10**24, 18))]
    zero = VaultFlows(*[Wad(0)] * 6)
    first, second = valued(fund, market, terms=terms, state=state), valued(fund, market)
    without = bridge(end_of(first, zero), end_of(second, zero))
    with_fees = bridge(end_of(first, zero), end_of(second, replace(zero, fee_shares=Wad(minted))))
    assert without.unexplained == with_fees.unexplained == 0
    assert without.flows is not None
    assert with_fees.flows is not None
    assert with_fees.flows - without.flows == without.fees - with_fees.fees
