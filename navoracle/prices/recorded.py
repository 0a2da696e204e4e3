"""Recorded series, for replays and demonstrations."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.units import Bps, Wad
from navoracle.ports import Read, ReadPoint, RecordedRow
from navoracle.readers import BasisPoints, Name, ReaderModel, Seconds
from navoracle.recorded_rows import decode_row

PLACES: Final = 18


class RecordedSource(ReaderModel, frozen=True):
    """The newest row of a recorded series that was known at the time of the frame.

    Attributes:
        series: the name under which the series was loaded.
        max_age: seconds after which a row is too old to be a price.
        asset: the asset that is quoted.
        group: sources that share a root share a group, and a group has one vote.
        quoted_in: the asset in which the price is stated; the unit of account unless set.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"asset"})

    kind: Literal["recorded"]
    asset: Name
    group: Name
    series: Name
    max_age: Seconds
    confidence: BasisPoints = Bps(9_000)
    quoted_in: Name | None = None

    @property
    def chain(self) -> None:
        """Recorded prices are read off chain."""
        return

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the row; its time is when its price became known.

        Raises:
            SourceRefused: the row is of the future, or its price is not positive.
        """
        (data,) = yield (RecordedRow(self.series),)
        time, price = decode_row(data, PLACES)
        if time > at.now:
            raise SourceRefused(
                f"{self.id}: the row of {time} was not yet known at {at.now}",
                advice="Report this as a defect of the reader behind the series: it looks ahead.",
            )
        if price <= 0:
            raise SourceRefused(
                f"{self.id}: the row of {time} has a price that is not positive",
                advice="Correct the recorded series.",
            )
        return Quote(
            asset=self.asset,
            source=self.id,
            group=self.group,
            price=Wad(price),
            confidence=self.confidence,
            observed_at=time,
            max_age=self.max_age,
            published_at=time,
        )
