"""Pendle principal tokens: what the market must be before its rates are believed, and which rate is whose."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import CallReverted, DecimalsChanged, SourceRefused
from navoracle.domain.units import WAD, Bps, Wad
from navoracle.ports import ProtocolRate
from navoracle.prices import PendlePtRate, PendlePtSyRate
from navoracle.prices.pendle import ASSET_INFO_TYPES, MAX_DURATION, STORAGE_TYPES
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
ORACLE, MARKET, PT, SY, YT, USDE, SUSDE = (address(number) for number in range(1, 8))
SPOT, AVERAGE = 950_000_000_000_000_000, 950_100_000_000_000_000
SUPPLY = 10**24


def rate(**changes: Any) -> PendlePtRate:
    fields = {
        "kind": "pendle_pt",
        "id": "pt-rate",
        "chain": "local",
        "base": "USDe",
        "oracle": ORACLE,
        "market": MARKET,
        "pt": PT,
        "sy": SY,
        "base_token": USDE,
        "decimals": 18,
    }
    return PendlePtRate.model_validate({**fields, **changes})


def sy_rate(**changes: Any) -> PendlePtSyRate:
    described = {**rate().describe(), "kind": "pendle_pt_sy", "base": "sUSDe", "base_token": SUSDE, "sy_decimals": 18}
    return PendlePtSyRate.model_validate({**described, **changes})


def world(spot: int = SPOT, average: int = AVERAGE, *, expiry: int = NOW + 86_400 * 90) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(MARKET, "readTokens()", (), ("address", "address", "address"), SY, PT, YT)
    chain.put(MARKET, "expiry()", (), ("uint256",), expiry)
    seed(chain)
    chain.put(PT, "decimals()", (), ("uint8",), 18)
    chain.put(SY, "decimals()", (), ("uint8",), 18)
    chain.put(SY, "assetInfo()", (), ASSET_INFO_TYPES, 0, USDE, 18)
    chain.put(SY, "yieldToken()", (), ("address",), SUSDE)
    oracle_state(chain, False, True)
    for name in ("getPtToAssetRate", "getPtToSyRate"):
        chain.put(ORACLE, f"{name}(address,uint32)", (MARKET, 0), ("uint256",), spot)
        chain.put(ORACLE, f"{name}(address,uint32)", (MARKET, 900), ("uint256",), average)
    return chain


def seed(
    chain: FakeChain, total_pt: int = 10**24, total_sy: int = 10**24, ln_rate: int = 10**17, supply: int = SUPPLY
) -> FakeChain:
    chain.put(MARKET, "_storage()", (), STORAGE_TYPES, total_pt, total_sy, ln_rate, 3, 10, 10)
    chain.put(MARKET, "totalSupply()", (), ("uint256",), supply)
    return chain


def oracle_state(chain: FakeChain, increase: bool, oldest: bool) -> FakeChain:
    signature = "getOracleState(address,uint32)"
    chain.put(ORACLE, signature, (MARKET, 900), ("bool", "uint16", "bool"), increase, 61, oldest)
    return chain


def read(chain: FakeChain, **changes: Any) -> ProtocolRate:
    return drive(rate(**changes).read(AT), chain.answer)


class TestPendlePtRateSpec(ReaderSpec):
    def example(self) -> Example:
        # the gap of 1.05 bps counts as 2
        return Example(rate(), world().good_answers(), AT, ProtocolRate(Wad(SPOT), Wad(AVERAGE), Bps(9_800)))


class TestPendlePtSyRateSpec(ReaderSpec):
    def example(self) -> Example:
        # PT of 6 and SY of 18 decimals: raw 0.95e30 per 1e18 is 0.95 whole SY
        chain = world(SPOT * 10**12, SPOT * 10**12)
        chain.put(PT, "decimals()", (), ("uint8",), 6)
        return Example(sy_rate(decimals=6), chain.good_answers(), AT, ProtocolRate(Wad(SPOT), Wad(SPOT), Bps(10_000)))


@given(st.integers(1, WAD), st.integers(1, WAD))
def test_read__spot_and_average__asset_takes_the_lower_debt_the_higher(spot: int, average: int) -> None:
    found = read(world(spot, average))
    assert (found.lower, found.higher) == (min(spot, average), max(spot, average))
    assert 0 <= found.confidence <= 10_000


@pytest.mark.parametrize(
    ("average", "confidence"),
    [(WAD // 2, 10_000), (WAD // 2 + 1, 9_900), (WAD // 2 - 1, 9_900), (50_005 * 10**13, 9_900), (505 * 10**15, 0)],
)
def test_confidence__gap__costs_a_hundred_per_basis_point_rounded_up(average: int, confidence: int) -> None:
    assert read(world(WAD // 2, average)).confidence == confidence


def test_read__unseeded_market_that_answers_par__is_refused() -> None:
    with pytest.raises(SourceRefused, match="not seeded") as caught:
        read(seed(world(WAD, WAD), 0, 0, 0, 0))
    assert "par" in caught.value.message


@pytest.mark.parametrize("missing", ["total_pt", "total_sy", "ln_rate", "supply"])
def test_read__market_with_one_part_missing__is_refused(missing: str) -> None:
    with pytest.raises(SourceRefused, match="not seeded"):
        read(seed(world(), **{missing: 0}))


def test_read__market_of_another_pt_or_sy__is_refused() -> None:
    chain = world()
    chain.put(YT, "decimals()", (), ("uint8",), 18)
    with pytest.raises(SourceRefused, match=f"the PT of market {MARKET} is {PT}, not the configured {YT}"):
        read(chain, pt=YT)
    chain.put(SUSDE, "assetInfo()", (), ASSET_INFO_TYPES, 0, USDE, 18)
    with pytest.raises(SourceRefused, match=f"the SY of market {MARKET} is {SY}, not the configured {SUSDE}"):
        read(chain, sy=SUSDE)


def test_read__sy_of_another_asset__is_refused() -> None:
    with pytest.raises(SourceRefused, match="accounting asset"):
        read(world(), base_token=SUSDE)


def test_read__sy_whose_asset_is_liquidity__is_refused() -> None:
    chain = world()
    chain.put(SY, "assetInfo()", (), ASSET_INFO_TYPES, 1, USDE, 18)
    with pytest.raises(SourceRefused, match="liquidity"):
        read(chain)


def test_read__asset_of_other_decimals_than_the_pt__is_refused() -> None:
    chain = world()
    chain.put(SY, "assetInfo()", (), ASSET_INFO_TYPES, 0, USDE, 6)
    with pytest.raises(SourceRefused, match="18 decimals and its accounting asset 6"):
        read(chain)


@pytest.mark.parametrize(
    ("increase", "oldest", "message"),
    [(True, True, "too few observations"), (False, False, "no observation"), (True, False, "too few")],
)
def test_read__average_not_ready__is_refused_before_it_is_asked(increase: bool, oldest: bool, message: str) -> None:
    chain = oracle_state(world(), increase, oldest)
    chain.revert(ORACLE, "getPtToAssetRate(address,uint32)", MARKET, 900)
    with pytest.raises(SourceRefused, match=message):
        read(chain)


def test_read__rate_above_par__is_refused() -> None:
    assert read(world(WAD, WAD)).higher == WAD
    for spot, average in ((WAD + 1, WAD), (WAD, WAD + 1)):
        with pytest.raises(SourceRefused, match="above par"):
            read(world(spot, average))


def test_read__rate_of_zero__is_refused() -> None:
    for spot, average in ((0, SPOT), (SPOT, 0)):
        with pytest.raises(SourceRefused, match="zero"):
            read(world(spot, average))


def test_read__after_expiry__the_oracle_still_decides() -> None:
    insolvent = WAD * 8 // 10
    chain = oracle_state(seed(world(insolvent, insolvent, expiry=NOW), 0, 0, 0, 0), True, False)
    assert read(chain) == ProtocolRate(Wad(insolvent), Wad(insolvent), Bps(10_000))


def test_read__one_second_before_expiry__still_checks_the_market() -> None:
    with pytest.raises(SourceRefused, match="not seeded"):
        read(seed(world(expiry=NOW + 1), ln_rate=0))


def test_read__oracle_reverts__is_an_error() -> None:
    chain = world()
    chain.revert(ORACLE, "getPtToAssetRate(address,uint32)", MARKET, 0)
    with pytest.raises(CallReverted):
        read(chain)


def test_read__pt_decimals_changed__names_old_and_new() -> None:
    with pytest.raises(DecimalsChanged, match=f"{PT} had 6 decimals and now says 18"):
        read(world(), decimals=6)


def test_sy_rate__scales_to_whole_tokens__against_the_fund() -> None:
    chain = world(10**12 + 1, 10**12 + 3)
    chain.put(PT, "decimals()", (), ("uint8",), 6)
    found = drive(sy_rate(decimals=6).read(AT), chain.answer)
    assert (found.lower, found.higher) == (1, 2)


def test_sy_rate__too_small_to_hold__is_refused_not_zero() -> None:
    chain = world(10**12 - 1, 10**12 - 1)
    chain.put(PT, "decimals()", (), ("uint8",), 6)
    with pytest.raises(SourceRefused):
        drive(sy_rate(decimals=6).read(AT), chain.answer)


def test_sy_rate__above_one__is_good() -> None:
    assert drive(sy_rate().read(AT), world(2 * WAD, 2 * WAD).answer).lower == 2 * WAD


def test_sy_rate__sy_of_another_yield_token__is_refused() -> None:
    with pytest.raises(SourceRefused, match="yield token"):
        drive(sy_rate(base_token=USDE).read(AT), world().answer)


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, False), (-1, False), (1, True), (MAX_DURATION, True), (MAX_DURATION + 1, False)]
)
def test_configuration__duration__is_one_the_oracle_can_hold(seconds: int, good: bool) -> None:
    assert MAX_DURATION == 4_294_967
    if good:
        assert rate(twap_seconds=seconds).twap_seconds == seconds
    else:
        with pytest.raises(ValidationError, match="twap_seconds"):
            rate(twap_seconds=seconds)
