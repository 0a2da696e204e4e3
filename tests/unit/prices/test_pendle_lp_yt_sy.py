"""Pendle liquidity, yield and standardized-yield tokens: their scales, their limits, and their end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import CallReverted, DecimalsChanged, SourceRefused
from navoracle.domain.units import WAD, Bps, Wad, to_wad
from navoracle.ports import ProtocolRate
from navoracle.testing import Example, FakeChain, ReaderSpec, drive
from tests.unit.prices.pendle_builders import (
    AT,
    LP_AVERAGE,
    LP_SPOT,
    MARKET,
    NOW,
    ORACLE,
    PT,
    SUSDE,
    SY,
    YT,
    asset_info,
    indexes,
    lp_rate,
    oracle_state,
    rates,
    seed,
    token_rate,
    tokens,
    world,
    yt_rate,
)

LP = "getLpToAssetRate"


def lp_world(spot: int = LP_SPOT, average: int = LP_AVERAGE) -> FakeChain:
    return rates(world(), LP, spot, average)


def six_decimals(chain: FakeChain) -> FakeChain:
    """A market of 1e6 PT and 1e6 SY of 6 decimals, with as many raw LP as raw PT."""
    chain.put(PT, "decimals()", (), ("uint8",), 6)
    return seed(asset_info(chain, decimals=6), 10**12, 10**12, 10**17, 10**12)


def read_lp(chain: FakeChain, **changes: Any) -> ProtocolRate:
    return drive(lp_rate(**changes).read(AT), chain.answer)


def read_yt(chain: FakeChain, **changes: Any) -> ProtocolRate:
    return drive(yt_rate(**changes).read(AT), chain.answer)


class TestPendleLpRateSpec(ReaderSpec):
    def example(self) -> Example:
        # a gap of 1 bps exactly
        expected = ProtocolRate(Wad(LP_SPOT), Wad(LP_AVERAGE), Bps(9_900))
        return Example(lp_rate(), lp_world().good_answers(), AT, expected)


class TestPendleYtRateSpec(ReaderSpec):
    def example(self) -> Example:
        chain = world(WAD // 20, WAD // 20)
        return Example(yt_rate(), chain.good_answers(), AT, ProtocolRate(Wad(WAD // 20), Wad(WAD // 20), Bps(4_000)))


class TestPendleSyRateSpec(ReaderSpec):
    def example(self) -> Example:
        chain = indexes(world(), WAD * 5 // 4)
        expected = ProtocolRate(Wad(WAD * 5 // 4), Wad(WAD * 5 // 4), Bps(10_000))
        return Example(token_rate(), chain.good_answers(), AT, expected)


def test_lp__six_decimal_market__is_worth_whole_tokens_per_whole_lp() -> None:
    # 1.95 raw units per raw LP of 18 decimals are 1.95e12 whole ones per whole LP
    found = read_lp(six_decimals(lp_world()), decimals=6)
    assert (found.lower, found.higher) == (LP_SPOT * 10**12, LP_AVERAGE * 10**12)


@given(st.integers(0, 36), st.integers(10**19, 10**36))
def test_lp__any_asset_decimals__scales_against_the_fund(decimals: int, value: int) -> None:
    chain = rates(world(), LP, value, value + 1)
    chain.put(PT, "decimals()", (), ("uint8",), decimals)
    seed(asset_info(chain, decimals=decimals), 10**60, 10**60, supply=1)
    found = read_lp(chain, decimals=decimals)
    assert found.lower * 10**decimals <= value * WAD < (found.lower + 1) * 10**decimals
    assert (found.higher - 1) * 10**decimals < (value + 1) * WAD <= found.higher * 10**decimals


def test_lp__unseeded_market__is_refused_before_the_oracle_reverts() -> None:
    chain = seed(lp_world(), 0, 0, 0, 0)
    chain.revert(ORACLE, f"{LP}(address,uint32)", MARKET, 0, data=bytes.fromhex("b1c4aefb"))
    with pytest.raises(SourceRefused, match="not seeded"):
        read_lp(chain)


def test_lp__reverts_on_reentrancy__is_an_error() -> None:
    chain = lp_world()
    chain.revert(ORACLE, f"{LP}(address,uint32)", MARKET, 0, data=bytes.fromhex("08c379a0"))
    with pytest.raises(CallReverted):
        read_lp(chain)


def test_lp__expired_market_that_everybody_left__is_refused() -> None:
    chain = oracle_state(seed(lp_world(), expiry=NOW), oldest=False)
    assert read_lp(chain).lower == LP_SPOT
    with pytest.raises(SourceRefused, match="not seeded"):
        read_lp(seed(chain, 0, 0, supply=0, expiry=NOW))


def test_lp__worth_more_than_its_reserves_at_par__is_refused() -> None:
    # 1 PT and 1 SY per LP; the SY is worth 1 by its own rate, and 1.5 by the index that its YT has stored
    assert read_lp(lp_world(2 * WAD, 2 * WAD)).higher == 2 * WAD
    with pytest.raises(SourceRefused, match="above par"):
        read_lp(lp_world(2 * WAD, 2 * WAD + 5))
    for sy, stored in ((WAD, WAD * 15 // 10), (WAD * 15 // 10, WAD)):
        assert read_lp(indexes(lp_world(2 * WAD, 25 * WAD // 10), sy, stored)).higher == 25 * WAD // 10


def test_lp__decimals_other_than_18__are_refused() -> None:
    chain = lp_world()
    chain.put(MARKET, "decimals()", (), ("uint8",), 6)
    with pytest.raises(DecimalsChanged, match=f"{MARKET} had 18 decimals and now says 6"):
        read_lp(chain)


def test_yt__expired__is_refused_because_only_due_interest_is_left() -> None:
    chain = seed(world(0, 0), expiry=NOW)
    with pytest.raises(SourceRefused, match=f"YT {YT} expired at {NOW}") as caught:
        read_yt(chain)
    assert "what is due" in caught.value.advice
    assert read_yt(seed(world(1, 1), expiry=NOW + 1)).lower == 1


def test_yt__before_expiry_at_a_rate_of_zero__is_refused_not_zero() -> None:
    with pytest.raises(SourceRefused, match=r"spot rate of market .* is zero"):
        read_yt(world(0, 1))


def test_yt__above_par__is_refused() -> None:
    assert read_yt(world(WAD, WAD)).higher == WAD
    with pytest.raises(SourceRefused, match="above par"):
        read_yt(world(WAD, WAD + 1))


def test_yt__unseeded_market__is_refused() -> None:
    with pytest.raises(SourceRefused, match="not seeded"):
        read_yt(seed(world(), 0, 0, 0, 0))


def test_yt__market_of_another_yt__is_refused() -> None:
    with pytest.raises(SourceRefused, match="the YT of market"):
        read_yt(tokens(world(), yt=SUSDE))


def test_yt__spot_pushed_to_nothing__counts_with_confidence_of_the_gap() -> None:
    found = read_yt(world(WAD // 1_000, WAD // 20))
    assert (found.lower, found.confidence) == (WAD // 1_000, 0)


def test_sy__scales_to_whole_tokens__against_the_fund() -> None:
    # SY of 18 and asset of 6 decimals: 1.2 whole is 1.2e6 raw per 1e18 raw
    chain = asset_info(indexes(world(), 12 * 10**5), decimals=6)
    found = drive(token_rate(asset_decimals=6).read(AT), chain.answer)
    assert found.lower == found.higher == WAD * 12 // 10
    chain = indexes(asset_info(world(), decimals=18), 10**12 + 1)
    chain.put(SY, "decimals()", (), ("uint8",), 6)
    found = drive(token_rate(decimals=6).read(AT), chain.answer)
    assert (found.lower, found.higher) == (1, 2)


@pytest.mark.parametrize(("change", "message"), [({"kind": 1}, "liquidity"), ({"asset": SUSDE}, "accounting asset")])
def test_sy__another_asset_or_liquidity__is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceRefused, match=message):
        drive(token_rate().read(AT), asset_info(world(), **change).answer)


def test_sy__worth_nothing__is_refused() -> None:
    with pytest.raises(SourceRefused, match="nothing"):
        drive(token_rate().read(AT), indexes(world(), 0).answer)


@pytest.mark.parametrize(("rate", "message"), [("1.38", "grew from 1.08"), ("1.07", "fell from 1.08")])
def test_sy__rate_after_a_donation_or_a_loss__is_refused_by_its_growth(rate: str, message: str) -> None:
    growth = {"reference_rate": "1.08", "reference_time": NOW - 86_400, "max_growth_bps": 2_000, "max_drop_bps": 10}
    reader = token_rate(growth=growth)
    assert drive(reader.read(AT), indexes(world(), to_wad("1.0805")).answer).lower == to_wad("1.0805")
    with pytest.raises(SourceRefused, match=message):
        drive(reader.read(AT), indexes(world(), to_wad(rate)).answer)
