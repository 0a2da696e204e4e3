"""A lane has one owner at a time, and nothing is written on a lease that was lost or given up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from navoracle.domain.errors import LeaseLost
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.storage import SqlStore, tables
from navoracle.store_port import LaneLease, TransactionState
from tests.unit.storage.builders import (
    KEEPER,
    LEASE,
    NOW,
    OTHER,
    OWNER,
    attempt_of,
    batch_of,
    claim,
    content_of,
    database_of,
    expire,
    frame_of,
    intent_of,
    lane_of,
    post_of,
    prepare,
    receipt_of,
    record,
    signed,
)


def take(store: SqlStore, owner: str, lease: int = LEASE) -> LaneLease | None:
    """Ask for the keeper's lane."""
    return store.claim_lane("main", KEEPER, owner=owner, lease=lease)


def lease_end(store: SqlStore) -> float:
    """When the only lane's lease ends, in seconds."""
    with database_of(store).read() as connection:
        until: int = connection.execute(tables.lanes.select()).mappings().one()["lease_until"]
    return until / 1_000


def test_claim_lane__free__is_the_first_epoch_for_as_long_as_asked(store: SqlStore) -> None:
    before = time.time()
    assert lane_of(store, lease=500) == LaneLease("main", KEEPER, OWNER, 1)
    assert before + 499.9 <= lease_end(store) <= time.time() + 500.1


def test_claim_lane__other_ones_lease_runs__is_none(store: SqlStore) -> None:
    lane_of(store)
    before = content_of(store)
    assert take(store, OTHER) is None
    assert content_of(store) == before


def test_claim_lane__its_own_owner_again__is_a_new_epoch(store: SqlStore) -> None:
    lane_of(store)
    assert take(store, OWNER) == LaneLease("main", KEEPER, OWNER, 2)
    assert take(store, OTHER) is None


def test_claim_lane__lease_ran_out__is_another_ones(store: SqlStore) -> None:
    lane_of(store, lease=0)
    assert take(store, OTHER) == LaneLease("main", KEEPER, OTHER, 2)
    assert take(store, OWNER) is None


def test_claim_lane__other_chain_or_sender__is_free(store: SqlStore) -> None:
    lane_of(store)
    lane_of(store, chain="other", owner=OTHER)
    lane_of(store, sender=Address("0x" + "33" * 20), owner=OTHER)


def test_renew_lane__held__ends_later(store: SqlStore) -> None:
    lane = lane_of(store, lease=1)
    store.renew_lane(lane, 5_000)
    assert lease_end(store) > time.time() + 4_000


def test_release_lane__held__is_free_at_once_and_its_lease_is_worth_nothing(store: SqlStore) -> None:
    lane = lane_of(store)
    store.release_lane(lane)
    with pytest.raises(LeaseLost):
        store.renew_lane(lane, LEASE)
    taken = take(store, OTHER)
    assert taken is not None
    assert taken.epoch > lane.epoch + 1


def test_release_lane__lost__changes_nothing(store: SqlStore) -> None:
    old = lane_of(store, lease=0)
    lane_of(store, owner=OTHER)
    before = content_of(store)
    store.release_lane(old)
    assert content_of(store) == before


WRITES: list[Callable[[SqlStore, LaneLease, int], object]] = [
    lambda store, lane, number: store.renew_lane(lane, LEASE),
    lambda store, lane, number: store.add_transaction(lane, intent_of("new"), NOW),
    lambda store, lane, number: store.save_attempt(lane, number, attempt_of(signed(8))),
    lambda store, lane, number: store.save_attempt(lane, number, attempt_of(signed(7))),
    lambda store, lane, number: store.record_broadcast(lane, signed(7).hash, NOW),
    lambda store, lane, number: store.record_broadcast(lane, signed(7).hash, NOW, "timed out"),
    lambda store, lane, number: store.record_mined(lane, number, receipt_of(signed(7)), 1, NOW),
    lambda store, lane, number: store.record_unmined(lane, number, NOW),
    lambda store, lane, number: store.end_transaction(lane, number, TransactionState.FAILED, NOW),
    lambda store, lane, number: store.finish_post(lane, number, [], NOW),
    lambda store, lane, number: prepare(store, "f1", batch_of(post_of("alpha", 1)), lane=lane, claims=[claim(store)]),
]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("how", ["taken over", "claimed anew", "given up", "never given"])
def test_every_write__lane_lost__is_refused_and_writes_nothing(
    store: SqlStore, write: Callable[[SqlStore, LaneLease, int], object], how: str
) -> None:
    record(store, frame_of("f1"))
    lane = lane_of(store)
    number = store.add_transaction(lane, intent_of("first"), NOW)
    store.save_attempt(lane, number, attempt_of(signed(7)))
    if how == "taken over":
        expire(store, lane)
        lane_of(store, owner=OTHER)
    elif how == "claimed anew":
        lane_of(store)
    elif how == "given up":
        store.release_lane(lane)
    else:
        lane = replace(lane, epoch=2)
    before = content_of(store) | {"slots": []}
    with pytest.raises(LeaseLost) as refused:
        write(store, lane, number)
    assert refused.value.code == "lease_lost"
    assert refused.value.advice
    assert content_of(store) | {"slots": []} == before


def test_every_write__lease_ran_out_and_nobody_came__goes_on(store: SqlStore) -> None:
    lane = lane_of(store, lease=0)
    number = store.add_transaction(lane, intent_of("first"), Timestamp(NOW))
    assert store.find_transaction(number).intent == intent_of("first")
