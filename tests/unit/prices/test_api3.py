"""API3 feeds: heartbeat, data of the future, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.abi import encode_call, selector
from navoracle.domain.errors import CallReverted, SourceRefused
from navoracle.domain.prices import AggregationPolicy, Quote, aggregate
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.ports import Call
from navoracle.prices import Api3Source
from navoracle.prices.api3 import VALUE_TYPES, ahead_factor
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
PROXY = address(1)
HEARTBEAT, GRACE = 86_400, 300
WRITTEN = NOW - 7_200


def source(**changes: Any) -> Api3Source:
    fields = {
        "kind": "api3",
        "id": "eth-api3",
        "asset": "ETH",
        "group": "api3",
        "chain": "local",
        "proxy": PROXY,
        "heartbeat": HEARTBEAT,
    }
    return Api3Source.model_validate({**fields, **changes})


def world(value: int = 2_500 * WAD, time: int = WRITTEN) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(PROXY, "read()", (), VALUE_TYPES, value, time)
    return chain


def read(chain: FakeChain, **changes: Any) -> Quote:
    return drive(source(**changes).read(AT), chain.answer)


def quote(price: int = 2_500 * WAD, confidence: int = 9_000, *, observed: int = NOW, written: int = WRITTEN) -> Quote:
    return Quote(
        "ETH", "eth-api3", "api3", Wad(price), Bps(confidence), Timestamp(observed), published_at=Timestamp(written)
    )


class TestApi3Spec(ReaderSpec):
    def example(self) -> Example:
        return Example(source(), world().good_answers(), AT, quote())


class TestApi3AheadSpec(ReaderSpec):
    def example(self) -> Example:
        reader = source(max_ahead=3_600, deviation_bps=100, confidence=9_000, grace=0, quoted_in="USDT")
        return Example(reader, world(time=NOW + 900).good_answers(), AT, quote(confidence=6_000, written=NOW + 900))


def test_read__round_and_description__are_never_asked_for() -> None:
    assert next(source().read(AT)) == (Call(PROXY, encode_call("read()")),)


@pytest.mark.parametrize("age", [0, HEARTBEAT + GRACE])
def test_read__data_within_heartbeat_and_grace__is_observed_at_the_block(age: int) -> None:
    assert read(world(time=NOW - age)) == quote(written=NOW - age)


def test_read__data_past_heartbeat_and_grace__is_stale() -> None:
    written = NOW - HEARTBEAT - GRACE - 1
    found = read(world(time=written))
    assert (found.observed_at, found.max_age) == (written, HEARTBEAT + GRACE)
    estimate = aggregate("ETH", [found], now=Timestamp(NOW), policy=AggregationPolicy(min_sources=1))
    assert estimate.excluded == (("eth-api3", "stale"),)


@pytest.mark.parametrize("value", [0, -1, -(2**223)])
def test_read__negative_value_allowed_by_the_protocol__is_refused(value: int) -> None:
    with pytest.raises(SourceRefused, match=f"price {value} is not positive"):
        read(world(value))


@pytest.mark.parametrize("error", ["DataFeedIsNotInitialized()", "DapiNameIsNotSet()"])
def test_read__uninitialised_reverts__is_refused_with_advice(error: str) -> None:
    chain = world()
    chain.revert(PROXY, "read()", data=selector(error))
    with pytest.raises(SourceRefused, match="eth-api3: the") as refused:
        read(chain)
    assert "proxy's address" in refused.value.advice


def test_read__any_other_revert__stays_a_revert() -> None:
    chain = world()
    chain.revert(PROXY, "read()", data=b"\x01\x02\x03\x04")
    with pytest.raises(CallReverted):
        read(chain)


def test_read__time_of_zero__is_refused() -> None:
    with pytest.raises(SourceRefused, match="never written"):
        read(world(time=0))


@pytest.mark.parametrize(("ahead", "confidence"), [(0, 9_000), (1, 8_997), (36, 8_910), (300, 8_249)])
def test_read__data_up_to_1_h_in_the_future__is_allowed_and_confidence_falls(ahead: int, confidence: int) -> None:
    assert read(world(time=NOW + ahead)) == quote(confidence=confidence, written=NOW + ahead)


@pytest.mark.parametrize(("ahead", "limit"), [(301, 300), (1, 0), (3_601, 3_600)])
def test_read__data_farther_ahead_than_allowed__are_refused(ahead: int, limit: int) -> None:
    with pytest.raises(SourceRefused, match=f"{NOW + ahead} is later than its block"):
        read(world(time=NOW + ahead), max_ahead=limit)


@given(st.integers(-(2**32), 2**32))
def test_ahead_factor__any_lead__lies_in_0_to_1_and_is_floored(ahead: int) -> None:
    factor = ahead_factor(ahead)
    left = min(3_600, max(0, 3_600 - ahead))
    assert factor * 3_600 <= left * WAD < (factor + 1) * 3_600
    assert ahead_factor(ahead + 1) <= factor


def test_confidence__deviation_threshold__is_subtracted_before_the_lead_counts() -> None:
    assert read(world(time=NOW + 300), deviation_bps=100).confidence == 7_333


@given(st.integers(1, 2**223 - 1))
def test_read__any_value__is_taken_as_it_is(value: int) -> None:
    assert read(world(value)).price == value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_ahead": 3_601}, "max_ahead"),
        ({"max_ahead": -1}, "max_ahead"),
        ({"heartbeat": 0}, "heartbeat"),
        ({"deviation_bps": 900}, "leaves no confidence"),
    ],
)
def test_configuration__wrong__is_refused_naming_the_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source(**changes)
