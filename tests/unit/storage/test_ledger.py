"""Events are never changed; flows count in the window that is asked for."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import DomainError, StoreError
from navoracle.domain.flows import Flow, FlowKind
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.storage import SqlStore
from navoracle.store_port import Event, EventRow, Severity
from tests.unit.storage.builders import NOW, database_of

HELD = Event(NOW, "held", "alpha", Severity.CRITICAL, "a 40 % jump", "Look at the feed.", {"change": "4000", "n": [1]})
STARTED = Event(Timestamp(NOW + 60), "started", None, Severity.INFO, "started")


def test_append_event__event__comes_out_as_it_went_in(store: SqlStore) -> None:
    first, second = store.append_event(HELD), store.append_event(STARTED)
    assert first < second
    assert store.events() == (EventRow(second, STARTED), EventRow(first, HELD))


def test_events__filters__choose_fund_kind_time_and_number(store: SqlStore) -> None:
    store.append_event(HELD)
    store.append_event(STARTED)
    assert [row.event for row in store.events(fund="alpha")] == [HELD]
    assert [row.event for row in store.events(kind="started")] == [STARTED]
    assert [row.event for row in store.events(since=STARTED.at)] == [STARTED]
    assert [row.event for row in store.events(limit=1)] == [STARTED]


@pytest.mark.parametrize("change", ["UPDATE events SET message = 'nothing'", "DELETE FROM events"])
def test_events__changed_past_the_store__refuse(store: SqlStore, change: str) -> None:
    store.append_event(HELD)
    with pytest.raises(StoreError, match="append-only"), database_of(store).write() as connection:
        connection.exec_driver_sql(change)
    assert [row.event for row in store.events()] == [HELD]


def flow(kind: FlowKind, amount: int, at: int) -> Flow:
    """A flow of whole units."""
    return Flow(kind, Wad(amount * WAD), Timestamp(at))


def test_flows__window__is_after_since_up_to_and_including_until(store: SqlStore) -> None:
    deposit, withdrawal = flow("deposit", 2**70, NOW + 10), flow("withdrawal", 3, NOW + 20)
    store.declare_flow("alpha", withdrawal)
    store.declare_flow("alpha", deposit)
    store.declare_flow("beta", flow("deposit", 1, NOW + 10))
    assert store.flows("alpha", NOW) == (deposit, withdrawal)
    assert store.flows("alpha", deposit.at) == (withdrawal,)
    assert store.flows("alpha", NOW, until=deposit.at) == (deposit,)


def test_distributions_since__dividends__add_up_per_share_rounded_down(store: SqlStore) -> None:
    shares = Wad(3 * WAD)
    store.declare_flow("alpha", flow("dividend", 1, NOW), shares=shares)
    store.declare_flow("alpha", flow("dividend", 1, NOW + 10), shares=shares)
    store.declare_flow("alpha", flow("dividend", 2, NOW + 20), shares=shares)
    store.declare_flow("alpha", flow("deposit", 9, NOW + 20))
    third = WAD // 3
    assert store.distributions_since("alpha", NOW) == third + 2 * WAD // 3
    assert store.distributions_since("alpha", NOW, until=Timestamp(NOW + 10)) == third
    assert store.distributions_since("alpha", Timestamp(NOW + 20)) == 0
    assert store.distributions_since("beta", Timestamp(0)) == 0


@pytest.mark.parametrize("shares", [None, Wad(0)])
def test_declare_flow__dividend_on_no_shares__raises_and_records_nothing(store: SqlStore, shares: Wad | None) -> None:
    with pytest.raises(DomainError, match="shares"):
        store.declare_flow("alpha", flow("dividend", 1, NOW), shares=shares)
    assert store.flows("alpha", Timestamp(0)) == ()
