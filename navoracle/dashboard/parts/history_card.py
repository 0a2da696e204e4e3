"""The NAV per share over time, with what happened to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.chart import Chart, over_time
from navoracle.dashboard.parts.elements import Text
from navoracle.read_model.history import HistoryPoint

MARKS: Final[Mapping[str, tuple[str, str, str]]] = {
    "post": ("posts", "circle", "--good"),
    "hold": ("holds", "diamond", "--bad"),
    "failure": ("failures", "rect", "--bad"),
    "missed": ("missed", "rect", "--mark"),
    "skip": ("skipped", "triangle", "--mark"),
    "emergency": ("emergencies", "pin", "--bad"),
    "high_volatility": ("volatile", "arrow", "--mark"),
}
"""Of each kind of annotation: its name in the legend, its sign, and its colour."""

CROWDED: Final = 60
"""Slots from which on the mark of a post is smaller, so that the line stays to be seen."""


class HistoryCard:
    """The card."""

    def __init__(self, points: int) -> None:
        with Card("history", "NAV per share", "half"):
            self._note = Text("p", "", "note")
            self._chart = Chart({}, label="NAV per share").classes("chart")
        self._most = points

    def show(self, points: Sequence[HistoryPoint]) -> None:
        """Show slots, the newest first."""
        oldest_first = [point for point in reversed(points) if point.state != "claimed"]  # that one is worked on now
        known = [formats.of_wad(each.price_per_share) for each in oldest_first if each.price_per_share is not None]
        if not known:
            self._note.say("No slot has valued the fund yet.")
            self._chart.set_visibility(visible=False)
            self._chart.show({}, label="NAV per share: no slot has valued the fund yet")
            return
        self._chart.set_visibility(visible=True)
        gaps = len(oldest_first) - len(known)
        slots = "The last slot" if len(oldest_first) == 1 else f"The last {len(oldest_first)} slots"
        said = f"{slots}, in UTC. The axis does not begin at zero."
        left_out = "1 slot without a NAV leaves a gap." if gaps == 1 else f"{gaps} slots without a NAV leave gaps."
        self._note.say(f"{said} {left_out}" if gaps else said)
        ends = f"from {formats.per_share(known[0])} to {formats.per_share(known[-1])}"
        self._chart.show(line(oldest_first), label=f"NAV per share over {len(oldest_first)} slots, {ends}")


def line(points: Sequence[HistoryPoint]) -> dict[str, Any]:
    """The options of the chart; where there is no figure the line has a gap, and its marks stand at the last one."""
    curve: list[list[float | None]] = []
    marks: dict[str, list[dict[str, Any]]] = {}
    last: float | None = None
    for point in points:
        price = formats.of_wad(point.price_per_share)
        height = None if price is None else float(formats.rounded(price, 8))
        curve.append([point.slot_time * 1_000, height])
        last = last if height is None else height
        for each in point.annotations:
            if last is not None:
                name = f"{formats.moment(point.slot_time)}\n{formats.per_share(price)}\n{each.text}"
                marks.setdefault(each.kind, []).append({"name": name, "value": [point.slot_time * 1_000, last]})
    return {
        **over_time(70),
        "series": [
            {
                "type": "line",
                "name": "NAV per share",
                "showSymbol": len(points) == 1,
                "connectNulls": False,
                "data": curve,
                "lineStyle": {"color": "--line", "width": 2},
                "itemStyle": {"color": "--line"},
            },
            *(_marks(kind, found, 4 if len(points) > CROWDED else 7) for kind, found in marks.items()),
        ],
    }


def _marks(kind: str, found: list[dict[str, Any]], post_size: int) -> dict[str, Any]:
    name, sign, colour = MARKS[kind]
    return {
        "type": "scatter",
        "name": name,
        "symbol": sign,
        "symbolSize": post_size if kind == "post" else 13,
        "itemStyle": {"color": colour},
        "data": found,
    }
