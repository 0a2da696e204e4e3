"""The record of one valuation (`NavFrame`) and the state that it started from (`Prior`).

A frame values a set of funds at one block per chain and one clock reading. Everything that is not read from the world
comes in through the prior, each value with the frame that it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from navoracle.domain.breaker import Breaker
from navoracle.domain.bridge import BridgeEnd, NavBridge
from navoracle.domain.cadence import Cadence
from navoracle.domain.fees import FeeState
from navoracle.domain.nav import FundValuation
from navoracle.domain.prices import LastValid, PriceEstimate, Quote
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.domain.valuation import PriceKey
from navoracle.domain.vault import VaultState
from navoracle.domain.verdicts import Verdict


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
class PriorPrice:
    """The last valid (live, never decayed) price of an asset on one side, and the frame that found it."""

    asset: str
    side: str
    last_valid: LastValid
    frame: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One live price of the sampler, and the frame that found it."""

    asset: str
    time: Timestamp
    price: Wad
    frame: str


@dataclass(frozen=True, slots=True)
class PriorRound:
    """When the answer that an on-chain source gave last was published (Unix seconds), and the frame that read it."""

    source: str
    published_at: Timestamp
    frame: str


@dataclass(frozen=True, slots=True)
class PostBounds:
    """What the contract lets one post, and one day, change the price per share by, in bps of the served value."""

    up_bps: int
    down_bps: int
    day_bps: int


@dataclass(frozen=True, slots=True)
class ConfirmedNav:
    """A NAV as the chain holds it: the only baseline of the change guard.

    `frame` names the frame whose post was confirmed; None when the value was set by somebody else (a registration).
    `bounds` are the contract's own, `day_drift` the signed sum of the steps of its day (tenths of a basis point); None
    where it has none or they were not asked for; so is `nav` of one that keeps a price alone. `live` is False for a
    fund that the contract has closed.
    """

    nav: Wad | None
    price_per_share: Wad
    valuation_time: Timestamp
    held: bool
    block_number: int
    frame: str | None
    bounds: PostBounds | None = None
    day_drift: int | None = None
    live: bool = True


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What the frame found that a second frame now verifies."""

    frame: str
    price_per_share: Wad
    block_number: int


@dataclass(frozen=True, slots=True)
class PriorFrame:
    """The fund's frame before this one: its time, its blocks' numbers by chain, and its price per share (Wad).

    The price is None when the fund could not be valued.
    """

    frame: str
    now: Timestamp
    price_per_share: Wad | None
    blocks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PriorPosition:
    """The last known value (Wad magnitude) of a position, and the frame that found it."""

    position: str
    value: Wad
    frame: str


@dataclass(frozen=True, slots=True)
class FundPrior:
    """A fund's state before the frame.

    `fees_frame` is the frame that started the fee clock and the high-water mark. `distributions_per_share` (Wad) are
    the dividends declared since the confirmed NAV; they are added back to the change of the price per share. `rebase`
    is the request by which the RISK role lets the next post be compared with nothing. `posted` is what the frame of the
    confirmed NAV found, where the fund has a vault of its own.
    """

    confirmed: ConfirmedNav | None = None
    fees: FeeState = field(default_factory=FeeState)
    fees_frame: str | None = None
    positions: tuple[PriorPosition, ...] = ()
    distributions_per_share: Wad = Wad(0)
    first_look: FirstLook | None = None
    last_frame: PriorFrame | None = None
    breaker: Breaker = field(default_factory=Breaker)
    rebase: str | None = None
    posted: BridgeEnd | None = None
    posted_unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Prior:
    """The state that a frame starts from. `asset_breakers` has the breakers that are not closed, by asset."""

    prices: tuple[PriorPrice, ...] = ()
    samples: tuple[Sample, ...] = ()
    funds: Mapping[str, FundPrior] = field(default_factory=dict)
    rounds: tuple[PriorRound, ...] = ()
    asset_breakers: Mapping[str, Breaker] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A reader that failed, with the error's code, message and advice."""

    reader: str
    code: str
    message: str
    advice: str


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


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """Limits of the keeper's own guards (section names are those of the user guide).

    Attributes:
        min_interval: seconds since the last confirmed valuation.
        max_change_bps: change of price per share above which a second frame must agree.
        agreement_bps: how far the second frame may lie from the first one.
        max_haircut_bps: how far haircuts of fallback prices may move the NAV before the fund is halted.
        immaterial_bps: an unpriced asset position whose last value is under this part of NAV counts as zero.
        rate_gap_bps: gap between the two values of derived rates, as a part of NAV, that asks for a second frame.
        time_weighted_gap_bps: gap between a price and its 30-minute average that asks for a second frame.
        max_mixed_age: seconds between the oldest and the newest reading of a fund.
        max_block_age: seconds that the block may lie behind the clock.
        max_baseline_age: seconds after which the confirmed value is too old to compare with.
        post_estimated: whether the fund's contract knows the status ESTIMATED.
        max_unexplained_bps: change of NAV that neither prices, income, fees nor flows explain, as a part of the NAV
            posted last and the deposits since, above which the fund is halted.
    """

    min_interval: int = 60
    max_change_bps: Bps = Bps(3_000)
    agreement_bps: Bps = Bps(50)
    max_haircut_bps: Bps = Bps(1_000)
    immaterial_bps: Bps = Bps(1)
    rate_gap_bps: Bps = Bps(50)
    time_weighted_gap_bps: Bps = Bps(500)
    max_mixed_age: int = 3_600
    max_block_age: int = 900
    max_baseline_age: int = 604_800
    post_estimated: bool = True
    max_unexplained_bps: Bps = Bps(50)
