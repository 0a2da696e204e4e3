"""The rates of PT, LP, YT and SY against Pendle's own oracle, markets, tokens and factories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from navoracle.domain.units import BPS, WAD, Bps, Rounding, Wad, mul_div
from navoracle.ports import Address, ProtocolRate
from navoracle.prices import PendleLpRate, PendlePtRate, PendlePtSyRate, PendleSyRate, PendleYtRate
from navoracle.prices.pendle.manipulation import rate_rise
from navoracle.prices.pendle.market import MAX_DURATION, STATE_TYPES
from tests.protocols.chain import NAME, Chain, NodeError, ReaderFailed
from tests.protocols.pendle_world import (
    CARDINALITY,
    DAY,
    INITIAL_ANCHOR,
    SCALAR_ROOT,
    TWAP,
    PendleWorld,
    Yield,
    doubles,
)
from tests.requirements import needs_node

pytestmark = needs_node

POOL = 100_000
PT_TO_ASSET, PT_TO_SY = "getPtToAssetRate", "getPtToSyRate"
YT_TO_ASSET, LP_TO_ASSET = "getYtToAssetRate", "getLpToAssetRate"
NOT_SEEDED = "b1c4aefb"
TARGET_TOO_OLD = "9ca3426c"


@dataclass(frozen=True)
class Markets:
    """A market of each version over one vault, one of a 6-decimal asset, and one that nobody has seeded."""

    world: PendleWorld
    vault: Yield
    new: Address
    old: Address
    bare: Address
    usdc: Yield
    six: Address

    def rate(self, name: str, market: Address, duration: int = 0) -> int:
        return self.world.rate(name, market, duration)


@pytest.fixture(scope="module")
def pendle(chain: Chain) -> Markets:
    world = PendleWorld(chain)
    vault, usdc = world.yield_over_vault(), world.yield_over_vault(6)
    new, old, six = world.market(vault), world.market(vault, version=3), world.market(usdc)
    for of, market in ((vault, new), (vault, old), (usdc, six)):
        world.seed(of, market, POOL)
    bare = world.market(vault, scalar_root=SCALAR_ROOT + 1)
    chain.travel(TWAP + 1)
    return Markets(world, vault, new, old, bare, usdc, six)


def fields(here: Markets, market: Address, of: Yield | None, **changes: Any) -> dict[str, Any]:
    of = of or here.vault
    own = {"id": "rate", "chain": NAME, "base": "USD", "oracle": here.world.oracle, "market": market}
    return {**own, "pt": of.pt, "sy": of.sy, "base_token": of.asset, **changes}


def pt_rate(here: Markets, market: Address, of: Yield | None = None, **changes: Any) -> PendlePtRate:
    return PendlePtRate.model_validate({"kind": "pendle_pt", **fields(here, market, of, **changes)})


def pt_sy_rate(here: Markets, market: Address, of: Yield | None = None, **changes: Any) -> PendlePtSyRate:
    changes = {"base_token": (of or here.vault).token, **changes}
    return PendlePtSyRate.model_validate({"kind": "pendle_pt_sy", **fields(here, market, of, **changes)})


def lp_rate(here: Markets, market: Address, of: Yield | None = None, **changes: Any) -> PendleLpRate:
    return PendleLpRate.model_validate({"kind": "pendle_lp", **fields(here, market, of, **changes)})


def yt_rate(here: Markets, market: Address, of: Yield | None = None, **changes: Any) -> PendleYtRate:
    changes = {"yt": (of or here.vault).yt, **changes}
    return PendleYtRate.model_validate({"kind": "pendle_yt", **fields(here, market, of, **changes)})


def sy_rate(of: Yield) -> PendleSyRate:
    own = {"kind": "pendle_sy", "id": "rate", "chain": NAME, "base": "USD", "sy": of.sy, "base_token": of.asset}
    return PendleSyRate.model_validate(own)


async def refusal(chain: Chain, reader: Any) -> str:
    with pytest.raises(ReaderFailed) as caught:
        await chain.read(reader)
    assert caught.value.code == "source_refused"
    return str(caught.value)


def expire(chain: Chain, here: Markets) -> None:
    chain.travel(here.vault.expiry - chain.time)


@pytest.mark.parametrize("version", ["new", "old"])
async def test_markets_of_both_versions__seeded__are_priced_as_their_oracle_says(
    chain: Chain, pendle: Markets, version: str
) -> None:
    market = getattr(pendle, version)
    for make, name in (
        (pt_rate, PT_TO_ASSET),
        (pt_sy_rate, PT_TO_SY),
        (yt_rate, YT_TO_ASSET),
        (lp_rate, LP_TO_ASSET),
    ):
        found: ProtocolRate = await chain.read(make(pendle, market))
        rates = sorted(pendle.rate(name, market, duration) for duration in (0, TWAP))
        assert [found.lower, found.higher] == rates
        assert 0 < found.lower < 2 * WAD
        # half PT, 180 days, scalarRoot 75: a trade can take 2.05 %, which leaves 76 %; a YT can be pushed to nothing
        assert found.confidence in ((4_000,) if make is yt_rate else range(7_550, 7_650))


async def test_market_that_nobody_seeded__answers_par__is_refused(chain: Chain, pendle: Markets) -> None:
    assert pendle.rate(PT_TO_ASSET, pendle.bare) == WAD
    with pytest.raises(NodeError) as reverted:
        pendle.rate(LP_TO_ASSET, pendle.bare)
    assert reverted.value.data.hex().startswith(NOT_SEEDED)
    for make in (pt_rate, pt_sy_rate, lp_rate, yt_rate):
        assert "not seeded" in await refusal(chain, make(pendle, pendle.bare))


async def test_spot_moved_in_one_transaction__average_did_not__the_lower_one_is_taken(
    chain: Chain, pendle: Markets
) -> None:
    world, market = pendle.world, pendle.new
    before = pendle.rate(PT_TO_ASSET, market)
    world.make_py(pendle.vault, world.owner, 50_000 * WAD)
    world.sell_pt(pendle.vault, market, 50_000 * WAD)
    spot, average = pendle.rate(PT_TO_ASSET, market), pendle.rate(PT_TO_ASSET, market, TWAP)
    assert abs(average - before) * 1_000_000 < before
    assert (before - spot) * 10_000 > 50 * before
    found = await chain.read(pt_rate(pendle, market))
    assert (found.lower, found.higher) == (spot, average)
    assert found.confidence < 3_000
    world.make_sy(pendle.vault, world.owner, 100_000 * WAD)
    world.buy_pt(pendle.vault, market, 80_000 * WAD)
    spot, average = pendle.rate(PT_TO_ASSET, market), pendle.rate(PT_TO_ASSET, market, TWAP)
    assert spot > average
    found = await chain.read(pt_rate(pendle, market))
    assert (found.lower, found.higher) == (average, spot)


@pytest.mark.parametrize("days_left", [175, 30, 2])
async def test_spot_pushed_as_far_as_the_curve_allows__falls_by_no_more_than_the_bound(
    chain: Chain, pendle: Markets, days_left: int
) -> None:
    world, market = pendle.world, pendle.new
    chain.travel(pendle.vault.expiry - days_left * DAY - chain.time)
    before, rise = pendle.rate(PT_TO_ASSET, market), bound(pendle, market)
    world.make_sy(pendle.vault, world.owner, 10**6 * WAD)
    world.make_py(pendle.vault, world.owner, 10**6 * WAD)
    chain.send(pendle.vault.pt, "transfer(address,uint256)", market, 10**6 * WAD)
    swap = "swapExactPtForSy(address,uint256,bytes)"
    low, high = 0, 10**6
    while high - low > 1:
        middle = (low + high) // 2
        try:
            chain.view(market, swap, (), world.owner, middle * WAD, b"")
            low = middle
        except NodeError:
            high = middle
    chain.send(market, swap, world.owner, low * WAD, b"")
    spot = pendle.rate(PT_TO_ASSET, market)
    # p falls to p / (1 + p x) at most, and most of that way can be gone
    fall = (before - spot) * WAD // before
    limit = mul_div(before, rise, WAD + mul_div(before, rise, WAD, Rounding.DOWN), Rounding.UP)
    assert limit * 6 // 10 < fall <= limit


def bound(here: Markets, market: Address) -> int:
    chain = here.world.chain
    state = chain.view(market, "readState(address)", STATE_TYPES, "0x" + "00" * 20)
    index = chain.view(here.vault.sy, "exchangeRate()", ("uint256",))
    return rate_rise(state[0], state[1] * index // WAD, state[4], state[5] - chain.time)


async def test_twap_not_ready__is_refused_with_the_remedy__until_it_is(chain: Chain, pendle: Markets) -> None:
    world, of = pendle.world, pendle.vault
    market = world.market(of, scalar_root=SCALAR_ROOT + 2)
    world.seed(of, market, POOL)
    assert "no observation that is 900 s old" in await refusal(chain, pt_rate(pendle, market))
    with pytest.raises(NodeError) as reverted:
        pendle.rate(PT_TO_ASSET, market, TWAP)
    assert reverted.value.data.hex().startswith(TARGET_TOO_OLD)
    longer = pt_rate(pendle, market, twap_seconds=1_800)
    assert "too few observations for 1800 s" in await refusal(chain, longer)
    chain.travel(TWAP + 1)
    assert (await chain.read(pt_rate(pendle, market))).lower > 0
    chain.send(market, "increaseObservationsCardinalityNext(uint16)", 165)
    assert CARDINALITY < 165
    chain.travel(TWAP)
    assert (await chain.read(longer)).lower > 0


async def test_duration_too_long__panics_in_the_oracle__is_refused_in_the_configuration(
    chain: Chain, pendle: Markets
) -> None:
    state = "getOracleState(address,uint32)"
    with pytest.raises(NodeError, match="overflow"):
        chain.view(pendle.world.oracle, state, ("bool", "uint16", "bool"), pendle.new, MAX_DURATION + 1)
    with pytest.raises(ValueError, match="twap_seconds"):
        pt_rate(pendle, pendle.new, twap_seconds=MAX_DURATION + 1)


async def test_mark__without_a_trade__drifts_up_to_par(chain: Chain, pendle: Markets) -> None:
    marks = []
    for _ in range(6):
        found = await chain.read(pt_rate(pendle, pendle.new))
        assert found.lower == found.higher
        marks.append(found.lower)
        chain.travel(29 * DAY)
    assert marks == sorted(set(marks))
    assert abs(marks[0] - WAD * WAD // INITIAL_ANCHOR) < WAD // 10_000
    assert marks[-1] < WAD


async def test_after_expiry__solvent_sy__is_par(chain: Chain, pendle: Markets) -> None:
    expire(chain, pendle)
    assert await chain.read(pt_rate(pendle, pendle.new)) == ProtocolRate(Wad(WAD), Wad(WAD), Bps(BPS))
    # not even a market is needed any more
    assert (await chain.read(pt_rate(pendle, pendle.bare))).lower == WAD


async def test_after_expiry__insolvent_sy__is_080_not_1(chain: Chain, pendle: Markets) -> None:
    chain.send(pendle.vault.yt, "pyIndexCurrent()")
    expire(chain, pendle)
    pendle.world.grow(pendle.vault, -2_000)
    found = await chain.read(pt_rate(pendle, pendle.new))
    assert abs(found.lower - WAD * 8 // 10) < 10**6
    assert found.confidence == 0
    message = await refusal(chain, pt_rate(pendle, pendle.new, max_index_shortfall_bps=1_999))
    assert "more than 1999 bps below" in message


async def test_before_expiry__insolvent_sy__takes_its_part_of_the_pt(chain: Chain, pendle: Markets) -> None:
    chain.send(pendle.vault.yt, "pyIndexCurrent()")
    before = await chain.read(pt_rate(pendle, pendle.new))
    pendle.world.grow(pendle.vault, -2_000)
    found = await chain.read(pt_rate(pendle, pendle.new))
    assert abs(found.lower - before.lower * 8 // 10) < 10**12
    assert found.confidence == 0


async def test_gift_to_the_vault__ratchets_the_index__and_the_pt_stays_down_with_no_confidence(
    chain: Chain, pendle: Markets
) -> None:
    here, of = pendle.world, pendle.vault
    before = await chain.read(pt_rate(pendle, pendle.new))
    here.grow(of, 1_500)
    chain.send(of.yt, "pyIndexCurrent()")
    here.grow(of, -1_304)  # 15 parts of 115: the gift is taken back
    found = await chain.read(pt_rate(pendle, pendle.new))
    assert 8_690 * before.lower < 10_000 * found.lower < 8_700 * before.lower
    assert found.confidence == 0
    limited = pt_rate(pendle, pendle.new, max_index_shortfall_bps=100)
    assert "more than 100 bps below" in await refusal(chain, limited)
    here.grow(of, 1_500)
    recovered = await chain.read(pt_rate(pendle, pendle.new))
    assert abs(recovered.lower - before.lower) * 10_000 < before.lower
    assert recovered.confidence > 7_000


async def test_gift_to_the_vault__moves_the_rate_in_sy_and_not_in_the_asset(chain: Chain, pendle: Markets) -> None:
    asset, sy = await chain.read(pt_rate(pendle, pendle.new)), await chain.read(pt_sy_rate(pendle, pendle.new))
    pendle.world.grow(pendle.vault, 3_800)
    moved = await chain.read(pt_sy_rate(pendle, pendle.new))
    assert abs(moved.lower * 138 - sy.lower * 100) < 10**12
    still = await chain.read(pt_rate(pendle, pendle.new))
    assert 0 <= still.lower - asset.lower < 10**12
    token = await chain.read(sy_rate(pendle.vault))
    assert abs(token.lower - WAD * 138 // 100) < 10**6


async def test_lp__six_decimal_market__is_scaled_to_whole_tokens(chain: Chain, pendle: Markets) -> None:
    raw = pendle.rate(LP_TO_ASSET, pendle.six)
    assert WAD < raw < 2 * WAD
    found = await chain.read(lp_rate(pendle, pendle.six, pendle.usdc))
    assert found.lower == raw * 10**12
    held = pendle.world.balance(pendle.six, pendle.world.owner)
    dollars = held * found.lower // WAD
    assert 195_000 * WAD < dollars < 196_000 * WAD
    assert (await chain.read(pt_rate(pendle, pendle.six, pendle.usdc))).lower == pendle.rate(PT_TO_ASSET, pendle.six)


async def test_lp__never_worth_more_than_its_reserves_at_par__whatever_was_traded(
    chain: Chain, pendle: Markets
) -> None:
    world, of = pendle.world, pendle.vault
    world.make_sy(of, world.owner, 300_000 * WAD)
    world.make_py(of, world.owner, 100_000 * WAD)
    for trade, amount in ((world.sell_pt, 30_000), (world.buy_pt, 60_000), (world.sell_pt, 90_000), (world.buy_pt, 5)):
        trade(of, pendle.new, amount * WAD)
        chain.travel(77)
        found = await chain.read(lp_rate(pendle, pendle.new))
        assert found.lower > WAD
    expire(chain, pendle)
    at_par = await chain.read(lp_rate(pendle, pendle.new))
    assert at_par.lower == at_par.higher > found.higher


async def test_lp__reverts_on_reentrancy__while_pt_answers(chain: Chain, pendle: Markets) -> None:
    world, of = pendle.world, pendle.vault
    attacker = chain.deploy(doubles()["Reenter"])
    world.make_py(of, world.owner, 10 * WAD)
    chain.send(of.pt, "transfer(address,uint256)", attacker, 10 * WAD)
    chain.send(attacker, "swap(address,address,address,uint256)", of.pt, pendle.new, world.oracle, 10 * WAD)
    assert chain.view(attacker, "ptAnswered()", ("bool",)) is True
    assert chain.view(attacker, "lpAnswered()", ("bool",)) is False


async def test_yt__expired__is_refused_because_its_rate_is_zero(chain: Chain, pendle: Markets) -> None:
    found = await chain.read(yt_rate(pendle, pendle.new))
    assert found.lower == WAD - pendle.rate(PT_TO_ASSET, pendle.new)
    expire(chain, pendle)
    assert pendle.rate(YT_TO_ASSET, pendle.new) == 0
    assert "expired" in await refusal(chain, yt_rate(pendle, pendle.new))


async def test_wrong_pt_or_sy_or_yt_or_base__is_refused_by_name(chain: Chain, pendle: Markets) -> None:
    other = pendle.usdc
    assert "the PT of market" in await refusal(chain, pt_rate(pendle, pendle.new, pt=other.pt))
    assert "the SY of market" in await refusal(chain, pt_rate(pendle, pendle.new, sy=other.sy))
    assert "the YT of market" in await refusal(chain, yt_rate(pendle, pendle.new, yt=other.yt))
    assert "accounting asset" in await refusal(chain, pt_rate(pendle, pendle.new, base_token=other.asset))
    assert "yield token" in await refusal(chain, pt_sy_rate(pendle, pendle.new, base_token=other.token))


async def test_wrong_market_or_oracle__is_an_empty_or_reverted_answer_never_a_rate(
    chain: Chain, pendle: Markets
) -> None:
    nobody = chain.accounts[5]
    resolved = await chain.resolve(pt_rate(pendle, pendle.new))
    for change in ({"market": nobody}, {"oracle": nobody}, {"market": pendle.vault.asset}, {"oracle": pendle.new}):
        with pytest.raises(ReaderFailed) as caught:
            await chain.read_resolved(resolved.model_copy(update=change))
        assert caught.value.code in ("empty_result", "call_reverted")


async def test_factory__of_the_other_version__does_not_know_the_market(chain: Chain, pendle: Markets) -> None:
    factories = pendle.world.factories
    assert (await chain.read(pt_rate(pendle, pendle.new, factory=factories[7]))).lower > 0
    assert (await chain.read(pt_rate(pendle, pendle.old, factory=factories[3]))).lower > 0
    message = await refusal(chain, pt_rate(pendle, pendle.new, factory=factories[3]))
    assert f"factory {factories[3]} does not know market {pendle.new}" in message


@pytest.mark.parametrize("strictly_equal", [True, False])
async def test_pricing_info__of_the_sy__decides_what_the_base_token_must_be(
    chain: Chain, pendle: Markets, strictly_equal: bool
) -> None:
    world = pendle.world
    of = world.yield_with_rewards(world.coin("RWD", 18), 10**15, strictly_equal=strictly_equal)
    market = world.market(of)
    world.seed(of, market, POOL)
    chain.travel(TWAP + 1)
    reader = await chain.resolve(pt_rate(pendle, market, of))
    assert reader.sy_pricing == ("sy" if strictly_equal else "asset")
    assert (await chain.read_resolved(reader)).lower > 0
    if strictly_equal:
        assert (await chain.read(pt_sy_rate(pendle, market, of))).lower > 0
    else:
        assert "as the SY itself says" in await refusal(chain, pt_sy_rate(pendle, market, of))
    assert (await chain.resolve(pt_rate(pendle, pendle.new))).sy_pricing == "unstated"
