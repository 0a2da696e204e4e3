"""Answers of services: JSON whose numbers stay text, decimals as scaled integers, addresses that may be asked."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import EmptyResult, MalformedResult
from navoracle.domain.units import WAD, Rounding
from navoracle.services import (
    check_service_url,
    decimal_of,
    decode_json,
    decode_object,
    json_array,
    scaled_decimal,
    whole_of,
)

DOWN, UP = Rounding.DOWN, Rounding.UP


@pytest.mark.parametrize(
    ("text", "wad"),
    [
        ("1", WAD),
        ("0.9987", 998_700_000_000_000_000),
        ("1e-7", 10**11),
        ("1.5E+3", 1_500 * WAD),
        ("-2.5", -25 * WAD // 10),
        ("0.000000000000000001", 1),
        ("3e-18", 3),
        ("120000000000000000000000.000000000000000000", 120_000_000_000_000_000_000_000 * WAD),
        ("-0", 0),
        ("0e77", 0),
    ],
)
def test_scaled_decimal__exact_number__is_the_same_in_both_directions(text: str, wad: int) -> None:
    assert scaled_decimal(text, 18, DOWN) == scaled_decimal(text, 18, UP) == wad


@pytest.mark.parametrize(
    ("text", "down", "up"),
    [
        ("1e-19", 0, 1),
        ("0.0000000000000000015", 1, 2),
        ("-1e-19", -1, 0),
        ("0.9999999999999999999", WAD - 1, WAD),
    ],
)
def test_scaled_decimal__more_places_than_held__is_rounded_as_said(text: str, down: int, up: int) -> None:
    assert (scaled_decimal(text, 18, DOWN), scaled_decimal(text, 18, UP)) == (down, up)


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1 ", ".5", "5.", "1,000", "0x10", "1_0", "١", "1\n", "NaN", "Infinity", "-inf"),
        *("1e", "1e78", "1e-78", "1e9999", "9" * 81, "0." + "1" * 101),
    ],
)
def test_scaled_decimal__no_number_or_out_of_reach__is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a decimal number|out of reach"):
        scaled_decimal(text, 18, DOWN)


def test_decode_json__numbers_of_any_form__stay_the_text_they_were() -> None:
    data = (
        b'{"a": 0.1000000000000000055511151231257827, "b": 12345678901234567890123, "c": 1e-7, "d": "1.0", "e": null}'
    )
    assert decode_json(data, "answer") == {
        "a": "0.1000000000000000055511151231257827",
        "b": "12345678901234567890123",
        "c": "1e-7",
        "d": "1.0",
        "e": None,
    }


@pytest.mark.parametrize(
    "data",
    [b"<html>", b'{"a": NaN}', b'{"a": -Infinity}', b'{"a":1,"a":2}', b'{"a":', b"\xff\xfe", b"[" * 100_000],
)
def test_decode_json__anything_else__is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult, match="answer"):
        decode_json(data, "answer")


def test_decode_json__nothing__is_empty() -> None:
    with pytest.raises(EmptyResult, match="answer"):
        decode_json(b"", "answer")


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b'"text"', b"true"])
def test_decode_object__something_else__is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult, match="where an object was due"):
        decode_object(data, "answer")


def test_json_array__something_else__is_malformed() -> None:
    assert json_array(["1"], "answer") == ["1"]
    with pytest.raises(MalformedResult, match="an object where an array was due"):
        json_array({}, "answer")


@pytest.mark.parametrize("value", [None, True, {}, [], "", "NaN"])
def test_decimal_of__no_number__is_malformed(value: object) -> None:
    with pytest.raises(MalformedResult, match="figure"):
        decimal_of(value, 18, DOWN, "figure")


@pytest.mark.parametrize("value", [None, True, "-1", "1.0", "1e3", "9" * 16, ""])
def test_whole_of__no_whole_number__is_malformed(value: object) -> None:
    assert whole_of("1700000000000", "time") == 1_700_000_000_000
    with pytest.raises(MalformedResult, match="time"):
        whole_of(value, "time")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://hermes.example/", "https://hermes.example"),
        ("https://api.example/api/v3", "https://api.example/api/v3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:1/x/", "http://localhost:1/x"),
        ("https://api.example/price-service/api/v3", "https://api.example/price-service/api/v3"),
        ("https://api.example/off-chain-price-service", "https://api.example/off-chain-price-service"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_check_service_url__encrypted_or_this_machine__is_kept_without_its_last_slash(url: str, kept: str) -> None:
    assert check_service_url(url) == kept


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://api.example", "without encryption"),
        ("http://127.0.0.1.example", "without encryption"),
        ("ftp://api.example", "not an address"),
        ("api.example", "not an address"),
        ("https://", "not an address"),
        (5, "not an address"),
        ("api.example/x?key=secret", "not an address"),
        ("ftp://user:secret@api.example", "not an address"),
        ("https://[secret", "not an address"),
        ("https://user:secret@ap\u2100i.example", "not an address"),
        ("https://api.example/secret0123456789ab", "looks like a key"),
        ("https://api.example/v2/secret-0123456789abcdef/", "looks like a key"),
        ("https://user:secret@api.example", "more than host and path"),
        ("https://api.example?key=secret", "more than host and path"),
        ("https://api.example#secret", "more than host and path"),
    ],
)
def test_check_service_url__anything_else__is_refused_without_its_secret(url: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        check_service_url(url)
    assert "secret" not in str(refused.value)
