"""A slot has one owner and one end."""

from __future__ import annotations

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore
from navoracle.store_port import SlotOutcome, SlotRow, SlotState
from tests.unit.storage.builders import NOW, batch_of, frame_of, post_of, prepare, record

POSTED = SlotOutcome(SlotState.POSTED, None, None, None)
FAILED = SlotOutcome(SlotState.FAILED, "no receipt yet", None, None)


def test_claim_slot__taken__is_false_whatever_its_cadence_or_end(store: SqlStore) -> None:
    assert store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
    assert not store.claim_slot("alpha", NOW, Cadence.EMERGENCY, NOW)
    store.finish_slot("alpha", NOW, FAILED, NOW)
    assert not store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)


def test_claim_slot__other_fund_or_time__is_free(store: SqlStore) -> None:
    assert store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
    assert store.claim_slot("beta", NOW, Cadence.HOURLY, NOW)
    assert store.claim_slot("alpha", Timestamp(NOW + 900), Cadence.HOURLY, NOW)


def test_finish_slot__claimed__keeps_outcome_frame_and_post(store: SqlStore) -> None:
    record(store, frame_of("f1"))
    post = prepare(store, "f1", batch_of(post_of("alpha", 1)))
    store.claim_slot("alpha", NOW, Cadence.HIGH_VOLATILITY, Timestamp(NOW + 1))
    store.finish_slot("alpha", NOW, SlotOutcome(SlotState.HELD, "step", "f1", post), Timestamp(NOW + 30))
    assert store.slots() == (
        SlotRow(
            fund="alpha",
            slot_time=NOW,
            cadence=Cadence.HIGH_VOLATILITY,
            state=SlotState.HELD,
            reason="step",
            frame="f1",
            post=post,
            claimed_at=Timestamp(NOW + 1),
            finished_at=Timestamp(NOW + 30),
            owner=None,
            epoch=1,
            lease_until=None,
        ),
    )


def test_finish_slot__failed__may_end_otherwise_once(store: SqlStore) -> None:
    store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
    store.finish_slot("alpha", NOW, FAILED, NOW)
    store.finish_slot("alpha", NOW, POSTED, NOW)
    with pytest.raises(StoreError, match="has ended"):
        store.finish_slot("alpha", NOW, FAILED, NOW)
    assert store.slots()[0].state is SlotState.POSTED


def test_finish_slot__never_claimed__raises(store: SqlStore) -> None:
    store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
    with pytest.raises(StoreError, match="not claimed"):
        store.finish_slot("beta", NOW, POSTED, NOW)
    assert store.slots()[0].state is SlotState.CLAIMED


def test_finish_slot__as_claimed__raises(store: SqlStore) -> None:
    store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
    with pytest.raises(StoreError, match="cannot end as claimed"):
        store.finish_slot("alpha", NOW, SlotOutcome(SlotState.CLAIMED, None, None, None), NOW)


@pytest.mark.parametrize(("frame", "post"), [("unknown", None), (None, 77)])
def test_finish_slot__unknown_frame_or_post__raises_and_leaves_it_claimed(
    store: SqlStore, frame: str | None, post: int | None
) -> None:
    store.claim_slot("alpha", NOW, Cadence.HOURLY, NOW)
    with pytest.raises(StoreError, match="not recorded"):
        store.finish_slot("alpha", NOW, SlotOutcome(SlotState.POSTED, None, frame, post), NOW)
    assert store.slots()[0].state is SlotState.CLAIMED


def test_slots__filters__choose_fund_time_and_number_newest_first(store: SqlStore) -> None:
    for fund in ("beta", "alpha"):
        for hour in range(3):
            store.claim_slot(fund, Timestamp(NOW + 3_600 * hour), Cadence.HOURLY, NOW)

    def found(*chosen: SlotRow) -> list[tuple[str, int]]:
        return [(row.fund, (row.slot_time - NOW) // 3_600) for row in chosen]

    assert found(*store.slots()) == [("alpha", 2), ("beta", 2), ("alpha", 1), ("beta", 1), ("alpha", 0), ("beta", 0)]
    assert found(*store.slots("beta", limit=2)) == [("beta", 2), ("beta", 1)]
    assert found(*store.slots(since=Timestamp(NOW + 7_200))) == [("alpha", 2), ("beta", 2)]
