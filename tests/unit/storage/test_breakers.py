"""A breaker is replaced by whoever saw it last; a grant of a re-base serves one post."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from navoracle.domain.breaker import Breaker, BreakerPolicy, Role
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore
from navoracle.store_port import BreakerSubject
from tests.unit.storage.builders import NOW, content_of

FUND, ASSET = BreakerSubject("fund", "USDC"), BreakerSubject("asset", "USDC")
CLOSED = Breaker()
OPEN = CLOSED.open("suspicious", NOW).open("guardian", Timestamp(NOW + 1), Role.GUARDIAN)
HALF_OPEN = CLOSED.open("no_majority", NOW).cool_down(Timestamp(NOW + 9_999), BreakerPolicy())


def test_save_breaker__opened__comes_out_as_it_went_in(store: SqlStore) -> None:
    assert store.load_breakers() == {}
    assert store.save_breaker(FUND, OPEN, was=CLOSED, at=NOW)
    assert store.save_breaker(ASSET, HALF_OPEN, was=CLOSED, at=NOW)
    assert store.load_breakers() == {FUND: OPEN, ASSET: HALF_OPEN}


def test_save_breaker__another_one_by_now__is_false_and_changes_nothing(store: SqlStore) -> None:
    store.save_breaker(FUND, OPEN, was=CLOSED, at=NOW)
    before = content_of(store)
    for seen in (CLOSED, HALF_OPEN, OPEN.open("more", NOW)):
        assert not store.save_breaker(FUND, HALF_OPEN, was=seen, at=NOW)
    assert content_of(store) == before


def test_save_breaker__never_stopped_but_seen_open__is_false(store: SqlStore) -> None:
    assert not store.save_breaker(FUND, HALF_OPEN, was=OPEN, at=NOW)
    assert store.load_breakers() == {}


def test_save_breaker__closed_again__is_as_if_it_never_was(store: SqlStore) -> None:
    store.save_breaker(FUND, OPEN, was=CLOSED, at=NOW)
    assert store.save_breaker(FUND, OPEN.reset(Role.RISK, NOW), was=OPEN, at=NOW)
    assert store.load_breakers() == {}
    assert store.save_breaker(FUND, HALF_OPEN, was=CLOSED, at=NOW)
    assert store.load_breakers() == {FUND: HALF_OPEN}


@pytest.mark.parametrize("before", range(4))
def test_save_breaker__several_at_once__one_wins(url: str, before: int) -> None:
    with SqlStore.open(url) as store:
        for _ in range(before):  # from the second time on there is a row to be locked
            store.save_breaker(FUND, OPEN, was=CLOSED, at=NOW)
            store.save_breaker(FUND, CLOSED, was=OPEN, at=NOW)
    start = Barrier(4)
    reasons = [f"reason {number}" for number in range(4)]

    def act(reason: str) -> bool:
        with SqlStore.open(url) as store:
            store.load_breakers()  # connected, so that all act at the same moment
            start.wait()
            return store.save_breaker(FUND, CLOSED.open(reason, NOW), was=CLOSED, at=NOW)

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(act, reasons))
    assert sorted(won) == [False, False, False, True]
    with SqlStore.open(url) as store:
        assert store.load_breakers()[FUND].reasons == (reasons[won.index(True)],)


def test_rebase__granted__serves_that_fund_until_it_is_used(store: SqlStore) -> None:
    until = Timestamp(NOW + 600)
    store.grant_rebase("alpha", "0x01", until, NOW)
    assert store.rebase_of("alpha", NOW) == "0x01"
    assert store.rebase_of("alpha", until) == "0x01"
    assert store.rebase_of("alpha", Timestamp(until + 1)) is None
    assert store.rebase_of("beta", NOW) is None
    store.use_rebase("alpha", "0x01", Timestamp(NOW + 5))
    assert store.rebase_of("alpha", NOW) is None


def test_rebase__used_or_granted_again__is_the_same(store: SqlStore) -> None:
    for _ in range(2):
        store.grant_rebase("alpha", "0x01", Timestamp(NOW + 600), NOW)
    store.use_rebase("alpha", "0x01", NOW)
    before = content_of(store)
    store.use_rebase("alpha", "0x01", Timestamp(NOW + 7))
    store.grant_rebase("alpha", "0x01", Timestamp(NOW + 900), NOW)
    assert content_of(store) == before
    assert store.rebase_of("alpha", NOW) is None


def test_rebase__several__is_the_newest_that_still_holds(store: SqlStore) -> None:
    store.grant_rebase("alpha", "0x01", Timestamp(NOW + 600), NOW)
    store.grant_rebase("alpha", "0x02", Timestamp(NOW + 60), Timestamp(NOW + 1))
    assert store.rebase_of("alpha", Timestamp(NOW + 2)) == "0x02"
    assert store.rebase_of("alpha", Timestamp(NOW + 61)) == "0x01"


@pytest.mark.parametrize(("fund", "request_id"), [("beta", "0x01"), ("alpha", "0x02")])
def test_use_rebase__not_granted__raises(store: SqlStore, fund: str, request_id: str) -> None:
    store.grant_rebase("alpha", "0x01", Timestamp(NOW + 600), NOW)
    with pytest.raises(StoreError, match="grants"):
        store.use_rebase(fund, request_id, NOW)
    assert store.rebase_of("alpha", NOW) == "0x01"
