"""Compound v3: base balance, debt, collateral and rewards of an account."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from navoracle.abi import selector
from navoracle.domain.errors import EmptyResult, MalformedResult, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.ports import Address, Answer, Call
from navoracle.positions import CompoundV3Position
from navoracle.positions.base import Claim
from navoracle.positions.compound_v3 import NUM_ASSETS
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
COMET, ACCOUNT, REWARDS, USDC, WETH, WBTC, COMP, LINK = (address(number) for number in range(1, 9))
NOBODY = Address("0x" + 40 * "0")
INFO = ("uint8", "address", "address", "uint64", "uint64", "uint64", "uint64", "uint128")


def position(**changes: Any) -> CompoundV3Position:
    fields = {
        "kind": "compound_v3",
        "id": "fund.comet",
        "chain": "local",
        "comet": COMET,
        "account": ACCOUNT,
        "base": {"asset": "USDC", "token": USDC, "component": "cash"},
        "collateral": [{"asset": "WBTC", "token": WBTC}, {"asset": "WETH", "token": WETH}],
        "rewards": {"asset": "COMP", "token": COMP, "contract": REWARDS},
        "market": {"listed": [WETH, WBTC], "decimals": [6, 8, 18, 18]},
    }
    return CompoundV3Position.model_validate({**fields, **changes})


def bare(**changes: Any) -> CompoundV3Position:
    """A lender's position: no collateral, no rewards."""
    market = {"listed": [WETH, WBTC], "decimals": [6]}
    return position(**{"collateral": [], "rewards": None, "market": market, **changes})


def put_collateral(chain: FakeChain, place: int, token: Address, balance: int) -> None:
    chain.put(COMET, "getAssetInfo(uint8)", (place,), INFO, place, token, NOBODY, 1, 1, 1, 1, 1)
    chain.put(COMET, "userCollateral(address,address)", (ACCOUNT, token), ("uint128", "uint128"), balance, 9)


def world(weth: int = 5 * 10**18, wbtc: int = 7, *, owed: int = 4 * 10**18, reserve: int = 10**20) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(COMET, "baseToken()", (), ("address",), USDC)
    chain.put(COMET, "numAssets()", (), ("uint8",), 2)
    put_collateral(chain, 0, WETH, weth)
    put_collateral(chain, 1, WBTC, wbtc)
    chain.put(COMET, "balanceOf(address)", (ACCOUNT,), ("uint256",), 11)
    chain.put(COMET, "borrowBalanceOf(address)", (ACCOUNT,), ("uint256",), 2_000_001)
    for token, decimals in {USDC: 6, WETH: 18, WBTC: 8, COMP: 18}.items():
        chain.put(token, "decimals()", (), ("uint8",), decimals)
    chain.put(REWARDS, "getRewardOwed(address,address)", (COMET, ACCOUNT), ("address", "uint256"), COMP, owed)
    chain.put(COMP, "balanceOf(address)", (REWARDS,), ("uint256",), reserve)
    return chain


def answers(chain: FakeChain) -> dict[Any, bytes]:
    """The good answers, with the rewards asked directly."""
    found = chain.good_answers()
    return {
        (Call(request.target, request.data, direct=True) if request.target == REWARDS else request): data
        for request, data in found.items()
        if isinstance(request, Call)
    }


class TestCompoundV3Spec(ReaderSpec):
    def example(self) -> Example:
        expected = (
            Holding("fund.comet/USDC-supplied", Component.CASH, "USDC", RawAmount(11, 6), 1),
            Holding("fund.comet/USDC-borrowed", Component.DEBT, "USDC", RawAmount(2_000_001, 6), 1),
            Holding("fund.comet/WBTC-pledged", Component.COLLATERAL, "WBTC", RawAmount(7, 8), 1),
            Holding("fund.comet/WETH-pledged", Component.COLLATERAL, "WETH", RawAmount(5 * 10**18, 18), 1),
            Holding("fund.comet/COMP-rewards", Component.REWARDS, "COMP", RawAmount(4 * 10**18, 18), 1),
        )
        return Example(position(epoch=1), answers(world()), AT, expected)


class TestCompoundV3LenderSpec(ReaderSpec):
    def example(self) -> Example:
        expected = (
            Holding("fund.comet/USDC-supplied", Component.CASH, "USDC", RawAmount(11, 6)),
            Holding("fund.comet/USDC-borrowed", Component.DEBT, "USDC", RawAmount(2_000_001, 6)),
        )
        return Example(bare(), answers(world(0, 0)), AT, expected)


