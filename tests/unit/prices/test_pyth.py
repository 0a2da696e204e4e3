"""Pyth on chain: exponent both ways, interval, moving average, publish time and every refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.abi import selector
from navoracle.domain.errors import CallReverted, SourceRefused
from navoracle.domain.prices import AggregationPolicy, Quote, aggregate
from navoracle.domain.units import BPS, WAD, Bps, Timestamp, Wad
from navoracle.prices import PythSource
from navoracle.prices.pyth import PRICE_TYPES
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
PYTH = address(1)
ID = "0x" + "ab" * 32
PUBLISHED = NOW - 40
VALUE, INTERVAL, EXPONENT = 250_012_345_678, 100_000_000, -8


def source(**changes: Any) -> PythSource:
    fields = {
        "kind": "pyth",
        "id": "eth-pyth",
        "asset": "ETH",
        "group": "pyth",
        "chain": "local",
        "contract": PYTH,
        "price_id": ID,
    }
    return PythSource.model_validate({**fields, **changes})


def world(
    value: int = VALUE,
    interval: int = INTERVAL,
    exponent: int = EXPONENT,
    published: int = PUBLISHED,
    *,
    ema: tuple[int, int, int, int] | None = None,
) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    words = (bytes.fromhex(ID[2:]),)
    chain.put(PYTH, "getPriceUnsafe(bytes32)", words, PRICE_TYPES, value, interval, exponent, published)
    if ema is not None:
        chain.put(PYTH, "getEmaPriceUnsafe(bytes32)", words, PRICE_TYPES, *ema)
    return chain


def read(chain: FakeChain, **changes: Any) -> Quote:
    return drive(source(**changes).read(AT), chain.answer)


def quote(price: int = VALUE * 10**10, confidence: int = 9_500, time: int = PUBLISHED, max_age: int = 300) -> Quote:
    return Quote(
        "ETH", "eth-pyth", "pyth", Wad(price), Bps(confidence), Timestamp(time), max_age, published_at=Timestamp(time)
    )


class TestPythSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(source(), world().good_answers(), AT, quote())


class TestPythMovingAverageSpec(ReaderSpec):
    def example(self) -> Example:
        chain = world(ema=(250_000_000_000, 0, -8, PUBLISHED))
        reader = source(price="ema", max_ema_gap_bps=100, max_age=60, confidence=8_000, quoted_in="USDT")
        return Example(reader, chain.good_answers(), AT, quote(2_500 * WAD, 8_000, max_age=60))


def test_read__unknown_id__is_refused_naming_the_remedy() -> None:
    assert selector("PriceFeedNotFound()").hex() == "14aebe68"
    chain = world()
    chain.revert(PYTH, "getPriceUnsafe(bytes32)", bytes.fromhex(ID[2:]), data=bytes.fromhex("14aebe68"))
    with pytest.raises(SourceRefused, match="no price of this id") as refused:
        read(chain)
    assert "price_id" in refused.value.advice


def test_read__stale_reverts_or_any_other__stays_a_revert() -> None:
    chain = world()
    chain.revert(PYTH, "getPriceUnsafe(bytes32)", bytes.fromhex(ID[2:]), data=bytes.fromhex("19abf40e"))
    with pytest.raises(CallReverted):
        read(chain)


@pytest.mark.parametrize("value", [-1, -VALUE, 0])
def test_read__negative_or_zero_price__is_refused(value: int) -> None:
    with pytest.raises(SourceRefused, match=f"price {value} is not positive"):
        read(world(value, 0))


@pytest.mark.parametrize(
    ("value", "exponent", "price"),
    [(7, 3, 7_000 * WAD), (7, 12, 7 * 10**12 * WAD), (7, 0, 7 * WAD), (1_999, -18, 1_999), (1_999, -20, 19)],
)
def test_read__positive_exponent_or_any_in_range__scales_the_price(value: int, exponent: int, price: int) -> None:
    assert read(world(value, 0, exponent)).price == price


@pytest.mark.parametrize("exponent", [-21, 13, -(2**31), 2**31 - 1])
def test_read__exponent_out_of_range__is_refused(exponent: int) -> None:
    with pytest.raises(SourceRefused, match=f"exponent {exponent}"):
        read(world(VALUE, 0, exponent))


def test_read__expo_change_from_minus_8_to_minus_4__keeps_the_price() -> None:
    before, after = world(250_0000_0000, 10_0000), world(250_0000, 10, -4)
    assert read(before) == read(after)


def test_read__price_less_than_1e_18__is_refused() -> None:
    with pytest.raises(SourceRefused, match="less than 1e-18"):
        read(world(9, 0, -20))


@given(st.integers(1, 2**63 - 1), st.integers(-20, 12))
def test_read__any_value_and_exponent__is_floored_and_never_zero(value: int, exponent: int) -> None:
    exact = value * WAD * 10 ** (exponent + 20)  # at a scale of 1e38
    if exact < 10**20:
        with pytest.raises(SourceRefused, match="less than 1e-18"):
            read(world(value, 0, exponent))
        return
    price = read(world(value, 0, exponent)).price
    assert price * 10**20 <= exact < (price + 1) * 10**20


@pytest.mark.parametrize(("interval", "refused"), [(20_000, False), (20_001, True), (2**64 - 1, True)])
def test_read__conf_beyond_the_limit_or_2_64_minus_1__is_refused(interval: int, refused: bool) -> None:
    chain = world(1_000_000, interval)
    if refused:
        with pytest.raises(SourceRefused, match=f"interval {interval} is wider than 200 bps"):
            read(chain)
    else:
        assert read(chain).price == WAD // 100


@given(st.integers(1, 2**63 - 1), st.integers(0, 2**64 - 1), st.integers(0, 499))
def test_read__any_interval__is_accepted_exactly_up_to_the_limit(value: int, interval: int, limit: int) -> None:
    chain = world(value, interval, 0)
    if interval * BPS > value * limit:
        with pytest.raises(SourceRefused, match="wider"):
            read(chain, max_confidence_bps=limit)
    else:
        assert 0 < read(chain, max_confidence_bps=limit).confidence <= 9_500


@pytest.mark.parametrize(("interval", "confidence"), [(0, 9_500), (1_000, 9_500), (10_000, 7_755), (20_000, 5_816)])
def test_confidence__interval__falls_from_10_bps_to_500(interval: int, confidence: int) -> None:
    assert read(world(1_000_000, interval)).confidence == confidence


def test_read__publish_time__is_when_it_was_observed_and_ages() -> None:
    found = read(world(published=NOW - 301))
    assert found == quote(time=NOW - 301)
    estimate = aggregate("ETH", [found], now=Timestamp(NOW), policy=AggregationPolicy(min_sources=1))
    assert estimate.excluded == (("eth-pyth", "stale"),)


@pytest.mark.parametrize(("ahead", "limit", "refused"), [(30, 30, False), (31, 30, True), (1, 0, True), (0, 0, False)])
def test_read__future_publish_time_within_the_age__is_refused_beyond_max_ahead(
    ahead: int, limit: int, refused: bool
) -> None:
    chain = world(published=NOW + ahead)
    if refused:
        with pytest.raises(SourceRefused, match=f"{NOW + ahead} is more than {limit} s ahead"):
            read(chain, max_ahead=limit)
    else:
        assert read(chain, max_ahead=limit).observed_at == NOW + ahead


def test_read__never_published__is_refused() -> None:
    with pytest.raises(SourceRefused, match="never published"):
        read(world(published=0))


def test_ema__option__reads_the_moving_average_with_its_own_time_and_interval() -> None:
    chain = world(ema=(2_000, 4, 0, NOW - 100))
    assert read(chain, price="ema") == quote(2_000 * WAD, 9_306, NOW - 100)


@pytest.mark.parametrize("price", ["spot", "ema"])
@pytest.mark.parametrize(("value", "refused"), [(1_050, False), (1_051, True), (950, False), (949, True)])
def test_ema__gap_beyond_its_limit__is_refused_for_either_price(price: str, value: int, refused: bool) -> None:
    chain = world(value, 0, -2, ema=(100, 0, -1, PUBLISHED))
    assert read(chain, price=price).observed_at == PUBLISHED
    if refused:
        with pytest.raises(SourceRefused, match="more than 500 bps apart"):
            read(chain, price=price, max_ema_gap_bps=500)
    else:
        assert read(chain, price=price, max_ema_gap_bps=500) == read(chain, price=price)


@pytest.mark.parametrize(
    ("ema", "message"),
    [
        ((0, 0, -8, PUBLISHED), "price 0 is not positive"),
        ((-1, 0, -8, PUBLISHED), "price -1 is not positive"),
        ((VALUE, 0, 13, PUBLISHED), "exponent 13 lies outside"),
    ],
)
def test_ema__reference_that_is_no_price__is_refused(ema: tuple[int, int, int, int], message: str) -> None:
    assert read(world(ema=ema)) == quote()
    with pytest.raises(SourceRefused, match=message):
        read(world(ema=ema), max_ema_gap_bps=500)


def test_price_id__upper_case__is_the_same_source() -> None:
    assert source(price_id="0x" + "AB" * 32) == source()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"price_id": "0xabcd"}, "64 hexadecimal digits"),
        ({"price_id": int(ID, 16)}, "put it in quotes"),
        ({"price_id": "ab" * 32}, "64 hexadecimal digits"),
        ({"max_confidence_bps": 500}, "leaves no confidence"),
        ({"price": "twap"}, "price"),
        ({"max_age": 0}, "max_age"),
        ({"max_ahead": -1}, "max_ahead"),
    ],
)
def test_configuration__wrong__is_refused_naming_the_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source(**changes)
