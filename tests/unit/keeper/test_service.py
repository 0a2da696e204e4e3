"""The service: every slot of every fund ends once, by whichever keeper has the lane, through restarts and crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.keeper.trades import SeenTrade
from navoracle.keeper.watch import Watch
from navoracle.store_port import TransactionState
from tests.unit.keeper.service_world import HOUR, START, ServiceWorld
from tests.unit.keeper.world import CHAIN

DOWN = StoreError("disk full", advice="Free some space.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keeper.db"


async def test_hour__comes__posts_every_fund_once(path: Path) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    await here.at(HOUR - 6)
    assert here.slots() == []
    await here.at(HOUR)
    await here.at(HOUR + 10)
    assert here.slots() == here.slots("levered") == [(HOUR, "posted", None)]
    assert [row.state for row in here.store.transactions()] == [TransactionState.CONFIRMED]
    assert here.heard.crashes == []


async def test_loop__stood_still_for_hours__posts_the_newest_slot_and_names_the_missed_ones(path: Path) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    await here.at(3 * HOUR + 20)
    reason = "superseded by a newer slot"
    assert here.slots() == [(HOUR, "missed", reason), (2 * HOUR, "missed", reason), (3 * HOUR, "posted", None)]
    assert ("cash", START - 5 + HOUR, "missed", reason) in here.heard.ended


async def test_start__after_hours_without_a_keeper__catches_up_with_the_newest_slot_only(path: Path) -> None:
    first = ServiceWorld(path)
    await first.service.start()
    await first.at(HOUR)
    await first.service.finish()
    first.clock.set(START + 4 * HOUR + 30)
    second = ServiceWorld(path, "b", beside=first)
    await second.service.start()
    await second.idle()
    assert second.slots() == [
        (HOUR, "posted", None),
        (2 * HOUR, "missed", "no keeper ran"),
        (3 * HOUR, "missed", "no keeper ran"),
        (4 * HOUR, "posted", None),
    ]


async def test_start__newest_slot_was_posted__runs_nothing_again(path: Path) -> None:
    first = ServiceWorld(path)
    await first.service.start()
    await first.at(HOUR)
    await first.service.finish()
    second = ServiceWorld(path, "b", beside=first)
    await second.service.start()
    await second.idle()
    assert second.slots() == [(HOUR, "posted", None)]


async def test_standby__while_another_keeper_has_the_lane__claims_nothing_and_takes_over_when_it_is_gone(
    path: Path,
) -> None:
    first = ServiceWorld(path)
    second = ServiceWorld(path, "b", beside=first)
    await first.service.start()
    await second.service.start()
    await second.at(HOUR)
    assert second.slots() == []
    await first.at(HOUR)
    await second.at(HOUR + 1)
    assert second.slots() == [(HOUR, "posted", None)]
    # The first one dies silently: its lane's lease runs out, and the second one works the slot that is due.
    await second.at(2 * HOUR)
    first.forget_leases()
    await second.at(2 * HOUR + 3)
    assert second.slots() == [(HOUR, "posted", None), (2 * HOUR, "posted", None)]
    assert len(second.store.transactions()) == 2


async def test_emergency__is_asked_for__runs_at_once_for_that_fund_alone(path: Path) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    here.service.ask_emergency("cash", "trade", "a trade of 12 % of NAV")
    await here.idle()
    assert here.slots() == [(5, "posted", None)]
    assert here.slots("levered") == []
    assert here.store.slots()[0].cadence is Cadence.EMERGENCY
    assert here.heard.emergencies == [("cash", "trade", "a trade of 12 % of NAV")]


async def test_emergency__too_soon_after_a_post__is_asked_for_again_and_posted_later(path: Path) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    await here.at(HOUR)
    here.clock.set(START + HOUR + 20)
    here.refresh()
    here.service.ask_emergency("cash", "trade", "a trade")
    await here.idle()
    assert here.slots()[-1] == (HOUR + 25, "skipped", "interval")
    await here.at(HOUR + 90)
    assert here.slots()[-1][1:] == ("posted", None)
    assert here.heard.emergencies[-1][1] == "repeated"


async def test_crash__before_anything_was_signed__runs_the_slot_again(path: Path) -> None:
    first = ServiceWorld(path)
    await first.service.start()
    first.lane.dies_before_signing = True
    first.clock.set(START + HOUR)
    first.refresh()
    slot = Timestamp(START - 5 + HOUR)
    claims = first.keeper.runner.claim(["cash"], slot, Cadence.HOURLY)
    with pytest.raises(SystemExit):
        await first.keeper.runner.work(claims, slot, Cadence.HOURLY)
    (left,) = first.store.transactions()
    assert (left.state, left.attempts) == (TransactionState.PREPARED, ())
    first.forget_leases()
    first.clock.set(START + HOUR + 60)
    second = ServiceWorld(path, "b", beside=first)
    await second.service.start()
    await second.idle()
    assert second.slots() == [(HOUR, "posted", None)]
    assert [row.state for row in second.store.transactions()] == [TransactionState.CONFIRMED, TransactionState.FAILED]


async def test_crash__after_the_broadcast__sees_that_very_transaction_to_its_end(path: Path) -> None:
    first = ServiceWorld(path)
    await first.service.start()
    first.lane.mines = False
    await first.begin(HOUR)
    await first.service.abandon()
    first.forget_leases()
    second = ServiceWorld(path, "b", beside=first)
    await second.service.start()
    await second.idle()
    assert second.slots() == second.slots("levered") == [(HOUR, "posted", None)]
    (only,) = second.store.transactions()
    assert (only.state, len(only.attempts)) == (TransactionState.CONFIRMED, 1)


async def test_crash__hours_ago_before_anything_was_signed__ends_as_missed(path: Path) -> None:
    first = ServiceWorld(path)
    await first.service.start()
    first.clock.set(START + HOUR)
    first.keeper.runner.claim(["cash"], Timestamp(START - 5 + HOUR), Cadence.HOURLY)
    first.forget_leases()
    await first.service.finish()
    first.clock.set(START + 3 * HOUR)
    second = ServiceWorld(path, "b", beside=first)
    await second.service.start()
    await second.idle()
    assert second.slots() == [
        (HOUR, "missed", "interrupted, and a newer slot was due"),
        (2 * HOUR, "missed", "no keeper ran"),
        (3 * HOUR, "posted", None),
    ]


async def test_recover__slot_that_this_keeper_works_on__is_renewed_and_left_alone(path: Path) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    here.lane.mines = False
    await here.begin(HOUR)
    here.forget_leases()
    await here.service.recover()
    assert here.store.abandoned_slots() == ()
    here.lane.mines = True
    await here.idle()
    assert here.slots() == [(HOUR, "posted", None)]
    assert here.heard.failures == []


async def test_sampler__fails_and_works_again__is_told_once_each(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    jobs = {name: job for _, name, job in here.service.jobs()}

    def fail(*_: object) -> None:
        raise DOWN

    with monkeypatch.context() as broken:
        broken.setattr(here.store, "record_sample", fail)
        await jobs["sample"]()
        await jobs["sample"]()
    await jobs["sample"]()
    await jobs["sample"]()
    assert here.heard.failures == [("sample", "disk full")] * 2
    assert here.heard.recoveries == ["sample"]


async def test_defect__in_a_slot__is_told_and_ends_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ServiceWorld(path)
    await here.service.start()

    def broken(*_: object) -> None:
        raise KeyError("a defect")

    with monkeypatch.context() as context:
        context.setattr(Watch, "observe_slot", broken)
        await here.at(HOUR)
    assert [type(error) for error in here.heard.crashes] == [KeyError]
    await here.at(2 * HOUR)
    assert here.slots()[-1] == (2 * HOUR, "posted", None)


async def test_finish__with_a_post_under_way__waits_for_the_grace_and_leaves_the_slot_to_be_recovered(
    path: Path,
) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    here.lane.mines = False
    await here.begin(HOUR)
    await here.service.finish()
    assert here.slots() == [(HOUR, "claimed", None)]
    assert here.lane.held is None


async def test_trade__younger_than_the_block_that_was_valued__is_looked_at_again_until_it_is_in(path: Path) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    newest = (await here.chain.stamp()).number
    here.service.trade_seen(SeenTrade("cash", "a trade", CHAIN, newest + 3))
    await here.idle()
    assert [cause for _, cause, _ in here.heard.emergencies] == ["trade", "repeated"]
    await here.at(120)
    assert [cause for _, cause, _ in here.heard.emergencies] == ["trade", "repeated"]
    assert [state for _, state, _ in here.slots()] == ["posted", "posted"]


async def test_nav__before_the_first_frame__is_what_the_chain_serves(path: Path) -> None:
    here = ServiceWorld(path)
    await here.service.start()
    assert here.keeper.latest.nav("cash") == here.publisher.served[1].nav
