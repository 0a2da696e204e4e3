"""What is proposed already, and where a new proposal goes: pure rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, TypeAlias

from navoracle.domain.errors import UsageError
from navoracle.ports import Address
from navoracle.safe.account import SafeState
from navoracle.safe.document import SignedProposal
from navoracle.safe.purpose import Purpose
from navoracle.safe.transaction import SafeTransaction

PAST_LOOKED_AT: Final = 50
"""How many nonces back proposals are still looked at: a slot's proposal that was executed is not made again."""


class Standing(Enum):
    """How a proposal stands.

    PROPOSED: it was just made. PENDING: it waits for signatures or for its turn. EXPIRED: it waits, and its valuation
    is too old. PAST: its nonce is used up; it, or another one in its place, was executed.
    """

    PROPOSED = "proposed"
    PENDING = "pending"
    EXPIRED = "expired"
    PAST = "past"


class Placement(Enum):
    """Which nonce a proposal takes.

    NEXT: after all that wait. REPLACE_EXPIRED: that of our oldest expired one, which holds up what waits behind it;
    else the next.
    """

    NEXT = "next"
    REPLACE_EXPIRED = "replace_expired"


Place: TypeAlias = Placement | int
"""A rule, or a nonce: a replacement of what waits there."""


@dataclass(frozen=True, slots=True)
class KnownProposal:
    """A proposal that somebody made. `purpose` is None where it is not ours, or its file is gone.

    `executed` is what a service says; a nonce that the Safe has used up says it anyway. `place` is where it is found.
    """

    transaction: SafeTransaction
    place: str
    purpose: Purpose | None = None
    proposer: Address | None = None
    executed: bool = False

    def standing(self, nonce: int, now: int) -> Standing:
        """How it stands, for the Safe's nonce and a time in Unix seconds."""
        if self.executed or self.transaction.nonce < nonce:
            return Standing.PAST
        return Standing.EXPIRED if self.purpose is not None and self.purpose.expired(now) else Standing.PENDING


class Proposals(Protocol):
    """Where proposals go, and what is there."""

    async def known(self, state: SafeState) -> tuple[KnownProposal, ...]:
        """All proposals that wait, of whomever, and our last ones that do not.

        Raises:
            ConfigurationError, VerificationFailed, ReadError: what is there cannot be read, or is not what it says.
        """

    async def put(self, signed: SignedProposal) -> str:
        """Hand a proposal over; returns where it can be found.

        Raises:
            ConfigurationError, ProposalRefused, ReadError: it was not taken.
        """


def duplicate_of(
    transaction: SafeTransaction, purpose: Purpose, known: Iterable[KnownProposal], *, nonce: int, now: int
) -> KnownProposal | None:
    """The proposal that makes a new one needless: one that waits and does the same, or is for the same fund and slot.

    One that expired makes nothing needless. One whose nonce is used up does so for its own slot: it was executed, or
    the owners put another transaction in its place.
    """
    for found in sorted(known, key=lambda each: each.transaction.nonce, reverse=True):
        standing = found.standing(nonce, now)
        of_slot = found.purpose is not None and found.purpose.same_slot(purpose)
        waits = standing is Standing.PENDING and (of_slot or found.transaction.does_the_same(transaction))
        if waits or (standing is Standing.PAST and of_slot):
            return found
    return None


def nonce_for(place: Place, known: Sequence[KnownProposal], *, nonce: int, now: int) -> int:
    """The nonce of a new proposal, at least the Safe's own.

    Raises:
        UsageError: the nonce that is asked for is used up, or would leave a gap that nothing fills.
    """
    following = max([nonce, *(found.transaction.nonce + 1 for found in known)])
    if isinstance(place, int):
        if not nonce <= place <= following:
            raise UsageError(
                f"nonce {place} cannot be proposed for: the Safe takes {nonce} next, and {following} has no proposal",
                advice=f"Name one from {nonce} to {following}.",
            )
        return place
    if place is Placement.NEXT:
        return following
    standings: dict[int, set[Standing]] = {}
    for found in known:
        standings.setdefault(found.transaction.nonce, set()).add(found.standing(nonce, now))
    return min((at for at, found in standings.items() if found == {Standing.EXPIRED}), default=following)
