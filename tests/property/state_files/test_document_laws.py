"""Laws of the documents, for any fund frame."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from navoracle.domain.units import WAD, Wad, to_wad
from navoracle.state_files.documents import MODELS, documents_of
from navoracle.state_files.documents.rates import Rate
from navoracle.state_files.facts import Facts
from navoracle.state_files.schemas import schema_of
from navoracle.state_files.values import escaped
from tests.property.state_files.strategies import facts

FEW = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@cache
def validator(name: str) -> Draft202012Validator:
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def nulls(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The pointers of everything that is null; overrides hold what people wrote, null included."""
    if value is None:
        yield place
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in ("overrides", "unknown"):
                yield from nulls(each, (*place, escaped(key)))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from nulls(each, (*place, str(index)))


def matches(place: tuple[str, ...], pattern: str) -> bool:
    steps = pattern.split("/")[1:]
    return len(steps) == len(place) and all(a in ("*", b) for a, b in zip(steps, place, strict=True))


@FEW
@given(facts())
def test_documents__of_any_fund_frame__hold_to_their_schemas(said: Facts) -> None:
    found = documents_of(said)
    assert set(found) == set(MODELS)
    for name, content in found.items():
        errors = [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(json.loads(content))]
        assert errors == [], name


@FEW
@given(facts())
def test_documents__what_is_null__has_a_reason_and_what_has_a_reason_is_null(said: Facts) -> None:
    for name, content in documents_of(said).items():
        document = json.loads(content)
        missing = list(nulls(document))
        for place in missing:
            assert any(matches(place, pattern) for pattern in document["unknown"]), (name, place)
        for pattern, reason in document["unknown"].items():
            assert any(matches(place, pattern) for place in missing), (name, pattern)
            assert isinstance(reason, str)


def total(pieces: Any, field: str) -> int:
    rows = pieces.values() if isinstance(pieces, dict) else pieces
    return sum(to_wad(row[field]) for row in rows)


@FEW
@given(facts())
def test_aum__every_slicing__adds_up_to_gross_assets_exactly_in_both_currencies(said: Facts) -> None:
    aum = json.loads(documents_of(said)["nav.json"])["aum"]
    if said.valuation is None:
        assert aum["total_usd"] is None
        return
    assets = sum(row.value for row in said.valuation.positions if not row.component.is_liability)
    assert to_wad(aum["total_usd"]) == assets
    slicings = ("slices", "assets", "by_venue", "by_chain", "by_asset")
    for name in slicings:
        assert total(aum[name], "usd") == assets, name
        if aum["total_reporting"] is not None:
            assert total(aum[name], "reporting") == to_wad(aum["total_reporting"]), name
    assert total(aum["liabilities"], "usd") == to_wad(aum["liabilities_usd"])
    assert total(aum["offexchange"], "usd") == sum(
        to_wad(piece["usd"]) for piece in aum["slices"] if piece["kind"] == "asset"
    )
    assert set(aum["offexchange"]) == {piece["label"] for piece in aum["slices"] if piece["kind"] == "asset"}
    nav = said.valuation.after.nav
    assert to_wad(aum["total_usd"]) - to_wad(aum["liabilities_usd"]) - to_wad(aum["fees_usd"]) == nav


@FEW
@given(facts())
def test_positions__their_values_less_fees__are_the_nav(said: Facts) -> None:
    document = json.loads(documents_of(said)["positions.json"])
    if said.valuation is None:
        assert document["positions"] is None
        return
    values = sum(to_wad(row["value"]) for row in document["positions"])
    assert values - said.valuation.fees.total == said.valuation.after.nav


@given(st.lists(st.integers(-(10**30), 10**30), max_size=8), st.integers(1, 10**24))
def test_split__of_any_amounts__is_exact_in_its_sum_and_each_within_one(amounts: list[int], rate: int) -> None:
    told = Rate(Wad(rate), "live", None, "")
    parts = told.split(amounts)
    assert sum(part for part in parts if part is not None) == told.of(sum(amounts))
    for amount, part in zip(amounts, parts, strict=True):
        assert part is not None
        assert abs(part * WAD - amount * rate) < WAD
