"""Pages: put together they are the whole list, in one order, whatever is stored between two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.frame import NavStatus
from navoracle.domain.prices import PriceStatus
from navoracle.domain.units import WAD, Timestamp
from navoracle.storage import SqlStore
from navoracle.store_port import (
    Event,
    EventQuestion,
    FrameQuestion,
    Rows,
    Severity,
    SlotKey,
    SlotOutcome,
    SlotQuestion,
    SlotState,
    Span,
    TransactionState,
)
from tests.unit.storage.builders import (
    NOW,
    batch_of,
    claim,
    frame_of,
    fund_frame,
    post_of,
    prepare,
    record,
    valuation_of,
)

HOUR = 3_600


def whole(page: Callable[[Any], Rows[Any]], key: Callable[[Any], Any]) -> tuple[list[Any], set[int]]:
    """Every row, page by page, and the totals that were said."""
    found: list[Any] = []
    totals = set()
    before = None
    while True:
        rows = page(before)
        totals.add(rows.total)
        if not rows.rows:
            return found, totals
        found += rows.rows
        assert len(found) <= rows.total, "a row was repeated"
        before = key(rows.rows[-1])


def tell(store: SqlStore, number: int, **changes: Any) -> int:
    said = {
        "at": Timestamp(NOW + number),
        "kind": "k",
        "fund": None,
        "severity": Severity.INFO,
        "message": f"m{number}",
    }
    return store.append_event(Event(**{**said, **changes}))


def slots(store: SqlStore) -> None:
    for hour in range(3):
        for fund in ("b", "a", "Z"):
            taken = claim(store, fund, NOW + hour * HOUR)
            if hour:
                store.finish_slot(taken, SlotOutcome(SlotState.SKIPPED, "why", None, None), Timestamp(NOW))


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 10])
def test_event_page__page_by_page__is_every_event_once(store: SqlStore, limit: int) -> None:
    ids = [tell(store, number) for number in range(7)]
    rows, totals = whole(
        lambda before: store.event_page(EventQuestion(), before=before, limit=limit), lambda row: row.id
    )
    assert [row.id for row in rows] == ids[::-1]
    assert totals == {7}


def test_event_page__event_stored_between_two_pages__neither_repeats_nor_hides_one(store: SqlStore) -> None:
    ids = [tell(store, number) for number in range(4)]
    first = store.event_page(EventQuestion(), before=None, limit=2)
    tell(store, 9)
    second = store.event_page(EventQuestion(), before=first.rows[-1].id, limit=2)
    assert [row.id for row in (*first.rows, *second.rows)] == ids[::-1]


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (EventQuestion(fund="alpha"), [1]),
        (EventQuestion(kind="other"), [2]),
        (EventQuestion(severity=Severity.CRITICAL), [1]),
        (EventQuestion(text="50%_OFF"), [2]),
        (EventQuestion(text="nothing"), []),
        (EventQuestion(span=Span(Timestamp(NOW + 1), Timestamp(NOW + 1))), [1]),
        (EventQuestion(kind="k", span=Span(until=Timestamp(NOW + 2))), [1, 0]),
    ],
)
def test_event_page__filters__all_hold_at_once(store: SqlStore, ask: EventQuestion, expected: list[int]) -> None:
    tell(store, 0, message="500 x off")
    tell(store, 1, fund="alpha", severity=Severity.CRITICAL)
    tell(store, 2, kind="other", message="a 50%_off event")
    found = store.event_page(ask, before=None, limit=10)
    assert [row.event.at - NOW for row in found.rows] == expected
    assert found.total == len(expected)


def test_events_after__an_id__are_the_next_ones_oldest_first(store: SqlStore) -> None:
    assert (store.newest_event(), store.events_after(0, 5)) == (0, ())
    ids = [tell(store, number) for number in range(4)]
    assert store.newest_event() == ids[-1]
    assert [row.id for row in store.events_after(ids[0], 2)] == ids[1:3]


@pytest.mark.parametrize("limit", [1, 2, 4, 20])
def test_slot_page__page_by_page__is_every_slot_by_time_and_fund(store: SqlStore, limit: int) -> None:
    slots(store)
    rows, totals = whole(
        lambda before: store.slot_page(SlotQuestion(), before=before, limit=limit),
        lambda row: SlotKey(row.slot_time, row.fund),
    )
    assert [(row.slot_time, row.fund) for row in rows] == [
        (NOW + hour * HOUR, fund) for hour in (2, 1, 0) for fund in ("Z", "a", "b")
    ]
    assert totals == {9}
    told, _ = whole(
        lambda before: store.history_page(SlotQuestion(), before=before, limit=limit),
        lambda row: SlotKey(row.slot_time, row.fund),
    )
    assert tuple(told) == store.history()


def test_slot_page__filters__all_hold_at_once(store: SqlStore) -> None:
    slots(store)
    ask = SlotQuestion("a", (SlotState.SKIPPED,), Cadence.HOURLY, Span(Timestamp(NOW + 2 * HOUR)))
    found = store.slot_page(ask, before=None, limit=5)
    assert [(row.fund, row.slot_time) for row in found.rows] == [("a", NOW + 2 * HOUR)]
    assert found.total == 1
    assert store.slot_page(SlotQuestion(cadence=Cadence.EMERGENCY), before=None, limit=5) == Rows((), 0)


@pytest.mark.parametrize("limit", [1, 2, 20])
def test_frame_page__page_by_page__is_every_frame_of_every_fund(store: SqlStore, limit: int) -> None:
    for number, now in (("c", NOW), ("a", NOW + HOUR), ("b", NOW + HOUR)):
        parts = [fund_frame(fund, valuation_of({"x": 1})) for fund in ("y", "Q")]
        record(store, frame_of(number, *parts, now=now))
    rows, totals = whole(
        lambda before: store.frame_page(FrameQuestion(), before=before, limit=limit), lambda pair: pair[1]
    )
    assert tuple(row for row, _ in rows) == store.fund_frames()
    assert totals == {6}
    halted = store.frame_page(FrameQuestion("y", NavStatus.HALTED), before=None, limit=5)
    assert halted == Rows((), 0)


def test_post_page__page_by_page__is_every_post(store: SqlStore) -> None:
    record(store, frame_of("f", fund_frame("alpha", valuation_of({"x": 1})), fund_frame("beta", None)))
    for number, fund in enumerate(("alpha", "beta", "alpha")):
        prepare(store, "f", batch_of(post_of(fund, number), at=NOW + number))
    rows, totals = whole(lambda before: store.post_page(None, None, before=before, limit=2), lambda row: row.id)
    assert tuple(rows) == store.posts()
    assert totals == {3}
    alphas = store.post_page("alpha", TransactionState.PREPARED, before=None, limit=1)
    assert (len(alphas.rows), alphas.total) == (1, 2)
    assert store.post_page(None, TransactionState.CONFIRMED, before=None, limit=1) == Rows((), 0)
    sent, totals = whole(lambda before: store.transaction_page("main", before=before, limit=2), lambda row: row.id)
    assert (tuple(sent), totals) == (store.transactions(), {3})
    assert store.transaction_page("other", before=None, limit=2) == Rows((), 0)


def test_estimates__of_frames__are_the_newest_of_the_last_day(store: SqlStore) -> None:
    for hour, price in ((0, 3), (30, 1), (31, 2)):
        record(store, frame_of(f"f{hour}", fund_frame("alpha", None), now=NOW + hour * HOUR, price=price * WAD))
    asset, debt = store.newest_estimates(86_400)
    assert (asset.asset, asset.side, asset.price, asset.frame) == ("USDC", "asset", 2 * WAD, "f31")
    assert (debt.side, debt.price, debt.status) == ("debt", 2 * WAD + 1, PriceStatus.LIVE)
    past = store.estimates_of("USDC", "asset", Span(Timestamp(NOW)), 10)
    assert [row.price for row in past] == [2 * WAD, WAD, 3 * WAD]
    assert [row.frame for row in store.estimates_of("USDC", "asset", Span(Timestamp(NOW + 1)), 1)] == ["f31"]
    first, second = store.quotes_of("f31", "USDC")
    assert (first.source, first.used, first.excluded) == ("USDC:a", True, None)
    assert (second.source, second.price, second.used, second.excluded) == ("USDC:b", 4 * WAD, False, "outlier")


def test_estimates__without_frames__are_none(store: SqlStore) -> None:
    assert store.newest_estimates(86_400) == ()
