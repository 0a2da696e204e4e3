"""An account in a Morpho Blue market, told for risk: accrued to the block's time, at the market's own price."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import pytest

from navoracle.domain.errors import CallReverted, ConfigurationError, DecimalsChanged, SourceRefused
from navoracle.domain.morpho import MorphoMarket, MorphoPosition, accrue
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.units import Timestamp, Wad
from navoracle.positions import MorphoBlueAccount
from navoracle.testing import Example, FakeChain, ReaderSpec, drive
from tests.unit.positions.test_morpho_blue import (
    ACCOUNT,
    AT,
    BORROW_SHARES,
    IRM,
    LLTV,
    MORPHO,
    NOBODY,
    NOW,
    ORACLE,
    PLEDGED,
    RATE,
    STORED,
    USDC,
    WETH,
    idle,
    market_id,
)
from tests.unit.positions.test_morpho_blue import world as market_world

PRICE = 3_000 * 10**24


def reader(**changes: Any) -> MorphoBlueAccount:
    fields = {
        "kind": "morpho_blue_account",
        "id": "fund.account",
        "chain": "local",
        "morpho": MORPHO,
        "market": market_id(),
        "account": ACCOUNT,
        "params": {"loan": USDC, "collateral": WETH, "oracle": ORACLE, "irm": IRM, "lltv": LLTV},
        "loan_decimals": 6,
    }
    return MorphoBlueAccount.model_validate({**fields, **changes})


def world(stored: MorphoMarket = STORED, price: int = PRICE) -> FakeChain:
    chain = market_world(stored)
    chain.put(ORACLE, "price()", (), ("uint256",), price)
    return chain


def used(chain: FakeChain) -> dict[Any, Any]:
    """What this reader asks of the market's world: not the fee recipient, and not the collateral's decimals."""
    return dict(chain.good_answers())


def expected(price: int = PRICE) -> LendingAccount:
    accrued = accrue(STORED, RATE, Timestamp(NOW)).market
    return LendingAccount.of_morpho(MorphoPosition(accrued, BORROW_SHARES, PLEDGED, price, Wad(LLTV)), 6)


class TestMorphoBlueAccountSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(reader(), used(world()), AT, expected())


def test_read__90_days_since_the_last_touch__counts_their_interest() -> None:
    found = drive(reader().read(AT), world().answer)
    stored = LendingAccount.of_morpho(MorphoPosition(STORED, BORROW_SHARES, PLEDGED, PRICE, Wad(LLTV)), 6)
    assert found.debt > stored.debt
    assert found == expected()


def test_read__oracle_says_zero__is_liquidatable_without_a_ratio() -> None:
    found = drive(reader().read(AT), world(price=0).answer)
    assert (found.collateral, found.loan_to_value, found.health_factor, found.is_liquidatable) == (0, None, 0, True)


def test_read__oracle_reverts__says_nothing() -> None:
    chain = world()
    chain.revert(ORACLE, "price()")
    with pytest.raises(CallReverted):
        drive(reader().read(AT), chain.answer)


def test_read__of_this_block__asks_for_no_rate() -> None:
    chain = world(replace(STORED, last_update=Timestamp(NOW)))
    chain.answers = {key: answer for key, answer in chain.answers.items() if key[0] != IRM}
    found = drive(reader().read(AT), chain.answer)
    assert isinstance(found.detail, MorphoPosition)
    assert astuple(found.detail.market)[:4] == astuple(STORED)[:4]


def test_read__more_shares_than_the_market_has__is_refused() -> None:
    stored = replace(STORED, total_borrow_shares=BORROW_SHARES - 1)
    with pytest.raises(SourceRefused, match=r"fund\.account: .* borrow shares"):
        drive(reader().read(AT), world(stored).answer)


@pytest.mark.parametrize("last_update", [0, NOW + 1])
def test_read__state_of_another_time__is_refused(last_update: int) -> None:
    with pytest.raises(SourceRefused, match="was last updated at"):
        drive(reader().read(AT), world(replace(STORED, last_update=Timestamp(last_update))).answer)


def test_read__other_decimals__is_refused() -> None:
    chain = world()
    chain.put(USDC, "decimals()", (), ("uint8",), 8)
    with pytest.raises(DecimalsChanged):
        drive(reader().read(AT), chain.answer)


def test_read__unresolved__is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"fund\.account is not resolved"):
        drive(reader(params=None, loan_decimals=None).read(AT), world().answer)


def test_resolve__market__gives_parameters_and_decimals() -> None:
    assert drive(reader(params=None, loan_decimals=None).resolve(AT), world().answer) == reader()


def test_resolve__other_market__is_refused() -> None:
    chain = world()
    types = ("address", "address", "address", "address", "uint256")
    chain.put(MORPHO, "idToMarketParams(bytes32)", (bytes.fromhex(market_id()[2:]),), types, *[NOBODY] * 4, 0)
    with pytest.raises(SourceRefused, match="has no market"):
        drive(reader(params=None).resolve(AT), chain.answer)


def test_resolve__idle_market__is_refused() -> None:
    lent = idle()
    with pytest.raises(SourceRefused, match="has no oracle"):
        drive(reader(market=lent.market, params=None).resolve(AT), market_world(of=lent).answer)
