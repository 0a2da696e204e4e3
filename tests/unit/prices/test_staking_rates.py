"""Rates that a contract states in one word: wstETH, weETH, rETH, cbETH, Balancer's providers; and their band."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import BPS, SECONDS_PER_YEAR, WAD, Bps, Timestamp, Wad, to_wad
from navoracle.ports import ProtocolRate
from navoracle.prices import Rate, Source
from navoracle.prices.rates import RateGrowth
from navoracle.prices.staking_rates import RateCall
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
TOKEN = address(1)
QUESTIONS = {
    "wsteth": "stEthPerToken()",
    "weeth": "getRate()",
    "reth": "getExchangeRate()",
    "cbeth": "exchangeRate()",
    "balancer_rate": "getRate()",
}
KINDS = sorted(QUESTIONS)
RATES: TypeAdapter[Rate] = TypeAdapter(Rate)
GROWTH = {
    "reference_rate": "1.08",
    "reference_time": NOW - SECONDS_PER_YEAR // 10,
    "max_growth_bps": 1_000,
    "max_drop_bps": 50,
}


def rate(kind: str, **changes: Any) -> RateCall:
    fields = {"kind": kind, "id": "rate", "chain": "local", "base": "stETH", "contract": TOKEN}
    found = RATES.validate_python({**fields, **changes})
    if not isinstance(found, RateCall):
        raise TypeError(f"{kind} is no call")
    return found


def world(kind: str, value: int, supply: int = 10**24) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(TOKEN, QUESTIONS[kind], (), ("uint256",), value)
    if kind == "reth":
        chain.put(TOKEN, "totalSupply()", (), ("uint256",), supply)
    return chain


def read(kind: str, value: int, **changes: Any) -> ProtocolRate:
    return drive(rate(kind, **changes).read(AT), world(kind, value).answer)


def example(kind: str, **changes: Any) -> Example:
    value = to_wad("1.085")
    expected = ProtocolRate(value, value, Bps(10_000))
    return Example(rate(kind, **changes), world(kind, value).good_answers(), AT, expected)


class TestWstethSpec(ReaderSpec):
    def example(self) -> Example:
        return example("wsteth", growth=GROWTH)


class TestWeethSpec(ReaderSpec):
    def example(self) -> Example:
        return example("weeth")


class TestRethSpec(ReaderSpec):
    def example(self) -> Example:
        return example("reth")


class TestCbethSpec(ReaderSpec):
    def example(self) -> Example:
        return example("cbeth")


class TestBalancerRateSpec(ReaderSpec):
    def example(self) -> Example:
        return example("balancer_rate")


@pytest.mark.parametrize("kind", KINDS)
@given(value=st.integers(1, 2**256 - 1))
def test_read__any_rate__is_both_sides_as_it_stands(kind: str, value: int) -> None:
    assert read(kind, value) == ProtocolRate(Wad(value), Wad(value), Bps(BPS))


@pytest.mark.parametrize("kind", KINDS)
def test_read__rate_of_zero__is_refused(kind: str) -> None:
    with pytest.raises(SourceRefused, match="states a rate of zero"):
        read(kind, 0)


def test_reth__supply_of_zero__is_refused_though_it_answers_one_for_one() -> None:
    with pytest.raises(SourceRefused, match="no supply, so its rate is one for one"):
        drive(rate("reth").read(AT), world("reth", WAD, supply=0).answer)


@pytest.mark.parametrize("kind", KINDS)
def test_rate__no_timestamp_at_all__is_bounded_by_its_growth_however_old(kind: str) -> None:
    # stuck since the reference: nothing tells, and it is no more than it was
    stuck = {**GROWTH, "reference_time": NOW - 3 * SECONDS_PER_YEAR}
    assert read(kind, to_wad("1.08"), growth=stuck).lower == to_wad("1.08")
    with pytest.raises(SourceRefused, match="fell"):
        read(kind, to_wad("1.07"), growth=stuck)


@pytest.mark.parametrize("kind", KINDS)
def test_rate__used_as_a_price__is_refused_because_a_ratio_is_no_dollar(kind: str) -> None:
    sources: TypeAdapter[Source] = TypeAdapter(Source)
    with pytest.raises(ValidationError, match="does not match any of the expected tags"):
        sources.validate_python({"kind": kind, "id": "a", "asset": "cbETH", "group": "a", "contract": TOKEN})


@pytest.mark.parametrize("kind", KINDS)
def test_rate__without_the_asset_it_counts_in__is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match="base"):
        rate(kind, base=None)


@pytest.mark.parametrize("kind", KINDS)
def test_rate__steps_on_a_report_within_the_band__is_read(kind: str) -> None:
    assert read(kind, to_wad("1.0803"), growth=GROWTH).lower == to_wad("1.0803")


@pytest.mark.parametrize("kind", KINDS)
def test_rate__falls_by_slashing__is_read_within_the_band_and_refused_below_it(kind: str) -> None:
    assert read(kind, to_wad("1.0746"), growth=GROWTH).lower == to_wad("1.0746")
    with pytest.raises(SourceRefused, match=r"fell from 1\.08"):
        read(kind, Wad(to_wad("1.0746") - 1), growth=GROWTH)


@pytest.mark.parametrize(
    ("value", "passes"),
    [("1.0908", True), ("1.090800000000000001", False), ("1.38", False), ("2.16", False), ("1.7", False)],
)
def test_rate__jumps_by_a_donation__is_refused(value: str, passes: bool) -> None:
    # 10 % a year for a tenth of it is 1 % of 1.08. Donations took sUSDe to 1.38, Cream's yUSD to twice its rate,
    # wUSDM from 1.06 to 1.7.
    if passes:
        assert read("wsteth", to_wad(value), growth=GROWTH).lower == to_wad(value)
    else:
        with pytest.raises(SourceRefused, match="more than 1000 bps a year"):
            read("wsteth", to_wad(value), growth=GROWTH)


def test_rate__reference_later_than_the_block__is_refused() -> None:
    growth = {**GROWTH, "reference_time": NOW + 1}
    with pytest.raises(SourceRefused, match="later than the block"):
        read("wsteth", to_wad("1.08"), growth=growth)
    assert read("wsteth", to_wad("1.08"), growth={**GROWTH, "reference_time": NOW}).lower == to_wad("1.08")


@given(
    st.integers(1, 10**24),
    st.integers(1, 10**24),
    st.integers(0, 3 * SECONDS_PER_YEAR),
    st.integers(0, BPS),
    st.integers(0, BPS),
)
def test_growth__any_rate__is_in_the_band_exactly_or_refused(
    reference: int, value: int, elapsed: int, growth: int, drop: int
) -> None:
    band = RateGrowth.model_construct(
        reference_rate=Wad(reference),
        reference_time=Timestamp(NOW - elapsed),
        max_growth_bps=Bps(growth),
        max_drop_bps=Bps(drop),
    )
    too_high = value * BPS * SECONDS_PER_YEAR > reference * (BPS * SECONDS_PER_YEAR + growth * elapsed)
    too_low = value * BPS < reference * (BPS - drop)
    if too_high or too_low:
        with pytest.raises(SourceRefused, match="grew" if too_high else "fell"):
            band.check("rate", value, Timestamp(NOW))
    else:
        band.check("rate", value, Timestamp(NOW))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference_rate": "0"}, "reference_rate"),
        ({"reference_rate": 1}, "quotes"),
        ({"max_growth_bps": -1}, "max_growth_bps"),
        ({"max_drop_bps": 10_001}, "max_drop_bps"),
        ({"colour": 1}, "colour"),
    ],
)
def test_growth__wrong__is_refused_naming_the_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        rate("wsteth", growth={**GROWTH, **changes})
