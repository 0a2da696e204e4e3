"""RedStone push feeds: writes and signed data, feeds without rounds, and fundamental feeds, which never vote."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from navoracle.abi import selector
from navoracle.domain.errors import (
    ConfigurationError,
    DecimalsChanged,
    MalformedResult,
    SourceRefused,
)
from navoracle.domain.prices import AggregationPolicy, Quote, aggregate
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.ports import ProtocolRate
from navoracle.prices import Rate, RedstoneFundamentalRate, RedstoneSource, Source
from navoracle.prices.redstone import decode_feed_id, encode_feed_id, is_fundamental
from navoracle.prices.rounds import ROUND_TYPES
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
FEED, ADAPTER = address(1), address(2)
HEARTBEAT, GRACE = 21_600, 300
WRITTEN = NOW - 7_200
SIGNED_MS = (WRITTEN - 20) * 1_000 + 999
ANSWER = 2_650_12345678
GENERIC = "Redstone Price Feed"
COMMON = {"id": "weeth", "chain": "local", "feed": FEED, "heartbeat": HEARTBEAT, "decimals": 8}
MARKET = {**COMMON, "kind": "redstone", "asset": "weETH", "group": "redstone", "data_feed": "weETH"}
FUNDAMENTAL = {**COMMON, "kind": "redstone_fundamental", "base": "ETH", "data_feed": "weETH_FUNDAMENTAL"}


def source(**changes: Any) -> RedstoneSource:
    return RedstoneSource.model_validate({**MARKET, **changes})


def rate(**changes: Any) -> RedstoneFundamentalRate:
    return RedstoneFundamentalRate.model_validate({**FUNDAMENTAL, **changes})


def world(
    answer: int = ANSWER,
    written: int = WRITTEN,
    *,
    data_feed: str = "weETH",
    description: str = GENERIC,
    decimals: int = 8,
    round_id: int = 1,
) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(FEED, "latestRoundData()", (), ROUND_TYPES, round_id, answer, written, written, round_id)
    chain.put(FEED, "decimals()", (), ("uint8",), decimals)
    chain.put(FEED, "getDataFeedId()", (), ("bytes32",), encode_feed_id(data_feed))
    chain.put(FEED, "description()", (), ("string",), description)
    return chain


def with_adapter(chain: FakeChain, signed_ms: int = SIGNED_MS, written: int = WRITTEN) -> FakeChain:
    chain.put(FEED, "getPriceFeedAdapter()", (), ("address",), ADAPTER)
    feed_id = (encode_feed_id("weETH"),)
    details = ("uint256", "uint256", "uint256")
    chain.put(ADAPTER, "getLastUpdateDetails(bytes32)", feed_id, details, signed_ms, written, ANSWER)
    chain.put(ADAPTER, "getTimestampsFromLatestUpdate()", (), ("uint128", "uint128"), signed_ms, written)
    return chain


def fundamental_world(answer: int = 1_06000000, written: int = WRITTEN, **changes: Any) -> FakeChain:
    return world(answer, written, **{"data_feed": "weETH_FUNDAMENTAL", **changes})


def read(chain: FakeChain, **changes: Any) -> Quote:
    return drive(source(**changes).read(AT), chain.answer)


def read_rate(chain: FakeChain, **changes: Any) -> ProtocolRate:
    return drive(rate(**changes).read(AT), chain.answer)


def quote(price: int = ANSWER * 10**10, *, observed: int = NOW, written: int = WRITTEN) -> Quote:
    return Quote(
        "weETH",
        "weeth",
        "redstone",
        Wad(price),
        Bps(9_000),
        Timestamp(observed),
        published_at=Timestamp(written),
    )


class TestRedstoneSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(source(), world().good_answers(), AT, quote())


class TestRedstoneMultiFeedAdapterSpec(ReaderSpec):
    def example(self) -> Example:
        answers = with_adapter(world()).good_answers()
        return Example(source(adapter=ADAPTER), answers, AT, quote(written=WRITTEN - 20))


class TestRedstoneCommonAdapterSpec(ReaderSpec):
    def example(self) -> Example:
        answers = with_adapter(world()).good_answers()
        reader = source(adapter=ADAPTER, adapter_times="common", grace=0, quoted_in="USDT")
        return Example(reader, answers, AT, quote(written=WRITTEN - 20))


class TestRedstoneFundamentalRateSpec(ReaderSpec):
    def example(self) -> Example:
        value = ProtocolRate(Wad(WAD * 106 // 100), Wad(WAD * 106 // 100), Bps(10_000))
        return Example(rate(), fundamental_world().good_answers(), AT, value)


def test_read__round_id_always_1__is_a_good_round() -> None:
    assert read(world(round_id=1)) == quote()


def test_read__get_round_data_that_reverts_for_any_other_round__is_never_asked() -> None:
    chain = world(round_id=1)
    asked: list[bytes] = []

    def answer(request: Any) -> Any:
        asked.append(request.data[:4])
        return chain.answer(request)

    drive(source().read(AT), answer)
    questions = ("latestRoundData()", "decimals()", "getDataFeedId()", "description()")
    assert asked == [selector(question) for question in questions]


@pytest.mark.parametrize("age", [0, 1, HEARTBEAT + GRACE])
def test_read__write_within_heartbeat_and_grace__is_observed_at_the_block(age: int) -> None:
    assert read(world(written=NOW - age)) == quote(written=NOW - age)


def test_read__write_past_heartbeat_and_grace__is_stale() -> None:
    found = read(world(written=NOW - HEARTBEAT - GRACE - 1))
    assert (found.observed_at, found.max_age) == (NOW - HEARTBEAT - GRACE - 1, HEARTBEAT + GRACE)
    estimate = aggregate("weETH", [found], now=Timestamp(NOW), policy=AggregationPolicy(min_sources=1))
    assert estimate.excluded == (("weeth", "stale"),)


@pytest.mark.parametrize("times", ["per_feed", "common"])
def test_adapter__updated_at_is_only_the_block_of_the_write__age_counts_from_the_signed_data(times: str) -> None:
    signed = NOW - HEARTBEAT - GRACE - 1
    chain = with_adapter(world(written=NOW - 5), signed * 1_000 + 500, NOW - 5)
    assert read(chain) == quote(written=NOW - 5)
    found = read(chain, adapter=ADAPTER, adapter_times=times)
    assert (found.observed_at, found.published_at) == (signed, signed)


def test_adapter__data_signed_ahead_of_its_block__counts_from_the_write() -> None:
    chain = with_adapter(world(), (WRITTEN + 60) * 1_000)
    assert read(chain, adapter=ADAPTER) == quote()


@pytest.mark.parametrize(("signed_ms", "written"), [(SIGNED_MS, WRITTEN - 1), (SIGNED_MS, WRITTEN + 1), (0, WRITTEN)])
@pytest.mark.parametrize("times", ["per_feed", "common"])
def test_adapter__times_that_contradict_the_feed__are_refused(signed_ms: int, written: int, times: str) -> None:
    with pytest.raises(SourceRefused, match="its adapter says"):
        read(with_adapter(world(), signed_ms, written), adapter=ADAPTER, adapter_times=times)


def test_adapter__another_than_configured__is_refused_naming_both() -> None:
    chain = with_adapter(world())
    chain.put(FEED, "getPriceFeedAdapter()", (), ("address",), address(3))
    with pytest.raises(SourceRefused, match=f"is {address(3)}, not the configured {ADAPTER}"):
        read(chain, adapter=ADAPTER)


@pytest.mark.parametrize("answer", [0, -1])
def test_read__answer_not_positive__is_refused(answer: int) -> None:
    with pytest.raises(SourceRefused, match="not positive"):
        read(world(answer))


def test_read__write_of_the_future_or_never__is_refused() -> None:
    with pytest.raises(SourceRefused, match="later than its block"):
        read(world(written=NOW + 1))
    with pytest.raises(SourceRefused, match="no complete round"):
        read(world(written=0))


def test_read__decimals_other_than_the_default_of_8__are_read_not_assumed() -> None:
    assert read(world(ANSWER * 10**10, decimals=18), decimals=18) == quote()
    with pytest.raises(DecimalsChanged):
        read(world(decimals=18))


def test_read__feed_of_another_asset__is_refused_naming_both() -> None:
    with pytest.raises(SourceRefused, match="'ezETH', not 'weETH'"):
        read(world(data_feed="ezETH"))
    with pytest.raises(SourceRefused, match="'ezETH', not 'weETH'"):
        drive(source().resolve(AT), world(data_feed="ezETH").answer)


@pytest.mark.parametrize(
    ("data_feed", "description"),
    [
        ("weETH_FUNDAMENTAL", GENERIC),
        ("LBTC_FUNDAMENTAL", GENERIC),
        ("weETH", "RedStone Price Feed for weETH_FUNDAMENTAL"),
        ("weETH_Fundamental", GENERIC),
    ],
)
def test_fundamental__feed_is_a_rate_not_market__can_be_no_vote(data_feed: str, description: str) -> None:
    chain = world(data_feed=data_feed, description=description)
    with pytest.raises(SourceRefused, match="a rate and not a market price") as refused:
        read(chain)
    assert "redstone_fundamental" in refused.value.advice
    with pytest.raises(SourceRefused, match="a rate and not a market price"):
        drive(source(data_feed=None, decimals=None).resolve(AT), chain.answer)


def test_fundamental__named_in_the_configuration_of_a_source__is_refused_at_once() -> None:
    with pytest.raises(ValidationError, match="kind redstone_fundamental"):
        source(data_feed="weETH_FUNDAMENTAL")


def test_fundamental__rate__is_no_source_and_no_market_feed_is_a_rate() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Source).validate_python(FUNDAMENTAL)
    assert TypeAdapter(Rate).validate_python(FUNDAMENTAL) == rate()
    with pytest.raises(SourceRefused, match="a market feed"):
        read_rate(world(), data_feed="weETH")


def test_fundamental__described_as_such_only__is_a_rate() -> None:
    chain = world(1_06000000, data_feed="weETH", description="weETH_FUNDAMENTAL")
    assert read_rate(chain, data_feed="weETH").lower == WAD * 106 // 100


def test_fundamental__stale__is_refused() -> None:
    assert read_rate(fundamental_world(written=NOW - HEARTBEAT - GRACE)).lower > 0
    with pytest.raises(SourceRefused, match=f"older than {HEARTBEAT + GRACE} s"):
        read_rate(fundamental_world(written=NOW - HEARTBEAT - GRACE - 1))


@given(st.integers(-5, 10**30), st.integers(0, 36))
def test_fundamental__any_answer__rounds_down_for_assets_and_up_for_debts(answer: int, decimals: int) -> None:
    chain = fundamental_world(answer, decimals=decimals)
    if answer * WAD < 10**decimals:
        with pytest.raises(SourceRefused, match="is nothing"):
            read_rate(chain, decimals=decimals)
        return
    found = read_rate(chain, decimals=decimals)
    assert found.lower * 10**decimals <= answer * WAD <= found.higher * 10**decimals
    assert found.higher - found.lower == (1 if answer * WAD % 10**decimals else 0)


@pytest.mark.parametrize("reader", [source(data_feed=None), rate(data_feed=None)])
def test_read__data_feed_not_resolved__is_a_configuration_error(reader: Any) -> None:
    with pytest.raises(ConfigurationError, match="data feed is not known"):
        drive(reader.read(AT), world().answer)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=31))
def test_feed_id__any_text__comes_back(name: str) -> None:
    assert decode_feed_id(encode_feed_id(name)) == name


@given(st.binary(min_size=32, max_size=32).filter(any))
def test_feed_id__any_bytes__come_back(word: bytes) -> None:
    assert encode_feed_id(decode_feed_id(word)) == word


@pytest.mark.parametrize(
    ("word", "name"),
    [(b"x" * 31 + b"\0", "x" * 31), (b"x" * 32, "0x" + "78" * 32), (b"a\0b" + bytes(29), "0x610062" + "00" * 29)],
)
def test_feed_id__31_characters_or_a_hash__comes_back(word: bytes, name: str) -> None:
    assert decode_feed_id(word) == name
    assert encode_feed_id(name) == word


def test_feed_id__zeros__are_malformed() -> None:
    with pytest.raises(MalformedResult, match="zeros"):
        decode_feed_id(bytes(32))


@pytest.mark.parametrize("name", ["x" * 32, "wéETH", "0x" + "ab" * 33])
def test_feed_id__no_such_shape__is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="not a data feed id"):
        drive(source(data_feed=name, adapter=ADAPTER).read(AT), world().answer)


@given(st.text(max_size=10), st.text(max_size=10))
def test_is_fundamental__mark_anywhere__is_found(before: str, after: str) -> None:
    assert is_fundamental(f"{before}_FUNDAMENTAL{after}")
