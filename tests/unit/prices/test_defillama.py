"""DefiLlama's current prices."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.ports import Answer, HttpGet
from navoracle.prices import DefiLlamaSource
from navoracle.testing import Example, ReaderSpec, drive, read_point

NOW = 1_700_000_000
AT = read_point(NOW, chain=None)
COIN = "ethereum:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
GET = HttpGet(f"https://coins.llama.fi/prices/current/{COIN}")


def source(**changes: Any) -> DefiLlamaSource:
    fields = {"kind": "defillama", "id": "llama", "asset": "USDC", "group": "exchanges", "coin": COIN}
    return DefiLlamaSource.model_validate({**fields, **changes})


def body(key: str = COIN, **changes: Any) -> bytes:
    stated = {"decimals": 6, "symbol": "USDC", "price": 0.9998, "timestamp": NOW - 90, "confidence": 0.99, **changes}
    return json.dumps({"coins": {key: stated}}).encode()


def read(data: bytes) -> Quote:
    return drive(source().read(AT), {GET: Answer(data)})


class TestDefiLlamaSpec(ReaderSpec):
    def example(self) -> Example:
        time = Timestamp(NOW - 90)
        price = Wad(999_800_000_000_000_000)
        expected = Quote("USDC", "llama", "exchanges", price, Bps(5_940), time, max_age=300, published_at=time)
        return Example(source(), {GET: body()}, AT, expected)


@pytest.mark.parametrize("data", [b'{"coins":{}}', body("base:0x1"), body("coingecko:usd-coin")])
def test_read__missing_key_is_absent__is_refused_by_name(data: bytes) -> None:
    with pytest.raises(SourceRefused, match=f"0 prices of {COIN}"):
        read(data)


def test_read__address_in_other_letters__is_the_same_coin() -> None:
    assert read(body(COIN.lower())).price == 999_800_000_000_000_000


def test_read__one_coin_under_two_spellings__is_refused() -> None:
    both = {**json.loads(body())["coins"], **json.loads(body(COIN.lower()))["coins"]}
    with pytest.raises(SourceRefused, match="2 prices"):
        read(json.dumps({"coins": both}).encode())


def test_read__float_json__is_taken_digit_by_digit() -> None:
    data = body().replace(b"0.9998", b"0.99980000000000000002")
    assert read(data).price == 999_800_000_000_000_000
    assert read(body().replace(b"0.9998", b"0.123456789012345678")).price == 123_456_789_012_345_678


@pytest.mark.parametrize(("stated", "confidence"), [(1, 6_000), (0.5, 3_000), (0, 0), (0.999, 5_994)])
def test_read__its_confidence__multiplies_ours(stated: float, confidence: int) -> None:
    assert read(body(confidence=stated)).confidence == confidence


@pytest.mark.parametrize("stated", [None, 1.01, -0.1, 99])
def test_read__its_confidence_missing_or_beyond_one__is_refused(stated: float | None) -> None:
    with pytest.raises(SourceRefused, match="not 0 to 1"):
        read(body(confidence=stated))


@pytest.mark.parametrize("changes", [{"price": None}, {"price": 0}, {"timestamp": None}, {"timestamp": 0}])
def test_read__price_or_time_missing__is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SourceRefused):
        read(body(**changes))


@pytest.mark.parametrize("data", [b"{}", b'{"coins":[]}', b'{"coins":{"' + COIN.encode() + b'":1}}', b"Bad Gateway"])
def test_read__answer_of_another_shape__is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult):
        read(data)


@pytest.mark.parametrize("coin", ["0xA0b8", "ethereum:", "ethereum:0x1,base:0x2", "ethereum:../x", "a:b?c=d"])
def test_configuration__coin_of_another_form__is_refused(coin: str) -> None:
    with pytest.raises(ValidationError):
        source(coin=coin)
