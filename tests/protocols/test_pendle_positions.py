"""LP, YT and SY positions with interest and rewards, against Pendle's own tokens, gauges and markets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import WAD
from navoracle.ports import Address
from navoracle.positions import PendleLpPosition, PendleSyPosition, PendleYtPosition
from tests.protocols.chain import NAME, Chain, ReaderFailed
from tests.protocols.pendle_world import (
    DAY,
    INTEREST_FEE,
    LIFE,
    PENDLE_PER_SECOND,
    PendleWorld,
    Yield,
)
from tests.requirements import needs_node

pytestmark = needs_node

HELD = 10_000 * WAD
PER_SECOND = 10**15


@dataclass(frozen=True)
class Held:
    """A holder of YT over a vault, of YT and SY with rewards, and of LP in markets of both versions."""

    world: PendleWorld
    vault: Yield
    rewarded: Yield
    reward: Address
    new: Address
    old: Address

    @property
    def holder(self) -> Address:
        return self.world.holder


@pytest.fixture(scope="module")
def pendle(chain: Chain) -> Held:
    world = PendleWorld(chain)
    vault, reward = world.yield_over_vault(), world.coin("RWD", 18)
    rewarded = world.yield_with_rewards(reward, PER_SECOND)
    new, old = world.market(vault), world.market(vault, version=3)
    for market in (new, old):
        world.seed(vault, market, 100_000)
        world.incentivize(market, LIFE // 2)
        chain.send(market, "transfer(address,uint256)", world.holder, HELD)
    for of in (vault, rewarded):
        world.make_sy(of, world.owner, 2 * HELD)
        world.make_py(of, world.holder, HELD)
    chain.send(rewarded.sy, "transfer(address,uint256)", world.holder, HELD)
    return Held(world, vault, rewarded, reward, new, old)


def common(here: Held, **changes: Any) -> dict[str, Any]:
    return {"id": "held", "chain": NAME, "asset": "X", "holder": here.holder, **changes}


def yt_position(here: Held, of: Yield, **changes: Any) -> PendleYtPosition:
    own = {"kind": "pendle_yt", "yt": of.yt, "sy": of.sy, "base_token": of.asset, "interest_asset": "USD"}
    return PendleYtPosition.model_validate(common(here, **{**own, **changes}))


def lp_position(here: Held, market: Address, **changes: Any) -> PendleLpPosition:
    rewards = [{"token": here.world.pendle, "asset": "PENDLE"}]
    return PendleLpPosition.model_validate(
        common(here, **{"kind": "pendle_lp", "market": market, "rewards": rewards, **changes})
    )


def sy_position(here: Held, of: Yield, **changes: Any) -> PendleSyPosition:
    own = {"kind": "pendle_sy", "sy": of.sy, "base_token": of.asset}
    return PendleSyPosition.model_validate(common(here, **{**own, **changes}))


def amounts(found: Sequence[Holding]) -> dict[str, tuple[Component, str, int]]:
    return {holding.id: (holding.component, holding.asset, holding.amount.value) for holding in found}


def of_reward(here: Held) -> dict[str, Any]:
    return {"rewards": [{"token": here.reward, "asset": "RWD"}]}


def claim(here: Held, of: Yield) -> None:
    """The holder redeems what is due."""
    redeem = "redeemDueInterestAndRewards(address,bool,bool)"
    here.world.chain.send(of.yt, redeem, here.holder, True, True, sender=here.holder)


async def test_yt__stored_interest_is_stale__the_call_finds_what_is_paid(chain: Chain, pendle: Held) -> None:
    of = pendle.vault
    pendle.world.grow(of, 500)
    assert chain.view(of.yt, "userInterest(address)", ("uint128", "uint128"), pendle.holder)[1] == 0
    found = amounts(await chain.read(yt_position(pendle, of)))
    assert found["held"] == (Component.COLLATERAL, "X", HELD)
    component, asset, interest = found["held/interest"]
    assert (component, asset) == (Component.ACCRUED_INCOME, "USD")
    # 5 % of the principal, less 3 % that the protocol keeps
    expected = HELD * 5 // 100 * (WAD - INTEREST_FEE) // WAD
    assert 0 <= expected - interest < 10**9
    before = pendle.world.balance(of.sy, pendle.holder)
    claim(pendle, of)
    paid = pendle.world.balance(of.sy, pendle.holder) - before
    rate = chain.view(of.sy, "exchangeRate()", ("uint256",))
    assert interest == paid * rate // WAD > 0
    assert amounts(await chain.read(yt_position(pendle, of)))["held/interest"][2] == 0


async def test_pt_and_yt__of_one_market__are_the_sy_that_they_were_split_from_and_it_is_not_held_too(
    chain: Chain, pendle: Held
) -> None:
    of, world = pendle.vault, pendle.world
    found = amounts(await chain.read(yt_position(pendle, of)))
    assert {name: value for name, (_, _, value) in found.items()} == {"held": HELD, "held/interest": 0}
    assert world.balance(of.pt, pendle.holder) == HELD
    assert world.rate("getPtToAssetRate", pendle.new, 0) + world.rate("getYtToAssetRate", pendle.new, 0) == WAD
    (sy,) = await chain.read(sy_position(pendle, of))
    assert sy.amount.value == 0


async def test_yt__after_expiry__new_interest_goes_to_the_treasury_and_the_token_counts_for_nothing(
    chain: Chain, pendle: Held
) -> None:
    of = pendle.vault
    pendle.world.grow(of, 500)
    chain.travel(of.expiry - chain.time)
    chain.send(of.yt, "setPostExpiryData()")
    due = amounts(await chain.read(yt_position(pendle, of)))
    assert set(due) == {"held/interest"}
    assert due["held/interest"][2] > 0
    pendle.world.grow(of, 500)
    later = amounts(await chain.read(yt_position(pendle, of)))
    # the same SY, which are worth 5 % more by now
    assert abs(later["held/interest"][2] * 100 - due["held/interest"][2] * 105) < 10**6


async def test_pt__redeemed_after_expiry__pays_asset_to_sy_of_the_index(chain: Chain, pendle: Held) -> None:
    of = pendle.vault
    pendle.world.grow(of, 500)
    chain.travel(of.expiry - chain.time)
    index = max(chain.view(of.sy, "exchangeRate()", ("uint256",)), chain.view(of.yt, "pyIndexStored()", ("uint256",)))
    before = pendle.world.balance(of.sy, pendle.holder)
    chain.send(of.pt, "transfer(address,uint256)", of.yt, HELD, sender=pendle.holder)
    chain.send(of.yt, "redeemPY(address)", pendle.holder)
    assert pendle.world.balance(of.sy, pendle.holder) - before == HELD * WAD // index


async def test_yt__rewards_of_the_sy__are_those_of_a_claim_now(chain: Chain, pendle: Held) -> None:
    of = pendle.rewarded
    chain.travel(DAY)
    found = amounts(await chain.read(yt_position(pendle, of, **of_reward(pendle))))
    component, asset, reward = found["held/RWD"]
    assert (component, asset) == (Component.REWARDS, "RWD")
    claim(pendle, of)
    paid = pendle.world.balance(pendle.reward, pendle.holder)
    # the claim is mined a second or two later
    assert 0 < reward <= paid < reward * (DAY + 60) // DAY


async def test_sy__stored_rewards_are_stale__the_call_finds_what_is_paid(chain: Chain, pendle: Held) -> None:
    of = pendle.rewarded
    chain.send(of.sy, "setExchangeRate(uint256)", 12 * WAD // 10)
    chain.travel(DAY)
    stored = chain.view(of.sy, "accruedRewards(address)", ("uint256[]",), pendle.holder)[0]
    found = amounts(await chain.read(sy_position(pendle, of, **of_reward(pendle))))
    assert found["held"] == (Component.COLLATERAL, "X", HELD * 12 // 10)
    reward = found["held/RWD"][2]
    assert stored < reward
    chain.send(of.sy, "claimRewards(address)", pendle.holder, sender=pendle.holder)
    assert reward <= pendle.world.balance(pendle.reward, pendle.holder) < reward * (DAY + 60) // DAY


@pytest.mark.parametrize("version", ["new", "old"])
async def test_lp__balance_and_rewards__of_both_versions_are_those_of_a_claim_now(
    chain: Chain, pendle: Held, version: str
) -> None:
    market = getattr(pendle, version)
    chain.send(market, "redeemRewards(address)", pendle.holder)
    had = pendle.world.balance(pendle.world.pendle, pendle.holder)
    chain.travel(DAY)
    found = amounts(await chain.read(lp_position(pendle, market)))
    assert found["held"] == (Component.COLLATERAL, "X", HELD)
    component, asset, reward = found["held/PENDLE"]
    assert (component, asset) == (Component.REWARDS, "PENDLE")
    # a tenth of the pool; what the first claim activated of it shares with the rest in version 3
    assert 0 < reward < PENDLE_PER_SECOND * DAY
    chain.send(market, "redeemRewards(address)", pendle.holder)
    paid = pendle.world.balance(pendle.world.pendle, pendle.holder) - had
    assert reward <= paid < reward * (DAY + 60) // DAY


async def test_rewards__token_that_is_not_configured__is_named_never_dropped(chain: Chain, pendle: Held) -> None:
    chain.travel(DAY)
    for reader, token in (
        (lp_position(pendle, pendle.new, rewards=[]), pendle.world.pendle),
        (yt_position(pendle, pendle.rewarded), pendle.reward),
        (sy_position(pendle, pendle.rewarded), pendle.reward),
    ):
        with pytest.raises(ReaderFailed) as caught:
            await chain.read(reader)
        assert caught.value.code == "source_refused"
        assert token.lower() in str(caught.value).lower()
        ignoring = reader.model_copy(update={"ignored_rewards": (token,)})
        assert not [holding for holding in await chain.read(ignoring) if holding.component is Component.REWARDS]


async def test_positions__of_another_sy_or_asset__are_refused(chain: Chain, pendle: Held) -> None:
    wrong = (
        yt_position(pendle, pendle.vault, sy=pendle.rewarded.sy),
        yt_position(pendle, pendle.vault, base_token=pendle.reward),
        sy_position(pendle, pendle.vault, base_token=pendle.reward),
    )
    for reader in wrong:
        with pytest.raises(ReaderFailed) as caught:
            await chain.read(reader)
        assert caught.value.code == "source_refused"


async def test_positions__of_a_stranger__are_zero_not_missing(chain: Chain, pendle: Held) -> None:
    nobody = chain.accounts[7]
    found = amounts(await chain.read(lp_position(pendle, pendle.new, holder=nobody)))
    assert {name: value for name, (_, _, value) in found.items()} == {"held": 0, "held/PENDLE": 0}
    found = amounts(await chain.read(yt_position(pendle, pendle.vault, holder=nobody)))
    assert {name: value for name, (_, _, value) in found.items()} == {"held": 0, "held/interest": 0}
