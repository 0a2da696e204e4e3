"""How pictures look: a colour-blind-safe palette whose members differ in shape, dash or place too, for grey prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import matplotlib
from matplotlib import style

# Okabe and Ito, "Color Universal Design" (2008).
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
INK: Final = "#1a1a1a"
GREY: Final = "#6b6b6b"
PALE: Final = "#dcdcdc"

Dash = tuple[float, ...]
GROUP_COLOURS: Final = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
GROUP_DASHES: Final[tuple[Dash, ...]] = ((1, 0), (5, 2), (1.5, 1.5), (7, 2, 1.5, 2), (10, 3), (3, 1, 1, 1, 1, 1))

STATUS_COLOURS: Final = {
    "live": GREEN,
    "verified": BLUE,
    "estimated": ORANGE,
    "suspicious": PURPLE,
    "halted": VERMILION,
    "insolvent": INK,
    "not valued": GREY,
}
CADENCE_COLOURS: Final = {"hourly": SKY, "high_volatility": ORANGE, "emergency": VERMILION}
ENDING_COLOURS: Final = {
    "held": PURPLE,
    "skipped": ORANGE,
    "failed": VERMILION,
    "missed": INK,
    "claimed": GREY,
}
ENDING_MARKERS: Final = {"held": "s", "skipped": "v", "failed": "X", "missed": "d", "claimed": "o"}
REFUSAL_MARKERS: Final = {"stale": "|", "outlier": "x", "low_confidence": "v", "future": ">", "non_positive": "s"}

_SETTINGS: Final = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters everywhere
    "font.size": 10,
    "text.parse_math": False,  # a dollar sign is a dollar sign
    "svg.hashsalt": "navoracle",  # else ids, and so bytes, differ from run to run
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.solid_capstyle": "butt",
    "agg.path.chunksize": 10_000,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with these settings alone, whatever the machine's own are."""
    with style.context(["default", _SETTINGS]):
        matplotlib.rcParams["timezone"] = "UTC"
        yield
