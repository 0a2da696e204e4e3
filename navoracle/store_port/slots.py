"""Slots: claimed by lease and epoch, ended once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from navoracle.domain.cadence import Cadence
from navoracle.domain.units import Timestamp
from navoracle.store_port.records import SlotOutcome, SlotRow


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot that this keeper has: every later write about it names the epoch, and fails once another one has it."""

    fund: str
    slot_time: Timestamp
    cadence: Cadence
    owner: str
    epoch: int


class SlotStore(Protocol):
    """What the store knows of slots. A lease is measured by the database's clock, never by the keeper's."""

    def claim_slot(
        self, fund: str, slot_time: Timestamp, cadence: Cadence, *, owner: str, lease: int, at: Timestamp
    ) -> Claim | None:
        """Take the slot for `lease` seconds: a new one, or one whose lease ran out before it ended.

        Returns:
            None when it has ended or somebody's lease on it still runs (its own owner's included).
        """

    def renew_claims(self, claims: Sequence[Claim], lease: int) -> None:
        """Make the leases end `lease` seconds from now. Raises LeaseLost when one of them is no longer this epoch's."""

    def finish_slot(self, claim: Claim, outcome: SlotOutcome, at: Timestamp) -> None:
        """Record how a claimed slot ended: once, for good. Raises LeaseLost when it is no longer this epoch's."""

    def miss_slot(self, fund: str, slot_time: Timestamp, cadence: Cadence, reason: str, at: Timestamp) -> bool:
        """Record that nobody worked on a slot and why; False when somebody has claimed it."""

    def abandoned_slots(self) -> tuple[SlotRow, ...]:
        """Claimed slots that have not ended and whose lease ran out, oldest first."""
