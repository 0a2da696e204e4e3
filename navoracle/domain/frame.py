"""The record of one valuation (`NavFrame`).

A frame values a set of funds at one block per chain and one clock reading, from the state that its `Prior` holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

from navoracle.domain.bridge import NavBridge
from navoracle.domain.cadence import Cadence
from navoracle.domain.failures import Failure
from navoracle.domain.nav import FundValuation
from navoracle.domain.prices import PriceEstimate, Quote
from navoracle.domain.risk.gates import GateDecision
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import Timestamp, Wad
from navoracle.domain.valuation import PriceKey
from navoracle.domain.vault import VaultState
from navoracle.domain.verdicts import Verdict

EVIDENCE_FORMAT: Final = 5
"""Of evidence documents. A record in them that gains or loses a field needs another one: old ones would seem forged."""


@dataclass(frozen=True, slots=True)
class BlockStamp:
    """The block of one chain that every read of a frame is pinned to. `chain` is the configuration's name for it."""

    chain: str
    chain_id: int
    number: int
    hash: str
    parent_hash: str
    timestamp: Timestamp


class NavStatus(Enum):
    """What a frame says of a fund's NAV."""

    LIVE = "live"
    ESTIMATED = "estimated"
    VERIFIED = "verified"
    SUSPICIOUS = "suspicious"
    HALTED = "halted"
    INSOLVENT = "insolvent"


POSTABLE = frozenset({NavStatus.LIVE, NavStatus.ESTIMATED, NavStatus.VERIFIED})


@dataclass(frozen=True, slots=True)
class RateGap:
    """The two values of a derived rate (Wad): an asset takes the lower one, a debt the higher one."""

    asset: str
    lower: Wad
    higher: Wad


@dataclass(frozen=True, slots=True)
class GuardDistance:
    """How much of the contract's own band a post would use, by the contract's own arithmetic.

    Attributes:
        step: change of the served price per share, signed, in tenths of a basis point, rounded away from zero.
        step_limit: the bound of one post in that direction, in tenths of a basis point.
        day: what the signed sum of the UTC day's steps would be.
        day_limit: its bound, in either direction.
        used_bps: the larger part of the two bounds that would be used, rounded up; 10_000 is all of it.
        binds: the bound that it is the part of; "step" when both are alike.
    """

    step: int
    step_limit: int
    day: int
    day_limit: int
    used_bps: int
    binds: Literal["step", "day"]

    @property
    def within(self) -> bool:
        """Whether the contract's price bounds let the post through."""
        return abs(self.step) <= self.step_limit and abs(self.day) <= self.day_limit


@dataclass(frozen=True, slots=True)
class FundFrame:
    """What a frame found for one fund.

    `valuation` is None when the fund could not be valued; `reason` says why whenever the status is not postable;
    `immaterial` names unpriced positions that were counted as zero. `distance` is None where there is nothing to post
    or no contract's band to post within; `agrees` says whether the price per share is that of the frame before, within
    the guards' `agreement_bps`, None where there is none to compare with. `vault` is what the fund's own vault says,
    and `bridge` why the NAV is another one than that of the confirmed post; None where nothing was posted before.
    `risk` and `gate` are None for a fund that has none configured; a gate decides whether or not the fund was valued.
    """

    fund: str
    status: NavStatus
    reason: str | None
    valuation: FundValuation | None
    verdicts: tuple[Verdict, ...]
    failures: tuple[Failure, ...]
    immaterial: tuple[str, ...] = ()
    distance: GuardDistance | None = None
    agrees: bool | None = None
    vault: VaultState | None = None
    bridge: NavBridge | None = None
    risk: RiskReport | None = None
    gate: GateDecision | None = None

    @property
    def postable(self) -> bool:
        """Whether this NAV may be posted to a contract that knows the status ESTIMATED."""
        return self.status in POSTABLE


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """One read of the world, raw: who was asked what, and the bytes that came back (hex)."""

    chain: str | None
    kind: str
    request: Mapping[str, str]
    ok: bool
    data: str


@dataclass(frozen=True, slots=True)
class NavFrame:
    """One valuation of a set of funds; frozen, and complete enough to be recomputed.

    `now` is the valuation time: the home chain's block timestamp, or the clock reading where no chain is read.
    `verifies` names the frame that this one is the second look at. `evidence` maps a fund to its canonical document.
    """

    id: str
    slot_time: Timestamp
    cadence: Cadence
    clock: Timestamp
    now: Timestamp
    stamps: tuple[BlockStamp, ...]
    quotes: tuple[Quote, ...]
    estimates: Mapping[PriceKey, PriceEstimate]
    failures: tuple[Failure, ...]
    funds: tuple[FundFrame, ...]
    verifies: str | None = None
    evidence: Mapping[str, bytes] = field(default_factory=dict)

    def fund(self, name: str) -> FundFrame:
        """The named fund's part; KeyError when the frame does not value it."""
        for part in self.funds:
            if part.fund == name:
                return part
        raise KeyError(name)
