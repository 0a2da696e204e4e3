"""A post is stored with its transaction before it is signed, and its end is what the contract holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from navoracle.domain.errors import LeaseLost, StoreError
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.storage import SqlStore
from navoracle.store_port import (
    FundOutcome,
    LaneLease,
    NewTransaction,
    PostRow,
    TransactionKind,
    TransactionState,
    Urgency,
)
from tests.unit.storage.builders import (
    KEEPER,
    NOW,
    OTHER,
    REGISTRY,
    attempt_of,
    batch_of,
    claim,
    content_of,
    expire,
    frame_of,
    hash_of,
    lane_of,
    post_of,
    prepare,
    read_back,
    receipt_of,
    record,
    signed,
)

BATCH = batch_of(post_of("beta", 2), post_of("alpha", 1, nav=2**100))
LATER = Timestamp(NOW + 60)


@pytest.fixture
def lane(store: SqlStore) -> LaneLease:
    """The keeper's lane."""
    return lane_of(store)


@pytest.fixture
def post(store: SqlStore, lane: LaneLease) -> PostRow:
    """A prepared post of two funds."""
    record(store, frame_of("f1"))
    return prepare(store, "f1", BATCH, lane=lane)


def confirm(store: SqlStore, lane: LaneLease, post: PostRow, nonce: int = 4) -> None:
    """Sign, send, mine and confirm the post's transaction."""
    store.save_attempt(lane, post.transaction, attempt_of(signed(nonce)))
    store.record_broadcast(lane, signed(nonce).hash, NOW)
    store.record_mined(lane, post.transaction, receipt_of(signed(nonce)), 5, LATER)
    store.end_transaction(lane, post.transaction, TransactionState.CONFIRMED, LATER)


def test_prepare_post__batch__comes_out_as_it_went_in(store: SqlStore, post: PostRow) -> None:
    assert store.posts() == (post,)
    assert store.find_post(post.id) == post
    assert (post.frame, post.batch, post.state) == ("f1", BATCH, TransactionState.PREPARED)
    assert post.created_at == frame_of("f1").clock
    assert (post.attempts, post.transaction_hash, post.block_number, post.error, post.finished_at) == ((), *(None,) * 4)
    assert [(fund.fund, fund.fund_id, fund.nav, fund.outcome) for fund in post.funds] == [
        ("beta", 2, 10**24, None),
        ("alpha", 1, 2**100, None),
    ]
    assert post.funds[1].evidence_hash == hash_of("alpha")
    assert post.funds[1].proof == ("0x" + "aa" * 32, "0x" + "bb" * 32)


def test_prepare_post__batch__has_a_transaction_and_its_slots(store: SqlStore, lane: LaneLease) -> None:
    record(store, frame_of("f1"))
    claims = [claim(store, "alpha"), claim(store, "beta"), claim(store, "alpha", NOW + 900), claim(store, "gamma")]
    post = prepare(
        store, "f1", BATCH, lane=lane, claims=claims[:3], urgency=Urgency.EMERGENCY, valid_until=Timestamp(NOW + 9)
    )
    (row,) = store.open_transactions("main", KEEPER)
    assert row.id == post.transaction
    assert row.intent == NewTransaction(
        f"post:{post.id}", TransactionKind.POST, REGISTRY, BATCH.data, Urgency.EMERGENCY, Timestamp(NOW + 9)
    )
    assert (row.state, row.created_at, row.nonce) == (TransactionState.PREPARED, post.created_at, None)
    assert {(slot.fund, slot.slot_time): (slot.post, slot.frame) for slot in store.slots()} == {
        ("alpha", NOW): (post.id, "f1"),
        ("beta", NOW): (post.id, "f1"),
        ("alpha", NOW + 900): (post.id, "f1"),
        ("gamma", NOW): (None, None),
    }


def test_prepare_post__same_again__is_the_one_that_is_stored(store: SqlStore, lane: LaneLease) -> None:
    record(store, frame_of("f1"))
    claims = [claim(store, "alpha"), claim(store, "beta")]
    first = prepare(store, "f1", BATCH, lane=lane, claims=claims)
    before = content_of(store)
    assert prepare(store, "f1", BATCH, lane=lane, claims=claims[::-1]) == first
    assert content_of(store) == before


def test_prepare_post__slot_has_another_post_that_may_be_mined__raises(store: SqlStore, lane: LaneLease) -> None:
    record(store, frame_of("f1"))
    record(store, frame_of("f2", now=NOW + 60))
    claims = [claim(store, "alpha"), claim(store, "beta")]
    first = prepare(store, "f1", BATCH, lane=lane, claims=claims)
    alone = batch_of(post_of("alpha", 1))
    before = content_of(store)
    for frame, batch, chosen in (("f2", BATCH, claims), ("f1", alone, claims[:1])):
        with pytest.raises(StoreError, match="may still be mined"):
            prepare(store, frame, batch, lane=lane, claims=chosen)
    assert content_of(store) == before
    store.end_transaction(lane, first.transaction, TransactionState.FAILED, LATER, "given up")
    second = prepare(store, "f2", BATCH, lane=lane, claims=claims)
    assert second.id != first.id
    assert {slot.post for slot in store.slots()} == {second.id}


