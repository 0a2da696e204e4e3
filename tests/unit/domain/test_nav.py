"""NAV before and after, haircuts, confidence, and what cannot be valued."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import DomainError
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.positions import Accrual, Component, HoldingAtCost, MarginCall
from navoracle.domain.prices import PriceEstimate, PriceStatus, unavailable
from navoracle.domain.units import WAD, Bps, RawAmount, Timestamp, Wad, to_wad
from navoracle.domain.valuation import value_position
from tests.unit.domain.builders import NOW, live
from tests.unit.domain.funds import decayed, holding, prices, tokens, value

CASH, COLLATERAL, DEBT = Component.CASH, Component.COLLATERAL, Component.DEBT
USD = prices(USD="1")


def test_value_fund__silo_of_queued_deposits__counts_after_only() -> None:
    found = value([holding("own", CASH, "USD", "100"), holding("silo", CASH, "USD", "50", epoch=0)], USD, shares="200")
    assert (found.before.cash, found.after.cash) == (to_wad("100"), to_wad("150"))
    assert found.price_per_share == to_wad("0.5")
    assert (found.delta_nav, found.shares_to_mint) == (to_wad("50"), to_wad("100"))


def test_value_fund__deployed_epoch_with_debt__brings_its_net_worth() -> None:
    found = value(
        [
            holding("own", CASH, "USD", "100"),
            holding("lent", COLLATERAL, "USD", "90", epoch=3),
            holding("owed", DEBT, "USD", "40", epoch=3),
        ],
        USD,
        shares="100",
    )
    assert found.delta_nav == to_wad("50")
    assert (found.after.collateral, found.after.debt) == (to_wad("90"), to_wad("40"))
    assert (found.before.collateral, found.before.debt) == (0, 0)


def test_value_fund__no_silo__after_is_before_and_nothing_is_minted() -> None:
    found = value([holding("own", CASH, "USD", "100")], USD, shares="100")
    assert found.after == found.before
    assert (found.delta_nav, found.shares_to_mint) == (0, 0)


def test_value_fund__fees__are_those_of_nav_before_on_both_sides() -> None:
    terms, state = FeeTerms(management_rate=to_wad("0.1")), FeeState(None, Timestamp(NOW - 365 * 86_400))
    own, silo = holding("own", CASH, "USD", "100"), holding("silo", CASH, "USD", "900", epoch=1)
    found = value([own, silo], USD, shares="100", terms=terms, state=state)
    assert found.before.fees == found.after.fees == to_wad("10")
    assert found.delta_nav == to_wad("900")


def test_value_fund__withdrawals_queued_in_the_silo__owe_no_withdrawal_fee_before() -> None:
    terms = FeeTerms(withdrawal_rate=to_wad("0.5"))
    owed = Component.PENDING_WITHDRAWALS
    found = value([holding("own", CASH, "USD", "9"), holding("q", owed, "USD", "4", epoch=1)], USD, terms=terms)
    assert found.fees.withdrawal == 0


def test_value_fund__empty__is_worth_nothing_and_nobody_is_sure_of_it() -> None:
    found = value([], {}, shares="0")
    assert (found.before.nav, found.after.nav, found.confidence) == (0, 0, 0)
    assert found.price_per_share == WAD
    assert not found.estimated


def test_value_fund__confidences_of_price_and_amount__multiply_and_are_weighted_by_value() -> None:
    estimates = {**prices(A="1"), **prices(B="1")}
    for key, estimate in estimates.items():
        estimates[key] = replace(estimate, confidence=Bps(9_000 if key[0] == "A" else 5_000))
    found = value(
        [holding("a", CASH, "A", "3", confidence=8_000), holding("b", DEBT, "B", "1")],
        estimates,
    )
    assert [row.confidence for row in found.positions] == [7_200, 5_000]
    assert found.confidence == (3 * 7_200 + 5_000) // 4


def test_value_fund__fallback_price__haircuts_against_the_fund_on_both_sides() -> None:
    # 1,000 of collateral against 800 of debt: ten percent off and a ninth on leave 11.1 of the 200.
    estimates = decayed("X", "1", age=3_600)
    found = value([holding("c", COLLATERAL, "X", "1000"), holding("d", DEBT, "X", "800")], estimates)
    assert found.before.collateral == to_wad("900")
    assert found.before.debt == to_wad("888.888888888888889600")
    assert found.before.nav == to_wad("11.111111111111110400")
    assert found.undecayed_nav == to_wad("200")
    assert found.estimated


def test_value_fund__fallback_within_five_minutes__is_estimated_without_a_haircut() -> None:
    found = value([holding("c", COLLATERAL, "X", "1000")], decayed("X", "1", age=299))
    assert found.undecayed_nav == found.before.nav == to_wad("1000")
    assert found.estimated


def test_value_fund__haircut_in_the_silo__does_not_move_the_undecayed_nav_before() -> None:
    found = value([holding("c", COLLATERAL, "X", "10", epoch=1)], decayed("X", "1", age=3_600))
    assert (found.before.nav, found.undecayed_nav, found.after.nav) == (0, 0, to_wad("9"))


def test_value_fund__at_cost_under_a_fallback__the_haircut_falls_on_the_gain() -> None:
    at_cost = HoldingAtCost("c", COLLATERAL, "X", tokens("10"), to_wad("0.9"))
    found = value([at_cost], decayed("X", "1", age=3_600))
    assert (found.before.collateral, found.before.accrued_income) == (to_wad("9"), 0)
    assert found.undecayed_nav == to_wad("10")


def test_value_fund__loss_at_cost__is_negative_income() -> None:
    found = value([HoldingAtCost("c", CASH, "USD", tokens("10"), to_wad("1.5"))], USD)
    assert (found.before.cash, found.before.accrued_income, found.before.nav) == (
        to_wad("15"),
        to_wad("-5"),
        to_wad("10"),
    )


def test_value_fund__price_missing_on_the_debts_side__raises_and_names_it() -> None:
    estimates = {("USD", "asset"): live("1", asset="USD")}
    with pytest.raises(DomainError, match="loan: USD was not priced on the debt side"):
        value([holding("loan", DEBT, "USD", "1")], estimates)  # type: ignore[arg-type]


def test_value_position__unavailable_price__raises_with_its_reason() -> None:
    with pytest.raises(DomainError, match="p: X has no price \\(no_majority\\)"):
        value_position(holding("p", CASH, "X", "1"), unavailable("X", "no_majority"), NOW)


def test_value_position__accrual_from_the_future__raises_and_from_now_is_zero() -> None:
    def accrual(since: int) -> Accrual:
        return Accrual("a", Component.ACCRUED_INCOME, "X", tokens("100"), to_wad("0.05"), Timestamp(since))

    (row,) = value_position(accrual(NOW), live("1", asset="X"), NOW)
    assert row.value == 0
    with pytest.raises(DomainError, match="after the valuation time"):
        value_position(accrual(NOW + 1), live("1", asset="X"), NOW)


@pytest.mark.parametrize(("component", "value_"), [(Component.ACCRUED_INCOME, 0), (Component.REWARDS, 0), (DEBT, 1)])
def test_value_position__accrual_of_less_than_a_wei__rounds_by_its_side(component: Component, value_: int) -> None:
    accrual = Accrual("a", component, "X", RawAmount(1, 18), to_wad("0.05"), Timestamp(NOW - 1))
    (row,) = value_position(accrual, live("1", asset="X"), NOW)
    assert row.value == row.undecayed == value_


def test_value_position__margin_call__is_the_shortfall_at_the_debts_price_rounded_up() -> None:
    call = MarginCall("m", "X", RawAmount(11, 1), RawAmount(8, 1), confidence=Bps(5_000))
    (row,) = value_position(call, live(3, asset="X"), NOW)
    assert (row.component, row.amount, row.value, row.confidence) == (
        Component.MARGIN_CALLS,
        RawAmount(3, 1),
        1,
        4_500,
    )


def test_value_position__estimate_without_an_undecayed_price__takes_the_price() -> None:
    bare = PriceEstimate("X", Wad(WAD), Bps(9_000), PriceStatus.LIVE, None, 0, NOW, ("a",), ())
    (row,) = value_position(holding("p", CASH, "X", "2"), bare, NOW)
    assert row.value == row.undecayed == to_wad("2")


def test_shares_to_mint__deposit_into_an_insolvent_fund__raises() -> None:
    found = value([holding("d", DEBT, "USD", "1"), holding("silo", CASH, "USD", "5", epoch=1)], USD, shares="1")
    with pytest.raises(DomainError, match="outstanding on a NAV"):
        _ = found.shares_to_mint
