"""The history joins slots, frames and posts; the status is the newest of each fund."""

from __future__ import annotations

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.frame import NavStatus
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.storage import SqlStore
from navoracle.store_port import HistoryRow, SlotOutcome, SlotState, TransactionState
from tests.unit.storage.builders import (
    NOW,
    attempt_of,
    batch_of,
    claim,
    frame_of,
    fund_frame,
    lane_of,
    post_of,
    prepare,
    read_back,
    receipt_of,
    record,
    signed,
    valuation_of,
)

HOUR = 3_600


def slot(store: SqlStore, fund: str, hour: int, outcome: SlotOutcome) -> None:
    """Claim and finish a slot."""
    time = Timestamp(NOW + HOUR * hour)
    store.finish_slot(claim(store, fund, time), outcome, time)


@pytest.fixture
def lived(store: SqlStore) -> SqlStore:
    """Hour 0: alpha and beta posted, mined. Hour 1: alpha signed, not mined; beta halted. Hour 2: alpha skipped."""
    values = fund_frame("alpha", valuation_of({"a": 2**70})), fund_frame("beta", valuation_of({"b": 2}))
    record(store, frame_of("f0", *values))
    lane = lane_of(store)
    claims = [claim(store, "alpha"), claim(store, "beta")]
    post = prepare(store, "f0", batch_of(post_of("alpha", 1), post_of("beta", 2)), lane=lane, claims=claims)
    store.save_attempt(lane, post.transaction, attempt_of(signed(1)))
    store.save_attempt(lane, post.transaction, attempt_of(signed(1, 1)))
    store.record_mined(lane, post.transaction, receipt_of(signed(1)), 5, NOW)
    store.end_transaction(lane, post.transaction, TransactionState.CONFIRMED, NOW)
    store.finish_post(lane, post.id, [read_back("alpha", accepted=True), read_back("beta", accepted=True)], NOW)
    for held in claims:
        store.finish_slot(held, SlotOutcome(SlotState.POSTED, None, "f0", post.id), NOW)
    halted = fund_frame("beta", None, NavStatus.HALTED, "unpriced:PT:too_old")
    record(store, frame_of("f1", values[0], halted, now=NOW + HOUR))
    held = claim(store, "alpha", NOW + HOUR)
    post = prepare(store, "f1", batch_of(post_of("alpha", 1), at=NOW + HOUR), lane=lane, claims=[held])
    store.save_attempt(lane, post.transaction, attempt_of(signed(3)))
    store.save_attempt(lane, post.transaction, attempt_of(signed(3, 1)))
    store.finish_slot(held, SlotOutcome(SlotState.FAILED, "no receipt yet", "f1", post.id), NOW)
    slot(store, "beta", 1, SlotOutcome(SlotState.SKIPPED, "unpriced:PT:too_old", "f1", None))
    slot(store, "alpha", 2, SlotOutcome(SlotState.FAILED, "chain: no node answers", None, None))
    return store


ALPHA_POSTED = HistoryRow(
    fund="alpha",
    slot_time=NOW,
    cadence=Cadence.HOURLY,
    state=SlotState.POSTED,
    reason=None,
    frame="f0",
    status=NavStatus.LIVE,
    nav_after=Wad(2**70 * WAD),
    price_per_share=Wad(2**70 * WAD),
    confidence=valuation_of({"a": 1}).confidence,
    transaction_hash=signed(1).hash,
    block_number=18,
)


def test_history__one_fund__joins_each_slot_with_its_frame_and_post(lived: SqlStore) -> None:
    failed, signed_only, posted = lived.history("alpha")
    assert posted == ALPHA_POSTED
    assert (signed_only.transaction_hash, signed_only.block_number) == (signed(3, 1).hash, None)
    assert (signed_only.status, signed_only.state) == (NavStatus.LIVE, SlotState.FAILED)
    assert (failed.reason, failed.frame, failed.status, failed.nav_after) == ("chain: no node answers", *(None,) * 3)
    assert (failed.price_per_share, failed.confidence, failed.transaction_hash, failed.block_number) == (None,) * 4


def test_history__fund_that_was_not_valued__has_a_status_and_no_figures(lived: SqlStore) -> None:
    halted, posted = lived.history("beta")
    assert (halted.status, halted.nav_after, halted.transaction_hash) == (NavStatus.HALTED, None, None)
    assert posted.nav_after == 2 * WAD


def test_history__filters__choose_time_and_number(lived: SqlStore) -> None:
    assert [(row.fund, row.slot_time) for row in lived.history(since=Timestamp(NOW + HOUR))] == [
        ("alpha", NOW + 2 * HOUR),
        ("alpha", NOW + HOUR),
        ("beta", NOW + HOUR),
    ]
    assert [row.slot_time for row in lived.history(limit=1)] == [NOW + 2 * HOUR]


def test_status__several_funds__is_the_newest_slot_and_the_newest_posted_one(lived: SqlStore) -> None:
    claim(lived, "new")
    slot(lived, "alpha", -1, SlotOutcome(SlotState.POSTED, None, None, None))  # a late wake-up
    alpha, beta, new = lived.status()
    assert (alpha.fund, alpha.latest.slot_time, alpha.posted) == ("alpha", NOW + 2 * HOUR, ALPHA_POSTED)
    assert (beta.fund, beta.latest.state) == ("beta", SlotState.SKIPPED)
    assert beta.posted == lived.history("beta")[1]
    assert (new.fund, new.latest.state, new.posted) == ("new", SlotState.CLAIMED, None)


def test_fund_frames__filters__choose_fund_frame_time_and_number_newest_first(lived: SqlStore) -> None:
    assert [(row.frame, row.fund) for row in lived.fund_frames()] == [
        ("f1", "alpha"),
        ("f1", "beta"),
        ("f0", "alpha"),
        ("f0", "beta"),
    ]
    assert [row.frame for row in lived.fund_frames("beta")] == ["f1", "f0"]
    assert [row.fund for row in lived.fund_frames(frame="f0")] == ["alpha", "beta"]
    assert [row.frame for row in lived.fund_frames("beta", since=Timestamp(NOW + 1))] == ["f1"]
    assert [row.frame for row in lived.fund_frames("beta", limit=1)] == ["f1"]


def test_frames__filters__choose_time_and_number(lived: SqlStore) -> None:
    assert [row.id for row in lived.frames(since=Timestamp(NOW + 1))] == ["f1"]
    assert [row.id for row in lived.frames(limit=1)] == ["f1"]
