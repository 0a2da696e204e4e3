"""Rows 42 to 47: the real service, killed at every step of a post and started again, or asked to stop in the middle."""

from __future__ import annotations

import json

import pytest

from navoracle.domain.cadence import HOUR
from navoracle.drill.chain_history import stored_records
from navoracle.store_port import SlotState, TransactionState
from tests.faults.keeper_process import KeeperProcess
from tests.faults.live_world import LiveWorld
from tests.requirements import needs_node

pytestmark = [needs_node, pytest.mark.slow]

FUNDS = 2


async def killed_at(live: LiveWorld, point: str) -> tuple[KeeperProcess, int]:
    """A keeper that died at a fail point of a slot's post, and the slot's time."""
    keeper = live.keeper()
    hour = await live.next_hour()
    keeper.clock = live.clock
    keeper.start(point)
    await keeper.until_dead()
    assert keeper.code == -9
    return keeper, hour


async def recovers(live: LiveWorld, keeper: KeeperProcess, hour: int) -> None:
    """Started again, it ends the slot as posted, once, without anybody's help; then it stops in order."""
    keeper.start()
    rows = await keeper.until_slots_end(hour, FUNDS)
    assert {(row.state, row.reason) for row in rows.values()} == {(SlotState.POSTED, None)}
    assert await keeper.stop() == 0
    assert len(await stored_records(live.world)) == FUNDS
    await live.must_hold()


async def test_row_42__killed_after_signing_before_saving__left_nothing_and_runs_the_slot_again(
    live: LiveWorld,
) -> None:
    keeper, hour = await killed_at(live, "after_sign")
    assert (await live.world.nonce(), await live.world.pool(), live.broadcast) == (0, [], [])
    (row,) = keeper.transactions()
    assert row.attempts == ()
    await recovers(live, keeper, hour)


async def test_row_43__killed_after_saving_before_sending__sends_the_same_bytes(live: LiveWorld) -> None:
    keeper, hour = await killed_at(live, "after_save")
    assert (await live.world.nonce(), await live.world.pool(), live.broadcast) == (0, [], [])
    (row,) = keeper.transactions()
    (saved,) = row.attempts
    await recovers(live, keeper, hour)
    assert live.broadcast[0] == saved.signed.hash


async def test_row_44__killed_after_sending_before_marking__adopts_what_is_in_the_pool(live: LiveWorld) -> None:
    await live.mining(every=0)
    keeper, hour = await killed_at(live, "after_send")
    (waiting,) = await live.world.pool()
    (row,) = keeper.transactions()
    assert row.state is TransactionState.PREPARED
    assert row.attempts[0].signed.hash == waiting
    await live.mining(every=1)
    await recovers(live, keeper, hour)
    assert set(live.broadcast) == {waiting}
    assert await live.world.nonce() == 1


@pytest.mark.parametrize("point", ["after_bump_sign", "after_bump_save", "after_bump_send"])
async def test_row_45__killed_while_bumping__knows_both_hashes(live: LiveWorld, point: str) -> None:
    await live.mining(every=0)
    keeper, hour = await killed_at(live, point)
    (row,) = keeper.transactions()
    assert len(row.attempts) == (1 if point == "after_bump_sign" else 2)
    await live.mining(every=1)
    await recovers(live, keeper, hour)
    assert await live.world.nonce() == 1


@pytest.mark.parametrize("point", ["after_mined", "after_read_back", "after_confirm", "after_finish", "after_event"])
async def test_row_46__killed_between_mined_and_the_event_log__writes_every_event_once(
    live: LiveWorld, point: str
) -> None:
    keeper, hour = await killed_at(live, point if point != "after_event" else "after_event:4")
    await recovers(live, keeper, hour)
    lines = [
        json.loads(line)
        for path in live.folder.glob("*/events/*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    ends = [line for line in lines if line["kind"] == "slot_posted" and line["data"]["slot_time"] == hour]
    assert sorted(line["fund"] for line in ends) == ["fund-1", "fund-2"]
    assert len({line["id"] for line in lines}) == len(lines)
    begun = {line["component"] for line in lines if line["kind"] == "component_initialization"}
    assert begun >= {"keeper", "prices", "guards", "store", "alerts", "chain"}


async def test_row_47__asked_to_stop_in_mid_cycle__finishes_or_hands_over_without_half_a_line(live: LiveWorld) -> None:
    await live.mining(every=0)
    keeper = live.keeper(service={"stop_grace": 2})
    hour = await live.next_hour()
    keeper.clock = live.clock
    keeper.start()
    await keeper.until(lambda: bool(live.broadcast), 30, "it sends")
    assert await keeper.stop() == 0
    assert {row.state for row in keeper.slots() if row.slot_time == hour} == {SlotState.CLAIMED}
    await live.must_hold(open_slots=True)
    await live.mining(every=1)
    await recovers(live, keeper, hour)
    assert await live.world.nonce() == 1


async def test_row_47__asked_to_stop_while_idle__says_so_and_posts_on_after(live: LiveWorld) -> None:
    keeper = live.keeper()
    hour = await live.next_hour()
    keeper.clock = live.clock
    keeper.start()
    await keeper.until_slots_end(hour, FUNDS)
    assert await keeper.stop() == 0
    later = await live.next_hour()
    assert later == hour + HOUR
    keeper.clock = live.clock
    keeper.start()
    rows = await keeper.until_slots_end(later, FUNDS)
    assert {row.state for row in rows.values()} == {SlotState.POSTED}
    assert await keeper.stop() == 0
    await live.must_hold()