def test_assets_and_claims__parts__are_each_claimed_once() -> None:
    assert position().assets == (
        ("USDC", "asset"),
        ("USDC", "debt"),
        ("WBTC", "asset"),
        ("WETH", "asset"),
        ("COMP", "asset"),
    )
    assert position().claims == (
        Claim("local", COMET, ACCOUNT),
        Claim("local", COMET, ACCOUNT, "borrow"),
        Claim("local", COMET, ACCOUNT, f"collateral {WBTC}"),
        Claim("local", COMET, ACCOUNT, f"collateral {WETH}"),
        Claim("local", REWARDS, ACCOUNT, f"rewards of {COMET}"),
    )
    assert len(bare().claims) == 2


def test_read__rewards__are_asked_directly_in_the_one_round() -> None:
    rounds = []
    reading = position().read(AT)
    try:
        requests = next(reading)
        while True:
            rounds.append(requests)
            requests = reading.send(tuple(answers(world())[request] for request in requests))
    except StopIteration:
        pass
    assert len(rounds) == 1
    assert [call.target for call in rounds[0] if isinstance(call, Call) and call.direct] == [REWARDS]


def test_read__price_not_age_checked__is_asked_for_no_figure() -> None:
    asked: list[Call] = []

    def answer(request: Any) -> Answer:
        asked.append(request)
        return world().answer(request)

    drive(position().read(AT), answer)
    assert {call.target for call in asked} == {COMET, REWARDS, USDC, WETH, WBTC, COMP}
    prices = {selector(name) for name in ("getPrice(address)", "isLiquidatable(address)", "latestRoundData()")}
    assert not prices & {call.data[:4] for call in asked}


def priced(chain: FakeChain, token: Address, scale: int, price: int) -> None:
    feed = address(0xF0 + int(token[-2:], 16))
    chain.put(COMET, "getAssetInfoByAddress(address)", (token,), INFO, 0, token, feed, scale, 1, 1, 1, 1)
    chain.put(COMET, "getPrice(address)", (feed,), ("uint256",), price)


def priced_world(weth: int, wbtc: int, supplied: int) -> FakeChain:
    """Ether at 2,000 and bitcoin at 50,000, beside a supply of dollars."""
    chain = world(weth, wbtc)
    chain.put(COMET, "balanceOf(address)", (ACCOUNT,), ("uint256",), supplied)
    chain.put(COMET, "baseTokenPriceFeed()", (), ("address",), USDC)
    chain.put(COMET, "getPrice(address)", (USDC,), ("uint256",), 10**8)
    priced(chain, WETH, 10**18, 2_000 * 10**8)
    priced(chain, WBTC, 10**8, 50_000 * 10**8)
    return chain


@pytest.mark.parametrize(("weth", "wbtc", "named"), [(1, 0, f"{WETH}"), (0, 1, f"{WBTC}"), (1, 1, f"{WETH}, {WBTC}")])
def test_read__collateral_that_is_not_configured_beside_nothing__is_refused_by_name(
    weth: int, wbtc: int, named: str
) -> None:
    with pytest.raises(SourceRefused, match=f"{ACCOUNT} has collateral in {named}, which is not configured"):
        drive(bare().read(AT), priced_world(weth, wbtc, 0).answer)
    assert len(drive(bare(uncounted=[WETH, WBTC]).read(AT), world(weth, wbtc).answer)) == 2


@pytest.mark.parametrize(
    ("weth", "wbtc", "bps"),
    [(5 * 10**14, 0, 1), (0, 2_000, 1), (25 * 10**13, 1_000, 1), (10**18, 0, 2_000), (1, 1, 1)],
)
def test_read__dust_that_a_stranger_supplied__is_left_out_by_name_up_to_the_limit(
    weth: int, wbtc: int, bps: int
) -> None:
    dollars = 10_000 * 10**6
    found = drive(bare(unlisted_bps=bps).read(AT), priced_world(weth, wbtc, dollars).answer)
    assert isinstance(found[0], Holding)
    assert found[0].amount == RawAmount(dollars, 6)
    left_out = [token for token, balance in ((WETH, weth), (WBTC, wbtc)) if balance]
    assert {row.id: row.amount for row in found[2:] if isinstance(row, Holding)} == {
        f"fund.comet/{token} left out": RawAmount(0, 6) for token in left_out
    }
    for more in ((weth * 2, wbtc * 2), (weth, wbtc + 1)):
        if (weth, wbtc) != (1, 1):
            with pytest.raises(SourceRefused, match="which is not configured"):
                drive(bare(unlisted_bps=bps).read(AT), priced_world(*more, dollars).answer)


def test_read__dust_whose_feed_fails__could_be_anything_and_is_refused() -> None:
    chain = priced_world(1, 0, 10**10)
    chain.revert(COMET, "getPrice(address)", address(0xF0 + 5))
    with pytest.raises(SourceRefused, match=f"has collateral in {WETH}, which is not configured"):
        drive(bare().read(AT), chain.answer)


