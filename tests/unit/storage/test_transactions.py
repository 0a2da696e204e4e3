"""A transaction is one intent with one nonce, however many forms of it are signed, and ends once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import insert

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.publisher_port import Receipt
from navoracle.storage import SqlStore, tables
from navoracle.store_port import Attempt, LaneLease, TransactionKind, TransactionRow, TransactionState
from tests.unit.storage.builders import (
    KEEPER,
    NOW,
    attempt_of,
    content_of,
    database_of,
    intent_of,
    lane_of,
    receipt_of,
    signed,
)

LATER = Timestamp(NOW + 60)
STRANGER = Address("0x3333333333333333333333333333333333333333")
FIRST, SECOND = attempt_of(signed(7)), attempt_of(signed(7, 1), at=NOW + 30, noop=True)


@pytest.fixture
def lane(store: SqlStore) -> LaneLease:
    """The keeper's lane."""
    return lane_of(store)


@pytest.fixture
def number(store: SqlStore, lane: LaneLease) -> int:
    """A transaction that was not signed."""
    return store.add_transaction(lane, intent_of("hold:1", TransactionKind.HOLD), NOW)


def state_of(store: SqlStore, number: int) -> TransactionState:
    """Where it stands."""
    return store.find_transaction(number).state


def test_add_transaction__intent__comes_out_as_it_went_in(store: SqlStore, number: int) -> None:
    assert store.find_transaction(number) == TransactionRow(
        id=number,
        chain="main",
        sender=KEEPER,
        intent=intent_of("hold:1", TransactionKind.HOLD),
        state=TransactionState.PREPARED,
        nonce=None,
        attempts=(),
        receipt=None,
        fee_paid=None,
        error=None,
        created_at=NOW,
        finished_at=None,
    )


def test_add_transaction__same_key__is_the_same_transaction(store: SqlStore, lane: LaneLease, number: int) -> None:
    before = content_of(store)
    assert store.add_transaction(lane, replace(intent_of("hold:1"), data=b"other"), LATER) == number
    assert content_of(store) == before
    assert store.add_transaction(lane, intent_of("hold:2"), NOW) != number


def test_add_transaction__key_of_another_lane__raises(store: SqlStore, number: int) -> None:
    with pytest.raises(StoreError, match="belongs to a transaction of"):
        store.add_transaction(lane_of(store, sender=STRANGER), intent_of("hold:1"), NOW)


def test_save_attempt__first__gives_the_nonce(store: SqlStore, lane: LaneLease, number: int) -> None:
    store.save_attempt(lane, number, FIRST)
    store.save_attempt(lane, number, SECOND)
    row = store.find_transaction(number)
    assert (row.nonce, row.state, row.attempts) == (7, TransactionState.PREPARED, (FIRST, SECOND))


def test_save_attempt__fees_beyond_64_bits__survive(store: SqlStore, lane: LaneLease, number: int) -> None:
    huge = replace(FIRST, max_fee=2**200, max_tip=2**199)
    store.save_attempt(lane, number, huge)
    assert store.find_transaction(number).attempts == (huge,)


def test_save_attempt__same_bytes_again__is_one(store: SqlStore, lane: LaneLease, number: int) -> None:
    store.save_attempt(lane, number, FIRST)
    before = content_of(store)
    store.save_attempt(lane, number, FIRST)
    assert content_of(store) == before


def test_save_attempt__bytes_of_another_transaction__raises(store: SqlStore, lane: LaneLease, number: int) -> None:
    other = store.add_transaction(lane, intent_of("other"), NOW)
    store.save_attempt(lane, number, FIRST)
    with pytest.raises(StoreError, match=f"belongs to transaction {number}"):
        store.save_attempt(lane, other, FIRST)


def test_save_attempt__other_nonce__raises(store: SqlStore, lane: LaneLease, number: int) -> None:
    store.save_attempt(lane, number, FIRST)
    with pytest.raises(StoreError, match="has nonce 7, its attempt 8"):
        store.save_attempt(lane, number, attempt_of(signed(8)))
    assert store.find_transaction(number).attempts == (FIRST,)


