"""Insolvent funds: held once, by the guardian's key and never by the poster's, and told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from navoracle.abi import encode_call
from navoracle.domain.breaker import BreakerPolicy
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import CallReverted, ChainError, ConfigurationError, LeaseLost, NavoracleError
from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.domain.units import Timestamp, to_wad
from navoracle.keeper.breakers import Breakers
from navoracle.keeper.emergency_path import (
    EVENT,
    Guardian,
    GuardianHolds,
    InsolvencyPath,
    decide,
    hold_transaction,
)
from navoracle.ports import Address
from navoracle.publishers.nav_registry_calls import NavRegistryCalls
from navoracle.registry_port import Hold, RegistryState
from navoracle.storage import SqlStore
from navoracle.store_port import Severity, TransactionKind, TransactionState, Urgency
from navoracle.testing import FixedClock, block_stamp
from tests.unit.addresses import address
from tests.unit.domain.funds import holding
from tests.unit.domain.guard_facts import DEBT, fund
from tests.unit.keeper.service_world import StoreLane
from tests.unit.keeper.world import CHAIN, NOW, funds
from tests.unit.storage.builders import empty_sqlite_store

REGISTRY, POSTER = address(0xAA), address(0xCC)
FUNDS = funds()
BROKE = fund([holding("cash.debt", DEBT, "USD", "9500")])
CALLS = NavRegistryCalls()


@dataclass
class FakeInspector:
    """A registry whose holds a test sets."""

    holds: dict[str, Hold]
    error: ChainError | None = None

    async def inspect(self, fund_ids: Mapping[str, int], sender: Address | None) -> RegistryState:
        if self.error is not None:
            raise self.error
        held = {name: hold for name, hold in self.holds.items() if name in fund_ids}
        stamp = block_stamp(NOW, chain=CHAIN)
        return RegistryState(
            stamp, known_code=True, paused=False, max_post_age=900, sender_roles=None, funds={}, holds=held
        )


class GuardianLane(StoreLane):
    """A lane that can fail, or belong to another keeper."""

    error: NavoracleError | None = None
    taken = False
    submitted = 0

    async def open(self) -> bool:
        return not self.taken and await super().open()

    async def submit(self, transaction: int) -> None:
        self.submitted += 1
        if self.error is not None:
            raise self.error
        await super().submit(transaction)


class World:
    """A guardian's key over a real store."""

    def __init__(self, store: SqlStore, *, poster: Address | None = POSTER) -> None:
        self.store = store
        self.clock = FixedClock(NOW)
        self.lane = GuardianLane(store, self.clock, "keeper")
        self.inspector = FakeInspector({})
        self.guardian = Guardian(self.lane, REGISTRY, self.inspector, poster)
        self.holds = GuardianHolds(FUNDS, {CHAIN: self.guardian}, CALLS, store, self.clock)
        self.path = InsolvencyPath(self.holds, store)

    def rows(self) -> list[tuple[str, TransactionState]]:
        return [(row.intent.key, row.state) for row in self.store.transactions()]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "navoracle.db")) as opened:
        yield opened


def part(name: str = "cash", status: NavStatus = NavStatus.INSOLVENT) -> FundFrame:
    reason = "insolvent" if status is NavStatus.INSOLVENT else None
    return FundFrame(name, status, reason, BROKE, (), ())


def frame(*parts: FundFrame, name: str = "f1", at: int = NOW) -> NavFrame:
    time = Timestamp(at)
    return NavFrame(name, time, Cadence.HOURLY, time, time, (), (), {}, (), parts or (part(),))


def guardians(*, reasons: str = "guardian") -> Hold:
    return Hold(reasons, "guardian" in reasons, Timestamp(NOW - 60), None, 0)


