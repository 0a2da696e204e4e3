"""What positions can be written down, and on which side each is priced."""

from __future__ import annotations

from dataclasses import fields

import pytest

from navoracle.domain.errors import DomainError
from navoracle.domain.positions import (
    LIABILITIES,
    Accrual,
    Component,
    Holding,
    HoldingAtCost,
    MarginCall,
    is_liability,
)
from navoracle.domain.units import RawAmount, Timestamp, Wad, to_wad
from navoracle.domain.valuation import price_key, side_of
from tests.unit.domain.funds import holding, tokens

ONE = tokens("1")


@pytest.mark.parametrize("component", [c for c in Component if c not in (Component.CASH, Component.COLLATERAL)])
def test_at_cost__neither_cash_nor_collateral__raises(component: Component) -> None:
    with pytest.raises(DomainError, match="cannot be carried at cost"):
        HoldingAtCost("p", component, "X", ONE, to_wad("1"))


def test_at_cost__negative_entry_price__raises_and_zero_does_not() -> None:
    assert HoldingAtCost("p", Component.CASH, "X", ONE, Wad(0)).entry_price == 0
    with pytest.raises(DomainError, match="negative entry price"):
        HoldingAtCost("p", Component.CASH, "X", ONE, Wad(-1))


@pytest.mark.parametrize(
    "component", [Component.CASH, Component.COLLATERAL, Component.PENDING_WITHDRAWALS, Component.MARGIN_CALLS]
)
def test_accrual__of_what_does_not_accrue__raises(component: Component) -> None:
    with pytest.raises(DomainError, match="does not accrue"):
        Accrual("p", component, "X", ONE, to_wad("0.05"), Timestamp(0))


def test_accrual__negative_rate__raises() -> None:
    with pytest.raises(DomainError, match="negative rate"):
        Accrual("p", Component.DEBT, "X", ONE, Wad(-1), Timestamp(0))


def test_margin_call__figures_of_two_scales__raises() -> None:
    with pytest.raises(DomainError, match="different scales"):
        MarginCall("p", "X", RawAmount(1, 6), RawAmount(1, 18))


@pytest.mark.parametrize(
    ("maintenance", "collateral", "short"), [("50", "45", "5"), ("45", "45", "0"), ("1", "9", "0")]
)
def test_margin_call__shortfall__is_never_negative(maintenance: str, collateral: str, short: str) -> None:
    call = MarginCall("p", "X", tokens(maintenance, 6), tokens(collateral, 6))
    assert call.shortfall == tokens(short, 6)
    assert call.component is Component.MARGIN_CALLS


@pytest.mark.parametrize("component", list(Component))
def test_side__of_every_component__is_the_debts_for_liabilities_only(component: Component) -> None:
    position = holding("p", component, "X", "1")
    owed = component in {Component.DEBT, Component.PENDING_WITHDRAWALS, Component.MARGIN_CALLS}
    assert (is_liability(position), component.is_liability, component in LIABILITIES) == (owed, owed, owed)
    assert price_key(position) == ("X", "debt" if owed else "asset")


def test_side__of_a_margin_call__is_the_debts() -> None:
    call = MarginCall("p", "X", ONE, ONE)
    assert is_liability(call)
    assert side_of(call) == "debt"


def test_components__order__is_that_of_the_breakdown() -> None:
    assert [component.order for component in Component] == list(range(len(Component)))


def test_holding__marked_at_market__has_nothing_to_state_a_gain_with() -> None:
    assert {field.name for field in fields(Holding)} == {"id", "component", "asset", "amount", "epoch", "confidence"}
