"""Laws of leases: whatever several keepers do, a slot ends once, epochs grow, and an old epoch writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import LeaseLost, StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore
from navoracle.store_port import Claim, LaneLease, SlotOutcome, SlotState, TransactionState
from tests.unit.storage.builders import (
    KEEPER,
    NOW,
    attempt_of,
    empty_postgres_store,
    empty_sqlite_store,
    expire,
    intent_of,
    receipt_of,
    signed,
)

FEW = settings(max_examples=settings().max_examples // 4)  # every example writes to a database
DATABASES = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
ENDS = [state for state in SlotState if state is not SlotState.CLAIMED]
OWNERS = ("ada", "bob", "cleo")
SLOTS = (("alpha", Timestamp(1)), ("alpha", Timestamp(2)), ("beta", Timestamp(1)))

Deed = Literal["claim", "expire", "renew", "finish", "miss"]
slot_deeds = st.lists(
    st.tuples(
        st.sampled_from(SLOTS),
        st.sampled_from(("claim", "claim", "claim", "expire", "expire", "renew", "finish", "miss")),
        st.sampled_from(OWNERS),
        st.sampled_from(ENDS),
        st.integers(0, 5),
    ),
    max_size=40,
)
lane_deeds = st.lists(
    st.tuples(
        st.sampled_from(("claim", "claim", "expire", "release", "add", "sign", "send", "mine", "unmine", "end")),
        st.sampled_from(OWNERS),
        st.integers(0, 5),
        st.integers(0, 3),
        st.sampled_from([state for state in TransactionState if state.is_end]),
    ),
    max_size=50,
)


def with_store(kind: str, act: Callable[[SqlStore], None]) -> None:
    """Act on an empty store."""
    if kind == "postgresql":
        with SqlStore.open(empty_postgres_store()) as store:
            act(store)
        return
    with TemporaryDirectory() as folder, SqlStore.open(empty_sqlite_store(Path(folder) / "navoracle.db")) as store:
        act(store)


@dataclass
class ModelSlot:
    """A slot as it should be."""

    epoch: int = 0
    owner: str | None = None
    running: bool = False
    end: SlotOutcome | None = None

    @property
    def is_there(self) -> bool:
        """Whether anybody has claimed or missed it."""
        return self.epoch > 0 or self.end is not None


@DATABASES
@FEW
@given(deeds=slot_deeds)
def test_slots__any_deeds_of_several_owners__are_those_of_the_model(
    kind: str, deeds: list[tuple[tuple[str, Timestamp], Deed, str, SlotState, int]]
) -> None:
    def act(store: SqlStore) -> None:
        model = {slot: ModelSlot() for slot in SLOTS}
        given_out: dict[tuple[str, Timestamp], list[Claim]] = {slot: [] for slot in SLOTS}
        for slot, deed, owner, state, choice in deeds:
            known, claims = model[slot], given_out[slot]
            if deed == "claim":
                claimed = store.claim_slot(*slot, Cadence.HOURLY, owner=owner, lease=1_000, at=NOW)
                free = known.end is None and not known.running
                assert (claimed is not None) is free
                if claimed is not None:
                    assert (claimed.owner, claimed.epoch) == (owner, known.epoch + 1)
                    claims.append(claimed)
                    known.epoch, known.owner, known.running = claimed.epoch, owner, True
            elif deed == "miss":
                assert store.miss_slot(*slot, Cadence.HOURLY, "nobody", NOW) is not known.is_there
                if not known.is_there:
                    known.end = SlotOutcome(SlotState.MISSED, "nobody", None, None)
            elif claims:
                used = claims[choice % len(claims)]
                held = used.epoch == known.epoch
                if deed == "expire":
                    expire(store, used)
                    known.running = False
                elif deed == "renew":
                    if held and known.end is None:
                        store.renew_claims([used], 1_000)
                        known.running = True
                    else:
                        with pytest.raises(LeaseLost):
                            store.renew_claims([used], 1_000)
                else:
                    outcome = SlotOutcome(state, f"by {used.epoch}", None, None)
                    if not held:
                        with pytest.raises(LeaseLost):
                            store.finish_slot(used, outcome, NOW)
                    elif known.end not in (None, outcome):
                        with pytest.raises(StoreError, match="has ended"):
                            store.finish_slot(used, outcome, NOW)
                    else:
                        store.finish_slot(used, outcome, NOW)
                        known.end = outcome
        rows = {(row.fund, row.slot_time): row for row in store.slots()}
        assert set(rows) == {slot for slot, known in model.items() if known.is_there}
        for slot, row in rows.items():
            known = model[slot]
            assert (row.owner, row.epoch) == (known.owner, known.epoch)
            end = SlotOutcome(SlotState.CLAIMED, None, None, None) if known.end is None else known.end
            assert (row.state, row.reason) == (end.state, end.reason)
        abandoned = {(row.fund, row.slot_time) for row in store.abandoned_slots()}
        assert abandoned == {
            slot for slot, known in model.items() if known.epoch and known.end is None and not known.running
        }

    with_store(kind, act)


@DATABASES
@FEW
@given(deeds=lane_deeds)
def test_lane__any_deeds_of_several_owners__share_no_nonce_and_are_refused_to_old_epochs(
    kind: str, deeds: list[tuple[str, str, int, int, TransactionState]]
) -> None:
    def act(store: SqlStore) -> None:
        leases: list[LaneLease] = []
        epoch, holder, running = 0, "", False
        for number, (deed, owner, choice, nonce, end) in enumerate(deeds):
            if deed == "claim":
                lane = store.claim_lane("main", KEEPER, owner=owner, lease=1_000)
                assert (lane is not None) is (not running or owner == holder)
                if lane is not None:
                    assert lane.epoch > epoch
                    leases.append(lane)
                    epoch, holder, running = lane.epoch, owner, True
                continue
            if not leases:
                continue
            used = leases[choice % len(leases)]
            if deed == "expire":
                expire(store, used)
                running = False
            elif deed == "release":
                store.release_lane(used)
                if used.epoch == epoch:
                    epoch, running = epoch + 1, False
            else:
                before = store.transactions()
                refused = _write(store, used, deed, number, choice, nonce, end)
                if used.epoch != epoch:
                    assert isinstance(refused, LeaseLost)
                assert not (isinstance(refused, LeaseLost) and used.epoch == epoch)
                if refused is not None:
                    assert store.transactions() == before
                for row in before:
                    if row.state.is_end:
                        assert store.find_transaction(row.id).state is row.state
            open_nonces = [row.nonce for row in store.open_transactions("main", KEEPER) if row.nonce is not None]
            assert len(open_nonces) == len(set(open_nonces))
            for row in store.transactions():
                assert {attempt.signed.nonce for attempt in row.attempts} <= {row.nonce}

    with_store(kind, act)


def _write(
    store: SqlStore, lane: LaneLease, deed: str, number: int, choice: int, nonce: int, end: TransactionState
) -> StoreError | None:
    """Do one deed to one of the transactions; how it was refused, or None."""
    known = sorted(store.transactions(), key=lambda row: row.id)
    chosen = known[choice % len(known)] if known else None
    try:
        if deed == "add" or chosen is None:
            store.add_transaction(lane, intent_of(f"n{number % 7}"), NOW)
        elif deed == "sign":
            store.save_attempt(lane, chosen.id, attempt_of(signed(nonce, number)))
        elif deed == "end":
            store.end_transaction(lane, chosen.id, end, NOW)
        elif deed == "unmine":
            store.record_unmined(lane, chosen.id, NOW)
        elif chosen.attempts and deed == "send":
            store.record_broadcast(lane, chosen.attempts[-1].signed.hash, NOW)
        elif chosen.attempts:
            store.record_mined(lane, chosen.id, receipt_of(chosen.attempts[0].signed), 5, NOW)
        else:
            store.add_transaction(lane, chosen.intent, NOW)
    except StoreError as error:
        return error
    return None
