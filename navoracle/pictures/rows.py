"""The panels whose axis is a list of names: how slots ended, the status of the NAV, and the cadence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from navoracle.pictures.axis import days, lasting, merged
from navoracle.pictures.endings import Ending, apart
from navoracle.pictures.panels import nothing_here
from navoracle.pictures.slots import PicturedSlot
from navoracle.pictures.style import (
    CADENCE_COLOURS,
    ENDING_COLOURS,
    ENDING_MARKERS,
    GREY,
    INK,
    STATUS_COLOURS,
)

NUMBER_ROOM = 0.27
"""Inches from one number to the next."""

ALWAYS = ("live", "verified", "estimated", "suspicious", "halted")
"""Statuses that have a row in every picture; the others when they occur."""


def status_rows(slots: Sequence[PicturedSlot]) -> tuple[str, ...]:
    """The rows of the status panel."""
    found = {slot.status for slot in slots}
    return tuple(name for name in STATUS_COLOURS if name in ALWAYS or name in found)


def ending_rows(endings: Sequence[Ending]) -> tuple[str, ...]:
    """The rows of the endings panel: the states that occur."""
    found = {ending.state for ending in endings}
    return tuple(name for name in ENDING_COLOURS if name in found)


def draw_status(axes: Axes, slots: Sequence[PicturedSlot]) -> None:
    """A band for each status, while it was that of the newest slot."""
    names = status_rows(slots)
    spans = list(zip(lasting(slots), (slot.status for slot in slots), strict=True))
    bands = {name: merged(span for span, status in spans if status == name) for name in names}
    _draw_bands(axes, names, bands, STATUS_COLOURS)


def draw_cadence(axes: Axes, slots: Sequence[PicturedSlot]) -> None:
    """A band for each regular cadence; an emergency is a slot between and changes none, so it is a mark."""
    regular = [slot for slot in slots if slot.cadence != "emergency"]
    spans = list(zip(lasting(regular), (slot.cadence for slot in regular), strict=True))
    names = tuple(CADENCE_COLOURS)
    bands = {name: merged(span for span, cadence in spans if cadence == name) for name in names}
    _draw_bands(axes, names, bands, CADENCE_COLOURS)
    urgent = [days(slot.time) for slot in slots if slot.cadence == "emergency"]
    if urgent:
        colour = CADENCE_COLOURS["emergency"]
        axes.plot(urgent, [names.index("emergency")] * len(urgent), "D", color=colour, markersize=5, zorder=4)


def _draw_bands(
    axes: Axes,
    names: Sequence[str],
    bands: Mapping[str, Sequence[tuple[float, float]]],
    colours: Mapping[str, str],
) -> None:
    for row, name in enumerate(names):
        # The outline keeps a band of one slot visible where it is narrower than a dot.
        axes.broken_barh(
            [(start, end - start) for start, end in bands[name]],
            (row - 0.34, 0.68),
            facecolors=colours[name],
            edgecolors=colours[name],
            linewidth=1,
            label=name,
            zorder=3,
        )
    _name_rows(axes, names)


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names], size=9)
    axes.tick_params(axis="y", length=0)


def draw_endings(axes: Axes, slots: Sequence[PicturedSlot], endings: Sequence[Ending], inches: float) -> None:
    """A mark for each slot that was not posted, and above each numbered run its number, none upon another.

    `inches` is the width of the panel. Call it when the panel's time range is set.
    """
    names = ending_rows(endings)
    _name_rows(axes, names)
    if not endings:
        axes.set_ylim(0, 1)
        axes.set_yticks([])
        nothing_here(axes, "every slot was posted" if slots else "no slots")
        return
    for row, name in enumerate(names):
        times = [days(slot.time) for slot in slots if slot.state == name]
        axes.plot(
            times,
            [row] * len(times),
            linestyle="none",
            marker=ENDING_MARKERS[name],
            color=ENDING_COLOURS[name],
            markersize=6,
            zorder=4,
        )
    low, high = axes.get_xlim()
    gap = NUMBER_ROOM * (high - low) / inches
    numbered = [ending for ending in endings if ending.number is not None]
    places = apart([days(ending.first) for ending in numbered], gap, low, high)
    for ending, place in zip(numbered, places, strict=True):
        axes.annotate(
            str(ending.number),
            xy=(days(ending.first), names.index(ending.state)),
            xytext=(place, -1.55),
            ha="center",
            va="center",
            fontsize=8,
            color=INK,
            annotation_clip=False,
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": INK, "linewidth": 0.8},
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0},
            zorder=5,
        )
