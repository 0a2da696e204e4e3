"""The readers of lending markets in the union that configuration is validated with."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from navoracle.ports import PositionReader
from navoracle.positions import AaveV3Position, CompoundV3Position, MorphoBluePosition, PositionModel
from tests.unit.addresses import address

MODELS: TypeAdapter[PositionModel] = TypeAdapter(PositionModel)
USDC = {"asset": "USDC", "token": address(1)}
COMMON = {"id": "fund.lending", "chain": "local", "account": address(2)}


@pytest.mark.parametrize(
    ("kind", "fields", "model"),
    [
        ("aave_v3", {"pool": address(3), "reserves": [USDC]}, AaveV3Position),
        ("compound_v3", {"comet": address(3), "base": USDC}, CompoundV3Position),
        (
            "morpho_blue",
            {"morpho": address(3), "market": "0x" + 64 * "a", "loan": USDC, "collateral": None},
            MorphoBluePosition,
        ),
    ],
)
def test_union__kind__decides_the_model_which_knows_what_it_prices(
    kind: str, fields: dict[str, Any], model: type
) -> None:
    reader: PositionReader = MODELS.validate_python({"kind": kind, **COMMON, **fields})
    assert type(reader) is model
    assert {("USDC", "asset"), ("USDC", "debt")} <= set(reader.assets)
    assert MODELS.validate_python(reader.describe()) == reader