def test_prepare_post__lane_lost__raises_and_stores_nothing(store: SqlStore, lane: LaneLease) -> None:
    record(store, frame_of("f1"))
    claims = [claim(store, "alpha"), claim(store, "beta")]
    expire(store, lane)
    lane_of(store, owner=OTHER)
    before = content_of(store)
    with pytest.raises(LeaseLost, match="lane"):
        prepare(store, "f1", BATCH, lane=lane, claims=claims)
    assert content_of(store) == before


def test_prepare_post__one_claim_lost_or_ended__raises_and_stores_nothing(store: SqlStore, lane: LaneLease) -> None:
    record(store, frame_of("f1"))
    claims = [claim(store, "alpha"), claim(store, "beta")]
    expire(store, claims[1])
    claim(store, "beta", owner=OTHER)
    before = content_of(store)
    with pytest.raises(LeaseLost, match="of beta"):
        prepare(store, "f1", BATCH, lane=lane, claims=claims)
    assert content_of(store) == before


def test_prepare_post__frame_that_is_not_recorded__raises(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="not recorded"):
        prepare(store, "f1", BATCH)
    assert store.posts() == ()


@pytest.mark.parametrize(
    ("evidence", "proofs", "claimed"),
    [
        ({"alpha": "0x"}, {"alpha": ()}, "alpha beta"),
        ({}, {"alpha": (), "beta": ()}, "alpha beta"),
        ({"alpha": "0x", "beta": "0x"}, {"alpha": (), "beta": ()}, "alpha"),
        ({"alpha": "0x", "beta": "0x"}, {"alpha": (), "beta": ()}, "alpha beta gamma"),
    ],
)
def test_prepare_post__fund_without_evidence_proof_or_slot__raises(
    store: SqlStore, lane: LaneLease, evidence: dict[str, str], proofs: dict[str, tuple[str, ...]], claimed: str
) -> None:
    record(store, frame_of("f1"))
    claims = [claim(store, fund) for fund in claimed.split()]
    with pytest.raises(StoreError, match="proofs"):
        store.prepare_post(
            BATCH, "f1", evidence, proofs, claims=claims, lane=lane, urgency=Urgency.ROUTINE, valid_until=None
        )
    assert store.posts() == ()


def test_prepare_post__empty_batch__raises(store: SqlStore) -> None:
    record(store, frame_of("f1"))
    with pytest.raises(StoreError, match="post of"):
        prepare(store, "f1", batch_of())


def test_prepare_post__lane_of_another_chain__raises(store: SqlStore) -> None:
    record(store, frame_of("f1"))
    with pytest.raises(StoreError, match="in a lane of other"):
        prepare(store, "f1", BATCH, lane=lane_of(store, chain="other"))


def test_unfinished_posts__after_a_restart__have_their_signed_bytes(url: str) -> None:
    with SqlStore.open(url) as store:
        record(store, frame_of("f1"))
        lane = lane_of(store)
        posts = [prepare(store, "f1", BATCH, lane=lane) for _ in range(5)]
        store.save_attempt(lane, posts[0].transaction, attempt_of(signed(4)))
        store.record_broadcast(lane, signed(4).hash, LATER)
        store.save_attempt(lane, posts[1].transaction, attempt_of(signed(5)))
        store.end_transaction(lane, posts[2].transaction, TransactionState.FAILED, LATER, "the contract refused")
        confirm(store, lane, posts[3], 6)
        confirm(store, lane, posts[4], 7)
        store.finish_post(lane, posts[4].id, [read_back("alpha", accepted=True)], LATER)
    with SqlStore.open(url) as store:
        rows = store.unfinished_posts()
    assert [(row.id, row.state, row.attempts) for row in rows] == [
        (posts[0].id, TransactionState.SENT, (signed(4),)),
        (posts[1].id, TransactionState.PREPARED, (signed(5),)),
        (posts[3].id, TransactionState.CONFIRMED, (signed(6),)),
    ]
    assert rows[0].batch == BATCH


