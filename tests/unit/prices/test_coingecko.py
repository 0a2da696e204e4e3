"""CoinGecko's average of exchanges."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.prices import AggregationPolicy, Quote, aggregate
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.ports import Answer, HttpGet
from navoracle.prices import CoinGeckoSource
from navoracle.testing import Example, ReaderSpec, drive, read_point

NOW = 1_700_000_000
AT = read_point(NOW, chain=None)
GET = HttpGet(
    "https://api.coingecko.com/api/v3/simple/price"
    "?ids=usd-coin&vs_currencies=usd&include_last_updated_at=true&precision=full"
)
BODY = b'{"usd-coin":{"usd":0.9998123456789012345,"last_updated_at":1699999940}}'


def source(**changes: Any) -> CoinGeckoSource:
    fields = {"kind": "coingecko", "id": "coingecko", "asset": "USDC", "group": "exchanges", "coin": "usd-coin"}
    return CoinGeckoSource.model_validate({**fields, **changes})


def read(data: bytes) -> Quote:
    return drive(source().read(AT), {GET: Answer(data)})


class TestCoinGeckoSpec(ReaderSpec):
    def example(self) -> Example:
        time = Timestamp(NOW - 60)
        price = Wad(999_812_345_678_901_234)
        expected = Quote("USDC", "coingecko", "exchanges", price, Bps(6_000), time, max_age=300, published_at=time)
        return Example(source(), {GET: BODY}, AT, expected)


@pytest.mark.parametrize("data", [b"{}", b'{"tether":{"usd":1,"last_updated_at":1699999940}}'])
def test_read__id_typo_gives_an_empty_object__is_refused_by_name(data: bytes) -> None:
    with pytest.raises(SourceRefused, match="knows no coin usd-coin"):
        read(data)


@pytest.mark.parametrize("data", [b'{"usd-coin":{}}', b'{"usd-coin":{"usd":null,"last_updated_at":1699999940}}'])
def test_read__price_is_null__is_refused(data: bytes) -> None:
    with pytest.raises(SourceRefused, match="the price is null"):
        read(data)


@pytest.mark.parametrize("time", [b"null", b"0"])
def test_read__null_change_flags_stale__is_refused(time: bytes) -> None:
    with pytest.raises(SourceRefused, match="last_updated_at is"):
        read(BODY.replace(b"1699999940", time))


def test_read__cached_price__keeps_its_own_time_and_grows_stale() -> None:
    quote = read(BODY.replace(b"1699999940", b"1699999699"))
    assert quote.observed_at == NOW - 301
    estimate = aggregate("USDC", [quote], now=Timestamp(NOW), policy=AggregationPolicy(min_sources=1))
    assert estimate.excluded == (("coingecko", "stale"),)


@pytest.mark.parametrize("price", [b"0", b"-0.99", b"0.0", b"1e-19"])
def test_read__price_not_positive_or_nothing__is_refused(price: bytes) -> None:
    with pytest.raises(SourceRefused, match="not positive, or less than 1e-18"):
        read(BODY.replace(b"0.9998123456789012345", price))


@pytest.mark.parametrize("price", [b"NaN", b"Infinity", b"-Infinity", b'"soon"', b"[]", b"{}", b"true"])
def test_read__price_no_number__is_malformed(price: bytes) -> None:
    with pytest.raises(MalformedResult):
        read(BODY.replace(b"0.9998123456789012345", price))


def test_read__tiny_price_in_exponents__is_exact() -> None:
    assert read(BODY.replace(b"0.9998123456789012345", b"1.234e-07")).price == 123_400_000_000


@pytest.mark.parametrize("data", [b"<!DOCTYPE html><html>", b"[]", b'{"usd-coin":5}', b'{"status":{"error_code":429}'])
def test_read__error_page__is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult):
        read(data)


def test_request__paid_service__names_its_credential() -> None:
    paid = source(base_url="https://pro-api.coingecko.com/api/v3", credential="coingecko", vs_currency="eur")
    assert paid.request.url.startswith(
        "https://pro-api.coingecko.com/api/v3/simple/price?ids=usd-coin&vs_currencies=eur&"
    )
    assert paid.request.credential == "coingecko"
    assert paid.quote_currency == "EUR"


@pytest.mark.parametrize(
    "changes", [{"coin": "USDC&ids=x"}, {"coin": ""}, {"vs_currency": "usd,eur"}, {"base_url": "http://x.example"}]
)
def test_configuration__wrong__is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source(**changes)
