"""Balances read on a chain: ERC-20, native coin, ERC-4626 shares."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import DecimalsChanged, EmptyResult, SourceRefused
from navoracle.domain.positions import LIABILITIES, Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.ports import PositionReader
from navoracle.positions import Erc20Position, Erc4626Position, NativePosition
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
TOKEN, HOLDER, VAULT = address(1), address(2), address(3)
SHARES = 500 * 10**18


def erc20(**changes: Any) -> Erc20Position:
    fields = {
        "kind": "erc20",
        "id": "usdc",
        "asset": "USDC",
        "component": "cash",
        "chain": "local",
        "token": TOKEN,
        "holder": HOLDER,
        "decimals": 6,
    }
    return Erc20Position.model_validate({**fields, **changes})


def native(**changes: Any) -> NativePosition:
    fields = {"kind": "native", "id": "eth", "asset": "ETH", "component": "collateral", "chain": "local"}
    return NativePosition.model_validate({**fields, "holder": HOLDER, **changes})


def erc4626(**changes: Any) -> Erc4626Position:
    fields = {
        "kind": "erc4626",
        "id": "vault",
        "asset": "USDC",
        "component": "collateral",
        "chain": "local",
        "vault": VAULT,
        "holder": HOLDER,
        "underlying": TOKEN,
        "underlying_decimals": 6,
    }
    return Erc4626Position.model_validate({**fields, **changes})


def world(balance: int = 1_500_000, *, decimals: int = 6, shares: int = SHARES, assets: int = 540_000_000) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(TOKEN, "balanceOf(address)", (HOLDER,), ("uint256",), balance)
    chain.put(TOKEN, "decimals()", (), ("uint8",), decimals)
    chain.put(VAULT, "balanceOf(address)", (HOLDER,), ("uint256",), shares)
    chain.put(VAULT, "asset()", (), ("address",), TOKEN)
    chain.put(VAULT, "convertToAssets(uint256)", (shares,), ("uint256",), assets)
    chain.balances[HOLDER] = 3 * 10**18
    return chain


def holding(reader: PositionReader, chain: FakeChain) -> Holding:
    (position,) = drive(reader.read(AT), chain.answer)
    if not isinstance(position, Holding):
        raise TypeError(f"{position!r} is not a holding")
    return position


class TestErc20Spec(ReaderSpec):
    def example(self) -> Example:
        expected = Holding("usdc", Component.DEBT, "USDC", RawAmount(1_500_000, 6), epoch=4)
        return Example(erc20(component="debt", epoch=4), world().good_answers(), AT, (expected,))


class TestNativeSpec(ReaderSpec):
    def example(self) -> Example:
        expected = Holding("eth", Component.COLLATERAL, "ETH", RawAmount(3 * 10**18, 18))
        return Example(native(), world().good_answers(), AT, (expected,))


class TestErc4626Spec(ReaderSpec):
    def example(self) -> Example:
        expected = Holding("vault", Component.COLLATERAL, "USDC", RawAmount(540_000_000, 6))
        return Example(erc4626(), world().good_answers(), AT, (expected,))


@given(st.integers(0, 2**256 - 1), st.integers(0, 36))
def test_erc20__any_balance_and_scale__is_the_raw_amount(balance: int, decimals: int) -> None:
    found = holding(erc20(decimals=decimals), world(balance, decimals=decimals))
    assert found.amount == RawAmount(balance, decimals)


def test_erc20__balance_of_zero__is_a_position_and_no_answer_is_not() -> None:
    chain = world(0)
    assert holding(erc20(), chain).amount == RawAmount(0, 6)
    chain.answers = {key: value for key, value in chain.answers.items() if key[1][:4].hex() != "70a08231"}
    with pytest.raises(EmptyResult):
        holding(erc20(), chain)


def test_erc20__decimals_changed__names_token_old_and_new() -> None:
    with pytest.raises(DecimalsChanged, match=f"{TOKEN} had 6 decimals and now says 18"):
        holding(erc20(), world(decimals=18))


@pytest.mark.parametrize("component", [component.value for component in Component])
def test_assets__component__decides_the_side(component: str) -> None:
    side = "debt" if Component(component) in LIABILITIES else "asset"
    assert erc20(component=component).assets == (("USDC", side),)
    assert native(component=component).assets == (("ETH", side),)


def test_native__no_balance_told__is_empty_not_zero() -> None:
    chain = world()
    chain.balances[HOLDER] = 0
    assert holding(native(), chain).amount == RawAmount(0, 18)
    chain.balances.clear()
    with pytest.raises(EmptyResult):
        holding(native(), chain)


def test_erc4626__no_shares__is_a_position_of_zero_without_asking_the_rate() -> None:
    chain = world(shares=0)
    chain.revert(VAULT, "convertToAssets(uint256)", 0)
    assert holding(erc4626(), chain).amount == RawAmount(0, 6)


def test_erc4626__vault_of_another_asset__is_refused() -> None:
    chain = world()
    chain.put(VAULT, "asset()", (), ("address",), address(9))
    with pytest.raises(SourceRefused, match=f"{address(9)}, not the configured {TOKEN}"):
        holding(erc4626(), chain)


@pytest.mark.parametrize("component", sorted(component.value for component in LIABILITIES))
def test_erc4626__liability__is_refused_because_it_would_round_down(component: str) -> None:
    with pytest.raises(ValidationError, match="rounds a debt down"):
        erc4626(component=component)


@pytest.mark.parametrize(
    "changes", [{"component": "gold"}, {"epoch": -1}, {"holder": "0x0"}, {"asset": ""}, {"decimals": 37}, {"rate": 1}]
)
def test_configuration__wrong__is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        erc20(**changes)
