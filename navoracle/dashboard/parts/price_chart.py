"""The price of an asset over time: frames and the samples between them, and what was estimated or could not be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.chart import Chart, over_time
from navoracle.dashboard.parts.elements import Text
from navoracle.read_model.prices import PricePoint

_SIGNS: Final = {
    "frame": ("live frame", "circle", 7, "--line"),
    "estimated": ("estimated: last valid price, decayed", "triangle", 12, "--mark"),
    "unavailable": ("unavailable", "diamond", 13, "--bad"),
}
"""Of each kind of mark that there is: its name in the legend, its sign, its size and its colour."""


class PriceChart:
    """The chart, in a card of its own."""

    def __init__(self) -> None:
        with Card("history", "Price over the last day"):
            self._note = Text("p", "", "note")
            self._chart = Chart({}, label="Price over time").classes("chart")

    def show(self, asset: str, points: Sequence[PricePoint]) -> None:
        """Show a past, oldest first."""
        known = [formats.of_wad(point.price) for point in points if point.price is not None]
        if not known:
            self._note.say("No price of the last day is kept.")
            self._chart.show({}, label=f"Price of {asset}: none is kept")
            return
        frames = sum(point.source == "frame" for point in points)
        self._note.say(
            f"{frames} frames and {len(points) - frames} samples between them, in UTC. The axis does not begin at "
            "zero. Where there was no price, the line has a gap."
        )
        ends = f"from {formats.price(known[0])} to {formats.price(known[-1])}"
        self._chart.show(price_line(points), label=f"Price of {asset} over {len(points)} points, {ends}")


def price_line(points: Sequence[PricePoint]) -> dict[str, Any]:
    """The options of the chart; marks of what had no price stand where the last price was."""
    curve: list[list[float | None]] = []
    marks: dict[str, list[dict[str, Any]]] = {"frame": [], "estimated": [], "unavailable": []}
    last: float | None = None
    for point in points:
        price = formats.of_wad(point.price)
        height = None if price is None else float(formats.rounded(price, 12))
        curve.append([point.time * 1_000, height])
        last = last if height is None else height
        kind = "frame" if point.status == "live" else point.status
        if last is not None and (point.source == "frame" or point.status != "live"):
            said = f"{formats.moment(point.time)}\n{point.status}: {formats.price(price)}"
            marks[kind].append({"name": said, "value": [point.time * 1_000, last]})
    return {
        **over_time(84),
        "series": [
            {
                "type": "line",
                "name": "price",
                "showSymbol": False,
                "connectNulls": False,
                "data": curve,
                "lineStyle": {"color": "--line", "width": 2},
                "itemStyle": {"color": "--line"},
            },
            *(_marks(*sign, marks[kind]) for kind, sign in _SIGNS.items() if marks[kind]),
        ],
    }


def _marks(name: str, sign: str, size: int, colour: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "symbol": sign,
        "symbolSize": size,
        "itemStyle": {"color": colour},
        "data": found,
    }
