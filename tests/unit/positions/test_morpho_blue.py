"""Morpho Blue: accrued to the block's time, whatever was stored."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.abi import encode_arguments
from navoracle.domain.errors import ConfigurationError, EmptyResult, SourceRefused
from navoracle.domain.morpho import MorphoMarket, accrue, owed, supplied
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount, Timestamp, Wad
from navoracle.ports import Address, Answer, Call, ReadPoint
from navoracle.positions import MorphoBluePosition
from navoracle.positions.base import Claim
from navoracle.positions.morpho_market import BORROW_RATE, PARAMS_TYPE
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
DAY = 86_400
AT = read_point(NOW)
MORPHO, ACCOUNT, USDC, WETH, ORACLE, IRM, RECIPIENT = (address(number) for number in range(1, 8))
NOBODY = Address("0x" + 40 * "0")
LLTV = 86 * 10**16
RATE = Wad(12_683_916_793)
STORED = MorphoMarket(2_500_000 * 10**6, 25 * 10**17, 10**12, 10**18, Timestamp(NOW - 90 * DAY), Wad(10**17))
SUPPLY_SHARES, BORROW_SHARES, PLEDGED = 10**17 + 1, 10**16 + 1, 5 * 10**18


def market_id(collateral: Address = WETH, oracle: Address = ORACLE, irm: Address = IRM, lltv: int = LLTV) -> str:
    return "0x" + keccak(encode_arguments((PARAMS_TYPE,), ((USDC, collateral, oracle, irm, lltv),))).hex()


def position(**changes: Any) -> MorphoBluePosition:
    fields = {
        "kind": "morpho_blue",
        "id": "fund.morpho",
        "chain": "local",
        "morpho": MORPHO,
        "account": ACCOUNT,
        "market": market_id(),
        "loan": {"asset": "USDC", "token": USDC, "component": "cash"},
        "collateral": {"asset": "WETH", "token": WETH},
        "terms": {"oracle": ORACLE, "irm": IRM, "lltv": LLTV, "loan_decimals": 6, "collateral_decimals": 18},
    }
    return MorphoBluePosition.model_validate({**fields, **changes})


def idle(**changes: Any) -> MorphoBluePosition:
    """A market of the loan token alone."""
    terms = {"oracle": None, "irm": None, "lltv": 0, "loan_decimals": 6, "collateral_decimals": None}
    market = market_id(NOBODY, NOBODY, NOBODY, 0)
    return position(**{"market": market, "collateral": None, "terms": terms, **changes})


def world(
    stored: MorphoMarket = STORED, *, of: MorphoBluePosition | None = None, recipient: Address = RECIPIENT
) -> FakeChain:
    reader = of or position()
    terms = reader.terms
    assert terms is not None
    market = bytes.fromhex(reader.market[2:])
    pledged_token = NOBODY if reader.collateral is None else WETH
    params = (USDC, pledged_token, terms.oracle or NOBODY, terms.irm or NOBODY, terms.lltv)
    chain = FakeChain(block_stamp(NOW))
    types = ("address", "address", "address", "address", "uint256")
    chain.put(MORPHO, "idToMarketParams(bytes32)", (market,), types, *params)
    chain.put(MORPHO, "market(bytes32)", (market,), ("uint128",) * 6, *astuple(stored))
    shares = (SUPPLY_SHARES, BORROW_SHARES, PLEDGED if reader.collateral else 0)
    chain.put(MORPHO, "position(bytes32,address)", (market, ACCOUNT), ("uint256", "uint128", "uint128"), *shares)
    chain.put(MORPHO, "feeRecipient()", (), ("address",), recipient)
    if terms.irm is not None:
        chain.put(IRM, BORROW_RATE, (params, astuple(stored)), ("uint256",), RATE)
    chain.put(USDC, "decimals()", (), ("uint8",), 6)
    if reader.collateral is not None:
        chain.put(WETH, "decimals()", (), ("uint8",), 18)
    return chain


def amounts(reader: MorphoBluePosition, chain: FakeChain) -> list[int]:
    return [found.amount.value for found in drive(reader.read(AT), chain.answer) if isinstance(found, Holding)]


class TestMorphoBlueSpec(ReaderSpec):
    def example(self) -> Example:
        accrued = accrue(STORED, RATE, Timestamp(NOW)).market
        lent, debt = supplied(SUPPLY_SHARES, accrued), owed(BORROW_SHARES, accrued)
        expected = (
            Holding("fund.morpho/USDC-supplied", Component.CASH, "USDC", RawAmount(lent, 6), 3),
            Holding("fund.morpho/USDC-borrowed", Component.DEBT, "USDC", RawAmount(debt, 6), 3),
            Holding("fund.morpho/WETH-pledged", Component.COLLATERAL, "WETH", RawAmount(PLEDGED, 18), 3),
        )
        return Example(position(epoch=3), world().good_answers(), AT, expected)


class TestMorphoBlueIdleMarketSpec(ReaderSpec):
    def example(self) -> Example:
        reader = idle()
        expected = (
            Holding("fund.morpho/USDC-supplied", Component.CASH, "USDC", RawAmount(supplied(SUPPLY_SHARES, STORED), 6)),
            Holding("fund.morpho/USDC-borrowed", Component.DEBT, "USDC", RawAmount(owed(BORROW_SHARES, STORED), 6)),
        )
        return Example(reader, world(of=reader).good_answers(), AT, expected)


def test_assets_and_claims__parts__are_named_for_the_market() -> None:
    assert position().assets == (("USDC", "asset"), ("USDC", "debt"), ("WETH", "asset"))
    assert idle().assets == (("USDC", "asset"), ("USDC", "debt"))
    parts = ("supply", "borrow", "collateral")
    assert position().claims == tuple(Claim("local", MORPHO, ACCOUNT, f"{part} of {market_id()}") for part in parts)


def test_read__account_is_the_fee_recipient__accrued_fee_shares_are_added() -> None:
    accrued = accrue(STORED, RATE, Timestamp(NOW))
    assert accrued.fee_shares > 0
    found = amounts(position(), world(recipient=ACCOUNT))
    assert found[0] == supplied(SUPPLY_SHARES + accrued.fee_shares, accrued.market)
    assert amounts(position(), world())[0] == supplied(SUPPLY_SHARES, accrued.market) < found[0]


@pytest.mark.parametrize(
    "stored",
    [
        MorphoMarket(10**12, 10**18, 5 * 10**11, 10**17, Timestamp(NOW), Wad(0)),
        MorphoMarket(10**12, 10**18, 0, 0, Timestamp(NOW - DAY), Wad(0)),
    ],
    ids=["of this block", "without a debt"],
)
def test_read__nothing_to_accrue__asks_for_no_rate(stored: MorphoMarket) -> None:
    chain = world(stored)
    chain.answers = {key: answer for key, answer in chain.answers.items() if key[0] != IRM}
    assert amounts(position(), chain) == [supplied(SUPPLY_SHARES, stored), owed(BORROW_SHARES, stored), PLEDGED]


def test_read__no_rate__is_never_a_rate_of_zero() -> None:
    chain = world()
    chain.answers = {key: answer for key, answer in chain.answers.items() if key[0] != IRM}
    with pytest.raises(EmptyResult):
        amounts(position(), chain)


@pytest.mark.parametrize("last_update", [0, NOW + 1])
def test_read__unknown_id_or_a_later_state__is_refused(last_update: int) -> None:
    stored = MorphoMarket(0, 0, 0, 0, Timestamp(last_update), Wad(0))
    with pytest.raises(SourceRefused, match=f"was last updated at {last_update}, read at {NOW}"):
        amounts(position(), world(stored))


def test_read__rate_at_which_the_contract_would_revert__is_refused() -> None:
    chain = world()
    request = next(key for key in chain.answers if key[0] == IRM)
    chain.answers[request] = Answer(b"\xff" * 32)
    with pytest.raises(SourceRefused, match="cannot be accrued"):
        amounts(position(), chain)


def test_read__fee_above_one__is_refused() -> None:
    chain = world()
    market = bytes.fromhex(market_id()[2:])
    chain.put(MORPHO, "market(bytes32)", (market,), ("uint128",) * 6, *astuple(STORED)[:5], 10**18 + 1)
    with pytest.raises(SourceRefused, match="or a fee above one"):
        amounts(position(), chain)


def test_read__without_a_block__is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="is read without a block"):
        drive(position().read(ReadPoint(Timestamp(NOW), None)), world().answer)


@given(st.integers(0, 2**200), st.integers(0, 2**100), st.integers(1, 400 * DAY))
def test_read__any_shares_and_time__are_what_the_domain_computes(lent: int, borrowed: int, seconds: int) -> None:
    stored = replace(STORED, last_update=Timestamp(NOW - seconds), fee=Wad(0))
    chain = world(stored)
    market = bytes.fromhex(market_id()[2:])
    types = ("uint256", "uint128", "uint128")
    chain.put(MORPHO, "position(bytes32,address)", (market, ACCOUNT), types, lent, borrowed, 1)
    accrued = accrue(stored, RATE, Timestamp(NOW)).market
    assert amounts(position(), chain) == [supplied(lent, accrued), owed(borrowed, accrued), 1]


def test_resolve__unknown_id__answers_zeros_and_is_refused() -> None:
    chain = world()
    unknown = "0x" + 64 * "1"
    types = ("address", "address", "address", "address", "uint256")
    zeros = (NOBODY,) * 4
    chain.put(MORPHO, "idToMarketParams(bytes32)", (bytes.fromhex(unknown[2:]),), types, *zeros, 0)
    with pytest.raises(SourceRefused, match=f"{MORPHO} has no market {unknown}"):
        drive(position(market=unknown, terms=None).resolve(AT), chain.answer)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loan": {"asset": "WETH", "token": WETH}, "collateral": {"asset": "USDC", "token": USDC}}, "the loan token"),
        ({"collateral": {"asset": "OTHER", "token": ORACLE}}, "the collateral token"),
        ({"collateral": None}, "the collateral token"),
    ],
)
def test_resolve__market_of_other_tokens__is_refused(changes: dict[str, Any], message: str) -> None:
    chain = world()
    chain.put(ORACLE, "decimals()", (), ("uint8",), 18)
    with pytest.raises(SourceRefused, match=f"{message} of {market_id()} is"):
        drive(position(**changes, terms=None).resolve(AT), chain.answer)


def test_read__rate_model__is_asked_for_this_market_in_its_stored_state() -> None:
    asked: list[Call] = []

    def answer(request: Any) -> Answer:
        asked.append(request)
        return world().answer(request)

    drive(position().read(AT), answer)
    assert [call.target for call in asked] == [MORPHO, MORPHO, MORPHO, USDC, WETH, IRM]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"market": "0x12"}, "pattern"),
        ({"market": market_id().upper()}, "pattern"),
        ({"collateral": {"asset": "USDC2", "token": USDC}}, "is named twice"),
        ({"loan": {"asset": "USDC", "token": USDC, "component": "debt"}}, "is cash or collateral, not debt"),
    ],
)
def test_configuration__wrong__is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        position(**changes)
