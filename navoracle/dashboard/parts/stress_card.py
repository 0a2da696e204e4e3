"""The stress table and its picture: NAV per share by how far prices fall, with what would be liquidated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.chart import TOOLTIP, Chart
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.records import Column, Records, exact, toned, unknown
from navoracle.dashboard.reasons import explained
from navoracle.state_files.documents.stress import StressEntry

COLOURS: Final = ("--slice-1", "--slice-3", "--slice-2", "--slice-7", "--slice-5", "--slice-8")
_COLUMNS: Final = (
    Column("name", "Stress", head=True),
    Column("assets", "What falls"),
    Column("fall", "By", "number"),
    Column("price", "NAV per share", "number"),
    Column("nav", "NAV", "number"),
    Column("change", "Change of NAV", "number"),
    Column("liquidated", "Liquidated"),
    Column("cost", "Cost of it", "number"),
)


class StressCard:
    """The card."""

    def __init__(self) -> None:
        with Card("stress", "Stress: NAV per share when prices fall"):
            self._note = Text("p", "", "note")
            self._chart = Chart({}, label="Stress").classes("chart")
            self._table = Records(_COLUMNS, caption="Stress table", empty="There is no stress table.")

    def show(self, lines: Sequence[StressEntry] | None, why: str, now: str | None) -> None:
        """Show a stress table; None where there is none, and why.

        Args:
            now: the NAV per share of the same frame, where nothing falls; None where that is not known.
        """
        found = lines or ()
        self._chart.set_visibility(bool(found))
        self._table.show([_row(line) for line in found])
        if not found:
            self._note.say(f"n/a: {why or 'no line is configured'}")
            return
        self._note.say(
            "At this frame's prices: the named assets fall together, nobody reacts, one round of liquidations. The "
            "axis does not begin at zero."
        )
        said = "; ".join(
            f"{line.name} by {formats.percent(line.fall)}: "
            + ("not known" if line.nav_per_share is None else formats.per_share(line.nav_per_share))
            + (", liquidations" if line.liquidated else "")
            for line in found
        )
        self._chart.show(stress_lines(found, now), label=f"NAV per share by fall. {said}")


def stress_lines(lines: Sequence[StressEntry], now: str | None) -> dict[str, Any]:
    """The options of the chart: a line for each stress, and a mark where something would be liquidated.

    Args:
        now: the NAV per share of the same frame, from which every line begins; None where that is not known.
    """
    start = [] if now is None else [[0.0, float(formats.rounded(now, 8))]]
    curves: dict[str, list[list[float]]] = {}
    marks: list[dict[str, Any]] = []
    for line in sorted(lines, key=lambda each: formats.rounded(each.fall, 18)):
        if line.nav_per_share is None:
            continue
        point = [float(formats.rounded(line.fall, 6)) * 100, float(formats.rounded(line.nav_per_share, 8))]
        curves.setdefault(line.name, list(start)).append(point)
        if line.liquidated:
            said = f"{line.name}, {formats.percent(line.fall)}\nliquidated: {', '.join(line.liquidated)}"
            marks.append({"name": said, "value": point})
    return {
        "grid": {"left": 84, "right": 24, "top": 44, "bottom": 44},
        "tooltip": {**TOOLTIP, "trigger": "item", "formatter": "{a}\n{b}\n{c}"},
        "legend": {"top": 0, "type": "scroll", "textStyle": {"color": "--text"}},
        "xAxis": {
            "type": "value",
            "name": "fall in percent",
            "nameLocation": "middle",
            "nameGap": 28,
            "nameTextStyle": {"color": "--quiet"},
            "axisLabel": {"color": "--quiet"},
            "splitLine": {"show": False},
            "boundaryGap": ["0%", "4%"],
        },
        "yAxis": {
            "type": "value",
            "scale": True,
            "boundaryGap": ["8%", "8%"],
            "axisLabel": {"color": "--quiet"},
            "splitLine": {"lineStyle": {"color": "--border"}},
        },
        "series": [
            *(
                {
                    "type": "line",
                    "name": name,
                    "data": points,
                    "symbolSize": 7,
                    "lineStyle": {"color": COLOURS[at % len(COLOURS)], "width": 2},
                    "itemStyle": {"color": COLOURS[at % len(COLOURS)]},
                }
                for at, (name, points) in enumerate(curves.items())
            ),
            *([_liquidations(marks)] if marks else []),
        ],
    }


def _liquidations(marks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": "liquidations",
        "symbol": "diamond",
        "symbolSize": 15,
        "z": 5,
        "itemStyle": {"color": "--bad"},
        "data": marks,
    }


def _row(line: StressEntry) -> dict[str, Any]:
    why = "; ".join(map(explained, line.failures)) or "the NAV is not positive"
    return {
        "key": f"{line.name}/{line.fall}",
        "name": line.name,
        "assets": ", ".join(line.assets),
        "fall": formats.percent(line.fall),
        "price": unknown(why)
        if line.nav_per_share is None
        else exact(formats.per_share(line.nav_per_share), line.nav_per_share),
        "nav": unknown(why) if line.nav is None else exact(formats.amount(line.nav), line.nav),
        "change": unknown(why) if line.change_pct is None else formats.percent(line.change_pct),
        "liquidated": toned("liquidated", "bad", ", ".join(line.liquidated)) if line.liquidated else "nothing",
        "cost": exact(formats.amount(line.cost), line.cost),
    }