def test_save_attempt__nonce_of_another_open_one__raises(store: SqlStore, lane: LaneLease, number: int) -> None:
    other = store.add_transaction(lane, intent_of("other"), NOW)
    store.save_attempt(lane, number, FIRST)
    with pytest.raises(StoreError, match=f"belongs to transaction {number}, which is open"):
        store.save_attempt(lane, other, attempt_of(signed(7, 2)))
    store.end_transaction(lane, number, TransactionState.REPLACED, LATER)
    store.save_attempt(lane, other, attempt_of(signed(7, 2)))  # the nonce of one that ended may be another one's
    assert store.find_transaction(other).nonce == 7


@pytest.mark.parametrize(("chain", "sender"), [("other", KEEPER), ("main", STRANGER)])
def test_save_attempt__same_nonce_in_another_lane__is_free(
    store: SqlStore, lane: LaneLease, number: int, chain: str, sender: Address
) -> None:
    store.save_attempt(lane, number, FIRST)
    lane = lane_of(store, chain=chain, sender=sender)
    other = store.add_transaction(lane, intent_of("other"), NOW)
    store.save_attempt(lane, other, attempt_of(replace(signed(7, 2), sender=sender)))
    assert store.find_transaction(other).nonce == 7


def test_nonces__two_open_ones_past_the_store__are_refused_by_the_database(store: SqlStore, number: int) -> None:
    row = {"chain": "main", "sender": KEEPER, "kind": "post", "to": "", "calldata": "0x", "urgency": "routine"}
    rows = [row | {"key": key, "nonce": 3, "state": "sent", "created_at": 0} for key in "ab"]
    with pytest.raises(StoreError, match="already recorded"), database_of(store).write() as connection:
        connection.execute(insert(tables.transactions), rows)
    rows[0]["state"] = "confirmed"
    with database_of(store).write() as connection:
        connection.execute(insert(tables.transactions), rows)


def test_save_attempt__signed_by_another_key__raises(store: SqlStore, lane: LaneLease, number: int) -> None:
    with pytest.raises(StoreError, match="in the lane of"):
        store.save_attempt(lane, number, attempt_of(replace(signed(7), sender=STRANGER)))


def test_record_broadcast__sent__dates_that_attempt_alone(store: SqlStore, lane: LaneLease, number: int) -> None:
    store.save_attempt(lane, number, FIRST)
    store.save_attempt(lane, number, SECOND)
    store.record_broadcast(lane, FIRST.signed.hash, LATER)
    row = store.find_transaction(number)
    assert (row.state, row.attempts) == (TransactionState.SENT, (replace(FIRST, sent_at=LATER), SECOND))


def test_record_broadcast__ambiguous__stays_open_until_it_is_known(
    store: SqlStore, lane: LaneLease, number: int
) -> None:
    store.save_attempt(lane, number, FIRST)
    store.record_broadcast(lane, FIRST.signed.hash, LATER, "timed out\0")
    row = store.find_transaction(number)
    assert (row.state, row.error) == (TransactionState.PREPARED, "timed out\ufffd")
    assert row.attempts == (replace(FIRST, sent_at=LATER, error="timed out\ufffd"),)
    store.record_broadcast(lane, FIRST.signed.hash, LATER)
    row = store.find_transaction(number)
    assert (row.state, row.error, row.attempts[0].error) == (TransactionState.SENT, None, None)


def test_record_broadcast__unknown_hash_or_other_lane__raises(store: SqlStore, lane: LaneLease, number: int) -> None:
    store.save_attempt(lane, number, FIRST)
    with pytest.raises(StoreError, match="no attempt"):
        store.record_broadcast(lane, SECOND.signed.hash, LATER)
    with pytest.raises(StoreError, match="no attempt"):
        store.record_broadcast(lane_of(store, sender=STRANGER), FIRST.signed.hash, LATER)


