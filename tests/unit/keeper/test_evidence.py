"""Canonical evidence: equal content is equal bytes, and nothing inexact gets in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import DomainError
from navoracle.domain.frame import ReadRecord
from navoracle.keeper.evidence import canonical, describe_request, evidence_hash, plain
from navoracle.keeper.verify import request_of
from navoracle.ports import Call, Document, NativeBalance, RecordedRow, Request
from tests.unit.addresses import address
from tests.unit.keeper.world import frame_plan, world


class Colour(Enum):
    RED = "red"
    ONE = 1


@dataclass(frozen=True, slots=True)
class Pair:
    right: object
    left: object


class Row(NamedTuple):
    b: int
    a: int


exact = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.sampled_from(Colour),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | st.builds(Pair, inner, inner)
        | st.builds(Row, st.integers(), st.integers())
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0, '"0"'),
        (-(10**40), '"-' + "1" + "0" * 40 + '"'),
        ("ü", '"\\u00fc"'),
        (b"\x00\xff", '"0x00ff"'),
        (b"", '"0x"'),
        (Colour.RED, '"red"'),
        (Colour.ONE, '"1"'),
        ((1, [2]), '["1",["2"]]'),
        ({"b": 1, "a": 2}, '{"a":"2","b":"1"}'),
        ({("USDC", "asset"): 1}, '{"USDC/asset":"1"}'),
        ({7: 1}, '{"7":"1"}'),
        (Pair(left=1, right="x"), '{"left":"1","right":"x"}'),
        (Row(1, 2), '{"a":"2","b":"1"}'),
    ],
)
def test_canonical__each_kind_of_value__has_one_form(value: object, text: str) -> None:
    assert canonical(value) == text.encode()


@pytest.mark.parametrize("value", [1.0, 0.1, float("nan"), float("inf"), Fraction(1, 2), {1, 2}, 1j, object()])
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"k": v}, lambda v: Pair(v, 1)])
def test_canonical__float_or_other_inexact_type__is_refused_however_deep(value: object, wrap: Any) -> None:
    with pytest.raises(DomainError, match="has no canonical form"):
        canonical(wrap(value))


@given(exact)
def test_canonical__anything_exact__is_stable_sorted_and_without_white_space(value: object) -> None:
    document = canonical(value)
    assert document == canonical(value)
    parsed = json.loads(document)
    assert parsed == plain(value)
    assert json.dumps(parsed, sort_keys=True, separators=(",", ":")).encode() == document
    assert document.isascii()


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_canonical__other_order_of_keys__is_the_same_bytes(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@given(st.integers(), st.integers())
def test_canonical__integers__are_equal_only_when_they_are(one: int, other: int) -> None:
    assert (canonical([one]) == canonical([other])) is (one == other)


def test_canonical__mapping_of_any_kind__is_taken() -> None:
    class Frozen(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            return {"a": 1}[key]

        def __iter__(self) -> Any:
            return iter(["a"])

        def __len__(self) -> int:
            return 1

    assert canonical(Frozen()) == b'{"a":"1"}'


def test_evidence_hash__of_a_document__is_its_keccak() -> None:
    assert evidence_hash(b"") == keccak(b"")
    assert evidence_hash(b"x") == keccak(b"x") != evidence_hash(b"y")


@pytest.mark.parametrize(
    "request_",
    [
        Call(address(1), b""),
        Call(address(1), b"\x01\x02"),
        Call(address(1), b"\x01", direct=True),
        Call(address(1), b"\x01", direct=True, sender=address(2)),
        NativeBalance(address(3)),
        RecordedRow("USDC.one"),
        Document("custody.json"),
    ],
)
def test_request__described_and_read_again__is_the_same(request_: Request) -> None:
    kind, described = describe_request(request_)
    parsed = json.loads(canonical(described))
    assert request_of(ReadRecord(None, kind, parsed, ok=True, data="0x")) == request_


async def test_fund_document__same_inputs_twice__are_the_same_bytes() -> None:
    first, second = world(), world()
    one, other = await first.frame(frame_plan()), await second.frame(frame_plan())
    assert one.id == other.id
    assert one.evidence == other.evidence


async def test_fund_document__one_answer_differs_by_a_wei__is_another_document_of_that_fund_alone() -> None:
    first, second = world(), world()
    second.quote("ETH.two", "2000.000000000000000001")
    one, other = await first.frame(frame_plan()), await second.frame(frame_plan())
    assert one.evidence["cash"] == other.evidence["cash"]
    assert one.evidence["mixed"] != other.evidence["mixed"]


async def test_fund_document__of_a_frame__holds_every_part_and_no_number_outside_a_string() -> None:
    frame = await world().frame(frame_plan())
    parsed = json.loads(frame.evidence["mixed"])
    assert set(parsed) == {
        "format",
        "code_version",
        "frame",
        "clock",
        "now",
        "stamps",
        "plan",
        "prior",
        "reads",
        "result",
    }
    assert parsed["frame"] == frame.id
    assert not list(_numbers(parsed))
    kinds = {read["kind"] for read in parsed["reads"]}
    assert kinds == {"call", "recorded_row"}
    assert all(read["data"].startswith("0x") for read in parsed["reads"])


async def test_fund_document__only_what_the_fund_needs__is_in_it() -> None:
    parsed = json.loads((await world().frame(frame_plan())).evidence["cash"])
    assert set(parsed["plan"]["assets"]) == {"USDC"}
    assert set(parsed["result"]["estimates"]) == {"USDC/asset"}
    assert {quote["asset"] for quote in parsed["result"]["quotes"]} == {"USDC"}
    assert "ETH.one" not in json.dumps(parsed["reads"])


async def test_fund_document__failed_read__is_kept_with_its_failure() -> None:
    broken = world()
    del broken.markets.rows["ETH.one"]
    parsed = json.loads((await broken.frame(frame_plan())).evidence["mixed"])
    (failed,) = [read for read in parsed["reads"] if not read["ok"]]
    assert failed["request"] == {"series": "ETH.one", "failure": "empty_result"}
    assert failed["data"] == "0x"


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
