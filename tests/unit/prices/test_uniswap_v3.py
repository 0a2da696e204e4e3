"""The time-weighted average of a Uniswap v3 pool: what it stands on, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from navoracle.abi import encode_call
from navoracle.domain.errors import CallReverted, ConfigurationError, MalformedResult, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.tick_math import MAX_TICK, price_at, sqrt_ratio_at_tick
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.ports import Address
from navoracle.prices import Source, UniswapV3Twap
from navoracle.prices.uniswap_v3 import OBSERVE_TYPES, SLOT_0_TYPES
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
POOL, USD, ETH = address(1), address(2), address(3)
WINDOW = 1_800
TICK = 200_311
"""About 2,000 dollars of 6 decimals for an ether of 18, which is token 1."""
DEPTH = 10**18


def source(**changes: Any) -> UniswapV3Twap:
    fields = {
        "kind": "uniswap_v3_twap",
        "id": "eth-twap",
        "asset": "ETH",
        "group": "uniswap",
        "chain": "local",
        "quoted_in": "USDC",
        "pool": POOL,
        "token": ETH,
        "quote_token": USD,
        "liquidity": DEPTH,
        "min_liquidity": DEPTH // 2,
        "first": False,
        "decimals": 18,
        "quote_decimals": 6,
    }
    return UniswapV3Twap.model_validate({**fields, **changes})


def world(
    tick: int = TICK,
    *,
    extra: int = 0,
    spot: int | None = None,
    mean: int = DEPTH,
    now: int = DEPTH,
    cardinality: int = 151,
    tokens: tuple[Address, Address] = (USD, ETH),
) -> FakeChain:
    """A pool whose mean tick is `tick`, with `extra` left of the division, and whose harmonic mean is about `mean`."""
    chain = FakeChain(block_stamp(NOW))
    ticks = [-(10**9), tick * WINDOW + extra - 10**9]
    seconds = [5, 5 + (WINDOW << 128) // mean] if mean else [5, 5 + (WINDOW << 128)]
    chain.put(POOL, "observe(uint32[])", ([WINDOW, 0],), OBSERVE_TYPES, ticks, seconds)
    ratio = sqrt_ratio_at_tick(tick if spot is None else spot)
    chain.put(POOL, "slot0()", (), SLOT_0_TYPES, ratio, 0, 0, cardinality, cardinality, 0, True)
    chain.put(POOL, "liquidity()", (), ("uint128",), now)
    chain.put(POOL, "token0()", (), ("address",), tokens[0])
    chain.put(POOL, "token1()", (), ("address",), tokens[1])
    chain.put(ETH, "decimals()", (), ("uint8",), 18)
    chain.put(USD, "decimals()", (), ("uint8",), 6)
    return chain


def read(chain: FakeChain, **changes: Any) -> Quote:
    return drive(source(**changes).read(AT), chain.answer)


def expected(price: int, confidence: int = 7_000) -> Quote:
    return Quote("ETH", "eth-twap", "uniswap", Wad(price), Bps(confidence), Timestamp(NOW), None, None)


PRICE = price_at(sqrt_ratio_at_tick(TICK), (6, 18), of_first=False)


class TestUniswapV3TwapSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(source(), world().good_answers(), AT, expected(PRICE))


class TestUniswapV3TwapOfTheFirstTokenSpec(ReaderSpec):
    def example(self) -> Example:
        chain = world(-TICK, tokens=(ETH, USD))
        price = price_at(sqrt_ratio_at_tick(-TICK), (18, 6), of_first=True)
        return Example(source(first=True), chain.good_answers(), AT, expected(price))


def test_price__of_either_order__is_about_two_thousand_dollars() -> None:
    first = read(world(-TICK, tokens=(ETH, USD)), first=True).price
    second = read(world()).price
    assert 1_999 * WAD < first < 2_001 * WAD
    assert 1_999 * WAD < second < 2_001 * WAD


@pytest.mark.parametrize(("tick", "extra"), [(7, 0), (7, 1), (7, WINDOW - 1), (-7, 0), (-7, 1), (-7, WINDOW - 1)])
def test_mean_tick__with_a_remainder__is_floored_to_minus_infinity(tick: int, extra: int) -> None:
    found = read(world(tick, extra=extra), decimals=18, quote_decimals=6, first=True)
    assert found.price == price_at(sqrt_ratio_at_tick(tick), (18, 6), of_first=True)


@given(st.integers(-200_000, 200_000), st.booleans())
def test_read__any_tick__is_floored_once_and_never_zero(tick: int, first: bool) -> None:
    scales = (18, 6) if first else (6, 18)
    price = price_at(sqrt_ratio_at_tick(tick), scales, of_first=first)
    if price == 0:
        with pytest.raises(SourceRefused, match="not positive"):
            read(world(tick), first=first)
    else:
        assert read(world(tick), first=first).price == price


def test_read__price_that_rounds_to_nothing__is_refused() -> None:
    with pytest.raises(SourceRefused, match="price 0 is not positive"):
        read(world(MAX_TICK), first=False, decimals=18, quote_decimals=6)


def test_read__window_reaches_behind_the_oldest_observation__is_refused_as_old() -> None:
    chain = world()
    chain.revert(POOL, "observe(uint32[])", [WINDOW, 0], data=encode_call("Error(string)", "OLD"))
    with pytest.raises(SourceRefused, match=r"no observation that is 1800 s old \(OLD\)") as refused:
        read(chain)
    assert "increaseObservationCardinalityNext(151)" in refused.value.advice


def test_read__pool_not_initialized__is_refused_as_i() -> None:
    chain = world()
    chain.revert(POOL, "observe(uint32[])", [WINDOW, 0], data=encode_call("Error(string)", "I"))
    with pytest.raises(SourceRefused, match=r"never given a price \(I\)"):
        read(chain)


def test_read__another_revert__stays_a_revert() -> None:
    chain = world()
    chain.revert(POOL, "observe(uint32[])", [WINDOW, 0], data=encode_call("Error(string)", "LOK"))
    with pytest.raises(CallReverted):
        read(chain)


@pytest.mark.parametrize(("cardinality", "block_seconds", "room"), [(1, 12, 151), (150, 12, 151), (900, 2, 901)])
def test_read__cardinality_1_or_less_than_the_window_needs__is_refused(
    cardinality: int, block_seconds: int, room: int
) -> None:
    chain = world(cardinality=cardinality)
    with pytest.raises(SourceRefused, match=f"holds {cardinality} observations, fewer than the {room}"):
        read(chain, block_seconds=block_seconds)
    assert read(world(cardinality=room), block_seconds=block_seconds).price == PRICE


@pytest.mark.parametrize(("mean", "now"), [(0, DEPTH), (DEPTH, 0), (DEPTH // 2 - 1, DEPTH), (DEPTH, DEPTH // 2 - 1)])
def test_read__zero_liquidity_or_too_little__is_refused(mean: int, now: int) -> None:
    with pytest.raises(SourceRefused, match=r"has liquidity \d+ \(now, or on average \d+\), less than"):
        read(world(mean=mean, now=now))


@pytest.mark.parametrize(
    ("required", "confidence"), [(DEPTH // 2, 7_000), (DEPTH - 1, 7_000), (2 * DEPTH, 3_500), (4 * DEPTH, 1_750)]
)
def test_confidence__harmonic_liquidity_below_the_required__lowers_it_in_proportion(
    required: int, confidence: int
) -> None:
    assert read(world(), liquidity=required).confidence == confidence


def test_confidence__thin_now_and_deep_on_average__is_that_of_the_average() -> None:
    assert read(world(now=DEPTH // 2)).confidence == 7_000


@pytest.mark.parametrize(("gap", "refused"), [(-199, True), (-198, False), (0, False), (198, False), (199, True)])
def test_read__spot_away_from_the_average__is_refused_beyond_its_limit(gap: int, refused: bool) -> None:
    # 1.0001**198 = 1.01999, 1.0001**199 = 1.0201: either way round.
    chain = world(spot=TICK + gap)
    assert read(chain, max_spot_gap_bps=300) == read(world())
    if refused:
        with pytest.raises(SourceRefused, match="more than 200 bps from its average"):
            read(chain)
    else:
        assert read(chain) == read(world())


def test_read__no_spot_price__is_refused() -> None:
    chain = world()
    chain.put(POOL, "slot0()", (), SLOT_0_TYPES, 0, 0, 0, 151, 151, 0, True)
    with pytest.raises(SourceRefused, match="from its average"):
        read(chain, max_spot_gap_bps=10_000)


def test_read__mean_tick_beyond_all_prices__is_refused() -> None:
    chain = world()
    ticks = [0, (MAX_TICK + 1) * WINDOW]
    chain.put(POOL, "observe(uint32[])", ([WINDOW, 0],), OBSERVE_TYPES, ticks, [0, 1])
    with pytest.raises(SourceRefused, match="outside -887272 to 887272"):
        read(chain)


def test_read__counter_of_liquidity_stands_still__is_refused() -> None:
    chain = world()
    chain.put(POOL, "observe(uint32[])", ([WINDOW, 0],), OBSERVE_TYPES, [0, 0], [7, 7])
    with pytest.raises(SourceRefused, match="did not move"):
        read(chain)


def test_read__one_observation_instead_of_two__is_malformed() -> None:
    chain = world()
    chain.put(POOL, "observe(uint32[])", ([WINDOW, 0],), OBSERVE_TYPES, [0], [1])
    with pytest.raises(MalformedResult, match="answered 1 and 1 observations"):
        read(chain)


def test_read__fork_with_fees_of_32_bits__is_read() -> None:
    chain = world()
    ratio = sqrt_ratio_at_tick(TICK)
    chain.put(POOL, "slot0()", (), SLOT_0_TYPES, ratio, 0, 0, 151, 151, 3_300 << 16 | 3_300, True)
    assert read(chain).price == PRICE


@pytest.mark.parametrize("tokens", [(address(9), ETH), (USD, address(9)), (address(8), address(9)), (ETH, ETH)])
def test_resolve__pool_of_other_tokens__is_refused(tokens: tuple[Address, Address]) -> None:
    with pytest.raises(SourceRefused, match="not the configured"):
        drive(source(first=None).resolve(AT), world(tokens=tokens).answer)


@pytest.mark.parametrize(("tokens", "first"), [((USD, ETH), False), ((ETH, USD), True)])
def test_resolve__order_of_tokens__is_the_pools(tokens: tuple[Address, Address], first: bool) -> None:
    found = drive(source(first=None, decimals=None).resolve(AT), world(tokens=tokens).answer)
    assert (found.first, found.decimals, found.quote_decimals) == (first, 18, 6)


def test_read__order_not_known__is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="order of the pool's tokens"):
        read(world(), first=None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 299}, "window"),
        ({"window": 2**32}, "window"),
        ({"quoted_in": None}, "quoted_in"),
        ({"quote_token": ETH}, "are the same"),
        ({"min_liquidity": DEPTH + 1}, "more than `liquidity`"),
        ({"min_liquidity": 0}, "min_liquidity"),
        ({"block_seconds": 0}, "block_seconds"),
    ],
)
def test_configuration__wrong__is_refused_naming_the_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source(**changes)


def test_configuration__kind__decides_the_model() -> None:
    union: TypeAdapter[Source] = TypeAdapter(Source)
    assert union.validate_python(source().describe()) == source()
