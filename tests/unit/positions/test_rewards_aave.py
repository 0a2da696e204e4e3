"""Aave's rewards: known tokens only, and only what who pays them can pay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.positions import AaveRewards
from navoracle.positions.rewards_aave import REWARDS_TYPES
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
CONTROLLER, A_TOKEN, DEBT_TOKEN, HOLDER = address(1), address(2), address(3), address(4)
AAVE, OP, STRATEGY, OP_STRATEGY, VAULT, UNKNOWN = (address(number) for number in range(10, 16))
EARNING = [A_TOKEN, DEBT_TOKEN]
REWARDS = [
    {"asset": "AAVE", "token": AAVE, "strategy": STRATEGY, "vault": VAULT},
    {"asset": "OP", "token": OP, "strategy": OP_STRATEGY},
]


def reader(**changes: Any) -> AaveRewards:
    fields: dict[str, Any] = {
        "kind": "aave_rewards",
        "id": "aave",
        "chain": "local",
        "holder": HOLDER,
        "controller": CONTROLLER,
    }
    fields |= {"earning": EARNING, "rewards": REWARDS, "decimals": [18, 6]}
    return AaveRewards.model_validate({**fields, **changes})


def world(
    owed: dict[str, int] | None = None, *, balance: int = 10**24, allowance: int = 10**24, op: int = 10**24
) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    owed = {AAVE: 500, OP: 70} if owed is None else owed
    arguments = (EARNING, HOLDER)
    signature = "getAllUserRewards(address[],address)"
    chain.put(CONTROLLER, signature, arguments, REWARDS_TYPES, list(owed), list(owed.values()))
    for token, strategy, decimals in ((AAVE, STRATEGY, 18), (OP, OP_STRATEGY, 6)):
        chain.put(CONTROLLER, "getTransferStrategy(address)", (token,), ("address",), strategy)
        chain.put(token, "decimals()", (), ("uint8",), decimals)
    chain.put(AAVE, "balanceOf(address)", (VAULT,), ("uint256",), balance)
    chain.put(AAVE, "allowance(address,address)", (VAULT, STRATEGY), ("uint256",), allowance)
    chain.put(OP, "balanceOf(address)", (OP_STRATEGY,), ("uint256",), op)
    return chain


def found(chain: FakeChain, **changes: Any) -> dict[str, int]:
    holdings = drive(reader(**changes).read(AT), chain.answer)
    return {holding.id: holding.amount.value for holding in holdings if isinstance(holding, Holding)}


class TestAaveRewardsSpec(ReaderSpec):
    def example(self) -> Example:
        expected = (
            Holding("aave/AAVE", Component.REWARDS, "AAVE", RawAmount(500, 18), epoch=2),
            Holding("aave/OP", Component.REWARDS, "OP", RawAmount(70, 6), epoch=2),
        )
        return Example(reader(epoch=2), world().good_answers(), AT, expected)


def test_aave_rewards__unknown_token__is_refused_by_name_unless_ignored() -> None:
    chain = world({AAVE: 500, UNKNOWN: 9})
    with pytest.raises(SourceRefused, match=f"owes 9 of {UNKNOWN.lower()}"):
        found(chain)
    assert found(chain, ignored=[UNKNOWN]) == {"aave/AAVE": 500, "aave/OP": 0}
    assert found(world({AAVE: 500, UNKNOWN: 0})) == {"aave/AAVE": 500, "aave/OP": 0}


@pytest.mark.parametrize("short", [{"balance": 499}, {"allowance": 499}, {"op": 69}])
def test_aave_rewards__payer_that_cannot_pay__counts_nothing_and_is_named(short: dict[str, Any]) -> None:
    name = "aave/OP" if "op" in short else "aave/AAVE"
    holdings = found(world(**short))
    assert holdings[name] == holdings[f"{name} not covered"] == 0
    assert len(holdings) == 3
    assert found(world(**{key: amount + 1 for key, amount in short.items()})) == {"aave/AAVE": 500, "aave/OP": 70}


def test_aave_rewards__locked_token__is_zero_by_configuration() -> None:
    holdings = found(world(), rewards=[{**REWARDS[0], "locked": True}, REWARDS[1]])
    assert holdings == {"aave/AAVE": 0, "aave/AAVE locked": 0, "aave/OP": 70}


def test_aave_rewards__paid_through_another_strategy__is_refused() -> None:
    chain = world()
    chain.put(CONTROLLER, "getTransferStrategy(address)", (AAVE,), ("address",), UNKNOWN)
    with pytest.raises(SourceRefused, match=f"{UNKNOWN}, not the configured {STRATEGY}"):
        found(chain)


def test_aave_rewards__lists_of_different_lengths_or_a_token_twice__are_malformed() -> None:
    chain = world()
    for tokens, amounts in (([AAVE], [1, 2]), ([AAVE, AAVE], [1, 2])):
        chain.put(CONTROLLER, "getAllUserRewards(address[],address)", (EARNING, HOLDER), REWARDS_TYPES, tokens, amounts)
        with pytest.raises(MalformedResult, match="2 amounts"):
            found(chain)


@given(*(st.integers(0, 2**96) for _ in range(4)))
def test_aave_rewards__any_amount_and_cover__is_counted_whole_or_not_at_all(
    owed: int, balance: int, allowance: int, op: int
) -> None:
    holdings = found(world({AAVE: owed, OP: owed}, balance=balance, allowance=allowance, op=op))
    assert holdings["aave/AAVE"] == (owed if owed <= min(balance, allowance) else 0)
    assert holdings["aave/OP"] == (owed if owed <= op else 0)


def test_claims__each_earning_token_and_reward__is_one() -> None:
    claims = reader().claims
    assert len(set(claims)) == 4
    assert not set(claims) & set(reader(earning=[UNKNOWN]).claims)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"earning": [A_TOKEN, A_TOKEN]}, "earning.* twice"),
        ({"earning": []}, "earning"),
        ({"ignored": [OP]}, "both counted and ignored"),
        ({"rewards": [{"asset": "OP", "token": OP}]}, "strategy"),
    ],
)
def test_configuration__wrong__is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        reader(**changes)
