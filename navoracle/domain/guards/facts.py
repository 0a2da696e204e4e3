"""What the guards of one fund look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from navoracle.domain.breaker import Breaker
from navoracle.domain.bridge import NavBridge
from navoracle.domain.failures import Failure
from navoracle.domain.frame import BlockStamp, RateGap
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.nav import FundValuation
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.prior import FundPrior
from navoracle.domain.risk.gates import GateDecision, GatePolicy
from navoracle.domain.units import Timestamp, Wad


@dataclass(frozen=True, slots=True)
class GuardInput:
    """All that the guards of one fund look at.

    `estimates` are those that the fund's positions use; `averages` the time-weighted averages by asset (None where the
    sampler has too few samples); `readers` the ids of the position readers that the plan asks for; `immaterial` the
    unpriced positions that count as zero; `shortcomings` what a second frame lacks of "every configured source":
    failures and refused quotes. `chain` is where the fund is posted; `asset_breakers` are those of the assets that it
    needs, as far as they are not closed; `turned_back` the sources whose answers are older than those of the frame
    before; `bridge` is from the confirmed post to this valuation, `gate` what the fund's NAV gate decided by
    `gate_policy`; None where there is none.
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
    chain: str | None
    asset_breakers: Mapping[str, Breaker]
    turned_back: Sequence[str]
    bridge: NavBridge | None = None
    gate: GateDecision | None = None
    gate_policy: GatePolicy | None = None
