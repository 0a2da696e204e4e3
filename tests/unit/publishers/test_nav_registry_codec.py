"""Headers, records, fund words and reasons of the NavRegistry, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.chain.artifacts import artifact
from navoracle.domain.errors import DomainError, MalformedResult, OutOfRange
from navoracle.domain.units import WAD, Timestamp
from navoracle.publishers.nav_registry_codec import (
    Reason,
    RecordSize,
    Status,
    decode_record,
    decode_word,
    encode_header,
    encode_record,
    reason_names,
)
from tests.unit.publishers.posts import fund_post


def test_encode_header__time_and_size__stand_where_the_contract_reads_them() -> None:
    assert encode_header(Timestamp(0x65_00_00_01), RecordSize.COMPONENTS) == 0x65000001_00_5C


def test_encode_record__plain__is_27_bytes_in_order() -> None:
    record = encode_record(fund_post(0x0102, nav=0x0A, estimated=True, components=(0x0A, 0, 0, 0, 0)), RecordSize.PLAIN)
    assert record.hex() == "0102" + "00" * 12 + "0a" + (WAD).to_bytes(11, "big").hex() + f"{0x80 | 95:02x}"


def test_encode_record__full__appends_nav_before_and_components() -> None:
    post = fund_post()
    record = encode_record(post, RecordSize.FULL)
    assert record[27:40] == post.nav_before.to_bytes(13, "big")
    assert record[40:] == b"".join(part.to_bytes(13, "big") for part in post.components)
    assert encode_record(post, RecordSize.BEFORE) == record[:40]
    assert encode_record(post, RecordSize.COMPONENTS) == record[:27] + record[40:]


@pytest.mark.parametrize(("bps", "percent"), [(0, 0), (99, 0), (100, 1), (9_999, 99), (10_000, 100)])
def test_encode_record__confidence__is_percent_rounded_down(bps: int, percent: int) -> None:
    assert encode_record(fund_post(confidence=bps), RecordSize.PLAIN)[26] == percent


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"fund_id": 1 << 16}, "id"),
        ({"fund_id": -1}, "id"),
        ({"nav": 1 << 104, "components": (1 << 104, 0, 0, 0, 0)}, "NAV"),
        ({"nav": -1, "components": (0, 0, 0, 1, 0)}, "NAV"),
        ({"price_per_share": 1 << 88}, "price per share"),
        ({"price_per_share": -1}, "price per share"),
        ({"nav_before": 1 << 104}, "before deposits"),
        ({"nav_before": -5}, "before deposits"),
        ({"components": ((1 << 104) + 10**24, 0, 0, 1 << 104, 0)}, "component"),
        ({"components": (10**24 + 1, 0, -1, 0, 0)}, "component"),
        ({"confidence": 10_001}, "confidence"),
        ({"confidence": -1}, "confidence"),
    ],
)
def test_encode_record__value_outside_its_field__raises_naming_the_fund(changes: dict[str, Any], what: str) -> None:
    post = fund_post(**changes)
    with pytest.raises(OutOfRange, match=f"{post.fund}.*{what}"):
        encode_record(post, RecordSize.FULL)


def test_encode_record__largest_values__fit() -> None:
    most = (1 << 104) - 1
    post = fund_post(0xFFFF, (1 << 88) - 1, nav=most, nav_before=most, components=(most, most, 0, most, 0))
    record = decode_record(encode_record(post, RecordSize.FULL))
    assert (record.nav, record.nav_before, record.components) == (most, most, post.components)


@pytest.mark.parametrize("size", [RecordSize.COMPONENTS, RecordSize.FULL])
def test_encode_record__components_that_do_not_add_up__raise(size: RecordSize) -> None:
    with pytest.raises(DomainError, match=r"fund1.*do not add up"):
        encode_record(fund_post(components=(1, 0, 0, 0, 0)), size)


@pytest.mark.parametrize("valuation_time", [-1, 1 << 32])
def test_encode_header__time_outside_32_bits__raises(valuation_time: int) -> None:
    with pytest.raises(OutOfRange, match="valuation time"):
        encode_header(Timestamp(valuation_time), RecordSize.PLAIN)


@pytest.mark.parametrize("length", [0, 26, 28, 91, 106])
def test_decode_record__no_record_of_that_length__raises(length: int) -> None:
    with pytest.raises(MalformedResult, match=f"{length} bytes"):
        decode_record(bytes(length))


def test_decode_word__zero__is_a_fund_that_never_was() -> None:
    word = decode_word(0)
    assert (word.nav, word.valuation_time, word.status) == (0, 0, Status(0))


def test_decode_word__negative_drift__is_signed() -> None:
    assert decode_word(0xFFFF << 16).day_drift == -1
    assert decode_word(0x8000 << 16).day_drift == -32_768
    assert decode_word(0x7FFF << 16).day_drift == 32_767


@pytest.mark.parametrize(
    ("bits", "names"),
    [(0, ""), (1, "step"), (3, "step+day_drift"), (16, "guardian"), (144, "guardian+held"), (513, "step+unknown_512")],
)
def test_reason_names__bits__are_named(bits: int, names: str) -> None:
    assert reason_names(bits) == names


def test_constants__reasons_and_statuses__are_the_contract_s() -> None:
    constants = artifact("NavRegistry").constants
    assert {f"REASON_{reason.name}": reason.value for reason in Reason}.items() <= constants.items()
    assert {f"STATUS_{status.name}": status.value for status in Status}.items() <= constants.items()
    named = {name for name in constants if name.startswith("REASON_")}
    assert named == {f"REASON_{reason.name}" for reason in Reason}
