"""What a protocol's own rates have in common: a base asset, a confidence, and bounds on how fast a rate may move."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import BPS, SECONDS_PER_YEAR, Bps, Timestamp, Wad, format_wad
from navoracle.ports import ProtocolRate, ReadPoint
from navoracle.readers import BasisPoints, DecimalWad, Name, ReaderModel, UnixTime, block_of


class RateGrowth(BaseModel, frozen=True, extra="forbid"):
    """How far a rate may have moved from one that was found right: a band on both sides, in simple interest.

    A gift to a vault lifts its rate in one block, a theft or slashing drops it; neither is followed. State a reference
    of some days ago, so that the steps of a daily report fit, and renew it from time to time: the band widens.

    Attributes:
        reference_rate: the rate (whole base tokens per whole token) at `reference_time`.
        max_growth_bps: of the reference, per year of 365 days.
        max_drop_bps: of the reference, at any time after it.
        reference_time: when the reference was found right, in Unix seconds.
    """

    reference_rate: DecimalWad = Field(gt=0)
    reference_time: UnixTime
    max_growth_bps: BasisPoints
    max_drop_bps: BasisPoints = Bps(0)

    def check(self, reader: str, rate: int, now: Timestamp) -> None:
        """Refuse a rate (Wad) outside the band; compared exactly.

        Raises:
            SourceRefused: the rate is too high or too low, or the reference is later than `now`.
        """
        elapsed = now - self.reference_time
        if elapsed < 0:
            raise SourceRefused(
                f"{reader}: the reference rate of {self.reference_time} is later than the block ({now})",
                advice="Take a reference rate from before the blocks that are valued.",
            )
        moved = rate - self.reference_rate
        if moved * BPS * SECONDS_PER_YEAR > self.reference_rate * self.max_growth_bps * elapsed:
            raise SourceRefused(
                f"{reader}: the rate {format_wad(rate)} grew from {format_wad(self.reference_rate)} in {elapsed} s, "
                f"more than {self.max_growth_bps} bps a year",
                advice="Look for a gift to the contract; if the growth was earned, renew the reference rate.",
            )
        if -moved * BPS > self.reference_rate * self.max_drop_bps:
            raise SourceRefused(
                f"{reader}: the rate {format_wad(rate)} fell from {format_wad(self.reference_rate)}, "
                f"more than {self.max_drop_bps} bps",
                advice="Look for a loss or slashing; if the rate is right, renew the reference rate.",
            )


class RateBase(ReaderModel, frozen=True):
    """A rate that a contract states.

    Attributes:
        base: the asset that the rate counts in.
        confidence: of the rate; a price derived from it takes base confidence x this.
        growth: bounds on its movement; None where nothing is known of it.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"id"})

    chain: Name
    base: Name
    confidence: BasisPoints = Bps(BPS)
    growth: RateGrowth | None = None

    def protocol_rate(self, rate: int, at: ReadPoint, *, higher: int | None = None) -> ProtocolRate:
        """A positive rate (Wad, whole base tokens per whole token), if its growth allows it.

        `higher` is the same rate rounded up, where scaling it left a remainder.

        Raises:
            SourceRefused: the rate lies beyond `growth`.
            ConfigurationError: the point has no block.
        """
        if self.growth is not None:
            self.growth.check(self.id, rate, block_of(self, at).timestamp)
        return ProtocolRate(Wad(rate), Wad(rate if higher is None else higher), self.confidence)
