"""A post is stored before it is signed, signed bytes before they are sent, and its end is what the contract holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore, tables
from navoracle.store_port import FundOutcome, PostState
from tests.unit.storage.builders import (
    NOW,
    batch_of,
    database_of,
    frame_of,
    hash_of,
    post_of,
    prepare,
    read_back,
    receipt_of,
    record,
    signed,
    url_of,
)

BATCH = batch_of(post_of("beta", 2), post_of("alpha", 1, nav=2**100))
LATER = Timestamp(NOW + 60)


@pytest.fixture
def post(store: SqlStore) -> int:
    """A prepared post of two funds."""
    record(store, frame_of("f1"))
    return prepare(store, "f1", BATCH)


def test_prepare_post__batch__comes_out_as_it_went_in(store: SqlStore, post: int) -> None:
    (row,) = store.posts()
    assert (row.id, row.frame, row.batch, row.state) == (post, "f1", BATCH, PostState.PREPARED)
    assert row.created_at == frame_of("f1").clock
    assert (row.attempts, row.transaction_hash, row.block_number, row.error, row.finished_at) == ((), *(None,) * 4)
    assert [(fund.fund, fund.fund_id, fund.nav, fund.outcome) for fund in row.funds] == [
        ("beta", 2, 10**24, None),
        ("alpha", 1, 2**100, None),
    ]
    assert row.funds[1].evidence_hash == hash_of("alpha")
    assert row.funds[1].proof == ("0x" + "aa" * 32, "0x" + "bb" * 32)


def test_prepare_post__frame_that_is_not_recorded__raises(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="not recorded"):
        prepare(store, "f1", BATCH)
    assert store.posts() == ()


@pytest.mark.parametrize(("evidence", "proofs"), [({"alpha": "0x"}, {"alpha": ()}), ({}, {"alpha": (), "beta": ()})])
def test_prepare_post__fund_without_evidence_or_proof__raises(
    store: SqlStore, evidence: dict[str, str], proofs: dict[str, tuple[str, ...]]
) -> None:
    record(store, frame_of("f1"))
    with pytest.raises(StoreError, match="proofs"):
        store.prepare_post(BATCH, "f1", evidence=evidence, proofs=proofs)


def test_prepare_post__empty_batch__raises(store: SqlStore) -> None:
    record(store, frame_of("f1"))
    with pytest.raises(StoreError, match="post of"):
        prepare(store, "f1", batch_of())


def test_unfinished_posts__after_a_restart__have_their_signed_bytes(path: Path) -> None:
    with SqlStore.open(url_of(path)) as store:
        record(store, frame_of("f1"))
        first, second, third = (prepare(store, "f1", BATCH) for _ in range(3))
        store.save_attempt(first, signed(4), NOW)
        store.mark_sent(first, LATER)
        store.save_attempt(second, signed(5), NOW)
        store.fail_post(third, "the contract refused", LATER)
    with SqlStore.open(url_of(path)) as store:
        rows = store.unfinished_posts()
    assert [(row.id, row.state, row.attempts) for row in rows] == [
        (first, PostState.SENT, (signed(4),)),
        (second, PostState.PREPARED, (signed(5),)),
    ]
    assert rows[0].batch == BATCH


def test_save_attempt__same_transaction_twice__raises(store: SqlStore, post: int) -> None:
    store.save_attempt(post, signed(4), NOW)
    with pytest.raises(StoreError, match="already recorded"):
        store.save_attempt(post, signed(4), NOW)
    store.save_attempt(post, signed(5), LATER)
    assert store.posts()[0].attempts == (signed(4), signed(5))


def test_mark_sent__several_attempts__dates_the_newest_of_this_post(store: SqlStore, post: int) -> None:
    other = prepare(store, "f1", BATCH)
    store.save_attempt(post, signed(4), NOW)
    store.save_attempt(post, signed(5), NOW)
    store.save_attempt(other, signed(6), NOW)
    store.mark_sent(post, LATER)
    with database_of(store).read() as connection:
        rows = connection.execute(tables.attempts.select().order_by(tables.attempts.c.id)).all()
    assert [(row.nonce, row.signed_at, row.sent_at) for row in rows] == [
        (4, NOW, None),
        (5, NOW, LATER),
        (6, NOW, None),
    ]


def test_mark_sent__nothing_signed__raises(store: SqlStore, post: int) -> None:
    with pytest.raises(StoreError, match="no signed transaction"):
        store.mark_sent(post, NOW)
    assert store.posts()[0].state is PostState.PREPARED


def test_note_ambiguous_send__signed_post__stays_unfinished_until_it_is_known(store: SqlStore, post: int) -> None:
    store.save_attempt(post, signed(4), NOW)
    store.note_ambiguous_send(post, "timed out", LATER)
    (row,) = store.unfinished_posts()
    assert (row.state, row.error) == (PostState.PREPARED, "timed out")
    store.mark_sent(post, LATER)
    (row,) = store.unfinished_posts()
    assert (row.state, row.error) == (PostState.SENT, None)


def test_finish_post__read_back__classifies_every_fund(store: SqlStore) -> None:
    record(store, frame_of("f1"))
    post = prepare(store, "f1", batch_of(*(post_of(fund, number) for number, fund in enumerate("abcd"))))
    store.save_attempt(post, signed(4), NOW)
    store.mark_sent(post, NOW)
    answers = [
        read_back("a", accepted=True),
        read_back("b", accepted=False, held=True, reason="step"),
        read_back("c", accepted=False, reason="not later"),
    ]
    store.finish_post(post, receipt_of(signed(4)), answers, LATER)
    (row,) = store.posts()
    assert [(fund.fund, fund.outcome, fund.reason) for fund in row.funds] == [
        ("a", FundOutcome.ACCEPTED, None),
        ("b", FundOutcome.HELD, "step"),
        ("c", FundOutcome.REFUSED, "not later"),
        ("d", FundOutcome.MISSING, None),
    ]
    assert (row.state, row.transaction_hash, row.block_number) == (PostState.CONFIRMED, signed(4).hash, 18)
    assert (row.finished_at, row.error) == (LATER, None)
    assert store.unfinished_posts() == ()


def test_finish_post__reverted__failed(store: SqlStore, post: int) -> None:
    store.save_attempt(post, signed(4), NOW)
    store.finish_post(post, receipt_of(signed(4), success=False), [], LATER)
    (row,) = store.posts()
    assert (row.state, row.error) == (PostState.FAILED, "the transaction reverted")
    assert {fund.outcome for fund in row.funds} == {FundOutcome.MISSING}


@pytest.mark.parametrize(("accepted", "state"), [(True, PostState.CONFIRMED), (False, PostState.FAILED)])
def test_finish_post__no_receipt__is_what_the_contract_says(
    store: SqlStore, post: int, accepted: bool, state: PostState
) -> None:
    store.finish_post(post, None, [read_back("alpha", accepted=accepted), read_back("beta", accepted=False)], LATER)
    assert store.posts()[0].state is state
    assert (store.posts()[0].error is None) is accepted


def test_finish_post__given_up_but_mined_after_all__is_confirmed_and_stands(store: SqlStore, post: int) -> None:
    store.save_attempt(post, signed(4), NOW)
    store.fail_post(post, "timed out", NOW)
    store.finish_post(post, receipt_of(signed(4)), [read_back("alpha", accepted=True)], LATER)
    assert (store.posts()[0].state, store.posts()[0].error) == (PostState.CONFIRMED, None)
    changes: list[Callable[[], None]] = [
        lambda: store.fail_post(post, "late", LATER),
        lambda: store.mark_sent(post, LATER),
        lambda: store.save_attempt(post, signed(5), LATER),
        lambda: store.finish_post(post, None, [], LATER),
    ]
    for change in changes:
        with pytest.raises(StoreError, match="confirmed already"):
            change()


def test_finish_post__receipt_of_another_transaction__raises_and_changes_nothing(store: SqlStore, post: int) -> None:
    store.save_attempt(post, signed(4), NOW)
    with pytest.raises(StoreError, match="not one of post"):
        store.finish_post(post, receipt_of(signed(5)), [read_back("alpha", accepted=True)], LATER)
    assert store.posts()[0].funds[1].outcome is None


def test_finish_post__fund_that_is_not_part_of_it__raises(store: SqlStore, post: int) -> None:
    with pytest.raises(StoreError, match="no fund gamma"):
        store.finish_post(post, None, [read_back("gamma", accepted=True)], LATER)


@pytest.mark.parametrize("number", [0, 77])
def test_post__unknown__raises(store: SqlStore, post: int, number: int) -> None:
    with pytest.raises(StoreError, match="not recorded"):
        store.fail_post(number, "why", NOW)


def test_posts__filters__choose_fund_frame_and_number_newest_first(store: SqlStore) -> None:
    record(store, frame_of("f1"))
    record(store, frame_of("f2", now=NOW + 60))
    first = prepare(store, "f1", batch_of(post_of("alpha", 1)))
    second = prepare(store, "f2", batch_of(post_of("beta", 2)))
    third = prepare(store, "f2", BATCH)
    store.save_attempt(second, signed(9), NOW)
    assert [row.id for row in store.posts()] == [third, second, first]
    assert [row.id for row in store.posts(fund="alpha")] == [third, first]
    assert [row.id for row in store.posts(frame="f2")] == [third, second]
    assert [(row.id, row.attempts, len(row.funds)) for row in store.posts(frame="f2", limit=1)] == [(third, (), 2)]
    assert store.posts(fund="beta")[1].attempts == (signed(9),)


def test_frame_of_post__our_post__is_its_frame(store: SqlStore, post: int) -> None:
    assert store.frame_of_post("alpha", NOW) == "f1"
    assert store.frame_of_post("alpha", LATER) is None
    assert store.frame_of_post("gamma", NOW) is None


def test_frame_of_post__accepted_and_newer_unknown__is_the_accepted_one(store: SqlStore, post: int) -> None:
    store.finish_post(post, None, [read_back("alpha", accepted=True)], LATER)
    record(store, frame_of("f2", now=NOW + 60))
    prepare(store, "f2", BATCH)
    assert store.frame_of_post("alpha", NOW) == "f1"
    assert store.frame_of_post("beta", NOW) == "f2"


def test_frame_of_post__refused__is_none(store: SqlStore, post: int) -> None:
    store.finish_post(post, None, [read_back("alpha", accepted=False)], LATER)
    assert store.frame_of_post("alpha", NOW) is None
