"""Rows 51 and 53: slots that come twice, and a database that somebody else has locked."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time

from navoracle.drill.catalogue import row
from navoracle.drill.expect import require, require_posted
from navoracle.drill.rehearsal import Rehearsal
from navoracle.store_port import SlotState

LOCKED_SECONDS = 1.5


@row(51, "the scheduler fires twice", "the slot is asked for again at once, and again after a newer one")
async def slot_comes_twice__is_worked_on_once(r: Rehearsal) -> None:
    slot_time = await r.come_due()
    await r.clock.drive(_at_once(r))
    require_posted(await r.slot_ends(slot_time), r.funds)
    require_posted(await r.slot(), r.funds)
    nonce = await r.world.nonce()
    for fund in r.funds:
        (old,) = [row for row in r.store.slots(fund=fund) if row.slot_time == slot_time]
        again = r.store.claim_slot(fund, old.slot_time, old.cadence, owner="late", lease=60, at=r.clock.now())
        require(again is None, f"an old slot of {fund} could be claimed again")
    await r.clock.drive(_at_once(r))
    await r.pass_time(60)
    require(await r.world.nonce() == nonce == 2, f"{await r.world.nonce()} posts for two slots")


async def _at_once(r: Rehearsal) -> None:
    service = r.keeper.service
    await asyncio.gather(*(service.look_for_slots() for _ in range(3)))


@row(53, "the database is locked", "somebody else holds a write transaction while the slot falls due")
async def database_is_locked__waits_and_loses_nothing(r: Rehearsal) -> None:
    path = r.keeper.database
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            locked.set()
            time.sleep(LOCKED_SECONDS)
            other.execute("ROLLBACK")
        other.close()
        done.set()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait()
    found = await r.slot()
    thread.join()
    require(done.is_set(), "the lock was never held")
    require_posted(found, r.funds)
    require(all(row.state is SlotState.POSTED for row in r.store.slots()), "a slot was lost")
