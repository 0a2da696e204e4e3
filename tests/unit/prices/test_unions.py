"""The unions that configuration is validated with."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from navoracle.ports import PriceSource, RateSource
from navoracle.prices import ChainlinkSource, Erc4626Rate, PendlePtRate, PendlePtSyRate, Rate, RecordedSource, Source
from tests.unit.addresses import address

SOURCES: TypeAdapter[Source] = TypeAdapter(Source)
RATES: TypeAdapter[Rate] = TypeAdapter(Rate)


def test_source__kind__decides_the_model() -> None:
    chainlink = {"kind": "chainlink", "chain": "local", "feed": address(1), "heartbeat": 3_600}
    recorded = {"kind": "recorded", "series": "file", "max_age": 900}
    common = {"id": "a", "asset": "USDC", "group": "a"}
    sources: list[PriceSource] = [SOURCES.validate_python({**fields, **common}) for fields in (chainlink, recorded)]
    assert [type(source) for source in sources] == [ChainlinkSource, RecordedSource]
    assert [source.chain for source in sources] == ["local", None]


def test_rate__kind__decides_the_model() -> None:
    pendle = {name: address(index + 1) for index, name in enumerate(("oracle", "market", "pt", "sy", "base_token"))}
    vault = {"vault": address(1), "underlying": address(2)}
    common = {"id": "a", "chain": "local", "base": "USDC"}
    rates: list[RateSource] = [
        RATES.validate_python({"kind": kind, **fields, **common})
        for kind, fields in (("pendle_pt", pendle), ("pendle_pt_sy", pendle), ("erc4626", vault))
    ]
    assert [type(rate) for rate in rates] == [PendlePtRate, PendlePtSyRate, Erc4626Rate]
    assert [rate.base for rate in rates] == ["USDC"] * 3


@pytest.mark.parametrize("kind", ["erc20", "", None])
def test_source__unknown_kind__is_refused_naming_the_known_ones(kind: object) -> None:
    with pytest.raises(ValidationError, match="'chainlink'.*'recorded'"):
        SOURCES.validate_python({"kind": kind, "id": "a"})


def test_schema__sources_and_rates__ask_for_nothing_that_their_section_knows() -> None:
    for model in SOURCES.json_schema()["$defs"].values():
        assert "asset" not in model["properties"]
        assert "asset" not in model["required"]
        assert "id" not in model["required"]
    for model in RATES.json_schema()["$defs"].values():
        assert "id" not in model["properties"]
