"""Prices in tables and in the chart: what counted, what did not, ages against limits, gaps."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.dashboard.parts.price_chart import price_line
from navoracle.dashboard.parts.price_tables import (
    REASONS,
    age_against_limit,
    estimate_row,
    explained,
    limits_of,
    newest_row,
    source_row,
    vote_rows,
)
from navoracle.domain.units import WAD
from navoracle.read_model.estimates import Estimate, QuoteRecord, VoteRecord
from navoracle.read_model.prices import PolicyRecord, PricePoint, PriceRow

NOW = 1_700_000_000


def row(**changes: Any) -> PriceRow:
    fields: dict[str, Any] = {
        "asset": "ETH", "side": "asset", "price": str(2_000 * WAD), "confidence_bps": 9_000, "status": "live",
        "reason": None, "spread_bps": 3, "as_of": NOW - 5, "frame": "f", "now": NOW,
    }  # fmt: skip
    return PriceRow(**{**fields, **changes})


def quote(**changes: Any) -> QuoteRecord:
    fields: dict[str, Any] = {
        "source": "ETH.a", "group": "a", "price": str(1_990 * WAD), "confidence_bps": 9_000, "observed_at": NOW - 5,
        "age": 5, "max_age": 300, "published_at": None, "used": True, "excluded": None,
    }  # fmt: skip
    return QuoteRecord(**{**fields, **changes})


def estimate(**changes: Any) -> Estimate:
    fields: dict[str, Any] = {
        "asset": "ETH", "side": "debt", "price": str(2_000 * WAD), "undecayed_price": str(2_000 * WAD),
        "status": "live", "reason": None, "confidence_bps": 9_000, "spread_bps": 3, "as_of": NOW - 5,
        "published_at": NOW - 60,
        "votes": [VoteRecord(group="a", price=str(2_002 * WAD), confidence_bps=9_000, sources=["x", "y"])],
        "used": ["x", "y"], "excluded": [], "native_gap_bps": None, "native_alarm": False, "quotes": [],
    }  # fmt: skip
    return Estimate(**{**fields, **changes})


@pytest.mark.parametrize(
    ("age", "limit", "tone", "note"),
    [
        (0, 300, None, None),
        (239, 300, None, None),
        (240, 300, "warning", "nearly too old"),
        (300, 300, "warning", "nearly too old"),
        (301, 300, "bad", "too old"),
    ],
)
def test_age__against_its_limit__has_a_word_where_it_is_near_or_beyond(
    age: int, limit: int, tone: str | None, note: str | None
) -> None:
    cell = age_against_limit(age, limit)
    assert cell["text"] == f"{age} s of {limit} s"
    assert (cell.get("tone"), cell.get("note")) == (tone, note)


def test_age__limit_not_known__says_so_and_judges_nothing() -> None:
    assert age_against_limit(900, None) == {"text": "900 s", "note": "limit n/a"}


def test_source__excluded__says_why_in_words() -> None:
    cell = source_row(quote(used=False, excluded="outlier"), str(2_000 * WAD))
    assert cell["counts"] == {"text": "excluded", "tone": "bad", "note": REASONS["outlier"]}
    assert cell["distance"] == "-0.500 %"
    assert source_row(quote(), None)["distance"]["text"] == "n/a"
    assert source_row(quote(), None)["counts"]["text"] == "counts"


def test_reasons__of_exclusion_and_of_estimates__are_all_explained() -> None:
    for reason in (
        "non_positive", "low_confidence", "future", "stale", "outlier", "no_quotes", "no_majority", "no_quorum",
        "native_halt", "too_old",
    ):  # fmt: skip
        assert explained(reason) == REASONS[reason]
    assert explained(None) == ""


def test_newest__without_a_price__is_not_a_number_and_says_why() -> None:
    cells = newest_row(row(price=None, status="unavailable", reason="no_quorum", spread_bps=None, as_of=None))
    assert (cells["price"]["text"], cells["price"]["title"]) == ("n/a", REASONS["no_quorum"])
    assert cells["status"] == {"text": "unavailable", "tone": "bad", "note": REASONS["no_quorum"]}
    assert cells["spread"]["text"] == cells["as_of"]["text"] == "n/a"


def test_newest__price__has_all_its_digits_at_hand() -> None:
    cells = newest_row(row(price="2000123456789012345678"))
    assert cells["price"] == {"text": "2,000.12", "title": "2000.123456789012345678"}
    assert cells["asset"]["href"] == "/dashboard/prices?asset=ETH"


def test_estimate__alarm_of_the_protocols_rate__is_a_word() -> None:
    cells = estimate_row(estimate(native_gap_bps=-120, native_alarm=True))
    assert cells["native"] == {"text": "-1.20 %", "tone": "warning", "note": "alarm"}
    assert estimate_row(estimate(native_gap_bps=7))["native"] == "+0.07 %"
    assert estimate_row(estimate())["native"]["text"] == "n/a"


def test_votes__of_an_estimate__say_how_far_they_are_and_whose() -> None:
    (cells,) = vote_rows(estimate())
    assert (cells["group"], cells["distance"], cells["sources"]) == ("a", "+0.100 %", "x, y")


def test_limits__of_the_policy__are_told_with_their_units() -> None:
    told = limits_of(
        PolicyRecord(
            max_age=300, max_future=30, min_confidence=5_000, outlier_bps=1_000, wide_bps=500, min_sources=2,
            method="weighted_mean",
        )
    )  # fmt: skip
    assert told["Outlier beyond"] == "10.00 % from the median"
    assert told["Independent groups"] == "at least 2"
    assert told["Method"] == "weighted mean"


def point(at: int, price: int | None, status: str = "live", source: str = "frame") -> PricePoint:
    wad = None if price is None else str(price * WAD)
    return PricePoint.model_validate(
        {"time": at, "price": wad, "status": status, "confidence_bps": None, "source": source}
    )


def test_chart__missing_price__is_a_gap_and_a_mark_and_never_zero() -> None:
    series = price_line(
        [point(1, 5), point(2, 6, source="sample"), point(3, None, "unavailable"), point(4, 4, "estimated")]
    )["series"]
    assert series[0]["data"] == [[1_000, 5.0], [2_000, 6.0], [3_000, None], [4_000, 4.0]]
    assert series[0]["connectNulls"] is False
    live, estimated, unavailable = (each["data"] for each in series[1:])
    assert [mark["value"] for mark in live] == [[1_000, 5.0]]
    assert [mark["value"] for mark in estimated] == [[4_000, 4.0]]
    assert [mark["value"] for mark in unavailable] == [[3_000, 6.0]]
    assert "n/a" in unavailable[0]["name"]


def test_chart__nothing_known_before__has_no_place_for_a_mark() -> None:
    (curve,) = price_line([point(1, None, "unavailable")])["series"]
    assert curve["data"] == [[1_000, None]]
