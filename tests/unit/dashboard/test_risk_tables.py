"""The risk monitor's tables, the stress picture and the key figures, over documents that have everything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from navoracle.dashboard.pages.kpis import symbol_row, told
from navoracle.dashboard.parts.keeper_cards import LONGEST_RUNWAY, RUNWAY_CRITICAL, RUNWAY_WARNING, lane_row
from navoracle.dashboard.parts.risk_tables import lending_row, margin_row
from navoracle.dashboard.parts.stress_card import stress_lines
from navoracle.domain.units import Wad, to_wad
from navoracle.read_model.operations import LaneRecord
from navoracle.state_files.documents import ADAPTERS
from navoracle.state_files.documents.kpis import KpisDocument
from navoracle.state_files.documents.risk import RiskDocument
from navoracle.state_files.external import External, ExternalPart
from navoracle.state_files.facts import StressLine
from tests.unit.state_files.builders import NOW, documents

CRASH = StressLine(
    "crash", ("ETH",), to_wad("0.5"), to_wad("80"), to_wad("0.8"), to_wad("-0.2"), ("a", "b"), Wad(1), ()
)
SMALL = replace(CRASH, fall=to_wad("0.1"), nav_per_share=to_wad("1.9"), liquidated=())
LOST = replace(
    CRASH, fall=to_wad("0.9"), nav=None, nav_per_share=None, change=None, liquidated=(), failures=("no price",)
)


def risk(**changes: Any) -> RiskDocument:
    found: RiskDocument = ADAPTERS["risk.json"].validate_python(documents(**changes)["risk"])
    return found


def kpis(**changes: Any) -> KpisDocument:
    found: KpisDocument = ADAPTERS["kpis.json"].validate_python(documents(**changes)["kpis"])
    return found


def test_lending__loan__has_a_word_for_each_judgement() -> None:
    found = risk()
    cells = lending_row(found.lending[0], 0, found)
    assert cells["ltv"] == {"text": "89.16 %", "tone": "warning", "note": "warning"}
    assert cells["factor"] == {"text": "1.0655", "tone": "good", "note": "safe"}
    assert cells["move"] == "6.15 %"
    assert cells["threshold"] == {"text": "95.00 %", "note": "bonus 1.00 %"}


def test_lending__without_debt__is_not_a_number_and_says_why() -> None:
    found = risk()
    found.unknown["/lending/0/health_factor"] = "no_debt"
    cells = lending_row(replace(found.lending[0], health_factor=None, move_to_liquidation=None), 0, found)
    assert (cells["factor"]["text"], cells["factor"]["title"]) == ("n/a", "nothing is owed")
    assert cells["move"]["text"] == "n/a"


def test_margin__without_exposure__is_not_a_number_and_says_why() -> None:
    found = risk()
    cells = margin_row(found.margin[0], 0, found)
    assert (cells["ratio"]["text"], cells["ratio"]["title"]) == ("n/a", "there is no exposure")
    assert cells["free"] == {"text": "1,000.00 USDC", "title": "1000"}
    assert cells["ratio"]["note"] == "liquidated at 10.00 %"


def test_stress__falls__are_lines_from_today_on_with_marks_where_something_is_liquidated() -> None:
    lines = risk(stress=(LOST, CRASH, SMALL, replace(SMALL, name="other"))).stress
    assert lines is not None
    *curves, marks = stress_lines(lines, "2.05")["series"]
    assert {each["name"]: each["data"] for each in curves} == {
        "crash": [[0.0, 2.05], [10.0, 1.9], [50.0, 0.8]],
        "other": [[0.0, 2.05], [10.0, 1.9]],
    }
    assert [(each["name"], each["value"]) for each in marks["data"]] == [
        ("crash, 50.00 %\nliquidated: a, b", [50.0, 0.8])
    ]


def test_stress__price_of_today_not_known__begins_at_the_first_fall() -> None:
    lines = risk(stress=(SMALL,)).stress
    assert lines is not None
    (curve,) = stress_lines(lines, None)["series"]  # nothing is liquidated, so nothing is marked
    assert curve["data"] == [[10.0, 1.9]]


def test_symbol__nobody_knows__is_not_a_number_and_says_why() -> None:
    found = kpis()
    cells = symbol_row("ETH", found.symbols["ETH"], found.unknown)
    assert (cells["atr_ratio"]["text"], cells["atr_ratio"]["note"]) == ("n/a", "too few prices are kept yet")
    assert cells["atr_regime"]["text"] == "unknown"
    assert cells["more"] == "nothing"


def test_symbol__telemetry__is_shown_as_it_says() -> None:
    values = {"XAUT": {"atr_ratio": "2", "dd_state": "caution", "orders": ["1", None], "venue": {"name": "x"}}}
    found = kpis(external=External(symbols=ExternalPart("", NOW, values)))
    cells = symbol_row("XAUT", found.symbols["XAUT"], found.unknown)
    assert (cells["atr_ratio"], cells["source"]) == ("2.000", "external")
    assert cells["dd_state"] == {"text": "caution", "tone": "warning", "note": ""}
    assert cells["more"] == "orders: 1, n/a, venue: name: x"
    assert cells["dd_today_pct"]["note"] == "not held, and the telemetry does not say it"


def test_told__values__are_sorted_and_never_empty() -> None:
    assert [row["value"] for row in told({"b": {}, "a": None})] == ["n/a", "nothing"]


@pytest.mark.parametrize(
    ("runway", "tone", "word"),
    [
        (RUNWAY_WARNING, "good", ""),
        (RUNWAY_WARNING - 1, "warning", "low"),
        (RUNWAY_CRITICAL, "warning", "low"),
        (RUNWAY_CRITICAL - 1, "bad", "nearly empty"),
    ],
)
def test_lane__runway__has_a_word_where_it_is_short(runway: int, tone: str, word: str) -> None:
    cell = lane_row(lane(runway=runway))["runway"]
    assert (cell["tone"], cell["note"]) == (tone, word)


def test_lane__balance_of_many_years__is_no_number_of_days_that_nobody_can_know() -> None:
    assert lane_row(lane(runway=LONGEST_RUNWAY))["runway"]["text"] == "1000 d 0 h"
    assert lane_row(lane(runway=LONGEST_RUNWAY + 1))["runway"]["text"] == "over 1,000 d"


def test_lane__nothing_spent_and_another_keepers__is_not_a_number() -> None:
    cells = lane_row(lane(runway=None, epoch=None))
    assert (cells["runway"]["text"], cells["lease"]["text"]) == ("n/a", "another keeper's")
    assert cells["balance"] == {"text": "0.000000", "title": "5 wei"}


def lane(**changes: Any) -> LaneRecord:
    fields: dict[str, Any] = {
        "chain": "main", "sender": "0xab", "epoch": 1, "balance": "5", "runway": 5, "pending": 0, "next_nonce": 3,
        "spent_today": "0",
    }  # fmt: skip
    return LaneRecord(**{**fields, **changes})
