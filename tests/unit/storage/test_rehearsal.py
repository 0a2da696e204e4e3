"""A rehearsal answers as the database does and keeps nothing, on each kind of database."""

from __future__ import annotations

import pytest

from navoracle.composition.stores import RehearsalStore, rehearsal_store, store_exists
from navoracle.domain.breaker import Breaker
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore
from navoracle.store_port import BreakerSubject, Claim, Event, Severity, SlotOutcome, SlotState
from tests.unit.storage.builders import NOW, OTHER, OWNER, claim, content_of, expire, frame_of, fund_frame, record
from tests.unit.storage.builders import valuation_of as valued


def take(store: SqlStore, fund: str) -> Claim | None:
    """Ask for a slot of the fund."""
    return store.claim_slot(fund, NOW, Cadence.HOURLY, owner=OTHER, lease=60, at=NOW)


def test_claim_slot__rehearsed__answers_as_the_database_would(url: str) -> None:
    with SqlStore.open(url) as store:
        claim(store, "held")
        expire(store, claim(store, "abandoned"))
        store.finish_slot(claim(store, "ended"), SlotOutcome(SlotState.SKIPPED, "late", None, None), NOW)
        claim(store, "free", NOW + 60)
        with rehearsal_store(url) as rehearsed:
            answers = {fund: take(rehearsed, fund) for fund in ("held", "abandoned", "ended", "free")}
        assert answers == {fund: take(store, fund) for fund in answers}
        assert [fund for fund, answer in answers.items() if answer is not None] == ["abandoned", "free"]


def test_every_write__rehearsed__keeps_nothing(url: str) -> None:
    with SqlStore.open(url) as store:
        record(store, frame_of("f1", fund_frame("alpha", valued({"a": 3}))))
        before = content_of(store)
        with rehearsal_store(url) as rehearsed:
            _rehearse(rehearsed)
            assert [row.id for row in rehearsed.frames()] == ["f1"]  # what is there is seen
            assert rehearsed.load_fund("alpha").fees_frame == "f1"
        assert content_of(store) == before


def _rehearse(store: RehearsalStore) -> None:
    later = Timestamp(NOW + 60)
    frame = frame_of("f2", fund_frame("alpha", valued({"a": 4})), now=later)
    with store.transaction():
        held = claim(store, "alpha")
    store.renew_claims([held], 60)
    store.record_frame(frame, hashes={"alpha": "0x"})
    store.record_sample(frame_of("f3", now=later))
    store.finish_slot(held, SlotOutcome(SlotState.POSTED, None, "f2", None), later)
    assert store.miss_slot("beta", NOW, Cadence.HOURLY, "asleep", later)
    assert store.save_breaker(BreakerSubject("fund", "alpha"), Breaker().open("why", NOW), was=Breaker(), at=NOW)
    store.use_rebase("alpha", "0x01", NOW)
    assert store.append_event(Event(NOW, "kind", None, Severity.INFO, "m")) == 0


def test_transaction__rehearsed__keeps_no_writer_waiting(url: str) -> None:
    with SqlStore.open(url) as store, rehearsal_store(url) as rehearsed, rehearsed.transaction():
        claim(rehearsed, "alpha")
        assert claim(store, "alpha", owner=OWNER).epoch == 1


def test_rehearsal_store__no_database_yet__is_an_empty_one_and_makes_none(unmade: str) -> None:
    assert not store_exists(unmade)
    with rehearsal_store(unmade) as rehearsed:
        assert rehearsed.frames() == ()
        claim(rehearsed, "alpha")
    assert not store_exists(unmade)


@pytest.mark.parametrize("there", ["mysql://host/db", "nothing at all", "postgresql://u:p@/navoracle?host=/nowhere"])
def test_rehearsal_store__database_that_cannot_be_opened__explains(there: str) -> None:
    assert store_exists(there)
    with pytest.raises(StoreError) as refused, rehearsal_store(there):
        pass
    assert refused.value.advice
