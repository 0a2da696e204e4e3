"""The TWAP source and the NFT position against Uniswap's own contracts and libraries."""

from __future__ import annotations

from math import isqrt
from random import Random
from typing import Any

import pytest

from navoracle.domain.concentrated_liquidity import amounts_of_liquidity, holdings_at
from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import ConcentratedLiquidity
from navoracle.domain.tick_math import MAX_TICK, MIN_TICK, Q192, mean_liquidity, sqrt_ratio_at_tick
from navoracle.domain.units import WAD, Bps, RawAmount, Wad, to_wad
from navoracle.ports import Address
from navoracle.positions import UniswapV3Position
from navoracle.prices import UniswapV3Twap
from tests.protocols.chain import Chain, NodeError, ReaderFailed
from tests.protocols.uniswap import FEE, MAX_128, TICK_SPACING, Uniswap, deploy
from tests.requirements import needs_node

pytestmark = needs_node

WINDOW = 600
ETH, USD = 10**18, 10**6
PRICE = 2_000
ROOM = 60


@pytest.fixture(scope="module")
def uniswap(chain: Chain) -> Uniswap:
    """Both pools at 2,000 dollars, with liquidity, room for observations and half an hour of trades."""
    here = deploy(chain)
    for eth in (here.low_eth, here.high_eth):
        here.create(eth, start_ratio(here, eth))
        tick = here.spot(here.pool(eth))[1] // TICK_SPACING * TICK_SPACING
        here.mint(eth, tick - 6_000, tick + 6_000, raw(here, eth, 1_000 * ETH, 2_000_000 * USD))
        chain.send(here.pool(eth), "increaseObservationCardinalityNext(uint16)", ROOM)
        for amount in (3, 5, 2, 7):
            here.swap(eth, here.usd, amount * ETH)
            chain.travel(137)
            here.swap(here.usd, eth, amount * 1_900 * USD + amount)
            chain.travel(211)
    return here


def raw(here: Uniswap, eth: Address, of_eth: int, of_usd: int) -> tuple[int, int]:
    """The amounts in the pool's order."""
    return (of_eth, of_usd) if here.tokens(eth)[0] == eth else (of_usd, of_eth)