async def test_after_frame__insolvent_fund__is_held_by_the_guardian_as_an_emergency(store: SqlStore) -> None:
    here = World(store)
    (outcome,) = await here.path.after_frame(frame(part(), part("levered", NavStatus.LIVE)))
    (row,) = store.transactions()
    assert (row.intent.kind, row.intent.urgency, row.intent.to) == (TransactionKind.HOLD, Urgency.EMERGENCY, REGISTRY)
    assert row.intent.data == encode_call("hold(uint256[])", [FUNDS["cash"].fund_id])
    assert row.intent.key == f"hold:{CHAIN}:{REGISTRY}:cash:f1"
    assert (row.sender, row.state) == (here.lane.address, TransactionState.SENT)
    assert (outcome.fund, outcome.transaction, outcome.holds) == ("cash", row.id, True)


async def test_after_frame__insolvent_fund__is_told_with_its_nav_and_what_to_do(store: SqlStore) -> None:
    await World(store).path.after_frame(frame())
    (row,) = store.events(kind=EVENT)
    assert (row.event.fund, row.event.severity, row.event.at) == ("cash", Severity.CRITICAL, NOW)
    assert "-9500.000000000000000000" in row.event.message
    assert "RISK" in row.event.advice
    assert row.event.data["nav"] == str(to_wad("-9500"))


async def test_after_frame__no_fund_is_insolvent__asks_and_does_nothing(store: SqlStore) -> None:
    here = World(store)
    assert await here.path.after_frame(frame(part(status=NavStatus.HALTED))) == ()
    assert (store.transactions(), store.events(), here.lane.held) == ((), (), None)


async def test_after_frame__same_frame_again__makes_no_second_transaction(store: SqlStore) -> None:
    here = World(store)
    for _ in range(3):
        await here.path.after_frame(frame())
    assert (len(store.transactions()), here.lane.submitted) == (1, 1)


async def test_after_frame__later_frame_while_the_hold_is_under_way__makes_no_second_one(store: SqlStore) -> None:
    here = World(store)
    await here.path.after_frame(frame())
    (outcome,) = await here.path.after_frame(frame(name="f2", at=NOW + 60))
    assert (len(store.transactions()), outcome.holds, outcome.message) == (1, True, "a hold is under way")


async def test_after_frame__guardian_holds_it__sends_nothing_and_tells_it_once(store: SqlStore) -> None:
    here = World(store)
    here.inspector.holds["cash"] = guardians()
    breakers = Breakers(store, BreakerPolicy())
    for number in range(3):
        found = frame(name=f"f{number}", at=NOW + 3_600 * number)
        (outcome,) = await here.path.after_frame(found)
        store.record_frame(found, hashes={})
        breakers.after_frame(found)
        assert (outcome.transaction, outcome.holds) == (None, True)
    assert (store.transactions(), len(store.events(kind=EVENT))) == ((), 1)


async def test_after_frame__released_while_still_insolvent__is_held_again(store: SqlStore) -> None:
    here = World(store)
    await here.path.after_frame(frame())
    await here.lane.tick()
    (outcome,) = await here.path.after_frame(frame(name="f2"))
    assert outcome.transaction is not None
    assert [key for key, _ in here.rows()] == [f"hold:{CHAIN}:{REGISTRY}:cash:f2", f"hold:{CHAIN}:{REGISTRY}:cash:f1"]


async def test_after_frame__held_for_a_step_only__is_held_by_the_guardian_too(store: SqlStore) -> None:
    """A poster's post within bounds would end a step's hold."""
    here = World(store)
    here.inspector.holds["cash"] = guardians(reasons="step")
    (outcome,) = await here.path.after_frame(frame())
    assert outcome.transaction is not None


async def test_after_frame__registry_cannot_be_read__holds_it_all_the_same(store: SqlStore) -> None:
    here = World(store)
    here.inspector.error = ChainError("down", advice="Wait.")
    (outcome,) = await here.path.after_frame(frame())
    assert outcome.transaction is not None


async def test_after_frame__guardians_key_is_the_posters__never_sends(store: SqlStore) -> None:
    here = World(store, poster=StoreLane(store, FixedClock(NOW), "x").address)
    (outcome,) = await here.path.after_frame(frame())
    assert (outcome.transaction, outcome.holds, store.transactions()) == (None, False, ())
    assert "the poster's own" in outcome.message
    assert "by hand" in outcome.advice or "own wallet" in outcome.advice
    with pytest.raises(ConfigurationError, match="poster's own"):
        await here.holds.hold("cash", "odd")
    assert store.transactions() == ()


