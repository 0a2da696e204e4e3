"""Shares outstanding."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from navoracle.domain.errors import DecimalsChanged
from navoracle.domain.units import WAD
from navoracle.ports import SupplyReader
from navoracle.positions import Erc20Supply, FixedSupply, SupplyModel
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
SHARE = address(1)
MODELS: TypeAdapter[SupplyModel] = TypeAdapter(SupplyModel)


def supply(**changes: Any) -> Erc20Supply:
    fields = {"kind": "erc20", "id": "shares", "chain": "local", "token": SHARE, "decimals": 6}
    return Erc20Supply.model_validate({**fields, **changes})


def world(total: int = 2_000_001, decimals: int = 6) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(SHARE, "totalSupply()", (), ("uint256",), total)
    chain.put(SHARE, "decimals()", (), ("uint8",), decimals)
    return chain


class TestErc20SupplySpec(ReaderSpec):
    def example(self) -> Example:
        return Example(supply(), world().good_answers(), AT, 2_000_001 * 10**12)


class TestFixedSupplySpec(ReaderSpec):
    def example(self) -> Example:
        reader = FixedSupply.model_validate({"kind": "fixed", "id": "shares", "shares": "1000000.5"})
        return Example(reader, {}, read_point(NOW, chain=None), 1_000_000 * WAD + WAD // 2)


@given(st.integers(0, 2**256 - 1), st.integers(0, 36))
def test_erc20_supply__any_supply_and_scale__is_rounded_up_and_zero_only_for_zero(total: int, decimals: int) -> None:
    found = drive(supply(decimals=decimals).read(AT), world(total, decimals).answer)
    assert (found - 1) * 10**decimals < total * WAD <= found * 10**decimals
    assert (found == 0) == (total == 0)


def test_erc20_supply__decimals_changed__is_refused() -> None:
    with pytest.raises(DecimalsChanged, match=f"{SHARE} had 6 decimals and now says 8"):
        drive(supply().read(AT), world(decimals=8).answer)


def test_union__kind__decides_the_model_and_the_schema_asks_for_no_id() -> None:
    readers: list[SupplyReader] = [
        MODELS.validate_python(fields)
        for fields in (supply().describe(), {"kind": "fixed", "id": "shares", "shares": "1"})
    ]
    assert [type(reader) for reader in readers] == [Erc20Supply, FixedSupply]
    for model in MODELS.json_schema()["$defs"].values():
        assert "id" not in model["properties"]


@pytest.mark.parametrize("shares", [1_000_000, 1.5, "-1", "many"])
def test_fixed_supply__not_an_exact_decimal__is_refused(shares: object) -> None:
    with pytest.raises(ValidationError):
        MODELS.validate_python({"kind": "fixed", "id": "shares", "shares": shares})
