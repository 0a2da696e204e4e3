"""Chronicle oracles: toll, age, heartbeat and every refusal."""

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
from navoracle.ports import Address, Call, Request
from navoracle.prices import ChronicleSource
from navoracle.prices.chronicle import VALUE_TYPES
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
ORACLE, KISSED = address(1), address(2)
HEARTBEAT, GRACE = 43_200, 300
POKED = NOW - 7_200


def source(**changes: Any) -> ChronicleSource:
    fields = {
        "kind": "chronicle",
        "id": "eth-chronicle",
        "asset": "ETH",
        "group": "chronicle",
        "chain": "local",
        "oracle": ORACLE,
        "sender": KISSED,
        "heartbeat": HEARTBEAT,
        "decimals": 18,
    }
    return ChronicleSource.model_validate({**fields, **changes})


def world(good: bool = True, value: int = 2_500 * WAD, age: int = POKED) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(ORACLE, "tryReadWithAge()", (), VALUE_TYPES, good, value, age)
    chain.put(ORACLE, "decimals()", (), ("uint8",), 18)
    return chain


def answers(chain: FakeChain, sender: Address | None) -> dict[Request, bytes]:
    """What the chain answers, where the value is only given to a direct call of `sender`."""
    value = encode_call("tryReadWithAge()")
    return {
        request._replace(direct=True, sender=sender) if request.data == value else request: data
        for request, data in chain.good_answers().items()
        if isinstance(request, Call)
    }


def read(chain: FakeChain, **changes: Any) -> Quote:
    return drive(source(**changes).read(AT), chain.answer)


def quote(price: int = 2_500 * WAD, *, observed: int = NOW, written: int = POKED) -> Quote:
    return Quote(
        "ETH",
        "eth-chronicle",
        "chronicle",
        Wad(price),
        Bps(9_000),
        Timestamp(observed),
        published_at=Timestamp(written),
    )


class TestChronicleSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(source(), answers(world(), KISSED), AT, quote())


class TestChronicleAsNobodySpec(ReaderSpec):
    def example(self) -> Example:
        return Example(source(sender=None, grace=0), answers(world(), None), AT, quote())


def test_read__reader_not_whitelisted_by_the_toll__is_refused_with_advice_that_names_it() -> None:
    assert selector("NotTolled(address)").hex() == "d957b595"
    chain = world()
    chain.revert(ORACLE, "tryReadWithAge()", data=bytes.fromhex("d957b595") + bytes(32))
    with pytest.raises(SourceRefused, match="toll") as refused:
        read(chain)
    assert "sender" in refused.value.advice
    assert "kiss" in refused.value.advice


def test_read__any_other_revert__stays_a_revert() -> None:
    chain = world()
    chain.revert(ORACLE, "tryReadWithAge()", data=b"\x08\xc3\x79\xa0")
    with pytest.raises(CallReverted):
        read(chain)


def test_read__value_deleted_on_challenge_or_never_poked__is_refused() -> None:
    with pytest.raises(SourceRefused, match="has no value") as refused:
        read(world(False, 0, 0))
    assert "challenge" in refused.value.advice


@pytest.mark.parametrize("age", [0, 1, HEARTBEAT + GRACE])
def test_read__age_set_at_poke_within_heartbeat_and_grace__is_observed_at_the_block(age: int) -> None:
    assert read(world(age=NOW - age)) == quote(written=NOW - age)


def test_read__poke_past_heartbeat_and_grace__is_stale() -> None:
    found = read(world(age=NOW - HEARTBEAT - GRACE - 1))
    assert (found.observed_at, found.max_age) == (NOW - HEARTBEAT - GRACE - 1, HEARTBEAT + GRACE)
    estimate = aggregate("ETH", [found], now=Timestamp(NOW), policy=AggregationPolicy(min_sources=1))
    assert estimate.excluded == (("eth-chronicle", "stale"),)


@pytest.mark.parametrize(("age", "message"), [(0, "never written"), (NOW + 1, "later than its block")])
def test_read__age_of_zero_or_of_the_future__is_refused(age: int, message: str) -> None:
    with pytest.raises(SourceRefused, match=message):
        read(world(age=age))


def test_read__value_of_zero__is_refused() -> None:
    with pytest.raises(SourceRefused, match="price 0 is not positive"):
        read(world(value=0))


@given(st.integers(1, 2**128 - 1))
def test_read__any_value__is_taken_as_it_is(value: int) -> None:
    assert read(world(value=value)).price == value


def test_configuration__heartbeat_missing__is_refused() -> None:
    fields = {name: value for name, value in source().describe().items() if name != "heartbeat"}
    with pytest.raises(ValidationError, match="heartbeat"):
        ChronicleSource.model_validate(fields)
