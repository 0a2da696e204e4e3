"""Aave v3: balances per reserve, debts that nobody configured, and the account as the pool computes it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import CallReverted, EmptyResult, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.ports import Address, Answer
from navoracle.positions import AaveV3Position
from navoracle.positions.aave_v3 import borrowed_ids, collateral_ids
from navoracle.positions.base import Claim
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
POOL, ACCOUNT, USDC, WETH, OTHER = (address(number) for number in range(1, 6))
A_USDC, STABLE_USDC, DEBT_USDC, A_WETH, DEBT_WETH = (address(number) for number in range(11, 16))
NOBODY = Address("0x" + 40 * "0")
GOOD = 0b01_00_00_10
"""USDC (place 3) is owed, WETH (place 0) is collateral."""

RESERVE_TYPES = (
    "uint256",
    *("uint128",) * 5,
    *("uint40", "uint16"),
    *("address",) * 4,
    *("uint128",) * 3,
)


def position(**changes: Any) -> AaveV3Position:
    fields = {
        "kind": "aave_v3",
        "id": "fund.aave",
        "chain": "local",
        "pool": POOL,
        "account": ACCOUNT,
        "reserves": [{"asset": "USDC", "token": USDC, "component": "cash"}, {"asset": "WETH", "token": WETH}],
        "tokens": [
            {
                "reserve_id": 3,
                "decimals": 6,
                "a_token": A_USDC,
                "variable_debt_token": DEBT_USDC,
                "stable_debt_token": STABLE_USDC,
            },
            {
                "reserve_id": 0,
                "decimals": 18,
                "a_token": A_WETH,
                "variable_debt_token": DEBT_WETH,
                "stable_debt_token": None,
            },
        ],
    }
    return AaveV3Position.model_validate({**fields, **changes})


def put_reserve(chain: FakeChain, token: Address, place: int, decimals: int, *tokens: Address) -> None:
    """A reserve of three tokens: aToken, stable and variable debt token."""
    values = (decimals << 48, 1, 1, 1, 1, 1, 1, place, *tokens, NOBODY, 0, 0, 0)
    chain.put(POOL, "getReserveData(address)", (token,), RESERVE_TYPES, *values)


def world(configuration: int = GOOD) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    put_reserve(chain, USDC, 3, 6, A_USDC, STABLE_USDC, DEBT_USDC)
    put_reserve(chain, WETH, 0, 18, A_WETH, NOBODY, DEBT_WETH)
    balances = {A_USDC: 7, STABLE_USDC: 1_000_000, DEBT_USDC: 2_000_001, A_WETH: 5 * 10**18, DEBT_WETH: 0}
    for token, balance in balances.items():
        chain.put(token, "balanceOf(address)", (ACCOUNT,), ("uint256",), balance)
    chain.put(USDC, "decimals()", (), ("uint8",), 6)
    chain.put(WETH, "decimals()", (), ("uint8",), 18)
    chain.put(POOL, "getUserConfiguration(address)", (ACCOUNT,), ("uint256",), configuration)
    return chain


class TestAaveV3PositionSpec(ReaderSpec):
    def example(self) -> Example:
        expected = (
            Holding("fund.aave/USDC-supplied", Component.CASH, "USDC", RawAmount(7, 6), 2),
            Holding("fund.aave/USDC-borrowed", Component.DEBT, "USDC", RawAmount(3_000_001, 6), 2),
            Holding("fund.aave/WETH-supplied", Component.COLLATERAL, "WETH", RawAmount(5 * 10**18, 18), 2),
            Holding("fund.aave/WETH-borrowed", Component.DEBT, "WETH", RawAmount(0, 18), 2),
        )
        return Example(position(epoch=2), world().good_answers(), AT, expected)


def test_assets_and_claims__each_reserve__both_sides_and_every_token() -> None:
    reader = position()
    assert reader.basis == "market"
    assert reader.assets == (("USDC", "asset"), ("USDC", "debt"), ("WETH", "asset"), ("WETH", "debt"))
    tokens = (A_USDC, DEBT_USDC, STABLE_USDC, A_WETH, DEBT_WETH)
    assert reader.claims == tuple(Claim("local", token, ACCOUNT) for token in tokens)
    assert position(tokens=None).claims == ()


def test_read__requests__are_one_round_without_any_price_or_account_data() -> None:
    asked = []

    def answer(request: Any) -> Answer:
        asked.append(request)
        return world().answer(request)

    drive(position().read(AT), answer)
    assert len(asked) == 8
    assert {request.target for request in asked} == {
        *(POOL, USDC, WETH, A_USDC, STABLE_USDC, DEBT_USDC, A_WETH, DEBT_WETH)
    }


@given(st.sets(st.integers(0, 127)), st.sets(st.integers(0, 127)))
def test_ids__any_configuration__are_the_even_and_the_odd_bits(borrowed: set[int], collateral: set[int]) -> None:
    configuration = sum(1 << 2 * place for place in borrowed) + sum(2 << 2 * place for place in collateral)
    assert borrowed_ids(configuration) == borrowed
    assert collateral_ids(configuration) == collateral


@given(st.sets(st.sampled_from([1, 2, 4, 100, 127]), min_size=1))
def test_read__debt_in_reserves_that_are_not_configured__is_refused_naming_each(places: set[int]) -> None:
    chain = world(GOOD | sum(1 << 2 * place for place in places))
    for place in places:
        chain.put(POOL, "getReserveAddressById(uint16)", (place,), ("address",), address(100 + place))
    named = ", ".join(address(100 + place) for place in sorted(places))
    with pytest.raises(SourceRefused, match=f"{ACCOUNT} owes {named}, which is not among"):
        drive(position().read(AT), chain.answer)


@given(st.sets(st.sampled_from([1, 2, 4, 100, 127]), min_size=1))
def test_read__unconfigured_reserve_as_collateral__is_not_refused_and_named(places: set[int]) -> None:
    found = drive(position(epoch=2).read(AT), world(GOOD | sum(2 << 2 * place for place in places)).answer)
    assert found[4:] == tuple(
        Holding(f"fund.aave/reserve {place} left out", Component.CASH, "USDC", RawAmount(0, 6), 2)
        for place in sorted(places)
    )


def test_read__missing_balance__is_never_zero() -> None:
    chain = world()
    chain.answers = {key: answer for key, answer in chain.answers.items() if key[0] != DEBT_WETH}
    with pytest.raises(EmptyResult):
        drive(position().read(AT), chain.answer)


def test_resolve__pool_without_the_reserve__answers_zeros_and_is_refused() -> None:
    chain = world()
    put_reserve(chain, USDC, 0, 0, NOBODY, NOBODY, NOBODY)
    with pytest.raises(SourceRefused, match=f"the pool {POOL} has no reserve of {USDC}"):
        drive(position(tokens=None).resolve(AT), chain.answer)


@pytest.mark.parametrize(
    ("place", "decimals", "message"),
    [
        (128, 6, "reserve number 128 of 6 decimals"),
        (3, 37, "reserve number 3 of 37 decimals"),
        (3, 18, "has 6 decimals, 18 by the pool"),
    ],
)
def test_resolve__reserve_that_cannot_be__is_refused(place: int, decimals: int, message: str) -> None:
    chain = world()
    put_reserve(chain, USDC, place, decimals, A_USDC, NOBODY, DEBT_USDC)
    with pytest.raises(SourceRefused, match=message):
        drive(position(tokens=None).resolve(AT), chain.answer)


def test_resolve__a_reverting_pool__is_refused() -> None:
    chain = world()
    chain.revert(POOL, "getReserveData(address)", USDC)
    with pytest.raises(CallReverted):
        drive(position(tokens=None).resolve(AT), chain.answer)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reserves": []}, "at least 1 item"),
        ({"reserves": [{"asset": "A", "token": USDC}, {"asset": "B", "token": USDC}]}, "is named twice"),
        ({"reserves": [{"asset": "A", "token": USDC}, {"asset": "A", "token": WETH}]}, "asset A is named twice"),
        ({"reserves": [{"asset": "A", "token": USDC, "component": "debt"}]}, "is cash or collateral, not debt"),
        ({"reserves": [{"asset": "A", "token": USDC, "component": "rewards"}]}, "is cash or collateral, not rewards"),
        ({"reserves": [{"asset": "A", "token": USDC}]}, "`tokens` must name those of each reserve"),
        ({"account": "0x0"}, "is not an address"),
        ({"epoch": -1}, "greater than or equal to 0"),
    ],
)
def test_configuration__wrong__is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        position(**changes)
