"""How far prices range: the average true range of each asset, and its fall from the day's high.

Sampled prices make bars of 15 minutes (highest, lowest and last price). The true range of a bar is the largest of
high - low, |high - close before| and |low - close before|; the average true range is Wilder's smoothed mean of 14 of
them (J. W. Wilder, New Concepts in Technical Trading Systems, 1978): the mean of the first 14, then
(13 x before + now) / 14. Samples a minute apart see less than every trade: these ranges are at most the market's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from navoracle.domain.risk.gates import DAY, day_of
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, mul_div

BAR_SECONDS: Final = 900
BARS: Final = 96
"""Bars that are kept: those of a day."""

PERIOD: Final = 14
LEAST_BARS: Final = 2 * PERIOD + 1
"""Fewer say nothing of whether the newest are wider than others."""

QUIET_BELOW: Final = Wad(WAD // 2)
WILD_ABOVE: Final = Wad(3 * WAD // 2)

Regime = Literal["quiet", "normal", "wild", "unknown"]


@dataclass(frozen=True, slots=True)
class PriceRange:
    """What is known of one asset's prices; all Wad.

    Attributes:
        average_range: average true range over the last price, rounded down; None with too few bars.
        ratio: the average true range over the mean true range of the day, rounded down; None with too few bars, or
            where the price did not move at all.
        day_fall: (highest price of the UTC day - last price) / highest, rounded up.
        reason: why the first two are None; empty otherwise.
    """

    average_range: Wad | None
    ratio: Wad | None
    day_fall: Wad
    reason: str = ""

    @property
    def regime(self) -> Regime:
        """Quiet below half of the day's mean, wild above one and a half of it."""
        return regime_of(self.ratio)


def regime_of(ratio: Wad | None) -> Regime:
    """The regime that a ratio is; "unknown" of none."""
    if ratio is None:
        return "unknown"
    if ratio < QUIET_BELOW:
        return "quiet"
    return "wild" if ratio > WILD_ABOVE else "normal"


@dataclass(slots=True)
class _Bar:
    """The prices of one quarter of an hour that begins at `start`."""

    start: int
    high: int
    low: int
    close: int


@dataclass(slots=True)
class _Prices:
    """One asset: its bars, oldest first, and the highest price of the UTC day of the newest."""

    bars: deque[_Bar]
    day: int
    high: int


class PriceRanges:
    """The bars of every asset, built from prices as they come."""

    def __init__(self) -> None:
        self._assets: dict[str, _Prices] = {}

    def observe(self, asset: str, at: Timestamp, price: Wad) -> None:
        """Take in a live price; one from before the newest bar comes too late and is left out."""
        start, day = at - at % BAR_SECONDS, day_of(at)
        known = self._assets.get(asset)
        if known is None:
            known = self._assets[asset] = _Prices(deque(maxlen=BARS), day, price)
        if known.bars and start < known.bars[-1].start:
            return
        if known.bars and known.bars[-1].start == start:
            bar = known.bars[-1]
            bar.high, bar.low, bar.close = max(bar.high, price), min(bar.low, price), price
        else:
            known.bars.append(_Bar(start, price, price, price))
        known.high = max(known.high, price) if day == known.day else price
        known.day = day

    def of(self, asset: str, now: Timestamp) -> PriceRange | None:
        """What is known of the asset; None where no price of today is, or the newest is older than a bar."""
        known = self._assets.get(asset)
        if known is None or known.day != day_of(now) or now - known.bars[-1].start > 2 * BAR_SECONDS:
            return None
        last = known.bars[-1].close
        fall = Wad(mul_div(known.high - last, WAD, known.high, Rounding.UP))
        bars = [bar for bar in known.bars if bar.start > now - DAY]
        if len(bars) < LEAST_BARS:
            return PriceRange(None, None, fall, f"{len(bars)} of {LEAST_BARS} bars of prices")
        ranges = true_ranges(bars)
        average = average_range(ranges)
        spread = sum(ranges)
        ratio = Wad(mul_div(average * len(ranges), WAD, spread, Rounding.DOWN)) if spread else None
        part = Wad(mul_div(average, WAD, last, Rounding.DOWN))
        return PriceRange(part, ratio, fall, "" if spread else "the price did not move")

    def known(self, assets: Iterable[str], now: Timestamp) -> dict[str, PriceRange]:
        """What is known of these assets."""
        return {asset: found for asset in assets if (found := self.of(asset, now)) is not None}


def true_ranges(bars: Sequence[_Bar]) -> list[int]:
    """The true range of every bar but the first, which has no close before it."""
    return [
        max(bar.high, before.close) - min(bar.low, before.close)  # the same as the largest of the three differences
        for before, bar in pairwise(bars)
    ]


def average_range(ranges: Sequence[int]) -> int:
    """Wilder's average of at least 14 true ranges; each of its divisions is rounded down."""
    average = sum(ranges[:PERIOD]) // PERIOD
    for each in ranges[PERIOD:]:
        average = (average * (PERIOD - 1) + each) // PERIOD
    return average
