"""One guard of a contract and what a post would use of it, by the contract's own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navoracle.domain.units import BPS, Rounding, divide

GuardUnit = Literal["raw", "bps", "wad", "seconds", "tenths_of_bps", "percent_e8"]
GuardSide = Literal["at_most", "at_least", "fall"]
"""How value and limit are compared: value <= limit; value >= limit, as a wait or a floor; a fall, both below zero."""


@dataclass(frozen=True, slots=True)
class GuardUse:
    """How much of one guard a post would use.

    Attributes:
        name: the guard, in the contract's own words as far as it has any ("upper_bound", "minimum_delay").
        value: what the post has; signed where a direction counts.
        limit: what the guard compares it with.
        unit: of both.
        passes: whether the contract lets it through.
        side: how value and limit are compared.
    """

    name: str
    value: int
    limit: int
    unit: GuardUnit
    passes: bool
    side: GuardSide = "at_most"

    @property
    def distance(self) -> int:
        """How far the value lies within the limit, in `unit`; below zero is beyond it."""
        return self.limit - self.value if self.side == "at_most" else self.value - self.limit

    @property
    def used_bps(self) -> int | None:
        """The part of the limit that is used, rounded up; 10_000 is all of it.

        None where the limit is zero, or is one that must be reached: nothing of a wait or a floor is used up.
        """
        if self.limit == 0 or self.side == "at_least":
            return None
        return divide(abs(self.value) * BPS, abs(self.limit), Rounding.UP)
