"""From integers to places on a page: time and price axes, how long a slot lasts, texts cut to their room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from navoracle.domain.cadence import HOUR, QUARTER
from navoracle.domain.units import WAD, Timestamp
from navoracle.pictures.slots import PicturedSlot

NOTHING: Final = float("nan")
"""Where a line breaks: there is no value, which is not the value zero."""

LEAST_SPAN: Final = 0.002
"""Of the price: a range below it is drawn as this much, so that the noise of a quiet price does not look like news."""

POINTS_PER_INCH: Final = 72
_DAY: Final = 86_400


def days(time: Timestamp) -> float:
    """A time as matplotlib counts it: days since 1970."""
    return time / _DAY


def whole(amount: int | None) -> float:
    """A Wad amount as the nearest float; NOTHING for None."""
    return NOTHING if amount is None else amount / WAD


def lasting(slots: Sequence[PicturedSlot]) -> list[tuple[float, float]]:
    """From when to when each slot is the newest, in days: to the next one, but no longer than until that one was due.

    So time without a slot stays blank. After the last quarter of high volatility the next full hour is due.
    """
    spans = []
    for slot, after in zip_longest(slots, slots[1:]):
        due = QUARTER if slot.cadence == "high_volatility" else HOUR
        if after is not None:
            hour = after.cadence == "hourly" and slot.cadence == "high_volatility"
            due = min(after.time - slot.time, HOUR - slot.time % HOUR if hour else due)
        spans.append((days(slot.time), days(Timestamp(slot.time + due))))
    return spans


def merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Ascending spans, those that touch made one."""
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def fitted(text: str, inches: float, size: float) -> str:
    """The text, cut with an ellipsis where it is wider than its room at this size in points."""
    room, width = inches * POINTS_PER_INCH, _width(text, size)
    if width <= room:
        return text
    kept = int(len(text) * room / width) + 1
    while kept > 0 and _width(text[:kept] + "…", size) > room:
        kept -= 1
    return text[:kept] + "…"


def _width(text: str, size: float) -> float:
    return float(TextPath((0, 0), text, size=size).get_extents().width)


def date_axis(axes: Axes, slots: Sequence[PicturedSlot]) -> None:
    """The range of the slots with a little room, and ticks in UTC that name their date; no ticks without slots."""
    if not slots:
        axes.set_xticks([])
        return
    spans = lasting(slots)
    start, end = spans[0][0], spans[-1][1]
    room = (end - start) * 0.01
    axes.set_xlim(start - room, end + room)
    locator = AutoDateLocator(minticks=4, maxticks=10)  # type: ignore[no-untyped-call]  # matplotlib types in part
    date = "%Y-%m-%d"
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(  # type: ignore[no-untyped-call]
            locator,
            formats=["%Y", "%Y-%m", date, "%H:%M", "%H:%M", "%H:%M:%S"],
            zero_formats=["", "%Y-%m", date, date, "%H:%M", "%H:%M"],
            show_offset=False,
        )
    )


def price_axis(axes: Axes, values: Iterable[float], doubtful: Iterable[float] = ()) -> tuple[float, float] | None:
    """The range of the values, and of doubtful ones as far as these leave the others readable; None without values."""
    known = sorted(value for value in values if value == value)
    if not known:
        axes.set_ylim(0, 1)
        axes.set_yticks([])
        return None
    low, high = known[0], known[-1]
    least = max(LEAST_SPAN * high, high - low)
    wide_low, wide_high = min([low, *doubtful]), max([high, *doubtful])
    if wide_high - wide_low <= 4 * least:
        low, high = wide_low, wide_high
    span = max(LEAST_SPAN * high, high - low)
    middle = (low + high) / 2
    bounds = middle - span * 0.58, middle + span * 0.58
    axes.set_ylim(*bounds)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    return bounds
