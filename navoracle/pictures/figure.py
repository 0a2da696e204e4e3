"""One page of a fund: panels under a title, on one time axis, and the numbered list of slots that were not posted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from navoracle.pictures.axis import date_axis, fitted
from navoracle.pictures.endings import Ending, endings_of, list_lines, moment
from navoracle.pictures.panels import Legend, draw_price_per_share, draw_prices, draw_refusals, refusals
from navoracle.pictures.rows import draw_cadence, draw_endings, draw_status, ending_rows, status_rows
from navoracle.pictures.slots import FundPicture
from navoracle.pictures.style import GREY, INK

DOTS_PER_INCH: Final = 100
WIDTH: Final = 16.0
HEIGHT: Final = 12.0
"""Inches: 1600 x 1200 dots. Many assets make the page higher, never its panels too small to read."""

LEFT: Final = 1.35
RIGHT: Final = 0.5
PANEL_WIDTH: Final = WIDTH - LEFT - RIGHT
HEAD: Final = 0.9
FOOT: Final = 0.15
TIME_LABELS: Final = 0.55
LEAST_PRICE_PANEL: Final = 1.6
ROW: Final = 0.19
TITLE_LINE: Final = 0.26
LEGEND_LINE: Final = 0.22
LEGEND_COLUMNS: Final = 6
NUMBERS: Final = 0.34
BETWEEN: Final = 0.16
UNDER_PRICES: Final = 0.14
LIST_SIZE: Final = 9.0
MARGIN: Final = 0.4
ONE_COLUMN: Final = 10
"""Lines of the list that get the page's whole width; more stand in two columns."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Axes with their head and height in inches; a height of None takes its part of what is left."""

    axes: Axes
    title: str | None
    legend: Legend
    height: float | None
    extra: float = 0.0

    @property
    def head(self) -> float:
        """Inches above the axes."""
        if self.title is None:
            return UNDER_PRICES
        lines = -(-len(self.legend) // LEGEND_COLUMNS)
        return BETWEEN + TITLE_LINE + lines * LEGEND_LINE + self.extra


def draw(picture: FundPicture) -> Figure:
    """The page. Nothing is read but the picture: the same slots give the same figure."""
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DOTS_PER_INCH, facecolor="white")
    endings = endings_of(picture.slots)
    panels = _panels(figure, picture, endings)
    lines = list_lines(endings)
    listed = 0.0 if not lines else BETWEEN + TITLE_LINE + ROW * _lines_down(lines)
    fixed = HEAD + sum(panel.head + (panel.height or 0) for panel in panels) + TIME_LABELS + listed + FOOT
    flexible = sum(panel.height is None for panel in panels)
    share = max(LEAST_PRICE_PANEL, (HEIGHT - fixed) / flexible)
    height = fixed + share * flexible
    figure.set_figheight(height)
    _write_head(figure, picture, height)
    at = height - HEAD
    for panel in panels:
        _place(figure, panel, at, share if panel.height is None else panel.height, height)
        at -= panel.head + (share if panel.height is None else panel.height)
    panels[-1].axes.tick_params(axis="x", labelbottom=True)
    panels[-1].axes.set_xlabel("Time (UTC)")
    _write_list(figure, lines, at - TIME_LABELS, height)
    return figure


def _panels(figure: Figure, picture: FundPicture, endings: Sequence[Ending]) -> list[Panel]:
    slots = picture.slots
    first: Axes | None = None
    panels: list[Panel] = []

    def axes() -> Axes:
        nonlocal first
        made = figure.add_axes((0.1, 0.1, 0.8, 0.8), sharex=first)
        made.tick_params(axis="x", labelbottom=False)
        if first is None:
            first = made
            date_axis(made, slots)
        return made

    for asset in picture.assets:
        found = refusals(slots, asset)
        above = axes()
        legend = draw_prices(above, slots, asset)
        strip = axes() if found else None
        if strip is not None:
            legend += draw_refusals(strip, found, asset)
        panels.append(Panel(above, f"Price of {asset}: one vote a group, and the estimate", legend, None))
        if strip is not None:
            panels.append(Panel(strip, None, [], ROW * len(found)))
    made = axes()
    panels.append(Panel(made, "NAV per share", draw_price_per_share(made, slots), None))
    made = axes()
    draw_endings(made, slots, endings, PANEL_WIDTH)
    rows = max(1, len(ending_rows(endings)))
    panels.append(Panel(made, "Slots that were not posted", [], ROW * rows, NUMBERS if endings else 0.0))
    made = axes()
    draw_status(made, slots)
    panels.append(Panel(made, "Status of the NAV", [], ROW * len(status_rows(slots))))
    made = axes()
    draw_cadence(made, slots)
    panels.append(Panel(made, "Cadence", [], ROW * 3))
    return panels


def _place(figure: Figure, panel: Panel, top: float, tall: float, height: float) -> None:
    bottom = top - panel.head - tall
    panel.axes.set_position((LEFT / WIDTH, bottom / height, PANEL_WIDTH / WIDTH, tall / height))
    if panel.title is not None:
        figure.text(MARGIN / WIDTH, (top - BETWEEN) / height, panel.title, va="top", weight="bold", size=11, color=INK)
    if panel.legend:
        panel.axes.legend(
            [handle for handle, _ in panel.legend],
            [label for _, label in panel.legend],
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=LEGEND_COLUMNS,
            borderaxespad=0.1,
            borderpad=0.1,
            labelspacing=0.3,
            columnspacing=1.6,
            handlelength=3.2,
        )


def _write_head(figure: Figure, picture: FundPicture, height: float) -> None:
    slots = picture.slots
    if slots:
        span = f"{moment(slots[0].time)} to {moment(slots[-1].time)} UTC"
        ended = Counter(slot.state for slot in slots)
        counts = f"{len(slots)} slots: " + ", ".join(f"{number} {state}" for state, number in sorted(ended.items()))
    else:
        span, counts = "no slots", "There is nothing to draw: no slot lies in this range."
    title, text = f"{picture.fund}: {span}", f"{picture.source}. {counts}"
    figure.text(MARGIN / WIDTH, (height - 0.25) / height, title, va="top", size=16, weight="bold", color=INK)
    figure.text(MARGIN / WIDTH, (height - 0.6) / height, text, va="top", size=11, color=GREY)


def _write_list(figure: Figure, lines: Sequence[str], top: float, height: float) -> None:
    if not lines:
        return
    title = top - BETWEEN
    figure.text(MARGIN / WIDTH, title / height, "Not posted, and why", va="top", weight="bold", size=11, color=INK)
    down = _lines_down(lines)
    column = (WIDTH - 2 * MARGIN) / (1 if len(lines) <= ONE_COLUMN else 2)
    for index, line in enumerate(lines):
        left = MARGIN + column * (index // down)
        at = title - TITLE_LINE - ROW * (index % down)
        text = fitted(line, column - 0.35, LIST_SIZE)
        figure.text(left / WIDTH, at / height, text, va="top", size=LIST_SIZE, color=INK, gid=f"ending-{index + 1}")


def _lines_down(lines: Sequence[str]) -> int:
    return len(lines) if len(lines) <= ONE_COLUMN else -(-len(lines) // 2)
