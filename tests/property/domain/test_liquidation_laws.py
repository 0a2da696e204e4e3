"""Laws of simulated liquidations at Aave v3 and Morpho Blue, whatever the account."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from navoracle.domain.aave_liquidation import LEAST_LEFT, simulate_liquidation
from navoracle.domain.aave_rules import RAY, AaveRules
from navoracle.domain.errors import DomainError
from navoracle.domain.lending import AavePosition, AaveReserve
from navoracle.domain.morpho import ORACLE_SCALE, MorphoMarket, MorphoPosition, liquidation_incentive_factor
from navoracle.domain.morpho_liquidation import simulate_liquidation as simulate_morpho
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Timestamp, Wad
from tests.property.domain.aave import INDICES

COLLATERAL, DEBT = "collateral", "debt"
rules = st.sampled_from(AaveRules)


@st.composite
def positions(draw: st.DrawFn, rule: st.SearchStrategy[AaveRules] = rules, lowest: int = 300) -> AavePosition:
    """Collateral of 100 to ten million dollars, and a debt of 0.3 to 1.2 of what it could carry, perhaps a second one.

    `lowest` in thousandths: the health factor is between 1000 / 1200 and 1000 / `lowest`.
    """
    found = draw(rule)
    threshold, price = draw(st.integers(5_000, 9_700)), draw(st.integers(10**6, 10**13))
    bonus = draw(st.integers(1, min(1_500, BPS * BPS // threshold - BPS - 1)))
    decimals, owed_decimals = draw(st.sampled_from([6, 8, 18])), draw(st.sampled_from([6, 8, 18]))
    owed_price = draw(st.integers(10**6, 10**13))
    worth = draw(st.integers(100 * 10**8, 10**15))
    owed_worth = worth * threshold * draw(st.integers(lowest, 1_200)) // (BPS * 1_000)
    supply_index, debt_index = draw(INDICES), draw(INDICES)
    pledged = AaveReserve(
        token=COLLATERAL,
        supplied=RawAmount(found.supply(worth * 10**decimals // price * RAY // supply_index, supply_index), decimals),
        owed=RawAmount(0, decimals),
        price=price,
        loan_to_value=Bps(threshold - 500),
        liquidation_threshold=Bps(threshold),
        liquidation_bonus=Bps(bonus),
        protocol_fee=Bps(draw(st.integers(0, BPS))),
        supply_index=supply_index,
        debt_index=RAY,
        is_collateral=True,
    )
    units = owed_worth * 10**owed_decimals // owed_price * RAY // debt_index
    owing = replace(
        pledged,
        token=DEBT,
        supplied=RawAmount(0, owed_decimals),
        owed=RawAmount(found.debt(units, debt_index), owed_decimals),
        price=owed_price,
        debt_index=debt_index,
        is_collateral=False,
    )
    second = replace(pledged, token="second", supplied=RawAmount(0, 6), owed=RawAmount(draw(st.integers(0, 10**9)), 6))
    return AavePosition((pledged, owing, replace(second, price=10**8, is_collateral=False)), None, found)


amounts = st.none() | st.integers(1, 10**28)


@given(positions(), amounts)
def test_liquidation__none__exactly_where_health_is_one_or_more(position: AavePosition, amount: int | None) -> None:
    health = position.account().health_factor
    try:
        found = simulate_liquidation(position, DEBT, COLLATERAL, amount)
    except DomainError:
        assert health is None or health < WAD or not position.reserve(DEBT).owed.value
        return
    assert (found is None) == (health is None or health >= WAD)


@given(positions(lowest=1_010), amounts)
def test_liquidation__any__takes_no_more_than_is_repaid_and_the_bonus(
    position: AavePosition, amount: int | None
) -> None:
    try:
        found = simulate_liquidation(position, DEBT, COLLATERAL, amount)
    except DomainError:
        return
    assume(found is not None)
    assert found is not None
    pledged, owing = position.reserve(COLLATERAL), position.reserve(DEBT)
    assert pledged.liquidation_bonus is not None
    part = Fraction(BPS + pledged.liquidation_bonus, BPS)
    unit = Fraction(owing.price, owing.unit)
    paid, taken = found.repaid.value * unit, found.seized.value + found.protocol_fee.value
    # What the divisions may cut off: two units of the debt, and one of the collateral, which since 3.7 rounds down.
    slack = 0 if position.rules.since(AaveRules.V3_7) else Fraction(pledged.price, pledged.unit)
    assert taken * Fraction(pledged.price, pledged.unit) <= (paid + 2 * unit) * part + slack
    assert 0 < found.repaid.value <= found.repayable.value <= owing.owed.value
    assert 0 < taken <= pledged.supplied.value
    if amount is not None:
        assert found.repaid.value <= amount
    assert found.lost <= (paid + 2 * unit) * part + slack - paid + 2


@given(positions(lowest=1_010), amounts)
def test_liquidation__any__moves_what_it_says_and_leaves_the_rest(position: AavePosition, amount: int | None) -> None:
    try:
        found = simulate_liquidation(position, DEBT, COLLATERAL, amount)
    except DomainError:
        return
    assume(found is not None)
    assert found is not None
    assert found.before == position
    pledged, owing = position.reserve(COLLATERAL), position.reserve(DEBT)
    left = found.after.reserve(COLLATERAL).supplied.value
    lost = pledged.supplied.value - left - found.seized.value - found.protocol_fee.value
    # Two transfers, each rounded to a scaled unit.
    assert abs(lost) <= 2 * (pledged.supply_index // RAY + 1)
    written_off = dict(found.written_off)
    if written_off:
        assert position.rules.since(AaveRules.V3_3)
        assert found.after.account().debt == 0
        assert written_off.get(DEBT, RawAmount(0, 0)).value == owing.owed.value - found.repaid.value
    else:
        owed = found.after.reserve(DEBT).owed.value
        assert abs(owing.owed.value - found.repaid.value - owed) <= owing.debt_index // RAY + 1
        assert found.after.reserve("second") == position.reserve("second")


@given(positions(st.sampled_from([AaveRules.V3_3, AaveRules.V3_5, AaveRules.V3_6, AaveRules.V3_7]), lowest=1_010))
def test_liquidation__as_much_as_is_allowed__leaves_no_dust_since_3_3(position: AavePosition) -> None:
    found = simulate_liquidation(position, DEBT, COLLATERAL)
    assume(found is not None)
    assert found is not None
    pledged, owing = position.reserve(COLLATERAL), position.reserve(DEBT)
    left, owed = found.after.reserve(COLLATERAL).supplied.value, found.after.reserve(DEBT).owed.value
    # A scaled unit may be left of what was taken whole.
    unit = pledged.supply_index // RAY + 1
    if left > unit and owed > 0:
        assert (left + 2 * unit) * pledged.price >= LEAST_LEFT * pledged.unit
        assert (owed + owing.debt_index // RAY + 1) * owing.price >= LEAST_LEFT * owing.unit


@given(positions(lowest=1_010))
def test_liquidation__in_part__heals_where_health_exceeds_threshold_and_bonus(position: AavePosition) -> None:
    pledged = position.reserve(COLLATERAL)
    assert pledged.liquidation_bonus is not None
    # The second debt is left out: the law is of one pair.
    position = replace(position, reserves=position.reserves[:2])
    found = simulate_liquidation(position, DEBT, COLLATERAL)
    assume(found is not None)
    assert found is not None
    before, after = position.account().health_factor, found.after.account().health_factor
    assert before is not None
    if after is None or found.after.account().collateral == 0:
        return
    turning = Fraction(pledged.liquidation_threshold * (BPS + pledged.liquidation_bonus), BPS * BPS)
    # What units of either token, scaled ones included, can move the ratio by.
    debt = found.after.account().debt
    coarse = 8 * max(Fraction(one.price, one.unit) + 1 for one in position.reserves)
    near = Fraction(WAD) * coarse / debt * 4 + 2
    if Fraction(before, WAD) >= turning:
        assert after >= before - near
    if Fraction(before, WAD) <= turning:
        assert after <= before + near


@given(positions(), st.integers(0, WAD * 9 // 10), st.integers(0, WAD // 20))
def test_dropped__further__stays_liquidatable(position: AavePosition, drop: int, more: int) -> None:
    assume(position.rules.since(AaveRules.V3_5))
    near, far = (LendingAccount.of_aave(position.dropped(Wad(part)), 8) for part in (drop, drop + more))
    assert far.is_liquidatable or not near.is_liquidatable
    assert far.collateral <= near.collateral
    assert far.debt == near.debt
    if near.loan_to_value is not None and far.loan_to_value is not None:
        assert far.loan_to_value >= near.loan_to_value


@st.composite
def morpho_positions(draw: st.DrawFn) -> MorphoPosition:
    """An account in a market with others; debts of a raw unit and of 1e24 alike."""
    borrow = draw(st.integers(1, 10**24))
    shares = borrow * draw(st.integers(900_000, 1_000_000))
    mine = draw(st.integers(1, shares))
    market = MorphoMarket(borrow * 2, shares * 2, borrow, shares, Timestamp(1), Wad(0))
    lltv = Wad(draw(st.integers(WAD // 10, 98 * WAD // 100)))
    collateral = draw(st.integers(0, 10**26))
    debt = MorphoPosition(market, mine, collateral, 0, lltv).debt
    limit = debt * WAD * ORACLE_SCALE // (lltv * max(collateral, 1))
    price = limit * draw(st.integers(0, 1_100)) // 1_000
    return MorphoPosition(market, mine, collateral, price, lltv)


@given(morpho_positions())
def test_morpho__health_factor__is_under_one_exactly_where_it_is_not_healthy(position: MorphoPosition) -> None:
    assert position.health_factor is not None
    assert (position.health_factor >= WAD) == position.is_healthy
    ratio = position.loan_to_value
    if position.is_healthy and position.debt:
        assert ratio is not None
        assert ratio <= position.lltv


@given(morpho_positions())
def test_morpho_liquidation__as_much_as_can_be__takes_all_of_the_debt_or_all_of_the_collateral(
    position: MorphoPosition,
) -> None:
    try:
        found = simulate_morpho(position)
    except DomainError:
        assert position.collateral == 0
        return
    assert (found is None) == position.is_healthy
    if found is None:
        return
    after = found.after
    assert 0 <= found.seized <= position.collateral
    assert 0 <= found.repaid_shares <= position.borrow_shares
    assert after.borrow_shares == 0
    assert found.repaid_shares == position.borrow_shares or found.seized == position.collateral
    assert after.market.total_supply_assets == position.market.total_supply_assets - found.bad_debt
    gone = position.market.total_borrow_assets - after.market.total_borrow_assets
    assert abs(gone - found.repaid - found.bad_debt) <= 1
    assert (found.bad_debt_shares > 0) <= (after.collateral == 0)


@given(morpho_positions(), st.integers(1, 10**26), st.booleans())
def test_morpho_liquidation__any__takes_no_more_than_is_repaid_and_the_incentive(
    position: MorphoPosition, amount: int, by_shares: bool
) -> None:
    assume(position.price > 0)
    try:
        found = simulate_morpho(position, **{"repaid_shares" if by_shares else "seized": amount})
    except DomainError:
        return
    assert (found is None) == position.is_healthy
    if found is not None:
        factor = Fraction(liquidation_incentive_factor(position.lltv), WAD)
        assert found.seized * Fraction(position.price, ORACLE_SCALE) <= found.repaid * factor
        assert (found.repaid_shares if by_shares else found.seized) == amount


@given(morpho_positions(), st.integers(0, WAD), st.integers(0, WAD))
def test_morpho_dropped__further__is_never_healthier(position: MorphoPosition, first: int, second: int) -> None:
    near, far = (LendingAccount.of_morpho(position.dropped(Wad(drop)), 6) for drop in sorted((first, second)))
    assert near.health_factor is not None
    assert far.health_factor is not None
    assert near.health_factor >= far.health_factor
    assert far.is_liquidatable or not near.is_liquidatable


@given(st.integers(0, WAD - 1).map(Wad))
def test_morpho_incentive__any_limit__lies_between_one_and_1_15_and_falls(lltv: Wad) -> None:
    factor = liquidation_incentive_factor(lltv)
    exact = min(Fraction(115, 100), 1 / (1 - Fraction(3, 10) * (1 - Fraction(lltv, WAD))))
    assert WAD <= factor <= 115 * WAD // 100
    assert abs(Fraction(factor, WAD) - exact) <= Fraction(3, WAD)
    assert liquidation_incentive_factor(Wad(lltv // 2)) >= factor
