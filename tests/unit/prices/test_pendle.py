"""Pendle principal tokens: what the market must be before its rates are believed, and which rate is whose."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.abi import encode_call
from navoracle.domain.errors import CallReverted, ConfigurationError, DecimalsChanged, EmptyResult, SourceRefused
from navoracle.domain.units import WAD, Bps, Wad
from navoracle.ports import Answer, Call, ProtocolRate, Request
from navoracle.prices.pendle.market import MAX_DURATION
from navoracle.testing import Example, FakeChain, ReaderSpec, drive
from tests.unit.addresses import address
from tests.unit.prices.pendle_builders import (
    AT,
    AVERAGE,
    FACTORY,
    MARKET,
    NOW,
    ORACLE,
    PT,
    SPOT,
    SUSDE,
    SY,
    USDE,
    YT,
    asset_info,
    indexes,
    oracle_state,
    preview_redeem,
    pricing_info,
    rate,
    seed,
    sy_rate,
    tokens,
    world,
)

HALF = WAD // 2


def read(chain: FakeChain, **changes: Any) -> ProtocolRate:
    return drive(rate(**changes).read(AT), chain.answer)


class TestPendlePtRateSpec(ReaderSpec):
    def example(self) -> Example:
        # the gap of 1.05 bps counts as 2
        return Example(rate(), world().good_answers(), AT, ProtocolRate(Wad(SPOT), Wad(AVERAGE), Bps(9_800)))


class TestPendlePtRateWithFactoryAndReferenceTokenSpec(ReaderSpec):
    def example(self) -> Example:
        chain = pricing_info(world(), USDE, strictly_equal=False)
        reader = rate(factory=FACTORY, sy_pricing="asset")
        return Example(reader, chain.good_answers(), AT, ProtocolRate(Wad(SPOT), Wad(AVERAGE), Bps(9_800)))


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
    [(HALF, 10_000), (HALF + 1, 9_900), (HALF - 1, 9_900), (50_005 * 10**13, 9_900), (505 * 10**15, 0)],
)
def test_confidence__gap__costs_a_hundred_per_basis_point_rounded_up(average: int, confidence: int) -> None:
    assert read(world(HALF, average)).confidence == confidence


def test_confidence__gap__is_measured_in_parts_of_the_spot_rate() -> None:
    spot = 9 * WAD // 10
    # 99 bps of spot; of the average they would be 100
    assert read(world(spot, spot * 9_901 // 10_000)).confidence == 100


def test_confidence__gap_and_index_shortfall__cost_both() -> None:
    # 2 bps between the rates and 25 between the indexes
    assert read(indexes(world(), WAD, WAD * 10_000 // 9_975)).confidence == 10_000 - 200 - 2_500


@pytest.mark.parametrize(
    ("scalar", "confidence"),
    [
        # 90 days of scalarRoot 75 make a scalar of 304: 3.178 / 304 is 1.04 %, a fall of 103.4 bps
        (75 * WAD, 8_856),
        (1 * WAD, 4_000),
        (10_000 * WAD, 10_000),
    ],
)
def test_confidence__spot_that_a_trade_could_push_down__is_worth_less(scalar: int, confidence: int) -> None:
    assert read(seed(world(HALF, HALF), scalar=scalar)).confidence == confidence


def test_confidence__after_expiry__no_trade_moves_the_rate() -> None:
    chain = seed(world(HALF, HALF), scalar=WAD, expiry=NOW)
    assert read(chain).confidence == 10_000


def test_read__unseeded_market_that_answers_par__is_refused() -> None:
    with pytest.raises(SourceRefused, match="not seeded") as caught:
        read(seed(world(WAD, WAD), 0, 0, 0, 0))
    assert "par" in caught.value.message


@pytest.mark.parametrize("missing", ["total_pt", "total_sy", "ln_rate", "supply", "scalar"])
def test_read__market_with_one_part_missing__is_refused(missing: str) -> None:
    with pytest.raises(SourceRefused, match="not seeded"):
        read(seed(world(), **{missing: 0}))


def test_read__market_of_another_pt_or_sy_or_yt__is_refused() -> None:
    chain = world()
    with pytest.raises(SourceRefused, match=f"the PT of market {MARKET} is {YT}, not the configured {PT}"):
        read(tokens(chain, pt=YT))
    with pytest.raises(SourceRefused, match=f"the SY of market {MARKET} is {SUSDE}, not the configured {SY}"):
        read(tokens(chain, sy=SUSDE))
    with pytest.raises(SourceRefused, match=f"the YT of market {MARKET} is {PT}, not the configured {YT}"):
        read(tokens(chain, yt=PT))


def test_read__wrong_address_of_market__is_an_empty_answer_not_par() -> None:
    with pytest.raises(EmptyResult):
        read(world(), market=USDE)


def test_read__market_that_the_factory_does_not_know__is_refused() -> None:
    chain = world()
    assert read(chain, factory=FACTORY) == read(chain)
    chain.put(FACTORY, "isValidMarket(address)", (MARKET,), ("bool",), False)
    with pytest.raises(SourceRefused, match=f"factory {FACTORY} does not know market {MARKET}"):
        read(chain, factory=FACTORY)


def test_read__sy_of_another_asset__is_refused() -> None:
    with pytest.raises(SourceRefused, match="accounting asset"):
        read(world(), base_token=SUSDE)


def test_read__scaled18_wrapper_as_the_asset__must_be_the_base_token_and_not_its_raw_token() -> None:
    wrapper = FACTORY
    chain = asset_info(world(), wrapper)
    assert read(chain, base_token=wrapper).lower == SPOT
    with pytest.raises(SourceRefused, match=f"is {wrapper}, not the configured {USDE}"):
        read(chain)


def test_read__asset_that_may_not_exist_on_this_chain__is_compared_by_address_and_never_called() -> None:
    elsewhere = address(77)
    chain = asset_info(world(), elsewhere)
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return chain.answer(request)

    assert drive(rate(base_token=elsewhere).read(AT), answer).lower == SPOT
    assert elsewhere not in {each.target for each in asked if isinstance(each, Call)}
    with pytest.raises(SourceRefused, match=f"is {elsewhere}, not the configured {USDE}"):
        read(chain)


def test_read__sy_whose_asset_is_liquidity__is_refused() -> None:
    with pytest.raises(SourceRefused, match="liquidity"):
        read(asset_info(world(), kind=1))


def test_read__asset_of_other_decimals_than_the_pt__is_refused() -> None:
    with pytest.raises(SourceRefused, match=r"18 decimals, the accounting asset of SY .* has 6"):
        read(asset_info(world(), decimals=6))


def test_pricing_info__asset_path__names_the_token_instead_of_asset_info() -> None:
    chain = asset_info(pricing_info(world(), USDE, strictly_equal=False), FACTORY, kind=1)
    assert read(chain, sy_pricing="asset").lower == SPOT
    with pytest.raises(SourceRefused, match=f"priced by is {USDE}, not the configured {FACTORY}"):
        read(chain, sy_pricing="asset", base_token=FACTORY)


def test_pricing_info__asset_path__refuses_the_rate_in_sy() -> None:
    chain = pricing_info(world(), SUSDE, strictly_equal=False)
    with pytest.raises(SourceRefused, match="as the SY itself says"):
        drive(sy_rate(sy_pricing="asset").read(AT), chain.answer)


def test_pricing_info__sy_path__names_the_token_instead_of_the_yield_token() -> None:
    chain = pricing_info(world(), USDE, strictly_equal=True)
    assert drive(sy_rate(base_token=USDE).read(AT), chain.answer).lower == SPOT
    with pytest.raises(SourceRefused, match=f"is {USDE}, not the configured {SUSDE}"):
        drive(sy_rate().read(AT), chain.answer)


def test_pricing_info__changed_since_the_start__is_refused() -> None:
    chain = pricing_info(world(), USDE, strictly_equal=False)
    with pytest.raises(SourceRefused, match="was priced by its sy rate and now says asset"):
        read(chain)


def test_pricing_info__sy_without_it__is_not_asked_again() -> None:
    chain = world()
    chain.revert(SY, "pricingInfo()")
    resolved = drive(rate(decimals=None, yt=None, sy_pricing=None).resolve(AT), chain.answer)
    assert resolved == rate(sy_pricing="unstated")
    assert drive(resolved.read(AT), chain.answer).lower == SPOT
    assert drive(sy_rate(sy_pricing="unstated").read(AT), chain.answer).lower == SPOT


def test_resolve__sy_that_does_not_answer__is_an_error_not_unstated() -> None:
    chain = world()
    del chain.answers[SY, encode_call("pricingInfo()")]
    with pytest.raises(EmptyResult):
        drive(rate(sy_pricing=None).resolve(AT), chain.answer)


@pytest.mark.parametrize("missing", ["decimals", "yt", "sy_pricing"])
def test_read__not_resolved__says_so_before_anything_is_asked(missing: str) -> None:
    with pytest.raises(ConfigurationError, match="not resolved"):
        next(rate(**{missing: None}).read(AT))


@pytest.mark.parametrize(
    ("increase", "oldest", "message"),
    [(True, True, "too few observations"), (False, False, "no observation"), (True, False, "too few")],
)
def test_read__twap_not_ready__is_refused_before_it_is_asked(increase: bool, oldest: bool, message: str) -> None:
    chain = oracle_state(world(), increase=increase, oldest=oldest)
    chain.revert(ORACLE, "getPtToAssetRate(address,uint32)", MARKET, 900)
    with pytest.raises(SourceRefused, match=message) as caught:
        read(chain)
    assert ("increaseObservationsCardinalityNext(61)" in caught.value.advice) == increase


def test_read__rate_above_par__is_refused() -> None:
    assert read(world(WAD, WAD)).higher == WAD
    for spot, average in ((WAD + 1, WAD), (WAD, WAD + 1)):
        with pytest.raises(SourceRefused, match="above par"):
            read(world(spot, average))


def test_read__rate_of_zero__is_refused() -> None:
    for spot, average in ((0, SPOT), (SPOT, 0)):
        with pytest.raises(SourceRefused, match="zero"):
            read(world(spot, average))


def test_read__after_expiry_with_insolvent_sy__is_what_the_oracle_says_not_par() -> None:
    insolvent = WAD * 8 // 10
    chain = oracle_state(seed(world(insolvent, insolvent), 0, 0, 0, 0, expiry=NOW), increase=True, oldest=False)
    assert read(chain) == ProtocolRate(Wad(insolvent), Wad(insolvent), Bps(10_000))
    found = read(indexes(chain, WAD, WAD * 5 // 4))
    assert found == ProtocolRate(Wad(insolvent), Wad(insolvent), Bps(0))


@pytest.mark.parametrize(("stored", "confidence"), [(WAD, 10_000), (WAD + 1, 9_900), (WAD * 10_000 // 9_995, 9_500)])
def test_read__sy_index_below_the_stored_index__lowers_confidence(stored: int, confidence: int) -> None:
    assert read(indexes(world(SPOT, SPOT), WAD, stored)).confidence == confidence


def test_read__sy_index_above_the_stored_index__is_growth_that_nobody_stored_yet() -> None:
    assert read(indexes(world(SPOT, SPOT), WAD * 2, WAD)).confidence == 10_000


def test_read__index_ratcheted_by_a_gift__is_refused_beyond_the_limit() -> None:
    chain = indexes(world(SPOT, SPOT), WAD * 99, WAD * 100)
    assert read(chain, max_index_shortfall_bps=100).confidence == 0
    with pytest.raises(SourceRefused, match="more than 99 bps below") as caught:
        read(chain, max_index_shortfall_bps=99)
    assert "gift" in caught.value.advice


def test_read__one_second_before_expiry__still_checks_the_market() -> None:
    with pytest.raises(SourceRefused, match="not seeded"):
        read(seed(world(), ln_rate=0, expiry=NOW + 1))


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


@pytest.mark.parametrize("token", [WAD - 1, WAD + 1, WAD * 6 // 5])
def test_sy_rate__sy_that_states_nothing_and_is_not_one_yield_token__is_refused(token: int) -> None:
    # the SY of a rebasing token: the rate counts in its shares, the price is one of tokens
    chain = preview_redeem(world(), token)
    with pytest.raises(SourceRefused, match=f"one SY {SY} is redeemed for {token} raw units"):
        drive(sy_rate(sy_pricing="unstated").read(AT), chain.answer)
    assert drive(sy_rate().read(AT), chain.answer).lower == SPOT


def test_sy_rate__sy_that_states_nothing_and_cannot_be_asked__is_an_error() -> None:
    chain = world()
    chain.revert(SY, "previewRedeem(address,uint256)", SUSDE, WAD)
    with pytest.raises(CallReverted):
        drive(sy_rate(sy_pricing="unstated").read(AT), chain.answer)


def test_sy_rate__sy_of_another_yield_token__is_refused() -> None:
    with pytest.raises(SourceRefused, match="yield token"):
        drive(sy_rate(base_token=USDE).read(AT), world().answer)


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, False), (-1, False), (1, True), (MAX_DURATION, True), (MAX_DURATION + 1, False)]
)
def test_configuration__duration_too_long_for_the_oracle__is_refused(seconds: int, good: bool) -> None:
    assert MAX_DURATION == 4_294_967
    if good:
        assert rate(twap_seconds=seconds).twap_seconds == seconds
    else:
        with pytest.raises(ValidationError, match="twap_seconds"):
            rate(twap_seconds=seconds)
