"""The middle of an exchange's order book."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.prices import AggregationPolicy, PriceStatus, Quote, aggregate
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.ports import Answer, ExchangeCall
from navoracle.prices import ExchangeSource
from navoracle.testing import Example, ReaderSpec, drive, read_point

NOW = 1_700_000_000
AT = read_point(NOW, chain=None)
ASK = ExchangeCall("venue", "fetch_ticker", "ETH/USDT")


def source(**changes: Any) -> ExchangeSource:
    fields = {
        "kind": "exchange",
        "id": "venue",
        "asset": "ETH",
        "group": "venue",
        "exchange": "venue",
        "symbol": "ETH/USDT",
        "quoted_in": "USDT",
    }
    return ExchangeSource.model_validate({**fields, **changes})


def ticker(**changes: Any) -> bytes:
    stated = {
        "symbol": "ETH/USDT",
        "timestamp": str((NOW - 5) * 1_000 + 999),
        "bid": "1999.9",
        "ask": "2000.1",
        "last": "2345.6",
        **changes,
    }
    return json.dumps(stated, sort_keys=True).encode()


def read(data: bytes, **changes: Any) -> Quote:
    return drive(source(**changes).read(AT), {ASK: Answer(data)})


class TestExchangeSpec(ReaderSpec):
    def example(self) -> Example:
        time = Timestamp(NOW - 5)
        expected = Quote("ETH", "venue", "venue", Wad(2_000 * WAD), Bps(8_000), time, max_age=300, published_at=time)
        return Example(source(), {ASK: ticker()}, AT, expected)


class TestExchangeWithoutTimeSpec(ReaderSpec):
    def example(self) -> Example:
        oldest = Timestamp(NOW - 120)
        price, confidence = Wad(2_000 * WAD), Bps(8_000)
        expected = Quote("ETH", "venue", "venue", price, confidence, oldest, 120, confidence_cap=Bps(5_000))
        return Example(source(max_age=120), {ASK: ticker(timestamp=None)}, AT, expected)


def test_read__no_timestamp__is_capped_never_the_time_of_reading_and_still_accepted() -> None:
    quote = read(ticker(timestamp=None))
    assert (quote.observed_at, quote.published_at, quote.claimed) == (NOW - 300, None, 5_000)
    found = aggregate("ETH", [quote], now=Timestamp(NOW), policy=AggregationPolicy(min_sources=1))
    assert found.status is PriceStatus.LIVE


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_read__bid_or_ask_is_none__is_refused_and_the_last_trade_not_taken(side: str) -> None:
    with pytest.raises(SourceRefused, match=f"has no {side}"):
        read(ticker(**{side: None}))


@pytest.mark.parametrize("side", ["bid", "ask"])
@pytest.mark.parametrize("price", ["0", "-1", "1e-19"])
def test_read__bid_or_ask_not_positive__is_refused(side: str, price: str) -> None:
    with pytest.raises(SourceRefused, match=f"{side} {price} is not positive"):
        read(ticker(**{side: price}))


def test_read__crossed_book__is_refused() -> None:
    with pytest.raises(SourceRefused, match="above ask"):
        read(ticker(bid="2000.2"))


def test_read__spread_at_its_limit__is_taken_and_beyond_it_refused() -> None:
    # 100 bps of a middle of 1,000: 10.
    assert read(ticker(bid="995", ask="1005")).price == 1_000 * WAD
    with pytest.raises(SourceRefused, match="more than 100 bps apart"):
        read(ticker(bid="995", ask="1005.000000000000000001"))


def test_read__wide_spread__costs_confidence_by_half_of_it() -> None:
    # Half the spread is 100 bps of the middle: (500 - 100) / 490 of 80 %.
    assert read(ticker(bid="990", ask="1010"), max_spread_bps=200).confidence == 8_000 * 400 // 490


def test_read__thin_venue_in_a_crash__is_refused_by_its_spread() -> None:
    with pytest.raises(SourceRefused, match="more than 100 bps apart"):
        read(ticker(bid="430", ask="3800"))


def test_read__middle__is_rounded_down() -> None:
    assert read(ticker(bid="1", ask="1.000000000000000001")).price == WAD


def test_read__ticker_of_another_market__is_refused() -> None:
    for symbol in ("ETH/USD", "ETH/USDT:USDT", None):
        with pytest.raises(SourceRefused, match="not of ETH/USDT"):
            read(ticker(symbol=symbol))


@pytest.mark.parametrize("changes", [{"bid": "x"}, {"bid": True}, {"timestamp": "1.5"}, {"timestamp": []}])
def test_read__figure_of_another_form__is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedResult):
        read(ticker(**changes))


def test_configuration__quote_is_usdt_and_not_usd__must_be_said() -> None:
    assert source().quote_currency == "USDT"
    with pytest.raises(ValidationError, match="quoted in USDT, not in USDC: write `quoted_in: USDT`"):
        source(quoted_in="USDC")


@pytest.mark.parametrize("symbol", ["ETHUSDT", "ETH/USDT:USDT", "eth/usdt", "ETH/", "/USDT", "ETH/USDT\n", 5, "A/B/C"])
def test_configuration__symbol_of_no_spot_market__is_refused(symbol: object) -> None:
    with pytest.raises(ValidationError, match="not a spot market"):
        source(symbol=symbol)


CENTS = st.integers(1, 10**12)


@given(CENTS, CENTS)
def test_read__any_book__lies_between_its_sides_or_is_refused(one: int, other: int) -> None:
    bid, ask = sorted((one, other))
    try:
        quote = read(ticker(bid=f"{bid}e-2", ask=f"{ask}e-2"), max_spread_bps=10_000)
    except SourceRefused:
        assert 2 * (ask - bid) > bid + ask
    else:
        assert bid * 10**16 <= quote.price <= ask * 10**16
        assert quote.confidence <= 8_000
