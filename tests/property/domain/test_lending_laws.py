"""Laws of a borrower's account at Aave v3, whatever its reserves."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.aave_rules import RAY, AaveRules
from navoracle.domain.lending import AavePosition, AaveReserve, EMode, health_factor
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Wad
from tests.property.domain.aave import e_modes, reserves

amounts = st.integers(0, 10**30)
bps = st.integers(0, BPS).map(Bps)
rules = st.sampled_from(AaveRules)
exact_rules = st.sampled_from([AaveRules.V3_5, AaveRules.V3_6, AaveRules.V3_7])


lists = st.lists(reserves(), max_size=5, unique_by=lambda reserve: reserve.token).map(tuple)


def counted(position: AavePosition) -> list[tuple[int, int]]:
    """Value and threshold of what counts as collateral, by a second way of computing them."""
    assert position.e_mode is not None
    found: list[tuple[int, int]] = []
    for reserve in position.reserves:
        if reserve.is_collateral and (position.rules.since(AaveRules.V3_6) or reserve.liquidation_threshold > 0):
            price = (position.e_mode.price or reserve.price) if reserve.in_e_mode else reserve.price
            threshold = position.e_mode.liquidation_threshold if reserve.in_e_mode else reserve.liquidation_threshold
            found.append((floor(Fraction(reserve.supplied.value * price, 10**reserve.supplied.decimals)), threshold))
    return found


@given(lists, e_modes, rules)
def test_account__any_reserves__totals_and_average_are_those_of_what_counts(
    found: tuple[AaveReserve, ...], e_mode: EMode, rule: AaveRules
) -> None:
    position = AavePosition(found, e_mode, rule)
    account, collateral = position.account(), counted(position)
    assert account.collateral == sum(value for value, _ in collateral)
    thresholds = [threshold for value, threshold in collateral if value]
    if thresholds:
        weighted = sum(value * threshold for value, threshold in collateral)
        assert account.liquidation_threshold == floor(Fraction(weighted, account.collateral))
        assert min(thresholds) <= account.liquidation_threshold <= max(thresholds)
    else:
        assert account.liquidation_threshold == 0


@given(lists, e_modes)
def test_account__debt__rounds_down_before_3_5_and_up_since(found: tuple[AaveReserve, ...], e_mode: EMode) -> None:
    old, new = (AavePosition(found, e_mode, rule).account().debt for rule in (AaveRules.V3_0, AaveRules.V3_5))
    owed = sum(
        Fraction(reserve.owed.value * (e_mode.price or reserve.price if reserve.in_e_mode else reserve.price))
        / 10**reserve.owed.decimals
        for reserve in found
    )
    assert old <= owed <= new
    assert new - old <= len(found)


@given(lists, e_modes, exact_rules)
def test_account__health_factor_of_3_5__is_the_exact_ratio_less_than_one_unit_off(
    found: tuple[AaveReserve, ...], e_mode: EMode, rule: AaveRules
) -> None:
    position = AavePosition(found, e_mode, rule)
    account = position.account()
    if account.debt == 0:
        assert account.health_factor is None
        return
    assert account.health_factor is not None
    exact = Fraction(sum(value * threshold for value, threshold in counted(position)) * WAD, account.debt * BPS)
    assert abs(account.health_factor - exact) < 1


@given(st.integers(0, 10**30), bps, st.integers(1, 10**30))
def test_health_factor__of_3_0__rounds_half_up_twice(collateral: int, threshold: Bps, debt: int) -> None:
    discounted = floor(Fraction(collateral * threshold, BPS) + Fraction(1, 2))
    found = health_factor(collateral, threshold, debt)
    assert found == floor(Fraction(discounted * WAD + debt // 2, debt))
    assert found is not None
    assert abs(found - Fraction(discounted * WAD, debt)) <= Fraction(1, 2)


@given(lists, e_modes, exact_rules, st.integers(1, 10**24))
def test_account__more_supplied_or_owed__moves_health_one_way(
    found: tuple[AaveReserve, ...], e_mode: EMode, rule: AaveRules, more: int
) -> None:
    before = AavePosition(found, e_mode, rule).account().health_factor
    for place, reserve in enumerate(found):

        def health(changed: AaveReserve, at: int = place) -> Wad | None:
            return AavePosition((*found[:at], changed, *found[at + 1 :]), e_mode, rule).account().health_factor

        richer = health(replace(reserve, supplied=RawAmount(reserve.supplied.value + more, reserve.supplied.decimals)))
        poorer = health(replace(reserve, owed=RawAmount(reserve.owed.value + more, reserve.owed.decimals)))
        assert before is None or (richer is not None and richer >= before)
        assert poorer is not None
        assert before is None or poorer <= before


@given(lists, e_modes, rules)
def test_account__reserves_in_another_order__is_the_same(
    found: tuple[AaveReserve, ...], e_mode: EMode, rule: AaveRules
) -> None:
    account = AavePosition(found, e_mode, rule).account()
    assert AavePosition(tuple(reversed(found)), e_mode, rule).account() == account
    assert AavePosition(tuple(sorted(found, key=lambda reserve: reserve.token)), e_mode, rule).account() == account


@given(lists, e_modes, rules)
def test_marked__the_same_prices__change_nothing(
    found: tuple[AaveReserve, ...], e_mode: EMode, rule: AaveRules
) -> None:
    position = AavePosition(found, e_mode, rule)
    assert position.marked({reserve.token: reserve.price for reserve in found}) == position
    assert position.marked({}) == position


@given(lists, e_modes, rules)
def test_account__max_ltv__lies_within_the_limits_of_what_counts(
    found: tuple[AaveReserve, ...], e_mode: EMode, rule: AaveRules
) -> None:
    position = AavePosition(found, e_mode, rule)
    limits = [position.loan_to_value(one) for one in found if position.counts(one) and position.supplied_worth(one)]
    if limits:
        assert min(limits) <= position.account().max_ltv <= max(limits)
    else:
        assert position.account().max_ltv == 0


@given(lists, e_modes, exact_rules, st.integers(0, WAD // 2), st.integers(0, WAD // 2))
def test_dropped__further__is_never_healthier_and_leaves_the_debt(
    found: tuple[AaveReserve, ...], e_mode: EMode, rule: AaveRules, first: int, more: int
) -> None:
    # Two: a price of one unit would fall to nothing.
    found = tuple(replace(reserve, price=reserve.price + 1) for reserve in found)
    position = AavePosition(found, replace(e_mode, price=e_mode.price and e_mode.price + 1), rule)
    account = position.account()
    near, far = (position.dropped(Wad(drop)).account() for drop in (first, first + more))
    assert account.debt == near.debt == far.debt
    assert account.collateral >= near.collateral >= far.collateral
    if account.health_factor is None:
        assert near.health_factor is far.health_factor is None
    else:
        assert near.health_factor is not None
        assert far.health_factor is not None
        assert account.health_factor >= near.health_factor >= far.health_factor


@given(lists, e_modes, rules)
def test_dropped__by_nothing__is_the_same_account(
    found: tuple[AaveReserve, ...], e_mode: EMode, rule: AaveRules
) -> None:
    position = AavePosition(found, e_mode, rule)
    assert position.dropped(Wad(0)).account() == position.account()


@given(st.sampled_from(AaveRules), st.integers(0, 10**30), st.integers(RAY, 10 * RAY))
def test_scaled__of_a_whole_balance__are_the_units_that_it_consists_of(
    rule: AaveRules, scaled: int, index: int
) -> None:
    assert rule.scaled_supply(rule.supply(scaled, index), index) == scaled
    assert rule.scaled_debt(rule.debt(scaled, index), index) == scaled
