"""A slot has one owner at a time and one end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import LeaseLost, StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore
from navoracle.store_port import Claim, SlotOutcome, SlotRow, SlotState
from tests.unit.storage.builders import (
    LEASE,
    NOW,
    OTHER,
    OWNER,
    batch_of,
    claim,
    content_of,
    expire,
    frame_of,
    lane_of,
    post_of,
    prepare,
    record,
)

LATER = Timestamp(NOW + 30)
POSTED = SlotOutcome(SlotState.POSTED, None, None, None)
FAILED = SlotOutcome(SlotState.FAILED, "the transaction reverted", None, None)


def take(store: SqlStore, *, owner: str = OTHER, lease: int = LEASE, cadence: Cadence = Cadence.HOURLY) -> Claim | None:
    """Ask for alpha's slot."""
    return store.claim_slot("alpha", NOW, cadence, owner=owner, lease=lease, at=LATER)


def test_claim_slot__free__is_the_first_epoch_for_as_long_as_asked(store: SqlStore) -> None:
    before = int(time.time())
    assert claim(store, lease=500) == Claim("alpha", NOW, Cadence.HOURLY, OWNER, 1)
    (row,) = store.slots()
    assert (row.owner, row.epoch, row.state, row.claimed_at) == (OWNER, 1, SlotState.CLAIMED, NOW)
    assert row.lease_until is not None
    assert before + 500 <= row.lease_until <= int(time.time()) + 500


@pytest.mark.parametrize("owner", [OWNER, OTHER])
@pytest.mark.parametrize("cadence", Cadence)
def test_claim_slot__lease_runs__is_nobody_elses(store: SqlStore, owner: str, cadence: Cadence) -> None:
    claim(store)
    before = content_of(store)
    assert take(store, owner=owner, cadence=cadence) is None
    assert content_of(store) == before


@pytest.mark.parametrize("state", [each for each in SlotState if each is not SlotState.CLAIMED])
def test_claim_slot__ended__is_taken_for_good(store: SqlStore, state: SlotState) -> None:
    held = claim(store)
    store.finish_slot(held, SlotOutcome(state, None, None, None), LATER)
    expire(store, held)
    assert take(store) is None
    assert store.slots()[0].state is state
    assert store.abandoned_slots() == ()


def test_claim_slot__lease_ran_out__is_another_ones_in_the_next_epoch(store: SqlStore) -> None:
    record(store, frame_of("f1"))
    held = claim(store)
    post = prepare(store, "f1", batch_of(post_of("alpha", 1)), claims=[held])
    expire(store, held)
    assert [row.fund for row in store.abandoned_slots()] == ["alpha"]
    assert take(store, cadence=Cadence.EMERGENCY) == Claim("alpha", NOW, Cadence.EMERGENCY, OTHER, 2)
    (row,) = store.slots()
    assert (row.owner, row.epoch, row.claimed_at, row.cadence) == (OTHER, 2, LATER, Cadence.EMERGENCY)
    assert (row.frame, row.post) == ("f1", post.id)  # what the one before did is there to be taken up
    assert store.abandoned_slots() == ()


def test_claim_slot__lease_of_no_time__runs_out_by_the_databases_clock(store: SqlStore) -> None:
    claim(store, lease=0)
    assert take(store, owner=OWNER) == Claim("alpha", NOW, Cadence.HOURLY, OWNER, 2)


def test_claim_slot__short_lease__runs_out_when_it_is_over_and_not_before(store: SqlStore) -> None:
    began = time.monotonic()
    claim(store, lease=1)
    while take(store) is None:
        time.sleep(0.02)
        assert time.monotonic() - began < 5
    assert time.monotonic() - began >= 0.99


def test_claim_slot__other_fund_or_time__is_free(store: SqlStore) -> None:
    claim(store, "alpha", NOW)
    claim(store, "beta", NOW)
    claim(store, "alpha", NOW + 900)
    assert len(store.slots()) == 3


def test_renew_claims__held__end_later(store: SqlStore) -> None:
    claims = [claim(store, "beta", lease=5), claim(store, "alpha", lease=5)]
    store.renew_claims(claims, 5_000)
    assert all(row.lease_until is not None and row.lease_until > time.time() + 4_000 for row in store.slots())


def test_renew_claims__one_is_lost__renews_none(store: SqlStore) -> None:
    kept, lost = claim(store, "alpha", lease=50), claim(store, "beta", lease=50)
    expire(store, lost)
    claim(store, "beta", owner=OTHER)
    before = content_of(store)
    with pytest.raises(LeaseLost, match="of beta") as refused:
        store.renew_claims([kept, lost], 5_000)
    assert "another one took over" in refused.value.message
    assert refused.value.advice
    assert content_of(store) == before


def test_renew_claims__lease_ran_out_and_nobody_came__is_held_again(store: SqlStore) -> None:
    held = claim(store)
    expire(store, held)
    store.renew_claims([held], LEASE)
    assert take(store) is None


def test_finish_slot__claimed__keeps_outcome_frame_and_post(store: SqlStore) -> None:
    record(store, frame_of("f1"))
    held = claim(store, cadence=Cadence.HIGH_VOLATILITY)
    post = prepare(store, "f1", batch_of(post_of("alpha", 1)), claims=[held])
    store.finish_slot(held, SlotOutcome(SlotState.HELD, "step", "f1", post.id), LATER)
    (row,) = store.slots()
    assert row == SlotRow(
        fund="alpha",
        slot_time=NOW,
        cadence=Cadence.HIGH_VOLATILITY,
        state=SlotState.HELD,
        reason="step",
        frame="f1",
        post=post.id,
        claimed_at=NOW,
        finished_at=LATER,
        owner=OWNER,
        epoch=1,
        lease_until=row.lease_until,
    )


