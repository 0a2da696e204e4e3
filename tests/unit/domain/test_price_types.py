"""The values of pricing refuse what cannot be."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.prices import AggregationPolicy, LastValid, PriceStatus, unavailable
from navoracle.domain.units import Bps, Timestamp, Wad
from tests.unit.domain.builders import live, quote


@pytest.mark.parametrize("confidence", [-1, 10_001])
def test_confidence__out_of_range__raises(confidence: int) -> None:
    with pytest.raises(OutOfRange, match=f"confidence {confidence} outside 0 to 10000"):
        quote("1", confidence)
    with pytest.raises(OutOfRange, match=f"confidence {confidence} outside 0 to 10000"):
        LastValid(Wad(1), Bps(confidence), Timestamp(0))


def test_quote__negative_max_age__raises() -> None:
    with pytest.raises(OutOfRange, match="negative max_age"):
        quote("1", max_age=-1)


@pytest.mark.parametrize("price", [0, -1])
def test_last_valid__price_not_positive__raises(price: int) -> None:
    with pytest.raises(OutOfRange, match="not positive"):
        LastValid(Wad(price), Bps(9_000), Timestamp(0))


@pytest.mark.parametrize(
    "limits",
    [
        {"max_age": -1},
        {"max_future": -1},
        {"min_confidence": -1},
        {"min_confidence": 10_001},
        {"outlier_bps": -1},
        {"outlier_bps": 10_001},
        {"wide_bps": -1},
        {"wide_bps": 10_001},
        {"min_sources": 0},
        {"method": "mean"},
    ],
)
def test_policy__limit_out_of_range__raises_with_advice(limits: dict[str, Any]) -> None:
    with pytest.raises(OutOfRange) as refused:
        AggregationPolicy(**limits)
    assert refused.value.advice


def test_policy__limit_out_of_range__names_what_is_allowed() -> None:
    with pytest.raises(OutOfRange) as refused:
        AggregationPolicy(max_age=-1)
    assert refused.value.advice == "Set max_age to 0 or more."
    with pytest.raises(OutOfRange) as refused:
        AggregationPolicy(wide_bps=Bps(10_001))
    assert refused.value.advice == "Set wide_bps to 0 to 10000."


@pytest.mark.parametrize(
    "limits",
    [
        {"max_age": 0},
        {"max_future": 0},
        {"min_confidence": 0},
        {"min_confidence": 10_000},
        {"outlier_bps": 0},
        {"outlier_bps": 10_000},
        {"wide_bps": 0},
        {"wide_bps": 10_000},
        {"min_sources": 1},
    ],
)
def test_policy__limit_at_the_edge__is_accepted(limits: dict[str, Any]) -> None:
    AggregationPolicy(**limits)


def test_estimate__price_without_status__raises() -> None:
    with pytest.raises(DomainError, match="status unavailable with price"):
        replace(live("1"), status=PriceStatus.UNAVAILABLE)
    with pytest.raises(DomainError, match="status live with price None"):
        replace(live("1"), price=None)


def test_estimate__price_zero__raises() -> None:
    with pytest.raises(DomainError, match="not positive"):
        replace(live("1"), price=Wad(0))


def test_unavailable__any_reason__has_no_price_and_no_confidence() -> None:
    estimate = unavailable("X", "no_quotes", excluded=(("a", "stale"),))
    assert (estimate.price, estimate.confidence, estimate.status) == (None, 0, PriceStatus.UNAVAILABLE)
    assert (estimate.reason, estimate.excluded, estimate.native_alarm) == ("no_quotes", (("a", "stale"),), False)


def test_status__value__is_its_lower_case_name() -> None:
    assert [status.value for status in PriceStatus] == ["live", "estimated", "unavailable"]


def test_values__assigned_to__are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        quote("1").price = Wad(2)  # type: ignore[misc]
