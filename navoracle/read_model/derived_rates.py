"""Rates in evidence through which a price is derived: of a Pendle market spot beside its average."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from navoracle.domain.units import wad_text
from navoracle.read_model.records import Record, WadText, number


class DerivedRate(Record):
    """A rate that a price is derived through; of a Pendle market spot beside its average."""

    kind: str
    base: str
    spot_rate: WadText | None
    twap_rate: WadText | None
    twap_seconds: int | None
    gap_bps: int | None
    """Spot less average, of the average, in basis points, rounded away from zero."""


def derived_rate(plan: Mapping[str, Any], reads: Iterable[Mapping[str, Any]]) -> DerivedRate | None:
    """The rate that an asset's plan derives its price through; None where sources price it.

    Args:
        plan, reads: of an evidence document.
    """
    found = plan["derived"]
    if found is None:
        return None
    seconds = number(found.get("twap_seconds"))
    spot, average = (None, None) if seconds is None else pendle_rates(reads, found, seconds)
    return DerivedRate(
        kind=found["kind"],
        base=found["base"],
        spot_rate=wad_text(spot),
        twap_rate=wad_text(average),
        twap_seconds=seconds,
        gap_bps=None if spot is None or not average else gap_of(spot, average),
    )


def pendle_rates(
    reads: Iterable[Mapping[str, Any]], found: Mapping[str, Any], seconds: int
) -> tuple[int | None, int | None]:
    """Spot and average of a Pendle market as its oracle answered: the same function asked for 0 s and for `seconds`."""
    market, oracle = str(found["market"])[2:].lower().rjust(64, "0"), str(found["oracle"]).lower()
    answers: dict[str, dict[int, int]] = {}
    for read in reads:
        request = read["request"]
        data = str(request.get("data", "")).lower()
        if read["kind"] != "call" or not read["ok"] or str(request["target"]).lower() != oracle:
            continue
        if len(data) == 2 + 8 + 128 and data[10:74] == market and len(read["data"]) == 66:
            answers.setdefault(data[:10], {})[int(data[74:], 16)] = int(read["data"], 16)
    rates = next((each for each in answers.values() if 0 in each and seconds in each), {})
    return rates.get(0), rates.get(seconds)


def gap_of(spot: int, average: int) -> int:
    """Spot less average in basis points of the average, rounded away from zero."""
    size = -(-abs(spot - average) * 10_000 // average)
    return size if spot >= average else -size
