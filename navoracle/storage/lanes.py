"""Lanes: who may use a sender's nonces on a chain, by lease and epoch."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.sql.dml import ReturningInsert

from navoracle.ports import Address
from navoracle.storage import tables
from navoracle.storage.columns import DatabaseClock
from navoracle.storage.database import Database
from navoracle.storage.failures import lease_lost
from navoracle.storage.slots import MILLISECONDS
from navoracle.storage.upsert import upsert
from navoracle.store_port.transactions import LaneLease

_TABLE: Final = tables.lanes
_LEASE_END: Final = DatabaseClock() + bindparam("lease")


def _claiming() -> ReturningInsert[Any]:
    statement = upsert(_TABLE).values(lease_until=_LEASE_END, epoch=1)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["chain", "sender"],
        set_={"owner": new.owner, "epoch": _TABLE.c.epoch + 1, "lease_until": new.lease_until},
        where=(_TABLE.c.owner == new.owner) | (_TABLE.c.lease_until <= DatabaseClock()),
    ).returning(_TABLE.c.epoch)


_CLAIM: Final = _claiming()


class LaneStore:
    """The part of the store that keeps lanes."""

    _database: Database

    def claim_lane(self, chain: str, sender: Address, *, owner: str, lease: int) -> LaneLease | None:
        """Take a lane for `lease` seconds of the database's clock; None while another owner's lease runs.

        Its own owner takes it anew at any time, with a new epoch: a restart does not wait for itself.
        """
        values = {"chain": chain, "sender": sender, "owner": owner, "lease": lease * MILLISECONDS}
        with self._database.write() as connection:
            epoch: int | None = connection.execute(_CLAIM, values).scalar_one_or_none()
        return None if epoch is None else LaneLease(chain, sender, owner, epoch)

    def renew_lane(self, lane: LaneLease, lease: int) -> None:
        """Make the lease end `lease` seconds from now. Raises LeaseLost."""
        renewal = update(_TABLE).where(*_is_of(lane)).values(lease_until=_LEASE_END)
        with self._database.write() as connection:
            if connection.execute(renewal, {"lease": lease * MILLISECONDS}).rowcount != 1:
                raise lease_lost(_name(lane))

    def release_lane(self, lane: LaneLease) -> None:
        """Give the lane up at once; a lost one is nothing to give up."""
        # The epoch moves on, so that nothing can be written on a lease that was given up.
        released = update(_TABLE).where(*_is_of(lane)).values(lease_until=0, epoch=_TABLE.c.epoch + 1)
        with self._database.write() as connection:
            connection.execute(released)


def lock_lane(connection: Connection, lane: LaneLease) -> None:
    """Make sure that the lane is this epoch's until the transaction ends. Raises LeaseLost."""
    query = select(_TABLE.c.epoch).where(*_is_of(lane)).with_for_update()
    if connection.execute(query).one_or_none() is None:
        raise lease_lost(_name(lane))


def _is_of(lane: LaneLease) -> tuple[Any, ...]:
    return (
        _TABLE.c.chain == lane.chain,
        _TABLE.c.sender == lane.sender,
        _TABLE.c.epoch == lane.epoch,
        _TABLE.c.owner == lane.owner,
    )


def _name(lane: LaneLease) -> str:
    return f"the lane of {lane.sender} on {lane.chain}"
