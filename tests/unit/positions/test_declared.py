"""Positions stated in the configuration."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from navoracle.domain.positions import Accrual, Component, Holding, HoldingAtCost, MarginCall, Position
from navoracle.domain.units import WAD, Bps, RawAmount, Timestamp, Wad
from navoracle.positions import PositionModel
from navoracle.testing import Example, ReaderSpec, drive, read_point

AT = read_point(1_700_000_000, chain=None)
MODELS: TypeAdapter[PositionModel] = TypeAdapter(PositionModel)
COMMON = {"id": "p", "asset": "USDC"}
HOLDING = {**COMMON, "kind": "declared", "component": "cash", "amount": "1000000.5", "decimals": 6}
AT_COST = {**COMMON, "kind": "declared_at_cost", "component": "collateral", "amount": "10", "entry_price": "1999.5"}
ACCRUAL = {
    **COMMON,
    "kind": "declared_accrual",
    "component": "accrued_income",
    "amount": "100",
    "annual_rate": "0.05",
    "since": 1_690_000_000,
}
MARGIN = {**COMMON, "kind": "declared_margin_call", "maintenance": "5000", "collateral": "4000.25", "decimals": 2}


def example(fields: dict[str, Any], expected: Position) -> Example:
    return Example(MODELS.validate_python(fields), {}, AT, (expected,))


class TestDeclaredSpec(ReaderSpec):
    def example(self) -> Example:
        amount = RawAmount(1_000_000_500_000, 6)
        return example(
            {**HOLDING, "epoch": 3, "confidence": 8_000},
            Holding("p", Component.CASH, "USDC", amount, epoch=3, confidence=Bps(8_000)),
        )


class TestDeclaredAtCostSpec(ReaderSpec):
    def example(self) -> Example:
        price = Wad(1_999 * WAD + WAD // 2)
        return example(AT_COST, HoldingAtCost("p", Component.COLLATERAL, "USDC", RawAmount(10 * WAD, 18), price))


class TestDeclaredAccrualSpec(ReaderSpec):
    def example(self) -> Example:
        amount, since = RawAmount(100 * WAD, 18), Timestamp(1_690_000_000)
        return example(ACCRUAL, Accrual("p", Component.ACCRUED_INCOME, "USDC", amount, Wad(WAD // 20), since))


class TestDeclaredMarginCallSpec(ReaderSpec):
    def example(self) -> Example:
        return example(MARGIN, MarginCall("p", "USDC", RawAmount(500_000, 2), RawAmount(400_025, 2)))


@pytest.mark.parametrize(
    ("fields", "side"),
    [
        (HOLDING, "asset"),
        ({**HOLDING, "component": "debt"}, "debt"),
        ({**HOLDING, "component": "pending_withdrawals"}, "debt"),
        (AT_COST, "asset"),
        (ACCRUAL, "asset"),
        ({**ACCRUAL, "component": "debt"}, "debt"),
        (MARGIN, "debt"),
    ],
)
def test_assets__kind_and_component__decide_the_side(fields: dict[str, Any], side: str) -> None:
    reader = MODELS.validate_python(fields)
    assert reader.assets == (("USDC", side),)
    assert reader.chain is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({**HOLDING, "amount": "1.0000001"}, "more places"),
        ({**HOLDING, "amount": 1_000_000}, "in quotes"),
        ({**HOLDING, "amount": 1.5}, "in quotes"),
        ({**HOLDING, "amount": "-1"}, "not an amount"),
        ({**HOLDING, "decimals": 37}, "decimals"),
        ({**AT_COST, "component": "debt"}, "cannot be carried at cost"),
        ({**AT_COST, "entry_price": "-1"}, "entry_price"),
        ({**AT_COST, "entry_price": 1999.5}, "in quotes"),
        ({**ACCRUAL, "component": "cash"}, "does not accrue"),
        ({**ACCRUAL, "annual_rate": "-0.01"}, "annual_rate"),
        ({**ACCRUAL, "since": -1}, "since"),
        ({**MARGIN, "component": "debt"}, "component"),
        ({**MARGIN, "collateral": "0.001"}, "more places"),
    ],
)
def test_configuration__position_that_cannot_be__is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        MODELS.validate_python(fields)


def test_read__off_chain_or_on_chain_point__is_the_same_position() -> None:
    reader = MODELS.validate_python(HOLDING)
    assert drive(reader.read(AT), {}) == drive(reader.read(read_point(1)), {})