def start_ratio(here: Uniswap, eth: Address) -> int:
    first, second = raw(here, eth, ETH, PRICE * USD)
    return isqrt(second * Q192 // first)


def source(here: Uniswap, eth: Address, **changes: Any) -> UniswapV3Twap:
    fields = {
        "kind": "uniswap_v3_twap",
        "id": "eth-twap",
        "asset": "ETH",
        "group": "uniswap",
        "chain": "local",
        "quoted_in": "USD",
        "pool": here.pool(eth),
        "token": eth,
        "quote_token": here.usd,
        "window": WINDOW,
        "liquidity": 10**15,
        "min_liquidity": 10**14,
    }
    return UniswapV3Twap.model_validate({**fields, **changes})


def position(here: Uniswap, eth: Address, token_id: int, **changes: Any) -> UniswapV3Position:
    fields = {
        "kind": "uniswap_v3",
        "id": "nft",
        "asset": "ETH",
        "other_asset": "USD",
        "component": "collateral",
        "chain": "local",
        "manager": here.manager,
        "token_id": token_id,
        "holder": here.chain.owner,
        "token": eth,
        "other_token": here.usd,
    }
    return UniswapV3Position.model_validate({**fields, **changes})


@pytest.fixture(params=["low_eth", "high_eth"])
def eth(request: pytest.FixtureRequest, uniswap: Uniswap) -> Address:
    """Ether as token 0 (ticks below zero here) and as token 1."""
    found: Address = getattr(uniswap, request.param)
    return found


def test_sqrt_ratio__of_many_ticks__is_that_of_the_contracts_tick_math(uniswap: Uniswap) -> None:
    chance = Random(7)
    ticks = [MIN_TICK, MAX_TICK, -1, 0, 1, 193_407, 469_505, *(sign * 2**bit for bit in range(20) for sign in (-1, 1))]
    ticks = [tick for tick in ticks if MIN_TICK <= tick <= MAX_TICK]
    ticks += [chance.randint(MIN_TICK, MAX_TICK) for _ in range(400)]
    found = uniswap.chain.view(uniswap.probe, "sqrtRatios(int24[])", ("uint160[]",), ticks)
    assert [sqrt_ratio_at_tick(tick) for tick in ticks] == list(found)


async def test_read__pool_with_trades__is_what_the_oracle_library_says(uniswap: Uniswap, eth: Address) -> None:
    here, chain, pool = uniswap, uniswap.chain, uniswap.pool(eth)
    here.swap(eth, here.usd, 3 * ETH)
    chain.travel(61)
    tick, liquidity = chain.view(here.probe, "consult(address,uint32)", ("int24", "uint128"), pool, WINDOW)
    quote = "quote(int24,uint128,address,address)"
    expected = chain.view(here.probe, quote, ("uint256",), tick, ETH, eth, here.usd)
    found = await chain.read(source(here, eth, liquidity=2 * liquidity, min_liquidity=liquidity))
    # The library floors to raw dollars, of 6 decimals.
    assert found.price // 10**12 == expected
    assert 1_900 * WAD < found.price < 2_100 * WAD
    assert found.confidence == Bps(3_500)
    assert (found.observed_at, found.published_at) == (chain.time, None)
    with pytest.raises(ReaderFailed, match=f"on average {liquidity}"):
        await chain.read(source(here, eth, liquidity=2 * liquidity, min_liquidity=liquidity + 1))


async def test_read__the_other_token__is_the_inverse(uniswap: Uniswap, eth: Address) -> None:
    of_eth = await uniswap.chain.read(source(uniswap, eth))
    of_usd = await uniswap.chain.read(source(uniswap, eth, token=uniswap.usd, quote_token=eth))
    product = of_eth.price * of_usd.price
    assert WAD**2 - of_eth.price - of_usd.price <= product <= WAD**2


async def test_mean_tick__below_zero__is_floored_as_the_library_does(uniswap: Uniswap) -> None:
    chain, pool = uniswap.chain, uniswap.pool(uniswap.low_eth)
    remainders = set()
    for step in (1, 7, 13, 29):
        uniswap.swap(uniswap.low_eth, uniswap.usd, 2 * ETH)
        chain.travel(step)
        ticks, seconds = chain.view(pool, "observe(uint32[])", ("int56[]", "uint160[]"), [WINDOW, 0])
        tick, liquidity = chain.view(uniswap.probe, "consult(address,uint32)", ("int24", "uint128"), pool, WINDOW)
        assert (ticks[1] - ticks[0]) // WINDOW == tick < 0
        assert mean_liquidity(seconds[1] - seconds[0], WINDOW) == liquidity
        remainders.add((ticks[1] - ticks[0]) % WINDOW)
    assert remainders != {0}


async def test_read__price_moved_in_the_last_block__is_refused_and_the_average_stood(
    uniswap: Uniswap, eth: Address
) -> None:
    before = await uniswap.chain.read(source(uniswap, eth))
    uniswap.swap(uniswap.usd, eth, 400_000 * USD)
    with pytest.raises(ReaderFailed, match="more than 200 bps from its average"):
        await uniswap.chain.read(source(uniswap, eth))
    after = await uniswap.chain.read(source(uniswap, eth, max_spot_gap_bps=10_000))
    assert abs(after.price - before.price) * 10_000 < before.price * 10


async def test_read__window_longer_than_its_observations__is_refused_as_old(uniswap: Uniswap, eth: Address) -> None:
    chain, pool = uniswap.chain, uniswap.pool(eth)
    window = 2**20
    with pytest.raises(NodeError, match="OLD"):
        chain.view(pool, "observe(uint32[])", ("int56[]", "uint160[]"), [window, 0])
    with pytest.raises(ReaderFailed, match=r"no observation that is 1048576 s old \(OLD\)") as failed:
        await chain.read(source(uniswap, eth, window=window, block_seconds=2**18))
    assert failed.value.code == "source_refused"


async def test_read__pool_never_initialized__is_refused_as_i(uniswap: Uniswap) -> None:
    chain = uniswap.chain
    other = 500
    chain.send(uniswap.factory, "createPool(address,address,uint24)", uniswap.usd, uniswap.low_eth, other)
    signature = "getPool(address,address,uint24)"
    pool = chain.view(uniswap.factory, signature, ("address",), uniswap.usd, uniswap.low_eth, other)
    reader = source(uniswap, uniswap.low_eth).model_copy(update={"pool": pool})
    with pytest.raises(ReaderFailed, match=r"never given a price \(I\)"):
        await chain.read(reader)


async def test_read__cardinality_1__answers_happily_and_is_refused(uniswap: Uniswap) -> None:
    here, chain, eth = uniswap, uniswap.chain, uniswap.another_eth()
    here.create(eth, start_ratio(here, eth))
    tick = here.spot(here.pool(eth))[1] // TICK_SPACING * TICK_SPACING
    here.mint(eth, tick - 6_000, tick + 6_000, raw(here, eth, 1_000 * ETH, 2_000_000 * USD))
    chain.travel(2 * WINDOW)
    assert here.spot(here.pool(eth))[2] == 1
    assert chain.view(here.probe, "consult(address,uint32)", ("int24", "uint128"), here.pool(eth), WINDOW)[1] > 10**14
    with pytest.raises(ReaderFailed, match="holds 1 observations, fewer than the 51"):
        await chain.read(source(here, eth))


async def test_read__zero_liquidity__answers_happily_and_is_refused(uniswap: Uniswap, eth: Address) -> None:
    chain = uniswap.chain
    token_id = 1 if eth == uniswap.low_eth else 2
    uniswap.decrease(token_id, uniswap.managed(token_id)[7])
    with pytest.raises(ReaderFailed, match=r"has liquidity 0 \(now, or on average"):
        await chain.read(source(uniswap, eth))
    chain.travel(2 * WINDOW)
    _, liquidity = chain.view(uniswap.probe, "consult(address,uint32)", ("int24", "uint128"), uniswap.pool(eth), WINDOW)
    assert liquidity == 0
    with pytest.raises(ReaderFailed, match="on average 0"):
        await chain.read(source(uniswap, eth))


async def test_read__pool_of_other_tokens__is_refused(uniswap: Uniswap) -> None:
    reader = source(uniswap, uniswap.low_eth, token=uniswap.high_eth)
    with pytest.raises(SourceRefused, match="not the configured"):
        await uniswap.chain.read(reader)


def narrow(here: Uniswap, eth: Address) -> int:
    """A position in the narrow range around spot."""
    tick = here.spot(here.pool(eth))[1] // TICK_SPACING * TICK_SPACING
    return here.mint(eth, tick - 3 * TICK_SPACING, tick + 4 * TICK_SPACING, raw(here, eth, 50 * ETH, 100_000 * USD))


def trade(here: Uniswap, eth: Address) -> None:
    """Swaps through and out of the range, both ways, so that both tokens earn."""
    for amount in (40, 90, 300):
        here.swap(eth, here.usd, amount * ETH)
        here.swap(here.usd, eth, amount * 2_000 * USD + 17)


async def test_position__fees_not_poked__are_counted_as_collecting_pays_them(uniswap: Uniswap, eth: Address) -> None:
    here, chain = uniswap, uniswap.chain
    token_id = narrow(here, eth)
    trade(here, eth)
    (found,) = await chain.read(position(here, eth, token_id))
    kept = here.managed(token_id)
    fees = chain.view(here.probe, "fees(address,uint256)", ("uint256", "uint256"), here.manager, token_id)
    assert kept[10:] == (0, 0)
    assert tuple(amount.value for amount in found.owed) == fees == here.collectable(token_id, chain.owner)
    assert min(fees) > 0
    assert found == ConcentratedLiquidity(
        "nft",
        found.component,
        ("ETH", "USD") if here.tokens(eth)[0] == eth else ("USD", "ETH"),
        kept[7],
        kept[5],
        kept[6],
        (RawAmount(fees[0], raw(here, eth, 18, 6)[0]), RawAmount(fees[1], raw(here, eth, 18, 6)[1])),
    )


async def test_position__liquidity_taken_out_and_not_collected__is_still_counted(
    uniswap: Uniswap, eth: Address
) -> None:
    here, chain = uniswap, uniswap.chain
    token_id = narrow(here, eth)
    trade(here, eth)
    liquidity = here.managed(token_id)[7]
    paid = here.decrease(token_id, liquidity // 3)
    (found,) = await chain.read(position(here, eth, token_id))
    owed = tuple(amount.value for amount in found.owed)
    assert owed == here.collectable(token_id, chain.owner) == here.managed(token_id)[10:]
    assert all(amount > part > 0 for amount, part in zip(owed, paid, strict=True))
    assert found.liquidity == liquidity - liquidity // 3
    here.decrease(token_id, found.liquidity)
    (closed,) = await chain.read(position(here, eth, token_id))
    assert closed.liquidity == 0
    assert tuple(amount.value for amount in closed.owed) == here.collectable(token_id, chain.owner)


async def test_amounts__at_any_price__are_those_of_the_contracts(uniswap: Uniswap, eth: Address) -> None:
    here, chain = uniswap, uniswap.chain
    token_id = narrow(here, eth)
    _, _, _, _, _, lower, upper, liquidity, *_ = here.managed(token_id)
    ratios = [sqrt_ratio_at_tick(tick) for tick in (MIN_TICK, lower - 1, lower, lower + 77, upper, upper + 1, MAX_TICK)]
    spot = here.spot(here.pool(eth))[0]
    for ratio in (*ratios, spot, spot + 12_345):
        signature = "principal(address,uint256,uint160)"
        expected = chain.view(here.probe, signature, ("uint256", "uint256"), here.manager, token_id, ratio)
        assert amounts_of_liquidity(liquidity, ratio, lower, upper) == expected
    assert amounts_of_liquidity(liquidity, spot, lower, upper) == here.decrease(token_id, liquidity)


async def test_position__slot0_price_manipulated__is_worth_the_same_at_the_estimates(
    uniswap: Uniswap, eth: Address
) -> None:
    here, chain = uniswap, uniswap.chain
    token_id = narrow(here, eth)
    prices = raw(here, eth, to_wad("2000"), to_wad("1"))

    async def holdings() -> tuple[int, int]:
        (found,) = await chain.read(position(here, eth, token_id))
        without_fees = ConcentratedLiquidity(
            "nft",
            found.component,
            found.assets,
            found.liquidity,
            found.tick_lower,
            found.tick_upper,
            (RawAmount(0, found.owed[0].decimals), RawAmount(0, found.owed[1].decimals)),
        )
        first, second = holdings_at(without_fees, Wad(prices[0]), Wad(prices[1]))
        return first.amount.value, second.amount.value

    before, at_spot = await holdings(), here.collectable(token_id, chain.owner)
    here.swap(here.usd, eth, 900_000 * USD)
    _, _, _, _, _, lower, upper, liquidity, *_ = here.managed(token_id)
    manipulated = amounts_of_liquidity(liquidity, here.spot(here.pool(eth))[0], lower, upper)
    assert await holdings() == before
    assert at_spot == (0, 0)
    assert 0 in manipulated
    assert 0 not in before


async def test_position__nft_of_somebody_else__is_refused(uniswap: Uniswap, eth: Address) -> None:
    here, chain = uniswap, uniswap.chain
    token_id = narrow(here, eth)
    reader = await chain.resolve(position(here, eth, token_id))
    stranger = chain.accounts[3]
    chain.send(here.manager, "transferFrom(address,address,uint256)", chain.owner, stranger, token_id)
    with pytest.raises(ReaderFailed, match=f"owner of NFT {token_id} is {stranger}"):
        await chain.read_resolved(reader)


async def test_position__nft_in_the_staker__is_its_depositors(uniswap: Uniswap, eth: Address) -> None:
    here, chain = uniswap, uniswap.chain
    token_id = narrow(here, eth)
    reader = await chain.resolve(position(here, eth, token_id, staker=here.staker))
    before = await chain.read_resolved(reader)
    chain.send(here.manager, "safeTransferFrom(address,address,uint256)", chain.owner, here.staker, token_id)
    assert await chain.read_resolved(reader) == before
    with pytest.raises(ReaderFailed, match=f"owner of NFT {token_id} is {here.staker}"):
        await chain.read_resolved(reader.model_copy(update={"staker": None}))
    stranger = chain.accounts[3]
    with pytest.raises(ReaderFailed, match=f"depositor of NFT {token_id} in {here.staker} is {chain.owner}"):
        await chain.read_resolved(reader.model_copy(update={"holder": stranger}))


async def test_position__burned__is_a_failure_and_not_zero(uniswap: Uniswap, eth: Address) -> None:
    here, chain = uniswap, uniswap.chain
    token_id = narrow(here, eth)
    reader = await chain.resolve(position(here, eth, token_id))
    here.decrease(token_id, here.managed(token_id)[7])
    order = (token_id, chain.owner, MAX_128, MAX_128)
    chain.send(here.manager, "collect((uint256,address,uint128,uint128))", order)
    chain.send(here.manager, "burn(uint256)", token_id)
    with pytest.raises(ReaderFailed) as failed:
        await chain.read_resolved(reader)
    assert failed.value.code == "call_reverted"


async def test_resolve__pool__is_the_factorys_for_the_nfts_tokens_and_fee(uniswap: Uniswap, eth: Address) -> None:
    token_id = narrow(uniswap, eth)
    reader = await uniswap.chain.resolve(position(uniswap, eth, token_id))
    kept = uniswap.managed(token_id)
    assert kept[4] == FEE
    assert reader.pool.lower() == uniswap.pool(eth).lower()
    assert (reader.tick_lower, reader.tick_upper, reader.decimals, reader.other_decimals) == (kept[5], kept[6], 18, 6)
