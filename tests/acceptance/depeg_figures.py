"""What the prices of March 2023 imply for a levered holder of USDC, computed from the files alone.

Nothing of navoracle is used: the median of the series that are not too old, one loan, its limits, a gate and its peaks.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from tests.requirements import shared_data

FILES: Final = {
    "market": "usdc_usd_2023-03-09_2023-03-19_15min.csv",
    "binanceus": "usdc_usd_binanceus_2023-03-09_2023-03-19_1min.csv",
    "kraken": "usdc_usd_kraken_2023-03-09_2023-03-19_1min.csv",
}
STEPS: Final = {"market": 900, "binanceus": 60, "kraken": 60}
AGES: Final = {"market": 1_230, "binanceus": 1_830, "kraken": 1_830}
"""Seconds after which a row is no vote. No row is ever exactly so old, whichever second of a minute it is looked at."""

HELD: Final = 1_000_000
DEBT: Final = 500_000
SHARES: Final = 500_000
WAD: Final = 10**18
DAY: Final = 86_400


def _part(percent_of_ten_thousand: int) -> int:
    return percent_of_ten_thousand * WAD // 10_000


LTV: Final = (("critical", _part(5_450)), ("urgent", _part(5_300)), ("warning", _part(5_150)))
HEALTH: Final = (("critical", _part(10_950)), ("warning", _part(11_500)))
THRESHOLD: Final = _part(6_000)
MAX_DRAWDOWN: Final = _part(1_500)
WARNING_PART: Final = _part(6_000)
GATE_DRAWDOWN: Final = _part(1_200)
GATE_DAY_LOSS: Final = _part(1_000)
OUTLIER: Final = _part(1_000)
RANK: Final = ("safe", "warning", "urgent", "critical")


@dataclass(frozen=True)
class Prices:
    """The series: when each row became known, and its price (Wad)."""

    rows: dict[str, tuple[list[int], list[int]]]

    @classmethod
    def load(cls) -> Prices:
        return cls({group: cls._series(group) for group in FILES})

    @staticmethod
    def _series(group: str) -> tuple[list[int], list[int]]:
        with shared_data(FILES[group]).open() as file:
            rows = list(csv.DictReader(file))
        times = [int(row["timestamp"]) + STEPS[group] for row in rows]
        return times, [_wad(row["close"] if "close" in row else row["price"]) for row in rows]

    def newest(self, group: str, now: int) -> tuple[int, int] | None:
        """When the newest row became known, and its price; None before the first."""
        times, prices = self.rows[group]
        index = bisect_right(times, now) - 1
        return None if index < 0 else (times[index], prices[index])

    def votes(self, now: int) -> list[int]:
        """The prices that count, lowest first."""
        found = [(group, row) for group in self.rows if (row := self.newest(group, now)) is not None]
        return sorted(price for group, (at, price) in found if now - at <= AGES[group])

    def median(self, now: int) -> int:
        """The median, of an even count rounded down. Two votes must remain, and none be an outlier."""
        votes = self.votes(now)
        assert len(votes) >= 2, now
        doubled = votes[(len(votes) - 1) // 2] + votes[len(votes) // 2]
        assert all(abs(2 * vote - doubled) * WAD <= OUTLIER * doubled for vote in votes), now
        return doubled // 2


def _wad(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction[:18].ljust(18, "0"))


@dataclass(frozen=True)
class Figures:
    """The fund at a price (Wad)."""

    nav: int
    price_per_share: int
    loan_to_value: int
    health_factor: int


def figures_of(price: int) -> Figures:
    """Collateral at the price, debt as it is; the loan-to-value rounded up, the rest down."""
    collateral, debt = HELD * price, DEBT * WAD
    nav = collateral - debt
    return Figures(nav, nav // SHARES, -(-debt * WAD // collateral), collateral * THRESHOLD // debt)


@dataclass
class Peaks:
    """The highest price per share of the frames that were kept, and that of one day; None before the first."""

    peak: int
    daily: int
    day: int

    def with_(self, price: int, now: int) -> Peaks:
        """As they are while a price is held against them: it may be the highest itself, and begins a new day."""
        day = now // DAY
        daily = price if day != self.day else max(self.daily, price)
        return Peaks(max(self.peak, price), daily, day)

    def fall(self, price: int) -> tuple[int, int]:
        """Drawdown and day's loss, rounded up."""
        return tuple(-(-(peak - price) * WAD // peak) for peak in (self.peak, self.daily))  # type: ignore[return-value]


@dataclass(frozen=True)
class Implied:
    """What a price implies."""

    status: str
    alerts: frozenset[str]
    drawdown: int
    daily_loss: int
    vetoes: tuple[str, ...]


def implied(figures: Figures, peaks: Peaks, *, is_believed: bool) -> Implied:
    """The worst status, the alerts and the vetoes at these figures.

    Args:
        peaks: with this price per share among them.
        is_believed: whether the peaks are older than this frame; ones that were just found veto nothing.
    """
    drawdown, daily_loss = peaks.fall(figures.price_per_share)
    by_ltv = next((name for name, limit in LTV if figures.loan_to_value > limit), "safe")
    by_health = next((name for name, limit in HEALTH if figures.health_factor < limit), "safe")
    by_drawdown = "safe"
    if drawdown > MAX_DRAWDOWN:
        by_drawdown = "critical"
    elif drawdown * WAD > MAX_DRAWDOWN * WARNING_PART:
        by_drawdown = "warning"
    found = {"LOAN_LTV": by_ltv, "LOAN_HEALTH_FACTOR": by_health, "MAX_DRAWDOWN": by_drawdown}
    vetoes = []
    if is_believed and drawdown > GATE_DRAWDOWN:
        vetoes.append("nav_drawdown_limit")
    if is_believed and daily_loss > GATE_DAY_LOSS:
        vetoes.append("day_loss_limit")
    return Implied(
        status=max(found.values(), key=RANK.index),
        alerts=frozenset(f"{name}_{status.upper()}" for name, status in found.items() if status != "safe"),
        drawdown=drawdown,
        daily_loss=daily_loss,
        vetoes=tuple(vetoes),
    )
