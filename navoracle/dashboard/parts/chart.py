"""A chart by ECharts, without any text that a browser would take for markup or a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui.elements.echart import EChart

TOOLTIP: Mapping[str, Any] = {
    "renderMode": "richText",  # drawn on the canvas: names from outside are never HTML
    "backgroundColor": "--surface",
    "borderColor": "--border",
    "textStyle": {"color": "--text", "fontSize": 12},
    "confine": True,
}


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