@pytest.mark.parametrize("first", [POSTED, FAILED])
def test_finish_slot__ended__stands(store: SqlStore, first: SlotOutcome) -> None:
    held = claim(store)
    store.finish_slot(held, first, LATER)
    before = content_of(store)
    store.finish_slot(held, first, Timestamp(LATER + 1))  # a write whose answer was lost is repeated
    for other in (SlotOutcome(SlotState.SKIPPED, "late", None, None), replace(first, reason="another")):
        with pytest.raises(StoreError, match="has ended") as refused:
            store.finish_slot(held, other, LATER)
        assert not isinstance(refused.value, LeaseLost)
    assert content_of(store) == before


def test_finish_slot__as_claimed__raises(store: SqlStore) -> None:
    held = claim(store)
    with pytest.raises(StoreError, match="cannot end as claimed"):
        store.finish_slot(held, SlotOutcome(SlotState.CLAIMED, None, None, None), NOW)


@pytest.mark.parametrize(("frame", "post"), [("unknown", None), (None, 77)])
def test_finish_slot__unknown_frame_or_post__raises_and_leaves_it_claimed(
    store: SqlStore, frame: str | None, post: int | None
) -> None:
    held = claim(store)
    with pytest.raises(StoreError, match="not recorded"):
        store.finish_slot(held, SlotOutcome(SlotState.POSTED, None, frame, post), NOW)
    assert store.slots()[0].state is SlotState.CLAIMED


WRITES: list[Callable[[SqlStore, Claim], object]] = [
    lambda store, held: store.finish_slot(held, FAILED, LATER),
    lambda store, held: store.finish_slot(held, POSTED, LATER),
    lambda store, held: store.renew_claims([held], LEASE),
    lambda store, held: prepare(
        store, "f1", batch_of(post_of("alpha", 1)), claims=[held], lane=lane_of(store, owner=held.owner)
    ),
]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("by", [OWNER, OTHER])
@pytest.mark.parametrize("ended", [False, True])
def test_every_write__slot_taken_over__is_refused_and_writes_nothing(
    store: SqlStore, write: Callable[[SqlStore, Claim], object], ended: bool, by: str
) -> None:
    record(store, frame_of("f1"))
    lane_of(store)
    old = claim(store)
    expire(store, old)
    new = claim(store, owner=by)
    if ended:
        store.finish_slot(new, POSTED, LATER)
    before = {name: rows for name, rows in content_of(store).items() if name != "lanes"}
    with pytest.raises(LeaseLost):
        write(store, old)
    assert {name: rows for name, rows in content_of(store).items() if name != "lanes"} == before


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("wrong", [{"epoch": 2}, {"owner": OTHER}, {"fund": "beta"}, {"slot_time": LATER}])
def test_every_write__claim_that_was_never_given__is_refused(
    store: SqlStore, write: Callable[[SqlStore, Claim], object], wrong: dict[str, object]
) -> None:
    record(store, frame_of("f1"))
    held = claim(store)
    with pytest.raises(StoreError) as refused:
        write(store, replace(held, **wrong))  # type: ignore[arg-type]
    assert isinstance(refused.value, LeaseLost) or "fund" in wrong
    assert store.slots()[0].state is SlotState.CLAIMED
    assert store.posts() == ()


def test_miss_slot__nobody_had_it__is_recorded_once(store: SqlStore) -> None:
    assert store.miss_slot("alpha", NOW, Cadence.HOURLY, "no keeper was running", LATER)
    assert not store.miss_slot("alpha", NOW, Cadence.HOURLY, "again", LATER)
    (row,) = store.slots()
    assert (row.state, row.reason, row.finished_at) == (SlotState.MISSED, "no keeper was running", LATER)
    assert (row.owner, row.epoch, row.lease_until) == (None, 0, None)
    assert take(store) is None
    assert store.abandoned_slots() == ()


@pytest.mark.parametrize("over", [False, True])
def test_miss_slot__claimed__is_not_missed(store: SqlStore, over: bool) -> None:
    held = claim(store)
    if over:
        expire(store, held)
    assert not store.miss_slot("alpha", NOW, Cadence.HOURLY, "late", LATER)
    assert store.slots()[0].state is SlotState.CLAIMED


def test_abandoned_slots__several__come_oldest_first(store: SqlStore) -> None:
    for fund, at in (("beta", NOW + 60), ("alpha", NOW + 60), ("beta", NOW), ("gamma", NOW)):
        held = claim(store, fund, at)
        if fund != "gamma":
            expire(store, held)
    assert [(row.fund, row.slot_time) for row in store.abandoned_slots()] == [
        ("beta", NOW),
        ("alpha", NOW + 60),
        ("beta", NOW + 60),
    ]


def test_slots__filters__choose_fund_time_and_number_newest_first(store: SqlStore) -> None:
    for fund in ("beta", "Zeta", "alpha"):
        for hour in range(2):
            claim(store, fund, NOW + 3_600 * hour)

    def found(*chosen: SlotRow) -> list[tuple[str, int]]:
        return [(row.fund, (row.slot_time - NOW) // 3_600) for row in chosen]

    newest = [("Zeta", 1), ("alpha", 1), ("beta", 1)]
    assert found(*store.slots()) == [*newest, ("Zeta", 0), ("alpha", 0), ("beta", 0)]
    assert found(*store.slots("beta", limit=1)) == [("beta", 1)]
    assert found(*store.slots(since=Timestamp(NOW + 3_600))) == newest
