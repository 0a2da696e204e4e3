"""A Uniswap v3 position: what its NFT, its owner and its pool must say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from navoracle.domain.errors import CallReverted, ConfigurationError, SourceRefused
from navoracle.domain.positions import LIABILITIES, Component, ConcentratedLiquidity
from navoracle.domain.units import RawAmount
from navoracle.ports import Address
from navoracle.positions import PositionModel, UniswapV3Position
from navoracle.positions.base import Claim
from navoracle.positions.uniswap_v3 import DEPOSIT_TYPES, POSITION_TYPES, SLOT_0_TYPES, TICK_TYPES
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
MANAGER, FACTORY, POOL, USD, ETH, HOLDER, STAKER = (address(number) for number in range(1, 8))
NOBODY = "0x" + "00" * 20
TOKEN_ID, FEE = 77, 3_000
LOWER, UPPER = -600, 1_200
LIQUIDITY = 10**15
Q128, Q256 = 1 << 128, 1 << 256


def position(**changes: Any) -> UniswapV3Position:
    fields = {
        "kind": "uniswap_v3",
        "id": "nft",
        "asset": "ETH",
        "other_asset": "USDC",
        "component": "collateral",
        "chain": "local",
        "manager": MANAGER,
        "token_id": TOKEN_ID,
        "holder": HOLDER,
        "token": ETH,
        "other_token": USD,
        "pool": POOL,
        "tick_lower": LOWER,
        "tick_upper": UPPER,
        "decimals": 18,
        "other_decimals": 6,
    }
    return UniswapV3Position.model_validate({**fields, **changes})


def world(
    *,
    tick: int = 0,
    liquidity: int = LIQUIDITY,
    tokens: tuple[Address, Address] = (USD, ETH),
    ticks: tuple[int, int] = (LOWER, UPPER),
    everywhere: tuple[int, int] = (100 * Q128, 200 * Q128),
    below: tuple[int, int] = (10 * Q128, 20 * Q128),
    above: tuple[int, int] = (30 * Q128, 40 * Q128),
    last: tuple[int, int] = (59 * Q128, 138 * Q128),
    owed: tuple[int, int] = (3, 5),
    owner: str = HOLDER,
    initialized: tuple[bool, bool] = (True, True),
) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    kept = (0, NOBODY, *tokens, FEE, *ticks, liquidity, *last, *owed)
    chain.put(MANAGER, "positions(uint256)", (TOKEN_ID,), POSITION_TYPES, *kept)
    chain.put(MANAGER, "ownerOf(uint256)", (TOKEN_ID,), ("address",), owner)
    chain.put(MANAGER, "factory()", (), ("address",), FACTORY)
    chain.put(FACTORY, "getPool(address,address,uint24)", (*tokens, FEE), ("address",), POOL)
    chain.put(POOL, "slot0()", (), SLOT_0_TYPES, 1 << 96, tick, 0, 1, 1, 0, True)
    for index in (0, 1):
        chain.put(POOL, f"feeGrowthGlobal{index}X128()", (), ("uint256",), everywhere[index])
    for place, outside, exists in zip((LOWER, UPPER), (below, above), initialized, strict=True):
        chain.put(POOL, "ticks(int24)", (place,), TICK_TYPES, 1, 1, *outside, 0, 0, 0, exists)
    chain.put(ETH, "decimals()", (), ("uint8",), 18)
    chain.put(USD, "decimals()", (), ("uint8",), 6)
    return chain


def read(chain: FakeChain, **changes: Any) -> ConcentratedLiquidity:
    (found,) = drive(position(**changes).read(AT), chain.answer)
    if not isinstance(found, ConcentratedLiquidity):
        raise TypeError(f"{found!r} is no liquidity")
    return found


def expected(due: tuple[int, int], **changes: Any) -> ConcentratedLiquidity:
    fields: dict[str, Any] = {
        "id": "nft",
        "component": Component.COLLATERAL,
        "assets": ("USDC", "ETH"),
        "liquidity": LIQUIDITY,
        "tick_lower": LOWER,
        "tick_upper": UPPER,
        "owed": (RawAmount(due[0], 6), RawAmount(due[1], 18)),
    }
    return ConcentratedLiquidity(**{**fields, **changes})


def owed(found: ConcentratedLiquidity) -> tuple[int, int]:
    return found.owed[0].value, found.owed[1].value


class TestUniswapV3PositionSpec(ReaderSpec):
    def example(self) -> Example:
        # Inside: 100 - 10 - 30 = 60 and 200 - 20 - 40 = 140, one and two more than when last taken down.
        value = expected((LIQUIDITY + 3, 2 * LIQUIDITY + 5))
        return Example(position(), world().good_answers(), AT, (value,))


class TestUniswapV3StakedPositionSpec(ReaderSpec):
    def example(self) -> Example:
        chain = staked(world(owner=STAKER, tokens=(ETH, USD)), HOLDER)
        value = expected(
            (0, 0),
            assets=("ETH", "USDC"),
            owed=(RawAmount(LIQUIDITY + 3, 18), RawAmount(2 * LIQUIDITY + 5, 6)),
            epoch=4,
        )
        return Example(position(staker=STAKER, epoch=4), chain.good_answers(), AT, (value,))


def staked(chain: FakeChain, depositor: str) -> FakeChain:
    chain.put(STAKER, "deposits(uint256)", (TOKEN_ID,), DEPOSIT_TYPES, depositor, 1, LOWER, UPPER)
    return chain


@pytest.mark.parametrize(
    ("tick", "inside"),
    [
        (LOWER - 1, (10 - 30, 20 - 40)),
        (LOWER, (60, 140)),
        (UPPER - 1, (60, 140)),
        (UPPER, (30 - 10, 40 - 20)),
    ],
)
def test_fees__price_below_in_or_above_the_range__are_those_of_the_pool(tick: int, inside: tuple[int, int]) -> None:
    last = tuple((growth - 7) * Q128 % Q256 for growth in inside)
    found = read(world(tick=tick, last=(last[0], last[1]), owed=(0, 0)))
    assert owed(found) == (7 * LIQUIDITY, 7 * LIQUIDITY)


@given(st.integers(0, Q256 - 1), st.integers(0, Q128 - 1), st.integers(0, Q128 - 1))
def test_fees__not_poked__are_floored_modulo_the_counter(last: int, earned: int, liquidity: int) -> None:
    inside = (last + earned) % Q256
    everywhere = (inside + 40 * Q128) % Q256
    chain = world(everywhere=(everywhere, 60 * Q128), last=(last, 0), owed=(0, 0), liquidity=liquidity)
    assert owed(read(chain))[0] == earned * liquidity // Q128


def test_fees__tokens_owed_alone__would_leave_out_what_was_not_poked() -> None:
    assert owed(read(world())) == (LIQUIDITY + 3, 2 * LIQUIDITY + 5)
    assert owed(read(world(last=(60 * Q128, 140 * Q128)))) == (3, 5)


def test_read__slot0_price__does_not_enter() -> None:
    chain = world()
    chain.put(POOL, "slot0()", (), SLOT_0_TYPES, 1 << 159, 0, 0, 1, 1, 0, True)
    assert read(chain) == read(world())


def test_read__no_liquidity_left__is_what_is_owed_also_without_its_ticks() -> None:
    chain = world(liquidity=0, initialized=(False, False), owed=(11, 13))
    assert read(chain) == expected((11, 13), liquidity=0)


@pytest.mark.parametrize("initialized", [(False, True), (True, False), (False, False)])
def test_read__pool_without_the_range__is_refused(initialized: tuple[bool, bool]) -> None:
    with pytest.raises(SourceRefused, match="knows nothing of the range"):
        read(world(initialized=initialized))


def test_read__burned_nft__is_a_revert_and_not_zero() -> None:
    chain = world()
    chain.revert(MANAGER, "positions(uint256)", TOKEN_ID)
    with pytest.raises(CallReverted):
        read(chain)


def test_read__nft_of_somebody_else__is_refused() -> None:
    with pytest.raises(SourceRefused, match=f"owner of NFT 77 is {STAKER}, not the configured {HOLDER}"):
        read(world(owner=STAKER))


def test_read__nft_in_a_staker__is_counted_for_its_depositor_alone() -> None:
    assert read(staked(world(owner=STAKER), HOLDER), staker=STAKER) == read(world())
    with pytest.raises(SourceRefused, match=f"depositor of NFT 77 in {STAKER} is {MANAGER}"):
        read(staked(world(owner=STAKER), MANAGER), staker=STAKER)


def test_read__nft_taken_back_from_the_staker__is_the_holders() -> None:
    assert read(staked(world(owner=HOLDER), NOBODY), staker=STAKER) == read(world())
    with pytest.raises(SourceRefused, match=f"owner of NFT 77 is {MANAGER}"):
        read(staked(world(owner=MANAGER), HOLDER), staker=STAKER)


@pytest.mark.parametrize("tokens", [(address(9), ETH), (USD, address(9)), (ETH, ETH)])
def test_read__nft_of_other_tokens__is_refused(tokens: tuple[Address, Address]) -> None:
    with pytest.raises(SourceRefused, match=r"token [01] of NFT 77"):
        read(world(tokens=tokens))
    with pytest.raises(SourceRefused, match=r"token [01] of NFT 77"):
        drive(position(pool=None).resolve(AT), world(tokens=tokens).answer)


def test_read__range_that_changed__is_refused() -> None:
    with pytest.raises(SourceRefused, match="had the range -600 to 1200 and now has -600 to 1260"):
        read(world(ticks=(LOWER, UPPER + 60)))


def test_resolve__no_pool_of_the_factory__is_refused() -> None:
    chain = world()
    chain.put(FACTORY, "getPool(address,address,uint24)", (USD, ETH, FEE), ("address",), NOBODY)
    with pytest.raises(SourceRefused, match="knows no pool for NFT 77"):
        drive(position(pool=None).resolve(AT), chain.answer)


def test_assets__both_tokens__are_named_and_the_nft_is_claimed() -> None:
    assert position().assets == (("ETH", "asset"), ("USDC", "asset"))
    assert position().claims == (Claim("local", MANAGER, HOLDER, "position 77"),)
    assert position(staker=STAKER).claims == position().claims


@pytest.mark.parametrize("missing", ["pool", "tick_lower", "tick_upper"])
def test_read__place_not_known__is_a_configuration_error(missing: str) -> None:
    with pytest.raises(ConfigurationError, match="pool and range"):
        read(world(), **{missing: None})


@pytest.mark.parametrize("component", sorted(component.value for component in LIABILITIES))
def test_configuration__liability__is_refused(component: str) -> None:
    with pytest.raises(ValidationError, match="liquidity in a pool is not owed"):
        position(component=component)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"token_id": -1}, "token_id"), ({"other_token": ETH}, "are the same"), ({"tick_lower": -887_273}, "tick_lower")],
)
def test_configuration__wrong__is_refused_naming_the_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        position(**changes)


def test_configuration__kind__decides_the_model() -> None:
    union: TypeAdapter[PositionModel] = TypeAdapter(PositionModel)
    assert union.validate_python(position().describe()) == position()
