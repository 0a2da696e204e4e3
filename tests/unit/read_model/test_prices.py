"""Prices out of evidence: an exclusion says why, a limit is the source's or the policy's, spot is beside average."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.read_model.derived_rates import gap_of, pendle_rates
from navoracle.read_model.estimates import estimates_in

MARKET, ORACLE = "0x" + "ab" * 20, "0x" + "Cd" * 20


def quote(source: str, max_age: str | None) -> dict[str, Any]:
    return {
        "asset": "ETH", "source": source, "group": "g", "price": "7", "confidence": "9000", "observed_at": "90",
        "max_age": max_age, "published_at": None,
    }  # fmt: skip


def test_estimates__source_that_is_excluded__has_its_reason_and_its_own_limit() -> None:
    estimate = {
        "asset": "ETH", "price": "7", "undecayed_price": "7", "status": "live", "reason": None, "confidence": "9000",
        "spread_bps": "0", "as_of": "90", "published_at": None, "votes": [], "used": ["a"],
        "excluded": [["b", "outlier"]],
        "native_gap_bps": None, "native_alarm": False,
    }  # fmt: skip
    document = {
        "now": "100",
        "plan": {"assets": {"ETH": {"policy": {"max_age": "300"}}}},
        "result": {"estimates": {"ETH/debt": estimate}, "quotes": [quote("a", None), quote("b", "60")]},
    }
    (found,) = estimates_in(document)
    assert (found.asset, found.side) == ("ETH", "debt")
    assert [(each.source, each.used, each.excluded) for each in found.quotes] == [
        ("a", True, None),
        ("b", False, "outlier"),
    ]
    assert [(each.max_age, each.age) for each in found.quotes] == [(300, 10), (60, 10)]


def read(selector: str, seconds: int, answer: int, **changes: Any) -> dict[str, Any]:
    data = f"0x{selector}{MARKET[2:].rjust(64, '0')}{seconds:064x}"
    said = {"kind": "call", "ok": True, "data": f"0x{answer:064x}", "request": {"target": ORACLE.lower(), "data": data}}
    return {**said, **changes}


def test_pendle_rates__among_other_reads__are_one_function_asked_twice() -> None:
    reads = [
        read("11111111", 900, 5),
        read("22222222", 900, 96),
        read("22222222", 0, 97),
        read("33333333", 0, 1, ok=False),
    ]
    assert pendle_rates(reads, {"market": MARKET, "oracle": ORACLE}, 900) == (97, 96)
    assert pendle_rates(reads[:2], {"market": MARKET, "oracle": ORACLE}, 900) == (None, None)


@pytest.mark.parametrize(("spot", "average", "gap"), [(101, 100, 100), (99, 100, -100), (7, 7, 0), (30_001, 30_000, 1)])
def test_gap__of_spot_and_average__is_rounded_away_from_zero(spot: int, average: int, gap: int) -> None:
    assert gap_of(spot, average) == gap
