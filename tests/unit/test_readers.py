"""The base of all readers: configuration types, resolution and description."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from navoracle.domain.errors import ConfigurationError, DecimalsChanged, EmptyResult, MalformedResult, SourceRefused
from navoracle.domain.units import WAD, RawAmount, Wad
from navoracle.readers import (
    AmountText,
    BasisPoints,
    ChecksumAddress,
    DecimalWad,
    ReaderModel,
    block_of,
    check_decimals,
    check_names,
    decode_decimals,
    raw_amount,
    resolved_decimals,
)
from navoracle.testing import drive, read_point
from tests.unit.addresses import address

RIGHT = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"


class Settings(BaseModel, extra="forbid"):
    target: ChecksumAddress | None = None
    rate: DecimalWad = Wad(0)
    amount: AmountText = "0"
    limit: BasisPoints | None = None


class Sample(ReaderModel, frozen=True):
    section_fields: ClassVar[frozenset[str]] = frozenset({"asset"})
    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["sample"] = "sample"
    asset: str
    rate: DecimalWad = Wad(WAD // 20)
    decimals: int | None = None


SAMPLE = Sample(id="sample", asset="USDC")


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_address__right_checksum__is_kept() -> None:
    assert Settings.model_validate({"target": RIGHT}).target == RIGHT


@pytest.mark.parametrize("wrong", [RIGHT.lower(), "0x" + RIGHT[2:].upper(), RIGHT.replace("D4", "d4")])
def test_address__wrong_checksum__is_refused_naming_the_right_one(wrong: str) -> None:
    with pytest.raises(ValidationError, match=f"wrong checksum.*{RIGHT}"):
        Settings.model_validate({"target": wrong})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (int(RIGHT, 16), "in quotes"),
        (RIGHT[:-1], "40 hexadecimal digits"),
        (RIGHT + "0", "40 hexadecimal digits"),
        (RIGHT[2:], "40 hexadecimal digits"),
        (RIGHT + "\n", "40 hexadecimal digits"),
        ("0x" + "0" * 40, "zero address"),
        (None, ""),
    ],
)
def test_address__not_an_address__is_refused(value: object, message: str) -> None:
    if value is None:
        assert Settings.model_validate({"target": None}).target is None
        return
    with pytest.raises(ValidationError, match=message):
        Settings.model_validate({"target": value})


@pytest.mark.parametrize(("text", "wad"), [("0.05", WAD // 20), ("0", 0), ("42000.5", 42_000 * WAD + WAD // 2)])
def test_decimal_wad__text__is_exact(text: str, wad: int) -> None:
    assert Settings.model_validate({"rate": text}).rate == wad


@pytest.mark.parametrize("value", [0.05, 1, True, "-0.05", "5%", "1e-2", "", "0.0000000000000000001"])
def test_decimal_wad__not_an_exact_decimal__is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"rate": value})


@given(st.integers(0, 10**40))
def test_decimal_wad__written_and_read__is_the_same(wad: int) -> None:
    written = Settings().model_copy(update={"rate": Wad(wad)}).model_dump(mode="json")
    assert Settings.model_validate(written).rate == wad


@pytest.mark.parametrize("value", [-1, 10_001, 0.5])
def test_basis_points__out_of_range__are_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"limit": value})


@pytest.mark.parametrize("value", [1_000_000, 0.5, "-1", "1,000", "1e6", ".5", "5.", "١"])
def test_amount__not_digits_in_quotes__is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"amount": value})


@given(st.integers(0, 10**50), st.integers(0, 36))
def test_raw_amount__any_amount_and_scale__is_exact(value: int, decimals: int) -> None:
    whole, fraction = divmod(value, 10**decimals)
    text = f"{whole}.{fraction:0{decimals}d}" if decimals else str(whole)
    assert raw_amount(text, decimals) == RawAmount(value, decimals)


def test_raw_amount__more_places_than_decimals__is_refused() -> None:
    with pytest.raises(ValueError, match="6 decimals"):
        raw_amount("1.0000001", 6)
    assert raw_amount("1.0000000", 6) == RawAmount(1_000_000, 6)


def test_schema__fields_of_the_section__are_left_out() -> None:
    schema: dict[str, Any] = Sample.model_json_schema()
    assert "asset" not in schema["properties"]
    assert "id" in schema["properties"]
    assert schema["required"] == []
    with pytest.raises(ValidationError, match="asset"):
        Sample.model_validate({"id": "sample"})


def test_resolve__nothing_to_read__gives_the_reader_itself() -> None:
    assert drive(SAMPLE.resolve(read_point(1)), {}) is SAMPLE
    assert not SAMPLE.is_resolved
    assert SAMPLE.model_copy(update={"decimals": 0}).is_resolved


def test_describe__reader__is_plain_json() -> None:
    assert SAMPLE.describe() == {"id": "sample", "kind": "sample", "asset": "USDC", "rate": "0.05", "decimals": None}


def test_model__set_attribute_or_unknown_key__is_refused() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SAMPLE.asset = "DAI"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="colour"):
        Sample.model_validate({"id": "sample", "asset": "USDC", "colour": "red"})
    with pytest.raises(ValidationError, match="id"):
        Sample.model_validate({"id": "", "asset": "USDC"})


def test_block_of__point_without_block__is_a_configuration_error() -> None:
    at = read_point(7)
    assert block_of(SAMPLE, at) is at.block
    with pytest.raises(ConfigurationError, match="sample"):
        block_of(SAMPLE, read_point(7, chain=None))


def test_decimals__unresolved__is_a_configuration_error() -> None:
    assert resolved_decimals(SAMPLE, 0) == 0
    with pytest.raises(ConfigurationError, match="sample is not resolved"):
        resolved_decimals(SAMPLE, None)


@given(st.integers(0, 36))
def test_decode_decimals__zero_to_thirty_six__are_taken(decimals: int) -> None:
    assert decode_decimals(SAMPLE, address(1), word(decimals)) == decimals


@pytest.mark.parametrize("decimals", [37, 253, 256, 2**256 - 1])
def test_decode_decimals__beyond_thirty_six__are_refused(decimals: int) -> None:
    with pytest.raises(SourceRefused, match=f"{address(1)} says {decimals} decimals"):
        decode_decimals(SAMPLE, address(1), word(decimals))


def test_decode_decimals__no_number__is_refused() -> None:
    with pytest.raises(EmptyResult):
        decode_decimals(SAMPLE, address(1), b"")
    with pytest.raises(MalformedResult):
        decode_decimals(SAMPLE, address(1), word(6)[:-1])


def test_check_decimals__changed__names_contract_old_and_new() -> None:
    check_decimals(SAMPLE, address(1), word(8), 8)
    with pytest.raises(DecimalsChanged, match=f"{address(1)} had 8 decimals and now says 18") as caught:
        check_decimals(SAMPLE, address(1), word(18), 8)
    assert "restart" in caught.value.advice


def test_check_names__other_contract__is_refused_naming_both() -> None:
    check_names(SAMPLE, "asset()", address(0xAB), address(0xAB).lower())
    with pytest.raises(SourceRefused, match=rf"asset\(\) is {address(2)}, not the configured {address(1)}"):
        check_names(SAMPLE, "asset()", address(1), address(2).lower())
