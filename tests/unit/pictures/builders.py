"""Made-up slots for pictures, and the artists of a figure by what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from navoracle.domain.prices import PriceEstimate, PriceStatus, Vote
from navoracle.domain.units import WAD, Bps, Timestamp, Wad, to_wad
from navoracle.pictures.figure import draw
from navoracle.pictures.slots import FundPicture, PicturedSlot
from navoracle.pictures.style import house_style

START = Timestamp(1_700_002_800)
HOUR = 3_600
DAY = 86_400


def estimate(
    price: str | None,
    votes: Mapping[str, str] | None = None,
    *,
    asset: str = "USDC",
    excluded: Sequence[tuple[str, str]] = (),
    status: PriceStatus | None = None,
) -> PriceEstimate:
    """An estimate with a vote of one source for each group; unavailable without a price."""
    return PriceEstimate(
        asset=asset,
        price=None if price is None else to_wad(price),
        confidence=Bps(0 if price is None else 9_000),
        status=status or (PriceStatus.UNAVAILABLE if price is None else PriceStatus.LIVE),
        reason="no_quorum" if price is None else None,
        spread_bps=None,
        as_of=None,
        used=(),
        excluded=tuple(excluded),
        votes=tuple(
            Vote(group, to_wad(value), Bps(9_000), (f"{asset}.{group}",)) for group, value in (votes or {}).items()
        ),
    )


def slot(
    hour: float,
    pps: str | None = "1",
    *,
    state: str = "posted",
    reason: str | None = None,
    status: str = "live",
    cadence: str = "hourly",
    served: str | None = None,
    prices: Mapping[str, PriceEstimate] | None = None,
) -> PicturedSlot:
    """A slot so many hours after START."""
    return PicturedSlot(
        time=Timestamp(START + round(hour * HOUR)),
        cadence=cadence,
        state=state,
        reason=reason,
        status=status,
        price_per_share=None if pps is None else to_wad(pps),
        served=None if served is None else to_wad(served),
        prices=prices or {},
    )


def drawn(*slots: PicturedSlot, fund: str = "fund") -> Figure:
    """The figure of these slots."""
    with house_style():
        return draw(FundPicture(fund, "Test", slots))


def panel(figure: Figure, title: str) -> Axes:
    """The axes under a title that begins so: the topmost whose upper edge lies below it."""
    (text,) = (text for text in figure.texts if text.get_text().startswith(title))
    below = [axes for axes in figure.axes if axes.get_position().y1 < text.get_position()[1]]
    return max(below, key=lambda axes: axes.get_position().y1)


def titles(figure: Figure) -> list[str]:
    """Every text of the page outside of its panels."""
    return [text.get_text() for text in figure.texts]


def legend_of(axes: Axes) -> list[str]:
    """The names in the panel's legend."""
    legend = axes.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def line(axes: Axes, name: str) -> Line2D:
    """The line that the legend calls so."""
    legend = axes.get_legend()
    assert legend is not None
    shown = legend.legend_handles[legend_of(axes).index(name)]
    (found,) = (each for each in axes.get_lines() if isinstance(shown, Line2D) and looks(each) == looks(shown))
    return found


def looks(each: Line2D) -> tuple[Any, ...]:
    """What makes a line another one than its neighbours."""
    return each.get_color(), each.get_linewidth(), each.get_marker(), each.get_markerfacecolor(), each.get_linestyle()


def points(each: Line2D) -> list[tuple[float, float]]:
    """The points of a line as they are drawn: days, and a float."""
    return [(float(at), float(value)) for at, value in np.asarray(each.get_xydata())]


def series(each: Line2D) -> list[tuple[int, int | None]]:
    """The points of a line as Unix seconds and Wad; None where it breaks. Only for values of few digits."""
    return [
        (round(at * DAY), None if value != value else round(value * 10**9) * (WAD // 10**9))
        for at, value in points(each)
    ]


def wads(*points: tuple[float, str | None]) -> list[tuple[int, Wad | None]]:
    """The same from hours and decimals."""
    return [(round(START + hour * HOUR), None if value is None else to_wad(value)) for hour, value in points]


def bands(axes: Axes) -> dict[str, list[tuple[int, int]]]:
    """The bands of a panel of rows, by name, as Unix seconds from and to."""
    found = {}
    for collection in axes.collections:
        edges = [path.get_extents() for path in collection.get_paths()]
        found[str(collection.get_label())] = [(round(box.x0 * DAY), round(box.x1 * DAY)) for box in edges]
    return found