def test_finish_post__read_back__classifies_every_fund(store: SqlStore, lane: LaneLease) -> None:
    record(store, frame_of("f1"))
    post = prepare(store, "f1", batch_of(*(post_of(fund, number) for number, fund in enumerate("abcd"))), lane=lane)
    confirm(store, lane, post)
    answers = [
        read_back("a", accepted=True),
        read_back("b", accepted=False, held=True, reason="step"),
        read_back("c", accepted=False, reason="not later"),
    ]
    store.finish_post(lane, post.id, answers, LATER)
    (row,) = store.posts()
    assert [(fund.fund, fund.outcome, fund.reason) for fund in row.funds] == [
        ("a", FundOutcome.ACCEPTED, None),
        ("b", FundOutcome.HELD, "step"),
        ("c", FundOutcome.REFUSED, "not later"),
        ("d", FundOutcome.MISSING, None),
    ]
    assert (row.state, row.transaction_hash, row.block_number) == (TransactionState.CONFIRMED, signed(4).hash, 18)
    assert (row.finished_at, row.error) == (LATER, None)
    assert store.unfinished_posts() == ()


def test_finish_post__again__stands(store: SqlStore, lane: LaneLease, post: PostRow) -> None:
    confirm(store, lane, post)
    store.finish_post(lane, post.id, [read_back("alpha", accepted=True)], LATER)
    before = content_of(store)
    store.finish_post(lane, post.id, [read_back("alpha", accepted=True)], Timestamp(LATER + 1))
    with pytest.raises(StoreError, match="read back before"):
        store.finish_post(lane, post.id, [read_back("alpha", accepted=False)], LATER)
    assert content_of(store) == before


def test_finish_post__fund_that_is_not_part_of_it__raises(store: SqlStore, lane: LaneLease, post: PostRow) -> None:
    with pytest.raises(StoreError, match="no fund gamma"):
        store.finish_post(lane, post.id, [read_back("gamma", accepted=True)], LATER)
    assert store.posts() == (post,)


@pytest.mark.parametrize(("chain", "sender"), [("other", KEEPER), ("main", Address("0x" + "33" * 20))])
def test_finish_post__other_lane__raises(store: SqlStore, post: PostRow, chain: str, sender: Address) -> None:
    other = lane_of(store, chain=chain, sender=sender)
    with pytest.raises(StoreError, match="not of this lane"):
        store.finish_post(other, post.id, [read_back("alpha", accepted=True)], LATER)
    assert store.posts() == (post,)


def test_finish_post__lane_lost__raises_and_changes_nothing(store: SqlStore, lane: LaneLease, post: PostRow) -> None:
    expire(store, lane)
    lane_of(store, owner=OTHER)
    with pytest.raises(LeaseLost):
        store.finish_post(lane, post.id, [read_back("alpha", accepted=True)], LATER)
    assert store.posts() == (post,)


@pytest.mark.parametrize("number", [0, 77])
def test_post__unknown__raises(store: SqlStore, lane: LaneLease, post: PostRow, number: int) -> None:
    uses: list[Callable[[], object]] = [
        lambda: store.finish_post(lane, number, [], NOW),
        lambda: store.find_post(number),
    ]
    for use in uses:
        with pytest.raises(StoreError, match="not recorded"):
            use()


def test_posts__filters__choose_fund_frame_and_number_newest_first(store: SqlStore, lane: LaneLease) -> None:
    record(store, frame_of("f1"))
    record(store, frame_of("f2", now=NOW + 60))
    first = prepare(store, "f1", batch_of(post_of("alpha", 1)), lane=lane)
    second = prepare(store, "f2", batch_of(post_of("beta", 2)), lane=lane)
    third = prepare(store, "f2", BATCH, lane=lane)
    store.save_attempt(lane, second.transaction, attempt_of(signed(9)))
    store.save_attempt(lane, second.transaction, attempt_of(signed(9, 1)))
    assert [row.id for row in store.posts()] == [third.id, second.id, first.id]
    assert [row.id for row in store.posts(fund="alpha")] == [third.id, first.id]
    assert [row.id for row in store.posts(frame="f2")] == [third.id, second.id]
    found = store.posts(frame="f2", limit=1)
    assert [(row.id, row.attempts, len(row.funds)) for row in found] == [(third.id, (), 2)]
    assert store.posts(fund="beta")[1].attempts == (signed(9), signed(9, 1))


def test_frame_of_post__our_post__is_its_frame(store: SqlStore, post: PostRow) -> None:
    assert store.frame_of_post("alpha", NOW) == "f1"
    assert store.frame_of_post("alpha", LATER) is None
    assert store.frame_of_post("gamma", NOW) is None


def test_frame_of_post__accepted_and_newer_unknown__is_the_accepted_one(
    store: SqlStore, lane: LaneLease, post: PostRow
) -> None:
    store.finish_post(lane, post.id, [read_back("alpha", accepted=True)], LATER)
    record(store, frame_of("f2", now=NOW + 60))
    prepare(store, "f2", BATCH, lane=lane)
    assert store.frame_of_post("alpha", NOW) == "f1"
    assert store.frame_of_post("beta", NOW) == "f2"


def test_frame_of_post__refused__is_none(store: SqlStore, lane: LaneLease, post: PostRow) -> None:
    store.finish_post(lane, post.id, [read_back("alpha", accepted=False)], LATER)
    assert store.frame_of_post("alpha", NOW) is None
