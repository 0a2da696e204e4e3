"""What follows from signed requests: slots, stops and resets, each once, and never a post by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from navoracle.domain.breaker import Breaker, BreakerState, Role
from navoracle.domain.errors import ChainError, LeaseLost, NavoracleError, StoreError, UsageError
from navoracle.domain.units import Timestamp
from navoracle.keeper.request_actions import RequestActions
from navoracle.store_port import BreakerSubject, RequestRecord, RequestState
from tests.unit.addresses import address
from tests.unit.keeper.service_world import HOUR, START, ServiceWorld

CASH = BreakerSubject("fund", "cash")


@pytest.fixture
async def here(tmp_path: Path) -> ServiceWorld:
    found = ServiceWorld(tmp_path / "keeper.db")
    await found.service.start()
    return found


def asked(action: str, role: str, nonce: int = 1, fund: str = "cash") -> RequestRecord:
    return RequestRecord(
        id=f"0x{action}{nonce}",
        fund=fund,
        action=action,
        role=role,
        signer=address(0x51),
        chain_id=1,
        contract=address(0xAA),
        nonce=nonce,
        slot=Timestamp(START),
        reason="because",
        deadline=Timestamp(START + 600),
        document="{}",
        received_by="test",
    )


async def take(here: ServiceWorld, record: RequestRecord) -> None:
    """Queue a request and act on what is queued."""
    here.store.take_request(record, here.clock.now(), at_most=None, within=HOUR)
    await here.service.act_on_requests()
    await here.idle()


def results(here: ServiceWorld) -> list[tuple[str, str, str | None]]:
    """Every request, oldest first: action, state, result."""
    return [(row.record.action, row.state.value, row.result) for row in reversed(here.store.requests())]


@pytest.mark.parametrize(
    ("action", "role", "cause"),
    [
        ("update", "manager", "manager"),
        ("emergency_update", "guardian", "guardian"),
        ("post_trade", "engine", "risk_engine"),
    ],
)
async def test_update__taken__asks_for_a_slot_and_is_done_when_it_ends(
    here: ServiceWorld, action: str, role: str, cause: str
) -> None:
    await take(here, asked(action, role))
    assert here.slots() == [(5, "posted", None)]
    assert results(here) == [(action, "done", "slot posted")]
    assert [cause for _, cause, _ in here.heard.emergencies] == [cause]
    assert here.heard.requests == [(action, RequestState.DONE, "slot posted")]


async def test_update__of_a_stopped_fund__queues_a_slot_that_the_guards_refuse(here: ServiceWorld) -> None:
    here.breakers.open(CASH, "why", here.clock.now())
    await take(here, asked("update", "manager"))
    ((_, state, result),) = results(here)
    assert (state, result) == ("done", "slot skipped (breaker)")
    assert here.store.transactions() == ()


async def test_update__looked_at_twice_before_its_slot_ends__asks_once(here: ServiceWorld) -> None:
    here.lane.mines = False
    here.store.take_request(asked("update", "manager"), here.clock.now(), at_most=None, within=HOUR)
    await here.service.act_on_requests()
    await here.service.act_on_requests()
    assert len(here.heard.emergencies) == 1
    here.lane.mines = True
    await here.idle()
    assert results(here) == [("update", "done", "slot posted")]


async def test_update__before_the_start__begins_nothing_beside_whoever_works_slots_off_until_then(
    tmp_path: Path,
) -> None:
    here = ServiceWorld(tmp_path / "keeper.db")
    await take(here, asked("update", "manager"))
    assert [cause for _, cause, _ in here.heard.emergencies] == ["manager"]
    assert here.slots() == []

    await here.service.start()
    await here.idle()
    assert [state for _, state, _ in here.slots()] == ["posted"]
    assert results(here) == [("update", "done", "slot posted")]


async def test_hold__no_hot_key__stops_the_keeper_and_says_that_the_chain_is_left(here: ServiceWorld) -> None:
    await take(here, asked("hold", "guardian"))
    breaker = here.store.load_breakers()[CASH]
    assert (breaker.state, breaker.needs_reset) == (BreakerState.OPEN, True)
    ((_, state, result),) = results(here)
    assert state == "partly_done"
    assert result == (
        "the breaker is open, and this keeper posts nothing of the fund; its registry was not told, and serves the "
        "last NAV: fund cash cannot be held on chain: no guardian's key is configured for local (configuration). "
        "Hold it with the guardian's own key: `navoracle emergency hold cash --send --key-file FILE --live`. "
        "With `chains.local.guardian` the keeper does it."
    )
    assert here.heard.requests == [("hold", RequestState.PARTLY_DONE, result)]
    await here.at(HOUR)
    assert here.slots() == [(HOUR, "skipped", "breaker")]


class FailingHolds:
    """Holds nothing."""

    def __init__(self, error: NavoracleError) -> None:
        self.error = error

    async def hold(self, fund: str, reason: str) -> str:
        raise self.error


async def test_hold__chain_does_not_answer__is_partly_done_with_the_breaker_open(here: ServiceWorld) -> None:
    down = FailingHolds(ChainError("no node answers", advice="Check it."))
    actions = RequestActions(here.store, here.breakers, down, here.heard, here.clock)
    here.store.take_request(asked("hold", "risk"), here.clock.now(), at_most=None, within=HOUR)
    await actions.act(lambda *_: None)
    ((_, state, result),) = results(here)
    assert state == "partly_done"
    assert result is not None
    assert "no node answers (chain). Check it." in result
    assert here.store.load_breakers()[CASH].state is BreakerState.OPEN


async def test_hold__another_keeper_has_the_key__stays_queued_with_the_breaker_open(here: ServiceWorld) -> None:
    actions = RequestActions(
        here.store, here.breakers, FailingHolds(LeaseLost("gone", advice="Look.")), here.heard, here.clock
    )
    here.store.take_request(asked("hold", "risk"), here.clock.now(), at_most=None, within=HOUR)
    with pytest.raises(LeaseLost):
        await actions.act(lambda *_: None)
    assert [row.state for row in here.store.requests()] == [RequestState.QUEUED]
    assert here.store.load_breakers()[CASH].state is BreakerState.OPEN


async def test_reset__refused__is_told_as_refused(here: ServiceWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise UsageError("not now", advice="Later.")

    monkeypatch.setattr(here.breakers, "reset", refuse)
    await take(here, asked("reset_breaker", "risk"))
    assert here.heard.requests == [("reset_breaker", RequestState.REFUSED, "usage: not now")]


async def test_reset__by_risk__closes_the_breaker_and_the_fund_is_posted_again(here: ServiceWorld) -> None:
    here.breakers.open(CASH, "why", here.clock.now(), Role.GUARDIAN)
    await take(here, asked("reset_breaker", "risk"))
    assert CASH not in here.store.load_breakers()
    assert here.heard.moves[-1] == (CASH, Breaker(since=here.clock.now()))
    assert here.slots() == [(5, "posted", None)]


async def test_rebase__by_risk__is_granted_and_used_up_by_the_next_post(here: ServiceWorld) -> None:
    here.clock.moves = True  # a second frame at a newer block must agree
    await take(here, asked("rebase", "risk"))
    assert here.slots() == [(5, "posted", None)]
    assert here.store.rebase_of("cash", here.clock.now()) is None


@pytest.mark.parametrize("action", ["accept", "release", "discard"])
async def test_own_key_action__is_noted_and_nothing_is_sent(here: ServiceWorld, action: str) -> None:
    await take(here, asked(action, "risk"))
    assert results(here) == [(action, "done", "noted: the RISK key sends this itself")]
    assert here.store.transactions() == ()


async def test_requests__store_fails_while_one_is_acted_on__stays_queued(
    here: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("disk full", advice="Free some space.")

    with monkeypatch.context() as broken:
        broken.setattr(here.store, "grant_rebase", fail)
        await take(here, asked("rebase", "risk"))
    assert [row.state for row in here.store.requests()] == [RequestState.QUEUED]
    assert here.heard.failures == [("requests", "disk full")]
    await here.service.act_on_requests()
    await here.idle()
    assert [row.state for row in here.store.requests()] == [RequestState.DONE]
    assert here.heard.recoveries == ["requests"]


async def test_requests__of_a_restart__are_acted_on_by_the_next_keeper(here: ServiceWorld) -> None:
    here.store.take_request(asked("update", "manager"), here.clock.now(), at_most=None, within=HOUR)
    await here.service.finish()
    later = ServiceWorld(here.path, "b", beside=here)
    await later.service.start()
    await later.service.act_on_requests()
    await later.idle()
    assert results(later) == [("update", "done", "slot posted")]


async def test_requests__of_two_funds__each_get_the_result_of_their_own_slot(here: ServiceWorld) -> None:
    here.breakers.open(BreakerSubject("fund", "levered"), "why", here.clock.now())
    for record in (asked("update", "manager"), replace(asked("update", "manager", 2), fund="levered")):
        here.store.take_request(record, here.clock.now(), at_most=None, within=HOUR)
    await here.service.act_on_requests()
    await here.idle()
    assert sorted(result or "" for _, _, result in results(here)) == ["slot posted", "slot skipped (breaker)"]