@pytest.mark.parametrize("state", [TransactionState.MINED, TransactionState.CONFIRMED, TransactionState.FAILED])
def test_record_broadcast__republished_late__dates_the_attempt_and_leaves_the_state(
    store: SqlStore, lane: LaneLease, number: int, state: TransactionState
) -> None:
    store.save_attempt(lane, number, FIRST)
    store.record_mined(lane, number, receipt_of(FIRST.signed), 5, NOW)
    if state.is_end:
        store.end_transaction(lane, number, state, NOW, "why")
    store.record_broadcast(lane, FIRST.signed.hash, LATER)
    row = store.find_transaction(number)
    assert (row.state, row.attempts[0].sent_at) == (state, LATER)
    assert row.error == ("why" if state.is_end else None)


def test_record_mined__receipt__is_kept_and_taken_back_with_its_block(
    store: SqlStore, lane: LaneLease, number: int
) -> None:
    store.save_attempt(lane, number, FIRST)
    store.save_attempt(lane, number, SECOND)
    store.record_broadcast(lane, FIRST.signed.hash, NOW)
    receipt = receipt_of(FIRST.signed, success=False)
    store.record_mined(lane, number, receipt, 2**80, LATER)
    row = store.find_transaction(number)
    assert (row.state, row.receipt, row.fee_paid) == (TransactionState.MINED, receipt, 2**80)
    assert store.fees_paid_since("main", KEEPER, LATER) == 2**80
    store.record_unmined(lane, number, LATER)
    row = store.find_transaction(number)
    assert (row.state, row.receipt, row.fee_paid, row.nonce) == (TransactionState.SENT, None, None, 7)
    assert store.fees_paid_since("main", KEEPER, Timestamp(0)) == 0
    store.record_unmined(lane, number, LATER)
    again = Receipt(SECOND.signed.hash, True, 19, "0x" + "19" * 32, 21_000)
    store.record_mined(lane, number, again, 3, LATER)
    assert store.find_transaction(number).receipt == again


def test_record_mined__same_again_after_the_end__changes_nothing(store: SqlStore, lane: LaneLease, number: int) -> None:
    store.save_attempt(lane, number, FIRST)
    store.record_mined(lane, number, receipt_of(FIRST.signed), 5, LATER)
    store.end_transaction(lane, number, TransactionState.CONFIRMED, LATER)
    before = content_of(store)
    store.record_mined(lane, number, receipt_of(FIRST.signed), 5, Timestamp(LATER + 9))
    with pytest.raises(StoreError, match="has ended as confirmed"):
        store.record_mined(lane, number, replace(receipt_of(FIRST.signed), block_number=99), 5, LATER)
    assert content_of(store) == before


def test_record_mined__receipt_of_no_attempt__raises(store: SqlStore, lane: LaneLease, number: int) -> None:
    store.save_attempt(lane, number, FIRST)
    with pytest.raises(StoreError, match="of no attempt"):
        store.record_mined(lane, number, receipt_of(SECOND.signed), 5, LATER)
    assert state_of(store, number) is TransactionState.PREPARED


def test_record_unmined__never_sent__raises(store: SqlStore, lane: LaneLease, number: int) -> None:
    with pytest.raises(StoreError, match="never mined"):
        store.record_unmined(lane, number, LATER)


ENDS = [state for state in TransactionState if state.is_end]


@pytest.mark.parametrize("state", ENDS)
def test_end_transaction__ended__stands(store: SqlStore, lane: LaneLease, number: int, state: TransactionState) -> None:
    store.save_attempt(lane, number, FIRST)
    store.end_transaction(lane, number, state, LATER, "why")
    before = content_of(store)
    row = store.find_transaction(number)
    assert (row.state, row.error, row.finished_at) == (state, "why", LATER)
    store.end_transaction(lane, number, state, Timestamp(LATER + 9), "again")
    changes: list[Callable[[], None]] = [
        *(
            lambda other=other: store.end_transaction(lane, number, other, LATER)
            for other in ENDS
            if other is not state
        ),
        lambda: store.save_attempt(lane, number, SECOND),
        lambda: store.record_mined(lane, number, receipt_of(FIRST.signed), 5, LATER),
        lambda: store.record_unmined(lane, number, LATER),
    ]
    assert len(changes) == 5
    for change in changes:
        with pytest.raises(StoreError, match=f"has ended as {state.value}"):
            change()
    assert content_of(store) == before


