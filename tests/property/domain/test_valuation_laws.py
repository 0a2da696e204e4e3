"""What holds for every fund: nothing is lost or made in adding up, and every rounding goes against it."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import LIABILITIES, Accrual, Component, Holding, HoldingAtCost, MarginCall, Position
from navoracle.domain.prices import PriceEstimate, PriceStatus, Side, decayed_price
from navoracle.domain.units import BPS, SECONDS_PER_YEAR, WAD, Bps, RawAmount, Timestamp, Wad
from navoracle.domain.valuation import PositionValue, PriceKey, side_of, value_position

NOW = Timestamp(1_700_000_000)
ASSETS = ("A", "B", "C")
SIDES: tuple[Side, ...] = ("asset", "debt")
NO_FEES = FeeTerms()
NO_STATE = FeeState()

amounts = st.builds(RawAmount, st.integers(0, 10**40), st.integers(0, 36))
asset_names = st.sampled_from(ASSETS)
epochs = st.sampled_from([None, None, 1])
confidences = st.integers(0, BPS).map(Bps)
factors = st.sampled_from([10_000, 10_000, 9_800, 9_500, 9_000]).map(Bps)
wads = st.integers(0, 10**30).map(Wad)
names = st.integers(0, 10**9).map(str)


def is_owed(position: Position) -> bool:
    return side_of(position) == "debt"


holdings = st.builds(Holding, names, st.sampled_from(Component), asset_names, amounts, epochs, confidences)
at_costs = st.builds(
    HoldingAtCost,
    names,
    st.sampled_from([Component.CASH, Component.COLLATERAL]),
    asset_names,
    amounts,
    wads,
    epochs,
    confidences,
)
accruals = st.builds(
    Accrual,
    names,
    st.sampled_from([Component.ACCRUED_INCOME, Component.REWARDS, Component.DEBT]),
    asset_names,
    amounts,
    st.integers(0, WAD).map(Wad),
    st.integers(NOW - 10**9, NOW).map(Timestamp),
    epochs,
    confidences,
)
margin_calls = st.integers(0, 36).flatmap(
    lambda decimals: st.builds(
        MarginCall,
        names,
        asset_names,
        st.builds(RawAmount, st.integers(0, 10**40), st.just(decimals)),
        st.builds(RawAmount, st.integers(0, 10**40), st.just(decimals)),
        epochs,
        confidences,
    )
)
positions = st.one_of(holdings, at_costs, accruals, margin_calls)
funds = st.lists(positions, max_size=8)


def estimate(asset: str, side: Side, price: int, factor: Bps, confidence: int) -> PriceEstimate:
    """A live estimate, or one decayed by the factor as a fallback's is."""
    decayed = decayed_price(Wad(price), factor, side)
    live = factor == BPS
    return PriceEstimate(
        asset,
        decayed,
        Bps(confidence),
        PriceStatus.LIVE if live else PriceStatus.ESTIMATED,
        None if live else "no_quotes",
        0 if live else None,
        NOW,
        (),
        (),
        undecayed_price=Wad(price),
    )


@st.composite
def markets(draw: st.DrawFn, *, decay: bool = True) -> dict[PriceKey, PriceEstimate]:
    found: dict[PriceKey, PriceEstimate] = {}
    for asset in ASSETS:
        price = draw(st.integers(2, 10**24))
        factor = draw(factors) if decay else Bps(BPS)
        confidence = draw(confidences)
        for side in SIDES:
            found[asset, side] = estimate(asset, side, price, factor, confidence)
    return found


def value(
    fund: list[Position],
    market: dict[PriceKey, PriceEstimate],
    *,
    terms: FeeTerms = NO_FEES,
    state: FeeState = NO_STATE,
) -> FundValuation:
    return value_fund(fund, market, shares=Wad(10**24), fee_terms=terms, fee_state=state, now=NOW)


def signed(row: PositionValue) -> int:
    return -row.value if row.component in LIABILITIES else row.value


def price_of(position: Position, market: dict[PriceKey, PriceEstimate]) -> int:
    price = market[position.asset, side_of(position)].price
    assert price is not None
    return price


