"""A registry beside its posts: what it is at a block, what it holds and why, and the calls of those who decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.publisher_port import Batch


class CodeReader(Protocol):
    """Reads contracts' code at pinned blocks."""

    async def code_at(self, address: Address, at: BlockStamp) -> bytes:
        """The run-time code, empty where there is no contract. Raises ChainError."""


class Registration(Enum):
    """A fund on a registry. LIVE takes posts, CLOSED does not, UNKNOWN was never registered."""

    LIVE = "live"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GuardBounds:
    """A guard profile of the registry: bps of the served price per share (1 to 3276), times in seconds."""

    up_bps: int = 1_000
    down_bps: int = 1_000
    day_bps: int = 2_500
    min_interval: int = 60
    max_age: int = 7_200


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a registry holds a fund, and since when (block time).

    `reasons` are names joined by "+"; `digest` identifies the first held record, None where none is held;
    `first_reason` is the number that the digest was made with.
    """

    reasons: str
    by_guardian: bool
    since: Timestamp
    digest: bytes | None
    first_reason: int


@dataclass(frozen=True, slots=True)
class RegistryState:
    """A registry at one block, as far as its keeper must know it.

    Attributes:
        known_code: whether its code is that of the version that this navoracle knows; None where there is none.
        sender_roles: the roles of the keeper's sender, lower case; None without a sender.
        max_post_age: seconds after its valuation at which a post is refused.
        funds: the funds that were asked for.
        holds: of the funds that are held.
    """

    at: BlockStamp
    known_code: bool | None
    paused: bool
    max_post_age: int
    sender_roles: frozenset[str] | None
    funds: Mapping[str, Registration]
    holds: Mapping[str, Hold]


class RegistryInspector(Protocol):
    """Reads a registry's state, all of it at one block."""

    async def inspect(self, fund_ids: Mapping[str, int], sender: Address | None) -> RegistryState:
        """Its state at the chain's final block. Raises ChainError: it cannot be read, or is no registry."""


@dataclass(frozen=True, slots=True)
class PostedRecord:
    """One fund's record as it was posted: the batch's header and the record's own bytes."""

    fund_id: int
    header: int
    record: bytes


class OwnCall(Enum):
    """What the holder of a role sends itself: HOLD and PAUSE stop (GUARDIAN or RISK), the others are for RISK alone.

    PAUSE and RESUME are of the whole registry.
    """

    ACCEPT = "accept"
    DISCARD = "discard"
    RELEASE = "release"
    HOLD = "hold"
    PAUSE = "pause"
    RESUME = "resume"


class RegistryCalls(Protocol):
    """The calls by which a hold begins and ends, encoded; nothing is sent by it."""

    def posted(self, batch: Batch, fund: str) -> PostedRecord:
        """A fund's record out of a batch. Raises DomainError: the batch does not have the fund."""

    def is_held(self, posted: PostedRecord, hold: Hold) -> bool:
        """Whether this very record is the one that is held: only that one can be accepted."""

    def accept(self, posted: PostedRecord) -> bytes:
        """Serve the held record after all (RISK)."""

    def discard(self, fund_id: int) -> bytes:
        """Forget the held record (RISK)."""

    def release(self, fund_ids: Sequence[int]) -> bytes:
        """End guardians' holds (RISK)."""

    def hold(self, fund_ids: Sequence[int]) -> bytes:
        """Hold funds until RISK releases them (GUARDIAN)."""