async def test_after_frame__no_guardians_key__tells_people_to_do_it_by_hand(store: SqlStore) -> None:
    here = World(store)
    here.holds.guardians = {}
    (outcome,) = await here.path.after_frame(frame())
    assert (outcome.transaction, outcome.holds) == (None, False)
    (row,) = store.events(kind=EVENT)
    assert "no guardian's key is configured for local" in row.event.message
    assert "navoracle emergency" in row.event.advice


async def test_after_frame__fund_that_is_posted_nowhere__is_told_and_nothing_is_sent(store: SqlStore) -> None:
    here = World(store)
    here.holds.funds = {**FUNDS, "cash": replace(FUNDS["cash"], chain=None)}
    (outcome,) = await here.path.after_frame(frame())
    assert (outcome.transaction, outcome.message) == (None, "it is posted nowhere")


@pytest.mark.parametrize(
    "error",
    [
        CallReverted("hold reverted: Unauthorized", advice="Give it the role."),
        ChainError("no node", advice="Wait."),
        LeaseLost("taken", advice="Look there."),
    ],
)
async def test_after_frame__hold_cannot_be_sent__is_told_and_the_other_funds_are_held(
    store: SqlStore, error: NavoracleError
) -> None:
    here = World(store)

    async def submit(transaction: int) -> None:
        if store.find_transaction(transaction).intent.key.endswith("cash:f1"):
            raise error
        await StoreLane.submit(here.lane, transaction)

    here.lane.submit = submit  # type: ignore[method-assign]
    failed, held = await here.path.after_frame(frame(part("cash"), part("levered")))
    assert (failed.holds, held.holds) == (False, True)
    assert error.message in failed.message
    assert error.advice in failed.advice
    assert len(store.events(kind=EVENT)) == 2


async def test_after_frame__another_keeper_has_the_lane__is_told(store: SqlStore) -> None:
    here = World(store)
    here.lane.taken = True
    (outcome,) = await here.path.after_frame(frame())
    assert (outcome.holds, store.transactions()) == (False, ())
    assert "another keeper has the lane" in outcome.message


async def test_after_frame__killed_between_intent_and_signature__sends_the_same_transaction_after_the_restart(
    store: SqlStore,
) -> None:
    here = World(store)
    here.lane.dies_before_signing = True
    with pytest.raises(SystemExit):
        await here.path.after_frame(frame())
    assert [state for _, state in here.rows()] == [TransactionState.PREPARED]
    here.lane.dies_before_signing = False
    number = await here.holds.send(
        here.guardian, hold_transaction("cash", 1, "f1", chain=CHAIN, registry=REGISTRY, calls=CALLS)
    )
    assert [(row.id, row.state) for row in store.transactions()] == [(number, TransactionState.SENT)]


async def test_hold__asked_for_by_a_person__is_sent_once(store: SqlStore) -> None:
    here = World(store)
    assert (await here.holds.hold("cash", "guardian 0x1: odd")).startswith("hold sent as transaction ")
    here.clock.set(NOW + 5)
    assert await here.holds.hold("cash", "guardian 0x1: odd") == "a hold is under way"
    await here.lane.tick()
    here.inspector.holds["cash"] = guardians()
    assert await here.holds.hold("cash", "guardian 0x1: odd") == "a guardian holds it already"
    assert len(store.transactions()) == 1


async def test_hold__no_key_or_no_chain__is_refused_with_what_to_configure(store: SqlStore) -> None:
    here = World(store)
    here.holds.guardians = {}
    with pytest.raises(ConfigurationError) as caught:
        await here.holds.hold("cash", "odd")
    assert "chains.local.guardian" in caught.value.advice


@pytest.mark.parametrize("status", [status for status in NavStatus if status is not NavStatus.INSOLVENT])
def test_decide__any_other_status__does_nothing(store: SqlStore, status: NavStatus) -> None:
    here = World(store)
    found = decide(
        frame(), part(status=status), FUNDS["cash"], guardian=here.guardian, held=None, under_way=False, calls=CALLS
    )
    assert found is None
