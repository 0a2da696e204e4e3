"""Recorded rows as quotes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from navoracle.domain.errors import EmptyResult, MalformedResult, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.ports import Answer, RecordedRow
from navoracle.prices import RecordedSource
from navoracle.testing import Example, FakeOffChain, ReaderSpec, drive, read_point

NOW = 1_678_500_000
AT = read_point(NOW, chain=None)
ROW = RecordedRow("usdc-kraken")


def source(**changes: Any) -> RecordedSource:
    fields = {
        "kind": "recorded",
        "id": "kraken",
        "asset": "USDC",
        "group": "kraken",
        "series": "usdc-kraken",
        "max_age": 900,
    }
    return RecordedSource.model_validate({**fields, **changes})


def read(data: bytes) -> Quote:
    return drive(source().read(AT), {ROW: Answer(data)})


class TestRecordedSpec(ReaderSpec):
    def example(self) -> Example:
        price = Wad(WAD * 8766 // 10_000)
        known = Timestamp(NOW - 40)
        expected = Quote("USDC", "kraken", "kraken", price, Bps(9_000), known, max_age=900, published_at=known)
        return Example(source(), {ROW: b'{"time":1678499960,"price":"0.8766"}'}, AT, expected)


def test_read__row_of_the_present__is_taken_and_of_the_future_refused() -> None:
    assert read(b'{"time":1678500000,"price":"1"}').observed_at == NOW
    with pytest.raises(SourceRefused, match="not yet known"):
        read(b'{"time":1678500001,"price":"1"}')


@pytest.mark.parametrize("price", ["0", "-0.9", "0.000"])
def test_read__price_not_positive__is_refused(price: str) -> None:
    with pytest.raises(SourceRefused, match="not positive"):
        read(f'{{"time":1,"price":"{price}"}}'.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense",
        b"[]",
        b"null",
        b'{"time":1}',
        b'{"time":1,"price":"1","more":1}',
        b'{"time":"1","price":"1"}',
        b'{"time":true,"price":"1"}',
        b'{"time":1.0,"price":"1"}',
        b'{"time":1,"price":1}',
        b'{"time":1,"price":1.5}',
        b'{"time":1,"price":"NaN"}',
        b'{"time":1,"price":"1e3"}',
        b'{"time":1,"price":"0.1234567890123456789"}',
        b"\xff\xfe",
        b"[" * 1_024,
        b"[" * 100_000,
    ],
)
def test_read__row_of_another_shape__is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult):
        read(data)


def test_read__no_row_yet__is_empty() -> None:
    with pytest.raises(EmptyResult):
        drive(source().read(AT), FakeOffChain().answer)


def test_fake_off_chain__row_put_in__is_read() -> None:
    fake = FakeOffChain()
    fake.rows["usdc-kraken"] = (NOW, "0.99")
    assert drive(source().read(AT), fake.answer).price == WAD * 99 // 100


@pytest.mark.parametrize("changes", [{"max_age": 0}, {"confidence": 10_001}, {"series": ""}, {"chain": "local"}])
def test_configuration__wrong__is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        source(**changes)
