"""The records that go into a store and come out of it.

Money is Wad, times are Unix seconds, hashes and byte strings are 0x-hex.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from navoracle.domain.cadence import Cadence
from navoracle.domain.failures import Failure
from navoracle.domain.frame import BlockStamp, NavStatus
from navoracle.domain.nav import Breakdown
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.domain.verdicts import Verdict
from navoracle.publisher_port import Batch, SignedTransaction
from navoracle.store_port.peaks import GateRow
from navoracle.store_port.states import TransactionState


class SlotState(Enum):
    """CLAIMED while it is worked on; the others are how a slot ended. MISSED: nobody worked on it while it was due."""

    CLAIMED = "claimed"
    POSTED = "posted"
    HELD = "held"
    SKIPPED = "skipped"
    FAILED = "failed"
    MISSED = "missed"


class FundOutcome(Enum):
    """What the contract did with one fund's record; MISSING when the contract was not asked or knows nothing of it."""

    ACCEPTED = "accepted"
    HELD = "held"
    REFUSED = "refused"
    MISSING = "missing"


class Severity(Enum):
    """How much an event matters: CRITICAL asks an operator to act now."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class SlotOutcome:
    """How a slot ended: the reason when nothing was accepted, the frame that valued it and the post that it became."""

    state: SlotState
    reason: str | None
    frame: str | None
    post: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and that an operator may ask about. `data` is plain JSON."""

    at: Timestamp
    kind: str
    fund: str | None
    severity: Severity
    message: str
    advice: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventRow:
    """A stored event; ids grow in the order of storing."""

    id: int
    event: Event


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One slot. `lease_until` is by the database's clock; `epoch` grows with every claim."""

    fund: str
    slot_time: Timestamp
    cadence: Cadence
    state: SlotState
    reason: str | None
    frame: str | None
    post: int | None
    claimed_at: Timestamp
    finished_at: Timestamp | None
    owner: str | None
    epoch: int
    lease_until: Timestamp | None


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A stored frame without its funds; `stop_after` is "price" for a sampler's frame."""

    id: str
    slot_time: Timestamp
    cadence: Cadence
    clock: Timestamp
    now: Timestamp
    stamps: tuple[BlockStamp, ...]
    verifies: str | None
    stop_after: str | None
    code_version: str


@dataclass(frozen=True, slots=True)
class FundValues:
    """The figures of a valued fund, as they are stored: the two NAVs beside the components that they are sums of."""

    before: Breakdown
    after: Breakdown
    nav_before: Wad
    nav_after: Wad
    price_per_share: Wad
    shares: Wad
    confidence: Bps
    undecayed_nav: Wad
    estimated: bool


@dataclass(frozen=True, slots=True)
class FundFrameRow:
    """What a frame found for a fund; `values` is None when it could not be valued, `gate` where it has none."""

    frame: str
    fund: str
    slot_time: Timestamp
    now: Timestamp
    status: NavStatus
    reason: str | None
    values: FundValues | None
    verdicts: tuple[Verdict, ...]
    failures: tuple[Failure, ...]
    immaterial: tuple[str, ...]
    gate: GateRow | None
    evidence_hash: str | None


@dataclass(frozen=True, slots=True)
class PostFundRow:
    """One fund's part of a post; `outcome` is None until the contract was read back."""

    fund: str
    fund_id: int
    nav: Wad
    price_per_share: Wad
    outcome: FundOutcome | None
    reason: str | None
    proof: tuple[str, ...]
    evidence_hash: str


@dataclass(frozen=True, slots=True)
class PostRow:
    """A stored post: the exact call (`batch`), the transaction that carries it, and what became of it.

    `state`, `attempts` (oldest first), `error` and the rest are the transaction's; `transaction_hash` is that of the
    attempt that was mined.
    """

    id: int
    frame: str
    batch: Batch
    transaction: int
    state: TransactionState
    created_at: Timestamp
    finished_at: Timestamp | None
    transaction_hash: str | None
    block_number: int | None
    error: str | None
    attempts: tuple[SignedTransaction, ...]
    funds: tuple[PostFundRow, ...]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One slot with what its frame found and where it was posted; what there is not is None.

    `transaction_hash` is the mined one, or else the newest that was signed.
    """

    fund: str
    slot_time: Timestamp
    cadence: Cadence
    state: SlotState
    reason: str | None
    frame: str | None
    status: NavStatus | None
    nav_after: Wad | None
    price_per_share: Wad | None
    confidence: Bps | None
    transaction_hash: str | None
    block_number: int | None


@dataclass(frozen=True, slots=True)
class StatusRow:
    """A fund's newest slot and the newest one that was posted."""

    fund: str
    latest: HistoryRow
    posted: HistoryRow | None
