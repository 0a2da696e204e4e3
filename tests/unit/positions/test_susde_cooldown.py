"""sUSDe's cooldown: burned shares are found again, and are to be had only after its end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.positions import SusdeCooldown
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
SUSDE, USDE, HOLDER = address(1), address(2), address(3)
WEEK = 7 * 86_400
AMOUNT = 1_234 * 10**18


def reader(**changes: Any) -> SusdeCooldown:
    fields: dict[str, Any] = {
        "kind": "susde_cooldown",
        "id": "cooldown",
        "asset": "USDe",
        "chain": "local",
        "holder": HOLDER,
    }
    fields |= {"vault": SUSDE, "underlying": USDE, "underlying_decimals": 18}
    return SusdeCooldown.model_validate({**fields, **changes})


def world(end: int = NOW + WEEK, amount: int = AMOUNT, *, asset: str = USDE) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(SUSDE, "cooldowns(address)", (HOLDER,), ("uint104", "uint152"), end, amount)
    chain.put(SUSDE, "asset()", (), ("address",), asset)
    chain.put(USDE, "decimals()", (), ("uint8",), 18)
    return chain


def holdings(cooling: int, claimable: int) -> tuple[Holding, ...]:
    return tuple(
        Holding(f"cooldown/{name}", Component.COLLATERAL, "USDe", RawAmount(amount, 18))
        for name, amount in (("cooling", cooling), ("claimable", claimable))
    )


class TestSusdeCooldownSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(reader(), world().good_answers(), AT, holdings(AMOUNT, 0))


@pytest.mark.parametrize(
    ("end", "expected"),
    [(NOW + 1, (AMOUNT, 0)), (NOW, (0, AMOUNT)), (NOW - 1, (0, AMOUNT)), (0, (0, AMOUNT))],
)
def test_susde__realizable_only_after_cooldown_end__and_named_so(end: int, expected: tuple[int, int]) -> None:
    assert drive(reader().read(AT), world(end).answer) == holdings(*expected)


@given(st.integers(0, 2**104 - 1), st.integers(0, 2**152 - 1))
def test_susde__any_cooldown__is_counted_whole_and_once(end: int, amount: int) -> None:
    cooling, claimable = drive(reader().read(AT), world(end, amount).answer)
    assert {cooling, claimable} <= set(holdings(amount, amount) + holdings(0, 0))
    assert (cooling, claimable) in (holdings(amount, 0), holdings(0, amount))


def test_susde__vault_of_another_asset__is_refused() -> None:
    with pytest.raises(SourceRefused, match=f"{address(9)}, not the configured {USDE}"):
        drive(reader().read(AT), world(asset=address(9)).answer)
