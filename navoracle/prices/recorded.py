"""Recorded series, for replays and demonstrations."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final, Literal

from navoracle.domain.errors import DomainError, EmptyResult, MalformedResult, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.units import Bps, Timestamp, Wad, to_wad
from navoracle.ports import Read, ReadPoint, RecordedRow
from navoracle.readers import BasisPoints, Name, ReaderModel, Seconds

MAX_BYTES: Final = 1_024
"""A longer row is refused unread: deeply nested JSON can bring the interpreter down."""


class RecordedSource(ReaderModel, frozen=True):
    """The newest row of a recorded series that was known at the time of the frame.

    Attributes:
        series: the name under which the series was loaded.
        max_age: seconds after which a row is too old to be a price.
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
        time, price = decode_row(data)
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
            price=price,
            confidence=self.confidence,
            observed_at=time,
            max_age=self.max_age,
            published_at=time,
        )


def decode_row(data: bytes) -> tuple[Timestamp, Wad]:
    """Decode `{"time": Unix seconds, "price": "decimal"}`.

    Raises:
        EmptyResult: no row.
        MalformedResult: not exactly these two keys, or values of other types.
    """
    if not data:
        raise EmptyResult("no recorded row", advice="Check that the series covers the time of the frame.")
    try:
        if len(data) > MAX_BYTES:
            raise ValueError(f"{len(data)} bytes, more than {MAX_BYTES}")
        row: Any = json.loads(data)
        if not isinstance(row, dict) or set(row) != {"time", "price"}:
            raise ValueError("expected the keys time and price")
        time, price = row["time"], row["price"]
        if type(time) is not int or not isinstance(price, str):
            raise ValueError("expected an integer time and a price in quotes")
        return Timestamp(time), to_wad(price)
    except (ValueError, RecursionError, DomainError) as error:
        raise MalformedResult(
            f"a recorded row is malformed: {error}", advice='Supply rows as {"time": 1678338000, "price": "0.9987"}.'
        ) from error