@pytest.mark.parametrize("state", [state for state in TransactionState if not state.is_end])
def test_end_transaction__as_no_end__raises(
    store: SqlStore, lane: LaneLease, number: int, state: TransactionState
) -> None:
    with pytest.raises(StoreError, match="cannot end as"):
        store.end_transaction(lane, number, state, LATER)


def test_every_write__unknown_transaction_or_other_lane__raises(store: SqlStore, lane: LaneLease, number: int) -> None:
    stranger = lane_of(store, sender=STRANGER)
    foreign = attempt_of(replace(signed(7), sender=STRANGER))
    writes: list[Callable[[LaneLease, int, Attempt], None]] = [
        lambda lane, number, attempt: store.save_attempt(lane, number, attempt),
        lambda lane, number, attempt: store.record_mined(lane, number, receipt_of(attempt.signed), 5, LATER),
        lambda lane, number, attempt: store.record_unmined(lane, number, LATER),
        lambda lane, number, attempt: store.end_transaction(lane, number, TransactionState.FAILED, LATER),
    ]
    for write in writes:
        with pytest.raises(StoreError, match="not recorded"):
            write(lane, number + 1_000, FIRST)
        with pytest.raises(StoreError, match="not of this lane"):
            write(stranger, number, foreign)
    with pytest.raises(StoreError, match="not recorded"):
        store.find_transaction(number + 1_000)


def test_open_transactions__several__come_by_nonce_then_as_they_were_stored(store: SqlStore, lane: LaneLease) -> None:
    nonces = {"late": 9, "unsigned": None, "early": 2, "ended": 1, "unsigned too": None}
    numbers = {key: store.add_transaction(lane, intent_of(key), NOW) for key in nonces}
    for key, nonce in nonces.items():
        if nonce is not None:
            store.save_attempt(lane, numbers[key], attempt_of(signed(nonce)))
    store.end_transaction(lane, numbers["ended"], TransactionState.CONFIRMED, NOW)
    other = lane_of(store, chain="other")
    store.add_transaction(other, intent_of("elsewhere"), NOW)
    found = [row.intent.key for row in store.open_transactions("main", KEEPER)]
    assert found == ["early", "late", "unsigned", "unsigned too"]
    assert [row.intent.key for row in store.transactions(limit=2)] == ["elsewhere", "unsigned too"]
    assert [row.intent.key for row in store.transactions("main", limit=2)] == ["unsigned too", "ended"]
    assert store.open_transactions("main", STRANGER) == ()


def test_highest_nonce__attempts_of_open_and_ended_ones__is_the_highest(store: SqlStore, lane: LaneLease) -> None:
    assert store.highest_nonce("main", KEEPER) is None
    for nonce in (4, 11, 6):
        number = store.add_transaction(lane, intent_of(f"n{nonce}"), NOW)
        store.save_attempt(lane, number, attempt_of(signed(nonce)))
        store.end_transaction(lane, number, TransactionState.FAILED, NOW)
    other = lane_of(store, chain="other")
    number = store.add_transaction(other, intent_of("elsewhere"), NOW)
    store.save_attempt(other, number, attempt_of(signed(50)))
    assert store.highest_nonce("main", KEEPER) == 11
    assert store.highest_nonce("other", KEEPER) == 50
    assert store.highest_nonce("main", STRANGER) is None


def test_fees_paid_since__mined_at_that_time_or_later__add_up(store: SqlStore, lane: LaneLease) -> None:
    for nonce, (at, fee) in enumerate([(NOW - 1, 1), (NOW, 2**90), (NOW + 1, 2**91)]):
        number = store.add_transaction(lane, intent_of(f"n{nonce}"), NOW)
        store.save_attempt(lane, number, attempt_of(signed(nonce)))
        store.record_mined(lane, number, receipt_of(signed(nonce)), fee, Timestamp(at))
        if nonce == 1:
            store.end_transaction(lane, number, TransactionState.FAILED, LATER)
    assert store.fees_paid_since("main", KEEPER, NOW) == 2**90 + 2**91
    assert store.fees_paid_since("main", KEEPER, Timestamp(NOW + 2)) == 0
    assert store.fees_paid_since("other", KEEPER, NOW) == 0
