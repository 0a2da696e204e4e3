"""A chart by ECharts, without any text that a browser would take for markup or a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nicegui.elements.echart import EChart

from navoracle.dashboard import markup

TOOLTIP: Final[Mapping[str, Any]] = {
    "renderMode": "richText",  # drawn on the canvas: names from outside are never HTML
    "backgroundColor": "--surface",
    "borderColor": "--border",
    "textStyle": {"color": "--text", "fontSize": 12},
    "confine": True,
}


_TIMES: Final[Mapping[str, str]] = {
    "year": "{yyyy}-{MM}-{dd}",
    "month": "{MM}-{dd}",
    "day": "{MM}-{dd}",
    "hour": "{HH}:{mm}",
    "minute": "{HH}:{mm}",
    "second": "{HH}:{mm}:{ss}",
}
"""The labels of a time axis: a day begins with its date, never with a bare year."""


class Chart(EChart, component="chart.js"):
    """NiceGUI's chart with a browser side of its own: no options that are code, colours from the style sheet.

    A colour like "--line" is the style sheet's variable of that name, in light and in dark.

    Args:
        label: what the picture shows, for those who cannot see it; its figures belong into a table beside it.
    """

    def __init__(self, options: dict[str, Any], *, label: str) -> None:
        super().__init__(options)
        self.props["role"] = "img"
        self.props["aria-label"] = label

    def show(self, options: dict[str, Any], *, label: str) -> None:
        """Draw anew, if anything has changed."""
        if self.options != options or self.props["aria-label"] != label:
            self.props.update({"options": options, "aria-label": label})
            self.update()

    def drawn(self, now: int) -> str:
        """See `first_paint.Drawn`: the place of the picture, which is drawn when its library is there."""
        said = {name: self.props[name] for name in ("role", "aria-label")}
        return markup.tag("div", {"class": " ".join(self.classes), **said})


def over_time(left: int) -> dict[str, Any]:
    """The options of a chart of figures over time, without its series; `left` pixels are for the figures' labels."""
    return {
        "useUTC": True,
        "grid": {"left": left, "right": 18, "top": 44, "bottom": 30},
        "tooltip": {**TOOLTIP, "trigger": "item", "formatter": "{b}"},
        "legend": {"top": 0, "type": "scroll", "textStyle": {"color": "--text"}},
        "xAxis": {"type": "time", "axisLabel": {"color": "--quiet", "hideOverlap": True, "formatter": _TIMES}},
        "yAxis": {
            "type": "value",
            "scale": True,
            "axisLabel": {"color": "--quiet"},
            "splitLine": {"lineStyle": {"color": "--border"}},
        },
    }
