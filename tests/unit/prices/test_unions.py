"""The unions that configuration is validated with."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

import navoracle.prices
from navoracle.ports import PriceSource, RateSource
from navoracle.prices import ChainlinkSource, Erc4626Rate, PendlePtRate, PendlePtSyRate, Rate, RecordedSource, Source
from navoracle.readers import ReaderModel
from tests.unit.addresses import address

SOURCES: TypeAdapter[Source] = TypeAdapter(Source)
RATES: TypeAdapter[Rate] = TypeAdapter(Rate)


def members(union: object) -> set[type[ReaderModel]]:
    """The models of a discriminated union."""
    return set(get_args(get_args(union)[0]))


def kinds(union: object) -> list[str]:
    return [get_args(model.model_fields["kind"].annotation)[0] for model in members(union)]


def test_unions__every_public_model__can_be_configured_as_a_vote_or_as_a_rate_and_never_as_both() -> None:
    public = {getattr(navoracle.prices, name) for name in navoracle.prices.__all__} - {Source, Rate}
    assert members(Source) | members(Rate) == public
    assert not members(Source) & members(Rate)
    assert not set(kinds(Source)) & set(kinds(Rate))


def test_rate__any_model__has_nothing_to_vote_with() -> None:
    for model in members(Source):
        assert {"asset", "group"} <= set(model.model_fields)
        assert "base" not in model.model_fields
    for model in members(Rate):
        assert not {"asset", "group", "quoted_in"} & set(model.model_fields)
        assert "base" in model.model_fields


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
    with pytest.raises(ValidationError, match=r"'chainlink'.*'recorded'"):
        SOURCES.validate_python({"kind": kind, "id": "a"})


def test_schema__sources_and_rates__ask_for_nothing_that_their_section_knows() -> None:
    for model in SOURCES.json_schema()["$defs"].values():
        assert "asset" not in model["properties"]
        assert "asset" not in model["required"]
        assert "id" not in model["required"]
    for model in RATES.json_schema()["$defs"].values():
        assert "id" not in model["properties"]
