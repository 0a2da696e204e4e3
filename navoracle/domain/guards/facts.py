"""What the guards of one fund look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from navoracle.domain.frame import BlockStamp, Failure, FundPrior, GuardPolicy, RateGap
from navoracle.domain.nav import FundValuation
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.units import Timestamp, Wad


@dataclass(frozen=True, slots=True)
class GuardInput:
    """All that the guards of one fund look at.

    `estimates` are those that the fund's positions use; `averages` the time-weighted averages by asset (None where the
    sampler has too few samples); `readers` the ids of the position readers that the plan asks for; `immaterial` the
    unpriced positions that count as zero; `shortcomings` what a second frame lacks of "every configured source":
    failures and refused quotes.
    """

    valuation: FundValuation
    prior: FundPrior
    policy: GuardPolicy
    now: Timestamp
    clock: Timestamp
    stamps: Sequence[BlockStamp]
    home: BlockStamp | None
    estimates: Sequence[PriceEstimate]
    averages: Mapping[str, Wad | None]
    rate_gaps: Sequence[RateGap]
    readers: frozenset[str]
    immaterial: Sequence[str]
    failures: Sequence[Failure]
    shortcomings: Sequence[str]