fee_terms = st.builds(
    FeeTerms,
    st.integers(0, WAD).map(Wad),
    st.integers(0, WAD).map(Wad),
    st.integers(0, WAD).map(Wad),
    st.sampled_from(["per_share", "total_nav"]),
)
fee_states = st.builds(FeeState, st.none() | wads, st.none() | st.integers(NOW - 10**8, NOW).map(Timestamp))


@given(funds, markets(), fee_terms, fee_states)
def test_conservation__any_fund__positions_components_and_nav_add_up(
    fund: list[Position], market: dict[PriceKey, PriceEstimate], terms: FeeTerms, state: FeeState
) -> None:
    found = value(fund, market, terms=terms, state=state)
    own = sum(signed(row) for row in found.positions if row.epoch is None)
    every = sum(signed(row) for row in found.positions)
    fees = found.fees.management + found.fees.performance + found.fees.withdrawal
    assert found.before.gross == own
    assert found.before.nav == own - fees
    assert found.after.nav == every - fees
    assert found.before.nav + found.delta_nav == found.after.nav
    for breakdown, rows in (
        (found.before, [row for row in found.positions if row.epoch is None]),
        (found.after, list(found.positions)),
    ):
        for component in Component:
            part = getattr(breakdown, component.value)
            assert part == sum(row.value for row in rows if row.component is component)
        assert breakdown.fees == fees


@given(holdings, markets())
def test_rounding__marked_holding_of_any_decimals__is_floor_of_an_asset_and_ceiling_of_a_debt(
    position: Holding, market: dict[PriceKey, PriceEstimate]
) -> None:
    (row,) = value([position], market).positions
    exact = Fraction(position.amount.value * price_of(position, market), 10**position.amount.decimals)
    assert row.value == (ceil(exact) if is_owed(position) else floor(exact))


@given(accruals, markets())
def test_rounding__accrual__is_floor_of_income_and_ceiling_of_interest_owed(
    position: Accrual, market: dict[PriceKey, PriceEstimate]
) -> None:
    (row,) = value([position], market).positions
    exact = Fraction(
        position.amount.value * position.annual_rate * (NOW - position.since) * price_of(position, market),
        SECONDS_PER_YEAR * WAD * 10**position.amount.decimals,
    )
    assert row.value == (ceil(exact) if is_owed(position) else floor(exact))


@given(margin_calls, markets())
def test_rounding__margin_call__is_the_ceiling_of_the_shortfall(
    position: MarginCall, market: dict[PriceKey, PriceEstimate]
) -> None:
    (row,) = value([position], market).positions
    short = max(0, position.maintenance.value - position.collateral.value)
    assert row.value == ceil(Fraction(short * price_of(position, market), 10**position.maintenance.decimals))


@given(at_costs, markets())
def test_rounding__at_cost__cost_and_gain_are_floors_and_never_more_than_the_market_value(
    position: HoldingAtCost, market: dict[PriceKey, PriceEstimate]
) -> None:
    cost, gain = value([position], market).positions
    scale, price = 10**position.amount.decimals, price_of(position, market)
    assert cost.value == floor(Fraction(position.amount.value * position.entry_price, scale))
    assert gain.value == floor(Fraction(position.amount.value * (price - position.entry_price), scale))
    assert 0 <= floor(Fraction(position.amount.value * price, scale)) - (cost.value + gain.value) <= 1


@given(holdings, markets())
def test_gain__of_a_marked_holding__is_counted_once_in_its_own_component(
    position: Holding, market: dict[PriceKey, PriceEstimate]
) -> None:
    rows = value([position], market).positions
    assert [row.component for row in rows] == [position.component]


@given(st.integers(0, 10**40), st.integers(0, 10**40), st.integers(0, 36), st.sampled_from(Component), markets())
def test_split__holding_in_two__never_worth_more_and_at_most_a_wei_less(
    one: int, other: int, decimals: int, component: Component, market: dict[PriceKey, PriceEstimate]
) -> None:
    def part(amount: int) -> Position:
        return Holding("p", component, "A", RawAmount(amount, decimals))

    whole = value([part(one + other)], market).before.nav
    parts = value([part(one), part(other)], market).before.nav
    assert 0 <= whole - parts <= 1


