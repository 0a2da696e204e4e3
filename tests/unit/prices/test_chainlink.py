"""Chainlink-shaped feeds: heartbeat, every refusal, bounds, sequencer and scale."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.abi import encode_call, selector
from navoracle.domain.errors import (
    CallReverted,
    ConfigurationError,
    DecimalsChanged,
    EmptyResult,
    ReadError,
    SourceRefused,
)
from navoracle.domain.prices import AggregationPolicy, Quote, aggregate
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.ports import Answer, Call, Request
from navoracle.prices import ChainlinkSource
from navoracle.prices.reverts import message_revert
from navoracle.prices.rounds import ROUND_TYPES
from navoracle.testing import Example, FakeChain, ReaderSpec, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
FEED, AGGREGATOR, SEQUENCER = address(1), address(2), address(3)
HEARTBEAT, GRACE = 3_600, 300
ROUND = (1 << 64) + 5
ANSWER = 1_999_50000000
UPDATED = NOW - 1_200


def source(**changes: Any) -> ChainlinkSource:
    fields = {
        "kind": "chainlink",
        "id": "eth-usd",
        "asset": "ETH",
        "group": "chainlink",
        "chain": "local",
        "feed": FEED,
        "heartbeat": HEARTBEAT,
        "decimals": 8,
    }
    return ChainlinkSource.model_validate({**fields, **changes})


def world(
    answer: int = ANSWER,
    updated: int = UPDATED,
    *,
    round_id: int = ROUND,
    answered_in: int | None = None,
    decimals: int = 8,
    feed: str = FEED,
) -> FakeChain:
    if AT.block is None:
        raise ValueError("these tests read a chain")
    chain = FakeChain(AT.block)
    answered = round_id if answered_in is None else answered_in
    chain.put(FEED, "latestRoundData()", (), ROUND_TYPES, round_id, answer, updated, updated, answered)
    chain.put(FEED, "decimals()", (), ("uint8",), decimals)
    return chain


def read(chain: FakeChain, **changes: Any) -> Quote:
    return drive(source(**changes).read(AT), chain.answer)


def quote(**changes: Any) -> Quote:
    expected = Quote(
        asset="ETH",
        source="eth-usd",
        group="chainlink",
        price=Wad(1_999 * WAD + WAD // 2),
        confidence=Bps(9_500),
        observed_at=Timestamp(NOW),
        max_age=None,
        published_at=Timestamp(UPDATED),
    )
    return replace(expected, **changes)


def with_bounds(chain: FakeChain, low: int, high: int) -> FakeChain:
    chain.put(FEED, "aggregator()", (), ("address",), AGGREGATOR)
    chain.put(AGGREGATOR, "minAnswer()", (), ("int192",), low)
    chain.put(AGGREGATOR, "maxAnswer()", (), ("int192",), high)
    return chain


def with_phase(chain: FakeChain, phase: int) -> FakeChain:
    chain.put(FEED, "phaseId()", (), ("uint16",), phase)
    chain.put(FEED, "aggregator()", (), ("address",), AGGREGATOR)
    return chain


def with_sequencer(chain: FakeChain, answer: int, started: int) -> FakeChain:
    chain.put(SEQUENCER, "latestRoundData()", (), ROUND_TYPES, 1, answer, started, started, 1)
    return chain


class TestChainlinkSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(source(), world().good_answers(), AT, quote())


class TestChainlinkWithEverythingSpec(ReaderSpec):
    def example(self) -> Example:
        chain = with_sequencer(with_bounds(world(), 1, 2**191 - 1), 0, NOW - 86_400)
        reader = source(check_bounds=True, sequencer=SEQUENCER, quoted_in="USDT", deviation_bps=50)
        return Example(reader, chain.good_answers(), AT, quote(confidence=Bps(9_000)))


class TestChainlinkWithPhaseSpec(ReaderSpec):
    def example(self) -> Example:
        reader = source(check_phase=True, phase=1, aggregator=AGGREGATOR)
        return Example(reader, with_phase(world(), 1).good_answers(), AT, quote())


class TestChainlinkDirectSpec(ReaderSpec):
    def example(self) -> Example:
        reader = source(direct=True, sender=address(9), check_phase=True, phase=1, aggregator=AGGREGATOR)
        answers: dict[Request, bytes] = {
            request._replace(direct=True, sender=address(9)): data
            for request, data in with_phase(world(), 1).good_answers().items()
            if isinstance(request, Call)
        }
        return Example(reader, answers, AT, quote())


@pytest.mark.parametrize("age", [0, 1, HEARTBEAT, HEARTBEAT + GRACE])
def test_read__round_within_heartbeat_and_grace__is_observed_at_the_block(age: int) -> None:
    found = read(world(updated=NOW - age))
    assert found.observed_at == NOW
    assert found.published_at == NOW - age


def test_read__round_past_heartbeat_and_grace__is_stale() -> None:
    written = NOW - HEARTBEAT - GRACE - 1
    found = read(world(updated=written))
    assert found == quote(observed_at=Timestamp(written), published_at=Timestamp(written), max_age=HEARTBEAT + GRACE)
    estimate = aggregate("ETH", [found], now=Timestamp(NOW), policy=AggregationPolicy(min_sources=1))
    assert estimate.excluded == (("eth-usd", "stale"),)


def test_read__grace_configured__counts() -> None:
    assert read(world(updated=NOW - HEARTBEAT - 1), grace=0).observed_at == NOW - HEARTBEAT - 1
    assert read(world(updated=NOW - HEARTBEAT - 1), grace=1).observed_at == NOW


@pytest.mark.parametrize("answer", [0, -1, -ANSWER])
def test_read__answer_not_positive__is_refused(answer: int) -> None:
    with pytest.raises(SourceRefused, match=f"price {answer} is not positive"):
        read(world(answer))


def test_read__first_round_not_there_and_all_zeros__is_refused_as_no_round() -> None:
    with pytest.raises(SourceRefused, match="no complete round"):
        read(world(0, 0, round_id=0))


def test_read__feed_reverts_after_shutdown__stays_a_revert() -> None:
    chain = world()
    chain.revert(FEED, "latestRoundData()", data=message_revert("disabled"))
    with pytest.raises(CallReverted):
        read(chain)


@pytest.mark.parametrize(
    ("reason", "message", "advice"),
    [("No access", "does not let its caller read", "direct: true"), ("No data present", "no round yet", "first round")],
)
def test_read__reverts_no_access_or_no_data_present__is_refused_with_the_remedy(
    reason: str, message: str, advice: str
) -> None:
    chain = world()
    chain.revert(FEED, "latestRoundData()", data=message_revert(reason))
    with pytest.raises(SourceRefused, match=message) as refused:
        read(chain)
    assert advice in refused.value.advice


def test_read__latest_answer_that_says_0_after_shutdown__is_never_asked() -> None:
    chain = world()
    chain.put(FEED, "latestAnswer()", (), ("int256",), 0)
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return chain.answer(request)

    assert drive(source().read(AT), answer) == quote()
    assert asked == [Call(FEED, encode_call("latestRoundData()")), Call(FEED, encode_call("decimals()"))]


def test_read__unknown_round_that_answers_zeros__is_never_asked_for() -> None:
    chain = world()
    for unknown in (0, ROUND - 1, ROUND + 1):
        chain.put(FEED, "getRoundData(uint80)", (unknown,), ROUND_TYPES, 0, 0, 0, 0, 0)
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return chain.answer(request)

    assert drive(source().read(AT), answer) == quote()
    assert not any(isinstance(each, Call) and each.data[:4] == selector("getRoundData(uint80)") for each in asked)
    with pytest.raises(SourceRefused, match="no complete round"):
        read(world(0, 0, round_id=0))


def test_resolve__pyth_aggregator_that_says_253_decimals_for_a_positive_exponent__is_refused() -> None:
    with pytest.raises(SourceRefused, match="253 decimals, outside 0 to 36"):
        drive(source(decimals=None).resolve(AT), world(decimals=253).answer)


def test_read__incomplete_round__is_refused() -> None:
    with pytest.raises(SourceRefused, match="no complete round"):
        read(world(updated=0))
    with pytest.raises(SourceRefused, match="no complete round"):
        read(world(round_id=0))


def test_read__round_later_than_its_block__is_refused() -> None:
    assert read(world(updated=NOW)).published_at == NOW
    with pytest.raises(SourceRefused, match=f"{NOW + 1} is later than its block"):
        read(world(updated=NOW + 1))


def test_read__timed_out_round_carries_an_older_answer__is_refused() -> None:
    with pytest.raises(SourceRefused, match=f"carries the answer of round {ROUND - 1}"):
        read(world(answered_in=ROUND - 1))


def test_read__phase_switch_from_8_to_18_decimals__is_refused_naming_both() -> None:
    with pytest.raises(DecimalsChanged, match=f"{FEED} had 8 decimals and now says 18"):
        read(world(ANSWER * 10**10, round_id=2 << 64 | 1, decimals=18))


def test_resolve__feed_that_looks_at_its_caller__asks_everything_directly() -> None:
    chain, asked = with_phase(world(), 1), list[Request]()

    def answer(request: Request) -> Answer:
        asked.append(request)
        return chain.answer(request)

    drive(source(direct=True, sender=address(9), check_phase=True, decimals=None).resolve(AT), answer)
    questions = ("decimals()", "phaseId()")
    assert asked == [Call(FEED, encode_call(question), direct=True, sender=address(9)) for question in questions]


def test_phase__changed_since_resolved__is_refused_naming_both() -> None:
    chain = with_phase(world(round_id=2 << 64 | 1), 2)
    assert read(chain) == quote()
    with pytest.raises(SourceRefused, match="was in phase 1 and is now in phase 2"):
        read(chain, check_phase=True, phase=1)
    assert read(chain, check_phase=True, phase=2) == quote()


def test_phase__change_that_also_changes_the_scale__is_refused_for_the_scale() -> None:
    with pytest.raises(DecimalsChanged, match="had 8 decimals and now says 18"):
        read(world(round_id=2 << 64 | 1, decimals=18), check_phase=True, phase=1)


def test_phase__checked_but_not_resolved__is_a_configuration_error() -> None:
    unresolved = source(check_phase=True)
    assert not unresolved.is_resolved
    with pytest.raises(ConfigurationError, match="phase"):
        drive(unresolved.read(AT), world().answer)
    resolved = drive(unresolved.resolve(AT), with_phase(world(), 3).answer)
    assert (resolved.phase, resolved.is_resolved) == (3, True)


def test_aggregator__another_than_configured__is_refused_naming_both() -> None:
    chain = with_phase(world(), 1)
    assert read(chain, aggregator=AGGREGATOR) == quote()
    with pytest.raises(SourceRefused, match=f"aggregator of {FEED} is {AGGREGATOR}, not the configured {address(4)}"):
        read(chain, aggregator=address(4))


def test_aggregator__the_feed_itself__is_asked_for_its_own_bounds() -> None:
    chain = world(1_050)
    chain.put(FEED, "minAnswer()", (), ("int192",), 1_000)
    chain.put(FEED, "maxAnswer()", (), ("int192",), 100_000)
    assert read(chain, aggregator=FEED, check_bounds=True, bound_margin_bps=499).price == 1_050 * 10**10
    with pytest.raises(SourceRefused, match="within 500 bps of the aggregator's bound 1000"):
        read(chain, aggregator=FEED, check_bounds=True, bound_margin_bps=500)


def test_read__no_contract__is_empty() -> None:
    if AT.block is None:
        raise ValueError("these tests read a chain")
    with pytest.raises(EmptyResult):
        drive(source().read(AT), FakeChain(AT.block).answer)


@given(st.integers(1, 2**255 - 1), st.integers(0, 36))
def test_read__any_answer_and_scale__is_floored_and_never_zero(answer: int, decimals: int) -> None:
    chain = world(answer, decimals=decimals)
    if answer * WAD < 10**decimals:
        with pytest.raises(SourceRefused, match="less than 1e-18"):
            read(chain, decimals=decimals)
        return
    price = read(chain, decimals=decimals).price
    assert price * 10**decimals <= answer * WAD < (price + 1) * 10**decimals
    assert price > 0


@pytest.mark.parametrize(("deviation", "confidence"), [(0, 9_500), (25, 9_250), (50, 9_000), (200, 7_500), (949, 10)])
def test_confidence__deviation_threshold__is_subtracted_ten_times(deviation: int, confidence: int) -> None:
    assert read(world(), deviation_bps=deviation).confidence == confidence


def test_confidence__threshold_that_leaves_none__is_refused() -> None:
    with pytest.raises(ValidationError, match="leaves no confidence"):
        source(deviation_bps=950)


@pytest.mark.parametrize(
    ("answer", "refused"),
    [(1_000, True), (1_099, True), (1_100, True), (1_101, False), (89_999, False), (90_000, True), (100_000, True)],
)
def test_bounds__answer_within_the_margin__is_refused(answer: int, refused: bool) -> None:
    chain = with_bounds(world(answer), 1_000, 100_000)
    assert read(chain).price == answer * 10**10
    if refused:
        with pytest.raises(SourceRefused, match="bound"):
            read(chain, check_bounds=True)
    else:
        assert read(chain, check_bounds=True).price == answer * 10**10


def test_bounds__narrower_margin__is_taken() -> None:
    chain = with_bounds(world(1_050), 1_000, 100_000)
    assert read(chain, check_bounds=True, bound_margin_bps=100).price == 1_050 * 10**10
    with pytest.raises(SourceRefused):
        read(chain, check_bounds=True, bound_margin_bps=500)


def test_bounds__aggregator_without_bounds__is_refused_not_skipped() -> None:
    chain = with_bounds(world(), 1, 2**191 - 1)
    chain.revert(AGGREGATOR, "minAnswer()")
    with pytest.raises(ReadError):
        read(chain, check_bounds=True)


@pytest.mark.parametrize(
    ("answer", "started", "message"),
    [
        (1, NOW - 10_000, "down since"),
        (0, NOW, "came up"),
        (0, NOW - 3_600, "came up"),
        (0, 0, "no valid round"),
        (0, NOW + 1, "no valid round"),
        (2, NOW - 10_000, "no valid round"),
        (-1, NOW - 10_000, "no valid round"),
    ],
)
def test_sequencer__down_or_just_up_or_not_started__is_refused(answer: int, started: int, message: str) -> None:
    with pytest.raises(SourceRefused, match=message):
        read(with_sequencer(world(), answer, started), sequencer=SEQUENCER)


def test_sequencer__up_longer_than_its_grace__is_good() -> None:
    assert read(with_sequencer(world(), 0, NOW - 3_601), sequencer=SEQUENCER) == quote()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sender": address(9)}, "direct"),
        ({"phase": 1}, "check_phase"),
        ({"heartbeat": 0}, "heartbeat"),
        ({"grace": -1}, "grace"),
        ({"decimals": 37}, "decimals"),
        ({"feed": "0x" + "ab" * 20}, "checksum"),
        ({"kind": "other"}, "kind"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_configuration__wrong__is_refused_naming_the_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source(**changes)