def test_read__dust_in_a_market_that_says_a_scale_of_zero__is_malformed() -> None:
    chain = priced_world(1, 0, 10**10)
    priced(chain, WETH, 0, 1)
    with pytest.raises(MalformedResult, match="scale of zero"):
        drive(bare().read(AT), chain.answer)


def test_read__dust_beside_configured_collateral__is_compared_with_all_that_counts() -> None:
    ether = {"collateral": [{"asset": "WETH", "token": WETH}], "market": {"listed": [WETH, WBTC], "decimals": [6, 18]}}
    reader = bare(**ether)
    found = drive(reader.read(AT), priced_world(5 * 10**18, 2_100, 500 * 10**6).answer)
    assert [row.id for row in found[2:]] == ["fund.comet/WETH-pledged", f"fund.comet/{WBTC} left out"]
    with pytest.raises(SourceRefused, match=f"has collateral in {WBTC}, which is not configured"):
        drive(reader.read(AT), priced_world(5 * 10**18, 2_101, 500 * 10**6).answer)


def test_read__collateral_listed_since_the_start__is_read_too() -> None:
    for balance in (0, 1):
        chain = priced_world(0, 0, 0)
        priced(chain, LINK, 10**18, 10 * 10**8)
        chain.put(COMET, "numAssets()", (), ("uint8",), 3)
        put_collateral(chain, 2, LINK, balance)
        if balance:
            with pytest.raises(SourceRefused, match=f"has collateral in {LINK}"):
                drive(bare(unlisted_bps=0).read(AT), chain.answer)
        else:
            assert len(drive(bare().read(AT), chain.answer)) == 2


def test_read__collateral_without_an_answer__is_never_zero() -> None:
    chain = world(0, 0)
    chain.answers = {
        key: answer for key, answer in chain.answers.items() if key[0] != COMET or WBTC[2:].lower() not in key[1].hex()
    }
    with pytest.raises(EmptyResult):
        drive(bare().read(AT), chain.answer)


@pytest.mark.parametrize(("reserve", "counted"), [(4 * 10**18, 4 * 10**18), (4 * 10**18 - 1, 0), (0, 0)])
def test_read__rewards_that_the_contract_cannot_pay__count_nothing(reserve: int, counted: int) -> None:
    *_, found = drive(position().read(AT), world(reserve=reserve).answer)
    assert isinstance(found, Holding)
    assert found.amount == RawAmount(counted, 18)


def test_read__rewards_of_another_token__are_refused() -> None:
    chain = world()
    chain.put(REWARDS, "getRewardOwed(address,address)", (COMET, ACCOUNT), ("address", "uint256"), LINK, 1)
    with pytest.raises(SourceRefused, match=f"the reward token of {COMET} is {LINK}, not the configured {COMP}"):
        drive(position().read(AT), chain.answer)


def test_resolve__another_base_token__is_refused() -> None:
    chain = world()
    chain.put(COMET, "baseToken()", (), ("address",), WETH)
    with pytest.raises(SourceRefused, match=f"is {WETH}, not the configured {USDC}"):
        drive(position(market=None).resolve(AT), chain.answer)


def test_resolve__collateral_that_the_market_does_not_list__is_refused() -> None:
    chain = world()
    chain.put(LINK, "decimals()", (), ("uint8",), 18)
    with pytest.raises(SourceRefused, match=rf"{LINK} \(LINK\) is no collateral of the market"):
        drive(position(collateral=[{"asset": "LINK", "token": LINK}], market=None).resolve(AT), chain.answer)


def test_resolve__market_that_names_no_token__is_refused() -> None:
    chain = world()
    put_collateral(chain, 1, NOBODY, 0)
    with pytest.raises(SourceRefused, match="names none for one of them"):
        drive(position(market=None).resolve(AT), chain.answer)


def test_resolve__count_of_collateral_beyond_a_byte__is_refused() -> None:
    chain = world()
    chain.answers[COMET, NUM_ASSETS] = Answer((2**255).to_bytes(32, "big"))
    with pytest.raises(MalformedResult):
        drive(position(market=None).resolve(AT), chain.answer)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"collateral": [{"asset": "A", "token": WETH}, {"asset": "B", "token": WETH}]}, "is named twice"),
        ({"collateral": [{"asset": "USDC", "token": WETH}]}, "asset USDC is named twice"),
        ({"collateral": [{"asset": "B", "token": USDC}]}, "is named twice"),
        ({"uncounted": [WETH]}, "is both counted and `uncounted`"),
        ({"base": {"asset": "USDC", "token": USDC, "component": "debt"}}, "is cash or collateral, not debt"),
        ({"market": {"listed": [], "decimals": [6]}}, "must hold the decimals of each token"),
    ],
)
def test_configuration__wrong__is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        position(**changes)
