"""Pyth prices over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from navoracle.domain.errors import MalformedResult, SourceDown, SourceRefused, Unauthorized
from navoracle.domain.prices import Quote
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.ports import Answer, HttpGet
from navoracle.prices import HermesSource
from navoracle.testing import Example, ReaderSpec, drive, read_point

NOW = 1_700_000_000
AT = read_point(NOW, chain=None)
ID = "0xeaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a"
GET = HttpGet(f"https://hermes.example/hermes/v2/updates/price/latest?ids[]={ID}&parsed=true", "pyth")


def source(**changes: Any) -> HermesSource:
    fields = {
        "kind": "hermes",
        "id": "pyth",
        "asset": "USDC",
        "group": "pyth",
        "base_url": "https://hermes.example/hermes/",
        "credential": "pyth",
        "price_id": ID,
    }
    return HermesSource.model_validate({**fields, **changes})


def body(**changes: Any) -> bytes:
    price = {"price": "99987654", "conf": "50000", "expo": -8, "publish_time": NOW - 3, **changes}
    average = {"price": "99900000", "conf": "60000", "expo": -8, "publish_time": NOW - 3}
    feed = {
        "id": ID.removeprefix("0x"),
        "price": price,
        "ema_price": average,
        "metadata": {"slot": 1, "proof_available_time": NOW - 2, "prev_publish_time": NOW - 4},
    }
    return json.dumps({"binary": {"encoding": "hex", "data": ["504e4155"]}, "parsed": [feed]}).encode()


def read(data: bytes, **changes: Any) -> Quote:
    return drive(source(**changes).read(AT), {GET: Answer(data)})


class TestHermesSpec(ReaderSpec):
    def example(self) -> Example:
        time = Timestamp(NOW - 3)
        price = Wad(99_987_654 * 10**10)
        expected = Quote("USDC", "pyth", "pyth", price, Bps(6_000), time, max_age=300, published_at=time)
        return Example(source(), {GET: body()}, AT, expected)


def test_read__ema__takes_the_average_with_its_own_interval() -> None:
    assert read(body(), price="ema").price == 99_900_000 * 10**10


def test_read__price_is_a_string_beyond_floating_point__is_exact() -> None:
    quote = read(body(price="9007199254740993", conf="1", expo=-18))
    assert quote.price == 9_007_199_254_740_993


@pytest.mark.parametrize(
    ("price", "expo", "wad"),
    [
        ("12", 3, 12_000 * WAD),
        ("7", 0, 7 * WAD),
        ("9223372036854775807", -20, 92_233_720_368_547_758),
        ("5", 12, 5 * 10**12 * WAD),
    ],
)
def test_read__exponent_of_either_sign__scales_rounded_down(price: str, expo: int, wad: int) -> None:
    assert read(body(price=price, conf="0", expo=expo)).price == wad


@pytest.mark.parametrize("expo", [-21, 13, 2**31 - 1, -(2**31)])
def test_read__exponent_out_of_reach__is_refused(expo: int) -> None:
    with pytest.raises(SourceRefused, match="outside -20 to 12"):
        read(body(expo=expo))


@pytest.mark.parametrize("price", ["0", "-99987654"])
def test_read__price_not_positive__is_refused(price: str) -> None:
    with pytest.raises(SourceRefused, match="not positive"):
        read(body(price=price))


def test_read__wide_interval__costs_confidence_then_the_price() -> None:
    # 200 of 500 bps: (500 - 200) / 490 of 60 %.
    assert read(body(price="10000", conf="200")).confidence == 6_000 * 300 // 490
    with pytest.raises(SourceRefused, match="wider than 200 bps"):
        read(body(price="10000", conf="201"))
    assert read(body(price="10000", conf="10")).confidence == 6_000


def test_read__interval_of_all_ones__is_refused() -> None:
    with pytest.raises(SourceRefused, match="wider than"):
        read(body(conf=str(2**64 - 1)))


def test_read__unknown_id_is_simply_absent__is_refused_by_name() -> None:
    for parsed in ([], [{**json.loads(body())["parsed"][0], "id": "00" * 32}]):
        with pytest.raises(SourceRefused, match=f"0 prices of {ID}"):
            read(json.dumps({"parsed": parsed}).encode())


def test_read__the_same_id_twice__is_refused() -> None:
    parsed = json.loads(body())["parsed"]
    with pytest.raises(SourceRefused, match="2 prices"):
        read(json.dumps({"parsed": parsed * 2}).encode())


def test_read__id_in_capitals_and_with_its_prefix__is_the_same_id() -> None:
    data = body().replace(ID.removeprefix("0x").encode(), ID.upper().replace("0X", "0x").encode())
    assert read(data).price == 99_987_654 * 10**10


@pytest.mark.parametrize("time", [0, None])
def test_read__never_published__is_refused(time: int | None) -> None:
    with pytest.raises(SourceRefused, match="publish_time"):
        read(body(publish_time=time))


def test_read__future_publish_time__is_kept_for_the_aggregation_to_refuse() -> None:
    assert read(body(publish_time=NOW + 60)).observed_at == NOW + 60


@pytest.mark.parametrize(
    "changes", [{"price": None}, {"price": "1.5"}, {"conf": None}, {"expo": "-8.0"}, {"publish_time": "soon"}]
)
def test_read__figure_of_another_form__is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedResult):
        read(body(**changes))


@pytest.mark.parametrize("data", [b"{}", b'{"parsed":null}', b'{"parsed":[1]}', b"<html>401</html>", b'{"parsed":{}}'])
def test_read__answer_of_another_shape__is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult):
        read(data)


def test_read__api_key_missing_or_wrong__is_a_source_down_and_not_stale() -> None:
    with pytest.raises(Unauthorized) as refused:
        drive(source().read(AT), {GET: Answer(b"", "unauthorized: https://hermes.example/***: HTTP 403")})
    assert isinstance(refused.value, SourceDown)


def test_request__server_errors_on_one_unknown_id__each_feed_asks_for_itself_alone() -> None:
    other = source(id="other", price_id="0x" + "ab" * 32)
    assert other.request != source().request
    assert [reader.request.url.count("ids[]=") for reader in (source(), other)] == [1, 1]
    assert "ignore_invalid_price_ids" not in other.request.url


def test_request__differently_written_settings__is_one_and_the_same() -> None:
    assert source(price_id=ID.upper().replace("0X", "0x")).request == source(id="other").request == GET


@pytest.mark.parametrize(
    "changes",
    [
        {"group": None},
        {"price_id": ID[:-1]},
        {"price_id": ID[2:]},
        {"price_id": 5},
        {"base_url": "http://hermes.example"},
        {"price": "last"},
        {"max_confidence_bps": 500},
        {"max_age": 0},
        {"chain": "local"},
    ],
)
def test_configuration__wrong__is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source(**changes)


def test_configuration__no_group__is_refused() -> None:
    described = source().describe()
    del described["group"]
    with pytest.raises(ValidationError, match="group"):
        HermesSource.model_validate(described)
