"""How assets are priced: their sources, and recorded series."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from navoracle.config.base import BpsField, Seconds, Section
from navoracle.prices import Rate, Source
from navoracle.prices.roots import split_roots


class SeriesSection(Section):
    """A recorded series: a CSV of `timestamp,price` or `timestamp,open,high,low,close,volume`, or of a named column.

    Attributes:
        file: the CSV.
        column: the column to read, by its name in the header; `close` or `price` unless set.
        places: decimal places that are kept: 18 for a price, 27 for an index of Aave.
        step: seconds between rows; a close is known at its row's time plus the step. The most common difference unless
            set.
    """

    file: Path
    step: Annotated[int, Field(gt=0)] | None = None
    column: Annotated[str, Field(min_length=1)] | None = None
    places: Annotated[int, Field(ge=0, le=36)] = 18


class NativeSection(Section):
    """A protocol's own rate, held against the market price and never lifting it.

    Attributes:
        rate: where the rate is read.
        native_band_bps: how far market and rate may lie apart before an alarm, in either direction.
        native_halt_bps: how far before there is no price at all.
    """

    rate: Rate
    native_band_bps: BpsField
    native_halt_bps: BpsField


class AssetSection(Section):
    """How one asset is priced: by `sources`, or through its base at a protocol's rate (`derived`).

    Attributes:
        sources: what quotes it; either these or `derived`.
        derived: the rate that turns the price of its base into its own.
        native: a protocol's rate that the price is held against.
        max_age: seconds after which a quote is stale, where its source has no age of its own.
        max_future: seconds that a quote may lie ahead of the valuation.
        min_confidence: below it a quote is refused.
        outlier_bps: a vote farther than this from the median is left out.
        wide_bps: a spread above it caps the confidence at 50 %.
        min_sources: groups that must remain, or there is no live price.
        method: how the price follows from the votes that remain.
    """

    sources: tuple[Source, ...] = ()
    derived: Rate | None = None
    native: NativeSection | None = None
    max_age: Seconds = 300
    max_future: Seconds = 30
    min_confidence: BpsField = 5_000
    outlier_bps: BpsField = 1_000
    wide_bps: BpsField = 500
    min_sources: Annotated[int, Field(ge=1)] = 2
    method: Literal["median", "weighted_mean"] = "median"

    @model_validator(mode="after")
    def _priced_one_way(self) -> Self:
        if bool(self.sources) == (self.derived is not None):
            raise ValueError("give either `sources` or `derived`, and not both")
        groups = {source.group for source in self.sources}
        if self.sources and len(groups) < self.min_sources:
            raise ValueError(
                f"min_sources is {self.min_sources} and there are {len(groups)} groups of sources: it could never be "
                "priced; add an independent source or set min_sources"
            )
        return self

    @property
    def split_roots(self) -> Mapping[str, tuple[str, ...]]:
        """Roots of sources that vote in more than one group, with the groups."""
        return split_roots(self.sources)
