"""Slots: one (fund, scheduled time) is claimed by lease and epoch; the database's clock and uniqueness decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, bindparam, select, update
from sqlalchemy.sql.dml import ReturningInsert

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import tables
from navoracle.storage.columns import ByteOrder, DatabaseClock
from navoracle.storage.database import Database
from navoracle.storage.failures import defect, lease_lost
from navoracle.storage.rows import slot_row
from navoracle.storage.upsert import keeping, upsert
from navoracle.store_port.records import SlotOutcome, SlotRow, SlotState
from navoracle.store_port.slots import Claim

MILLISECONDS: Final = 1_000
_TABLE: Final = tables.slots
_LEASE_END: Final = DatabaseClock() + bindparam("lease")


def _claiming() -> ReturningInsert[Any]:
    """One statement takes a new slot, or one whose lease ran out: no other claim can come in between."""
    statement = upsert(_TABLE).values(lease_until=_LEASE_END, epoch=1, state=SlotState.CLAIMED.value)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["fund", "slot_time"],
        set_={
            "owner": new.owner,
            "cadence": new.cadence,
            "claimed_at": new.claimed_at,
            "epoch": _TABLE.c.epoch + 1,
            "lease_until": new.lease_until,
        },
        where=(_TABLE.c.state == SlotState.CLAIMED.value) & (_TABLE.c.lease_until <= DatabaseClock()),
    ).returning(_TABLE.c.epoch)


_CLAIM: Final = _claiming()
_MISS: Final = keeping(_TABLE, "fund", "slot_time").returning(_TABLE.c.id)


class SlotStore:
    """The part of the store that keeps slots."""

    _database: Database

    def claim_slot(
        self, fund: str, slot_time: Timestamp, cadence: Cadence, *, owner: str, lease: int, at: Timestamp
    ) -> Claim | None:
        """Take the slot for `lease` seconds: a new one, or one whose lease ran out before it ended.

        Returns:
            None when it has ended or somebody's lease on it still runs (its own owner's included).
        """
        values = {
            "fund": fund,
            "slot_time": slot_time,
            "cadence": cadence.value,
            "claimed_at": at,
            "owner": owner,
            "lease": lease * MILLISECONDS,
        }
        with self._database.write() as connection:
            epoch: int | None = connection.execute(_CLAIM, values).scalar_one_or_none()
        return None if epoch is None else Claim(fund, slot_time, cadence, owner, epoch)

    def renew_claims(self, claims: Sequence[Claim], lease: int) -> None:
        """Make the leases end `lease` seconds from now.

        Raises:
            LeaseLost: one of them is no longer this epoch's, or has ended; none was renewed.
        """
        with self._database.write() as connection:
            for claim in _in_order(claims):
                renewal = update(_TABLE).where(_is_held(claim)).values(lease_until=_LEASE_END)
                if connection.execute(renewal, {"lease": lease * MILLISECONDS}).rowcount != 1:
                    raise lease_lost(_name(claim))

    def finish_slot(self, claim: Claim, outcome: SlotOutcome, at: Timestamp) -> None:
        """Record how a claimed slot ended: once, for good. The same end again is no change.

        Raises:
            LeaseLost: it is no longer this epoch's.
            StoreError: it has ended otherwise, the outcome is no end, or its frame or post is unknown.
        """
        if outcome.state is SlotState.CLAIMED:
            raise defect(f"{_name(claim)} cannot end as claimed")
        with self._database.write() as connection:
            row = lock_claim(connection, claim)
            if row["state"] != SlotState.CLAIMED.value:
                stored = SlotOutcome(SlotState(row["state"]), row["reason"], row["frame"], row["post"])
                if stored != outcome:
                    raise StoreError(
                        f"{_name(claim)} has ended as {stored.state.value} and cannot end as {outcome.state.value}",
                        advice="Report this as a defect of the keeper; see `navoracle history`.",
                    )
                return
            connection.execute(
                update(_TABLE)
                .where(_is_held(claim))
                .values(
                    state=outcome.state.value,
                    reason=outcome.reason,
                    frame=outcome.frame,
                    post=outcome.post,
                    finished_at=at,
                )
            )

    def miss_slot(self, fund: str, slot_time: Timestamp, cadence: Cadence, reason: str, at: Timestamp) -> bool:
        """Record that nobody worked on a slot and why; False when it is recorded already, claimed or missed."""
        values = {
            "fund": fund,
            "slot_time": slot_time,
            "cadence": cadence.value,
            "state": SlotState.MISSED.value,
            "reason": reason,
            "claimed_at": at,
            "finished_at": at,
            "epoch": 0,
        }
        with self._database.write() as connection:
            return connection.execute(_MISS, values).one_or_none() is not None

    def abandoned_slots(self) -> tuple[SlotRow, ...]:
        """Claimed slots that have not ended and whose lease ran out, oldest first."""
        query = (
            select(_TABLE)
            .where(_TABLE.c.state == SlotState.CLAIMED.value, _TABLE.c.lease_until <= DatabaseClock())
            .order_by(_TABLE.c.slot_time, ByteOrder(_TABLE.c.fund))
        )
        with self._database.read() as connection:
            return tuple(map(slot_row, connection.execute(query).mappings()))


def link_post(connection: Connection, claims: Sequence[Claim], post: int, frame: str) -> None:
    """The claimed slots, which are locked, are to end with this post."""
    for claim in claims:
        connection.execute(update(_TABLE).where(_is_held(claim)).values(post=post, frame=frame))


def lock_claims(connection: Connection, claims: Sequence[Claim]) -> list[RowMapping]:
    """Their slots, which nobody else can claim until the transaction ends. Raises LeaseLost unless all are held."""
    rows = [lock_claim(connection, claim) for claim in _in_order(claims)]
    for claim, row in zip(_in_order(claims), rows, strict=True):
        if row["state"] != SlotState.CLAIMED.value:
            raise lease_lost(_name(claim))
    return rows


def lock_claim(connection: Connection, claim: Claim) -> RowMapping:
    """Its slot, ended or not, which nobody else can claim until the transaction ends. Raises LeaseLost."""
    query: Select[Any] = select(_TABLE).where(*_is_of(claim)).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise lease_lost(_name(claim))
    return row


def _is_of(claim: Claim) -> tuple[Any, ...]:
    return (
        _TABLE.c.fund == claim.fund,
        _TABLE.c.slot_time == claim.slot_time,
        _TABLE.c.epoch == claim.epoch,
        _TABLE.c.owner == claim.owner,
    )


def _is_held(claim: Claim) -> Any:
    fund, slot_time, epoch, owner = _is_of(claim)
    return fund & slot_time & epoch & owner & (_TABLE.c.state == SlotState.CLAIMED.value)


def _in_order(claims: Sequence[Claim]) -> list[Claim]:
    """Everybody locks slots in the same order: two keepers never wait for each other."""
    return sorted(claims, key=lambda claim: (claim.fund, claim.slot_time))


def _name(claim: Claim) -> str:
    return f"slot {claim.slot_time} of {claim.fund}"
