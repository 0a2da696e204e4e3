"""What of earlier frames is kept for a fund's files: the series of its NAV, and how its risk status changed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from navoracle.domain.errors import DomainError
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.state_files.documents.nav_state import SeriesPoint
from navoracle.state_files.documents.risk import RiskHistoryEntry
from navoracle.state_files.facts import LEVELS, STATUSES, NavPoint, RiskPoint, Source

_POINTS: TypeAdapter[list[SeriesPoint]] = TypeAdapter(list[SeriesPoint])
_RISKS: TypeAdapter[list[RiskHistoryEntry]] = TypeAdapter(list[RiskHistoryEntry])


@dataclass(slots=True)
class Kept:
    """The history of one fund, oldest first, at most `most` points of each kind.

    Of looks between slots only the newest is kept, and only until the next frame.
    """

    most: int
    series: list[NavPoint] = field(default_factory=list)
    risks: list[RiskPoint] = field(default_factory=list)

    def add(self, frame: NavFrame, part: FundFrame, source: Source) -> None:
        """Take in what a frame found; one that comes late goes where it belongs."""
        valuation = part.valuation
        point = NavPoint(
            time=frame.now,
            nav=None if valuation is None else valuation.after.nav,
            price_per_share=None if valuation is None else valuation.price_per_share,
            status=STATUSES[part.status],
            frame=frame.id,
            source=source,
        )
        self.series = [each for each in self.series if each.frame != frame.id]
        if self.series and self.series[-1].source == "look" and self.series[-1].time <= point.time:
            self.series.pop()
        if source != "look" or not self.series or self.series[-1].time <= point.time:
            self.series.insert(bisect_right(self.series, point.time, key=lambda each: each.time), point)
        del self.series[: -self.most]
        self._add_risk(frame, part)

    def _add_risk(self, frame: NavFrame, part: FundFrame) -> None:
        report = part.risk
        if report is None:
            return
        alerts = tuple(alert.name for alert in report.alerts)
        point = RiskPoint(frame.now, LEVELS[report.status], alerts, frame.id)
        place = bisect_left(self.risks, point.time, key=lambda each: each.time)
        before = self.risks[place - 1] if place else None
        if place == len(self.risks) and (before is None or (before.status, before.alerts) != (point.status, alerts)):
            self.risks.append(point)
        del self.risks[: -self.most]

    def seed(self, served: ConfirmedNav) -> None:
        """Begin with what the chain serves, where nothing is known."""
        if not self.series:
            self.series.append(
                NavPoint(served.valuation_time, served.nav, served.price_per_share, "confirmed", None, "confirmed")
            )


def kept_of(documents: Mapping[str, Mapping[str, Any]], most: int) -> Kept:
    """The history that the files of an earlier run hold; what is not valid in them is left out."""
    series = _validated(_POINTS, documents.get("nav_state.json", {}).get("series", []))
    risks = _validated(_RISKS, documents.get("risk.json", {}).get("history", []))
    points = [found for point in series if (found := _point(point)) is not None]
    return Kept(
        most,
        sorted(points, key=lambda each: each.time)[-most:],
        sorted(
            (RiskPoint(Timestamp(each.t), each.status, tuple(each.alerts), each.frame) for each in risks),
            key=lambda each: each.time,
        )[-most:],
    )


def _validated(adapter: TypeAdapter[list[Any]], said: object) -> Iterable[Any]:
    try:
        return adapter.validate_python(said)
    except ValidationError:
        return ()


def _point(point: SeriesPoint) -> NavPoint | None:
    try:
        nav, price = (None if text is None else to_wad(text) for text in (point.nav, point.price_per_share))
    except DomainError:
        return None
    return NavPoint(Timestamp(point.t), _wad(nav), _wad(price), point.status, point.frame, point.source)


def _wad(amount: int | None) -> Wad | None:
    return None if amount is None else Wad(amount)
