"""Midas feeds: range, deviation in per cent, and the strict hour of the safe call.

Source: `setRoundDataSafe` and `_getDeviation` of `contracts/feeds/CustomAggregatorV3CompatibleFeed.sol` and
`...FeedGrowth.sol`. A breach reverts with a message. Answers have 8 decimals; deviations are 1e8 for 1 %. The other
setter, `setRoundData`, checks the range alone: with the same role it walks around the deviation and the hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from navoracle.domain.errors import OutOfRange
from navoracle.domain.guard_use import GuardUnit, GuardUse
from navoracle.domain.peer_guards.answers import at_least, at_most, truncated
from navoracle.domain.units import SECONDS_PER_YEAR, Timestamp

ONE_PERCENT: Final = 10**8
ALL: Final = 100 * ONE_PERCENT
MIN_SECONDS: Final = 3_601
"""The contract demands more than 3,600 s: an hour sharp is refused."""

_UNIT: Final[GuardUnit] = "percent_e8"


@dataclass(frozen=True, slots=True)
class MidasFeed:
    """What the feed's views say; `last_time` is 0 before the first round, and then nothing limits the deviation."""

    last_answer: int
    last_time: Timestamp
    min_answer: int
    max_answer: int
    max_deviation: int


@dataclass(frozen=True, slots=True)
class GrowthRound:
    """The raw answer of a round of a growth feed, the time of its data and the growth (1e8 = 1 % a year)."""

    answer: int
    data_time: Timestamp
    growth: int

    def at(self, time: Timestamp) -> int:
        """The answer with growth up to `time`, the interest rounded toward zero.

        Raises:
            OutOfRange: the data are newer than that.
        """
        seconds = time - self.data_time
        if seconds < 0:
            raise OutOfRange(
                f"data of {self.data_time} at {time}", advice="Post data of a time before that of the block."
            )
        return self.answer + truncated(self.answer * seconds * self.growth, ALL * SECONDS_PER_YEAR)


@dataclass(frozen=True, slots=True)
class GrowthLimits:
    """What a growth feed demands beside range, deviation and hour (1e8 = 1 % a year)."""

    min_growth: int
    max_growth: int
    only_up: bool


def signed_deviation(last: int, new: int) -> int:
    """Return (new - last) x 100 % / last, 1e8 = 1 %, rounded toward zero; +100 % for a new price of zero.

    Raises:
        DomainError: the last price is zero; the contract panics.
    """
    if new == 0:
        return ALL
    return truncated((new - last) * ALL, last)


def guards(feed: MidasFeed, answer: int, now: Timestamp) -> tuple[GuardUse, ...]:
    """Deviation, hour, lowest and highest answer, as the safe call would find them in a block of this time.

    Raises:
        DomainError: the last answer of a feed that has rounds is zero.
    """
    return _guards(feed, answer, answer, feed.last_answer, now)


def growth_guards(
    feed: MidasFeed, last: GrowthRound, limits: GrowthLimits, new: GrowthRound, now: Timestamp
) -> tuple[GuardUse, ...]:
    """The same of a growth feed: the deviation is between both answers grown up to now, the range is of the raw one.

    Raises:
        OutOfRange: the new data, or the last ones, are newer than the block.
        DomainError: the last answer is zero.
    """
    grown, before = new.at(now), last.at(now)
    found = [
        *_guards(feed, new.answer, grown, before, now),
        at_least(
            "lowest_growth", new.growth, max(limits.min_growth, 0) if limits.only_up else limits.min_growth, _UNIT
        ),
        at_most("highest_growth", new.growth, limits.max_growth, _UNIT),
        at_least("data_after_last_round", new.data_time - last.data_time, 1, "seconds"),
        at_least("data_before_block", now - new.data_time, 1, "seconds"),
    ]
    if limits.only_up and feed.last_time != 0:
        # Compared after truncation: a fall under 1e-10 counts as none.
        found.append(at_least("only_up", signed_deviation(before, grown), 0, _UNIT))
    return tuple(found)


def _guards(feed: MidasFeed, answer: int, compared: int, before: int, now: Timestamp) -> tuple[GuardUse, ...]:
    deviation = 0 if feed.last_time == 0 else abs(signed_deviation(before, compared))
    return (
        at_most("deviation", deviation, feed.max_deviation, _UNIT),
        at_least("one_hour", now - feed.last_time, MIN_SECONDS, "seconds"),
        at_least("lowest_answer", answer, feed.min_answer, "raw"),
        at_most("highest_answer", answer, feed.max_answer, "raw"),
    )
