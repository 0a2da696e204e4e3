"""The service killed at random steps of its posts, again and again: nothing is posted twice, no intent is lost.

NAVORACLE_KILLS says how many kills (20 unless it is set, 200 in `scripts/deep`), NAVORACLE_SEED which ones.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

import pytest

from navoracle.drill.chain_history import stored_records
from navoracle.failpoints import FAIL_POINTS
from navoracle.store_port import SlotState
from tests.faults.keeper_process import LOOK, KeeperProcess
from tests.faults.live_world import LiveWorld
from tests.requirements import needs_node

pytestmark = [needs_node, pytest.mark.slow]

FUNDS = 2
KILLS = int(os.environ.get("NAVORACLE_KILLS", "20"))
SEED = int(os.environ.get("NAVORACLE_SEED", "1"))
LONGEST = 25.0
"""Seconds after which a keeper that did not come by its fail point is killed where it is."""


async def test_kills__at_random_fail_points__no_double_post_and_no_lost_intent(live: LiveWorld) -> None:
    dice = random.Random(SEED)
    keeper = live.keeper()
    killed: Counter[str] = Counter()
    for number in range(KILLS):
        # Every other time another slot is due; else the one that was left behind is died upon once more.
        if number == 0 or dice.random() < 0.5:
            await live.next_hour()
        killed[await kill_once(live, keeper, dice)] += 1
    print(f"\nseed {SEED}, {KILLS} kills: {dict(sorted(killed.items()))}")
    await live.mining(every=1)
    hour = await live.next_hour()
    keeper.clock = live.clock
    keeper.start()
    rows = await keeper.until_slots_end(hour, FUNDS, 90)
    assert {(row.state, row.reason) for row in rows.values()} == {(SlotState.POSTED, None)}
    await keeper.until(lambda: all(row.state.is_end for row in keeper.transactions()), 60, "every intent ends")
    await keeper.until(lambda: SlotState.CLAIMED not in {row.state for row in keeper.slots()}, 60, "every slot ends")
    assert await keeper.stop() == 0
    posted = [row for row in keeper.slots() if row.state is SlotState.POSTED]
    assert len(await stored_records(live.world)) == len(posted)
    print(f"slots: {dict(Counter(row.state.value for row in keeper.slots()))}")
    await live.must_hold()


async def kill_once(live: LiveWorld, keeper: KeeperProcess, dice: random.Random) -> str:
    """Start it with a slot that is due, and let it die at a step of its post, or at any time; says where."""
    point = dice.choice((*FAIL_POINTS, "anywhere"))
    bumps = point.startswith("after_bump")
    await live.mining(every=0 if bumps else 1)
    keeper.clock = live.clock
    if point == "anywhere":
        keeper.start()
        await asyncio.sleep(dice.uniform(2.0, 8.0))
        keeper.kill()
        return point
    keeper.start(f"{point}:{dice.choice((1, 1, 2))}")
    waited = 0.0
    while keeper.is_running and waited < LONGEST and not (ended(keeper, live.now) and waited > 1.0):
        await asyncio.sleep(LOOK)
        waited += LOOK
    died = keeper.code == -9
    keeper.kill()
    await live.mining(every=1)
    return point if died else "anywhere"


def ended(keeper: KeeperProcess, now: int) -> bool:
    """Whether the slots of this hour have ended without its coming by the fail point."""
    rows = [row for row in keeper.slots() if row.slot_time > now - 3_600]
    return len(rows) == FUNDS and all(row.state is not SlotState.CLAIMED for row in rows)
