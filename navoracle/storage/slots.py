"""Slots: one (fund, scheduled time) is claimed once; the database's uniqueness decides who has it."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.dialects.sqlite import insert

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import tables
from navoracle.storage.database import Database
from navoracle.store_records import SlotOutcome, SlotState

_OPEN = (SlotState.CLAIMED.value, SlotState.FAILED.value)


class SlotStore:
    """The part of the store that keeps slots."""

    _database: Database

    def claim_slot(self, fund: str, slot_time: Timestamp, cadence: Cadence, at: Timestamp) -> bool:
        """Take the slot; False when it is taken, by whatever process and whenever."""
        statement = insert(tables.slots).on_conflict_do_nothing(index_elements=["fund", "slot_time"])
        with self._database.write() as connection:
            claimed = connection.execute(
                statement,
                {
                    "fund": fund,
                    "slot_time": slot_time,
                    "cadence": cadence.value,
                    "state": SlotState.CLAIMED.value,
                    "claimed_at": at,
                    "epoch": 1,
                },
            )
            return claimed.rowcount == 1

    def finish_slot(self, fund: str, slot_time: Timestamp, outcome: SlotOutcome, at: Timestamp) -> None:
        """Record how a claimed slot ended. A failed one may still end otherwise (a late receipt); any other end stands.

        Raises:
            StoreError: the slot was not claimed or has ended, the outcome is no end, or its frame or post is unknown.
        """
        if outcome.state is SlotState.CLAIMED:
            raise StoreError(
                f"slot {slot_time} of {fund} cannot end as claimed", advice="Report this as a defect of the keeper."
            )
        table = tables.slots
        statement = (
            update(table)
            .where(table.c.fund == fund, table.c.slot_time == slot_time, table.c.state.in_(_OPEN))
            .values(
                state=outcome.state.value,
                reason=outcome.reason,
                frame=outcome.frame,
                post=outcome.post,
                finished_at=at,
            )
        )
        with self._database.write() as connection:
            if connection.execute(statement).rowcount != 1:
                raise StoreError(
                    f"slot {slot_time} of {fund} is not claimed, or has ended",
                    advice="Another keeper works on this fund, or the slot was never claimed; see `navoracle history`.",
                )