@given(funds, markets(), fee_terms, fee_states, st.randoms(use_true_random=False))
def test_order__of_positions__changes_nothing_but_the_order_of_rows(
    fund: list[Position],
    market: dict[PriceKey, PriceEstimate],
    terms: FeeTerms,
    state: FeeState,
    dice: Random,
) -> None:
    shuffled = list(fund)
    dice.shuffle(shuffled)
    first, second = (value(order, market, terms=terms, state=state) for order in (fund, shuffled))
    assert first._replace(positions=()) == second._replace(positions=())
    assert sorted(map(repr, first.positions)) == sorted(map(repr, second.positions))


@given(
    funds,
    markets(),
    st.sampled_from(sorted(LIABILITIES, key=lambda component: component.value)),
    amounts,
    st.integers(0, WAD // 10).map(Wad),
)
def test_debt__more_of_it__never_raises_nav(
    fund: list[Position],
    market: dict[PriceKey, PriceEstimate],
    component: Component,
    amount: RawAmount,
    rate: Wad,
) -> None:
    # A year at up to 10 %: the fee on what is owed is always smaller than what is owed.
    terms, state = FeeTerms(management_rate=rate), FeeState(None, Timestamp(NOW - SECONDS_PER_YEAR))
    less = value(fund, market, terms=terms, state=state)
    more = value([*fund, Holding("more", component, "A", amount)], market, terms=terms, state=state)
    assert more.before.nav <= less.before.nav
    assert more.price_per_share <= less.price_per_share
    if amount.value and not rate:
        assert more.before.nav < less.before.nav


@given(funds, markets(), st.data())
def test_asset__more_of_it__never_lowers_nav(
    fund: list[Position], market: dict[PriceKey, PriceEstimate], data: st.DataObject
) -> None:
    more = Holding(
        "more", data.draw(st.sampled_from(sorted(set(Component) - LIABILITIES, key=str))), "B", data.draw(amounts)
    )
    assert value([*fund, more], market).before.nav >= value(fund, market).before.nav


@given(funds, markets())
def test_haircut__of_a_fallback__only_ever_lowers_nav_and_says_by_how_much(
    fund: list[Position], market: dict[PriceKey, PriceEstimate]
) -> None:
    found = value(fund, market)
    plain: dict[PriceKey, PriceEstimate] = {}
    for (asset, side), decayed in market.items():
        assert decayed.undecayed_price is not None
        plain[asset, side] = estimate(asset, side, decayed.undecayed_price, Bps(BPS), decayed.confidence)
    undecayed = value(fund, plain)
    assert found.undecayed_nav == undecayed.before.nav
    assert found.before.nav <= undecayed.before.nav
    assert found.after.nav <= undecayed.after.nav
    for row in found.positions:
        assert row.value >= row.undecayed if row.component in LIABILITIES else row.value <= row.undecayed
    used = {(position.asset, side_of(position)) for position in fund}
    assert found.estimated is any(market[key].status is PriceStatus.ESTIMATED for key in used)


@given(funds, markets())
def test_confidence__of_a_fund__lies_between_those_of_its_positions(
    fund: list[Position], market: dict[PriceKey, PriceEstimate]
) -> None:
    found = value(fund, market)
    weighty = [row.confidence for row in found.positions if row.value]
    if weighty:
        assert min(weighty) <= found.confidence <= max(weighty)
    else:
        assert found.confidence == 0
    for row in found.positions:
        price = market[row.asset, "debt" if row.component in LIABILITIES else "asset"]
        assert row.confidence <= price.confidence


@given(holdings, st.integers(2, 10**24), factors, st.integers(1, 10**20))
def test_price__of_an_asset_or_a_debt__moves_the_value_its_own_way(
    position: Holding, price: int, factor: Bps, rise: int
) -> None:
    side = side_of(position)
    lower, higher = (
        value_position(position, estimate(position.asset, side, at, factor, 9_000), NOW)[0]
        for at in (price, price + rise)
    )
    assert lower.value <= higher.value
