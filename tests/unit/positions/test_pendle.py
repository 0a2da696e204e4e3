"""Pendle positions: what is held, what a claim would pay, and rewards that nobody configured."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.abi import encode_call
from navoracle.domain.errors import CallReverted, DecimalsChanged, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import WAD, RawAmount
from navoracle.ports import Answer, Call, Request
from navoracle.positions import PendleLpPosition, PendleSyPosition, PendleYtPosition
from navoracle.positions.base import Claim
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
MARKET, YT, SY, USDE, HOLDER, PENDLE, POINTS = (address(number) for number in range(1, 8))
BALANCE, INTEREST, RATE = 500 * 10**18, 3_265_990_000_000_000_001, 11 * 10**17
REWARDS = {"rewards": [{"token": PENDLE, "asset": "PENDLE"}], "reward_decimals": [18]}
REDEEM_YT = encode_call("redeemDueInterestAndRewards(address,bool,bool)", HOLDER, *(True, True))
REDEEM_LP = encode_call("redeemRewards(address)", HOLDER)
CLAIM_SY = encode_call("claimRewards(address)", HOLDER)


def position(kind: str, **changes: Any) -> Any:
    common = {"kind": kind, "id": "held", "chain": "local", "asset": "X", "holder": HOLDER, **REWARDS}
    own: dict[str, tuple[Any, dict[str, Any]]] = {
        "pendle_lp": (PendleLpPosition, {"market": MARKET}),
        "pendle_yt": (
            PendleYtPosition,
            {"yt": YT, "sy": SY, "base_token": USDE, "interest_asset": "USDe", "decimals": 18},
        ),
        "pendle_sy": (PendleSyPosition, {"sy": SY, "base_token": USDE, "asset_decimals": 18}),
    }
    model, fields = own[kind]
    return model.model_validate({**common, **fields, **changes})


class World:
    """Three contracts that pay the same rewards; claims are answered only to the holder, outside Multicall3."""

    def __init__(
        self, *, rewards: dict[str, int] | None = None, expiry: int = NOW + 1, interest: int = INTEREST
    ) -> None:
        rewards = {PENDLE: 7 * 10**18} if rewards is None else rewards
        self.chain = FakeChain(block_stamp(NOW))
        for contract in (MARKET, YT, SY):
            self.chain.put(contract, "balanceOf(address)", (HOLDER,), ("uint256",), BALANCE)
            self.chain.put(contract, "getRewardTokens()", (), ("address[]",), list(rewards))
        for token in (MARKET, YT, PENDLE):
            self.chain.put(token, "decimals()", (), ("uint8",), 18)
        self.chain.put(YT, "expiry()", (), ("uint256",), expiry)
        self.chain.put(YT, "SY()", (), ("address",), SY)
        self.chain.put(SY, "exchangeRate()", (), ("uint256",), RATE)
        self.asset_info()
        self.claims: dict[Request, bytes] = {}
        paid = list(rewards.values())
        self.claim(MARKET, REDEEM_LP, ("uint256[]",), paid)
        self.claim(SY, CLAIM_SY, ("uint256[]",), paid)
        self.claim(YT, REDEEM_YT, ("uint256", "uint256[]"), interest, paid)

    def asset_info(self, asset: str = USDE, decimals: int = 18, *, kind: int = 0) -> World:
        self.chain.put(SY, "assetInfo()", (), ("uint8", "address", "uint8"), kind, asset, decimals)
        return self

    def claim(self, contract: Any, data: bytes, types: tuple[str, ...], *values: Any) -> None:
        self.claims[Call(contract, data, direct=True, sender=HOLDER)] = encode(types, values)

    def answer(self, request: Request) -> Answer:
        found = self.claims.get(request)
        return self.chain.answer(request) if found is None else Answer(found)

    def answers(self) -> dict[Request, bytes]:
        return {**self.chain.good_answers(), **self.claims}

    def read(self, kind: str, **changes: Any) -> tuple[Holding, ...]:
        found: tuple[Holding, ...] = drive(position(kind, **changes).read(AT), self.answer)
        return found


def held(component: Component, asset: str, amount: int, name: str = "held", decimals: int = 18) -> Holding:
    return Holding(name, component, asset, RawAmount(amount, decimals))


REWARD = held(Component.REWARDS, "PENDLE", 7 * 10**18, "held/PENDLE")
DUE = held(Component.ACCRUED_INCOME, "USDe", 3_592_589_000_000_000_001, "held/interest")
KINDS = ("pendle_lp", "pendle_yt", "pendle_sy")


class TestPendleLpSpec(ReaderSpec):
    def example(self) -> Example:
        expected = (held(Component.COLLATERAL, "X", BALANCE), REWARD)
        return Example(position("pendle_lp"), World().answers(), AT, expected)


class TestPendleYtSpec(ReaderSpec):
    def example(self) -> Example:
        expected = (held(Component.COLLATERAL, "X", BALANCE), DUE, REWARD)
        return Example(position("pendle_yt"), World().answers(), AT, expected)


class TestPendleSySpec(ReaderSpec):
    def example(self) -> Example:
        expected = (held(Component.COLLATERAL, "X", BALANCE * 11 // 10), REWARD)
        return Example(position("pendle_sy"), World().answers(), AT, expected)


class TestPendleLpWithoutRewardsSpec(ReaderSpec):
    def example(self) -> Example:
        reader = position("pendle_lp", rewards=[], reward_decimals=[], ignored_rewards=[PENDLE])
        return Example(reader, World().answers(), AT, (held(Component.COLLATERAL, "X", BALANCE),))


@pytest.mark.parametrize(("expiry", "counted"), [(NOW + 1, True), (NOW, False), (NOW - 1, False)])
def test_yt__from_expiry_on__only_what_is_due_counts(expiry: int, counted: bool) -> None:
    found = World(expiry=expiry).read("pendle_yt")
    assert found == ((held(Component.COLLATERAL, "X", BALANCE),) if counted else ()) + (DUE, REWARD)


@given(st.integers(0, 10**40), st.integers(1, 10**24))
def test_yt__interest__is_the_asset_rounded_down(interest: int, rate: int) -> None:
    world = World(interest=interest)
    world.chain.put(SY, "exchangeRate()", (), ("uint256",), rate)
    value = world.read("pendle_yt")[1].amount.value
    assert value * WAD <= interest * rate < (value + 1) * WAD


def test_yt__asset_of_6_decimals__interest_is_in_its_units() -> None:
    world = World().asset_info(decimals=6)
    world.chain.put(YT, "decimals()", (), ("uint8",), 6)
    world.chain.put(SY, "exchangeRate()", (), ("uint256",), 11 * 10**5)
    assert world.read("pendle_yt", decimals=6)[1].amount == RawAmount(3_592_589, 6)


def test_yt__of_another_sy__is_refused() -> None:
    world = World()
    world.chain.put(YT, "SY()", (), ("address",), POINTS)
    with pytest.raises(SourceRefused, match=f"the SY of YT {YT} is {POINTS}, not the configured {SY}"):
        world.read("pendle_yt")


@pytest.mark.parametrize("kind", ["pendle_yt", "pendle_sy"])
def test_accounting_asset__another_one_or_liquidity_or_other_decimals__is_refused(kind: str) -> None:
    for world, message in (
        (World().asset_info(POINTS), f"is {POINTS}, not the configured {USDE}"),
        (World().asset_info(kind=1), "liquidity"),
        (World().asset_info(decimals=6), "resolved with 18 decimals, the accounting asset of SY .* has 6"),
    ):
        with pytest.raises(SourceRefused, match=message):
            world.read(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_rewards__unknown_token_that_pays__is_refused_by_name_unless_ignored(kind: str) -> None:
    world = World(rewards={PENDLE: 1, POINTS: 5})
    with pytest.raises(SourceRefused, match=f"pays 5 units of the reward token {POINTS.lower()}") as refusal:
        world.read(kind)
    assert "ignored_rewards" in refusal.value.advice
    assert world.read(kind, ignored_rewards=[POINTS]) == World(rewards={PENDLE: 1}).read(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_rewards__unknown_token_that_pays_nothing_yet__stops_nobody(kind: str) -> None:
    assert World(rewards={PENDLE: 1, POINTS: 0}).read(kind) == World(rewards={PENDLE: 1}).read(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_rewards__order_of_the_contract__decides_whose_amount_it_is(kind: str) -> None:
    both = [{"token": POINTS, "asset": "POINTS"}, {"token": PENDLE, "asset": "PENDLE"}]
    world = World(rewards={PENDLE: 1, POINTS: 2})
    world.chain.put(POINTS, "decimals()", (), ("uint8",), 6)
    found = world.read(kind, rewards=both, reward_decimals=[6, 18])[-2:]
    assert found == (
        held(Component.REWARDS, "POINTS", 2, "held/POINTS", 6),
        held(Component.REWARDS, "PENDLE", 1, "held/PENDLE"),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_rewards__configured_token_that_is_none__is_refused(kind: str) -> None:
    with pytest.raises(SourceRefused, match=f"does not name the configured reward token {PENDLE}"):
        World(rewards={}).read(kind)


def test_rewards__fewer_amounts_than_tokens__are_refused() -> None:
    world = World()
    world.claim(MARKET, REDEEM_LP, ("uint256[]",), [1, 2])
    with pytest.raises(SourceRefused, match="names 1 reward tokens and pays 2 amounts"):
        world.read("pendle_lp")


def test_rewards__token_that_is_named_twice__is_refused() -> None:
    world = World()
    world.chain.put(MARKET, "getRewardTokens()", (), ("address[]",), [PENDLE, PENDLE])
    world.claim(MARKET, REDEEM_LP, ("uint256[]",), [1, 2])
    with pytest.raises(SourceRefused, match="names 2 reward tokens"):
        world.read("pendle_lp")


@pytest.mark.parametrize("kind", KINDS)
def test_claim__that_reverts__is_an_error_never_no_rewards(kind: str) -> None:
    world = World()
    world.claims.clear()
    for contract, data in ((MARKET, REDEEM_LP), (YT, REDEEM_YT), (SY, CLAIM_SY)):
        world.chain.answers[contract, data] = Answer(b"", failure="call_reverted")
    with pytest.raises(CallReverted):
        world.read(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_claim__of_the_holder__is_a_direct_call_from_it(kind: str) -> None:
    requests = next(position(kind).read(AT))
    (claim,) = [request for request in requests if request.direct]
    assert claim.sender == HOLDER
    assert claim.data in (REDEEM_LP, REDEEM_YT, CLAIM_SY)


def test_reward__decimals_changed__names_token_old_and_new() -> None:
    world = World()
    world.chain.put(PENDLE, "decimals()", (), ("uint8",), 6)
    with pytest.raises(DecimalsChanged, match=f"{PENDLE} had 18 decimals and now says 6"):
        world.read("pendle_lp")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ignored_rewards": [PENDLE]}, f"reward token {PENDLE} is named twice"),
        (
            {"rewards": [{"token": PENDLE, "asset": "A"}, {"token": POINTS, "asset": "A"}], "reward_decimals": None},
            "reward asset A is named twice",
        ),
        ({"reward_decimals": [18, 18]}, "another length"),
    ],
)
def test_configuration__rewards_that_cannot_be_told_apart__are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        position("pendle_lp", **changes)


def test_assets__of_each_kind__are_all_that_its_holdings_need() -> None:
    for kind in KINDS:
        needed = {(holding.asset, "asset") for holding in World().read(kind)}
        assert set(position(kind).assets) == needed


def test_claims__balance_and_what_is_due__are_claimed_apart() -> None:
    assert position("pendle_lp").claims == (
        Claim("local", MARKET, HOLDER),
        Claim("local", MARKET, HOLDER, "rewards"),
    )
    assert position("pendle_yt").claims == (
        Claim("local", YT, HOLDER),
        Claim("local", YT, HOLDER, "due interest"),
        Claim("local", YT, HOLDER, "rewards"),
    )
    assert position("pendle_sy").claims == (Claim("local", SY, HOLDER), Claim("local", SY, HOLDER, "rewards"))
