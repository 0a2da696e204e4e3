"""Feeds that write when the price moved by a threshold, and at the latest after a heartbeat.

Such a feed asserts its answer until its heartbeat runs out, so an answer within `heartbeat + grace` counts as observed
at the block's time and ages with the block, by the policy's own limit (a halted chain does not keep its prices fresh).
After that it counts as observed at its own time: too old. The answer's own time is always `published_at`.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import PUSH_FEED, less_deviation
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.prices.base import SourceBase
from navoracle.readers import BasisPoints, ReaderModel, Seconds


class Heartbeat(ReaderModel, frozen=True):
    """The times by which a feed's answer is judged.

    Attributes:
        heartbeat, grace: seconds; an answer older than their sum is stale.
    """

    heartbeat: Seconds
    grace: int = Field(default=300, ge=0)

    def is_current(self, written: Timestamp, now: Timestamp) -> bool:
        """Whether an answer of `written` still stands at `now`; both in Unix seconds."""
        return now - written <= self.heartbeat + self.grace

    def check_written(self, written: int, now: Timestamp, max_ahead: int = 0) -> Timestamp:
        """The time at which an answer was written, at most `max_ahead` seconds after its block; Unix seconds.

        Raises:
            SourceRefused: there is no time, or it is too late.
        """
        if written == 0:
            raise SourceRefused(
                f"{self.id}: the feed was never written",
                advice="Check the address; a feed without reports answers zeros until its first one.",
            )
        if written > now + max_ahead:
            allowed = f" by more than {max_ahead} s" if max_ahead else ""
            raise SourceRefused(
                f"{self.id}: the answer of {written} is later than its block ({now}){allowed}",
                advice="Check the address and the clocks; a report should not be newer than the block that holds it.",
            )
        return Timestamp(written)


class HeartbeatSource(Heartbeat, SourceBase, frozen=True):
    """A price source with a heartbeat and a deviation threshold.

    Confidence is `confidence` less ten times `deviation_bps`: within its threshold the feed does not move, so the
    threshold is an error that cannot be reduced.

    Attributes:
        deviation_bps: the feed's deviation threshold.
        confidence: before the deviation is taken off, in basis points.
    """

    deviation_bps: BasisPoints = Bps(0)
    confidence: BasisPoints = PUSH_FEED

    @model_validator(mode="after")
    def _check_confidence(self) -> Self:
        if self.quote_confidence <= 0:
            raise ValueError(
                f"a deviation threshold of {self.deviation_bps} bps leaves no confidence of {self.confidence}: "
                "check the feed's threshold"
            )
        return self

    @property
    def quote_confidence(self) -> Bps:
        """The confidence of this feed's quotes."""
        return less_deviation(self.confidence, self.deviation_bps)

    def heartbeat_quote(self, price: Wad, written: Timestamp, now: Timestamp, confidence: Bps | None = None) -> Quote:
        """A quote of an answer that was written at `written`, by the rule of the module; times in Unix seconds.

        `confidence` is `quote_confidence` unless it is given.
        """
        current = self.is_current(written, now)
        return self.quote(
            price,
            self.quote_confidence if confidence is None else confidence,
            now if current else written,
            max_age=None if current else self.heartbeat + self.grace,
            published_at=written,
        )
