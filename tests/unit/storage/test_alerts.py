"""An alert has one row for each thing that is wrong."""

from __future__ import annotations

from dataclasses import replace

from navoracle.domain.units import Timestamp
from navoracle.storage import SqlStore
from navoracle.store_port import Severity
from tests.unit.storage.builders import NOW, alert_row

STALE = alert_row("stale:alpha", "the NAV is 2 hours old \0", severity=Severity.WARNING, advice="Look at the nodes.")
KEPT = replace(STALE, message="the NAV is 2 hours old \ufffd")


def test_save_alert__seen_again__takes_the_place_of_the_one_before(store: SqlStore) -> None:
    store.save_alert(STALE)
    assert store.alerts() == (KEPT,)
    later = replace(
        KEPT,
        severity=Severity.CRITICAL,
        last_at=Timestamp(NOW + 60),
        count=2**40,
        notified_at=Timestamp(NOW + 1),
        escalated_at=Timestamp(NOW + 60),
    )
    store.save_alert(later)
    assert store.alerts() == (later,)


def test_alerts__several__come_the_one_seen_last_first(store: SqlStore) -> None:
    for key, at, resolved in (("b", 5, None), ("a", 5, None), ("c", 9, NOW), ("d", 1, None)):
        store.save_alert(replace(STALE, key=key, last_at=Timestamp(at), resolved_at=resolved))
    assert [row.key for row in store.alerts()] == ["c", "a", "b", "d"]
    assert [row.key for row in store.alerts(open_only=True)] == ["a", "b", "d"]
    assert [row.key for row in store.alerts(open_only=True, limit=2)] == ["a", "b"]


def test_acknowledge_alert__open__says_who_and_when(store: SqlStore) -> None:
    store.save_alert(STALE)
    assert store.acknowledge_alert("stale:alpha", "ada", Timestamp(NOW + 5))
    assert store.alerts() == (replace(KEPT, acknowledged_at=Timestamp(NOW + 5), acknowledged_by="ada"),)


def test_acknowledge_alert__unknown_or_resolved__is_false(store: SqlStore) -> None:
    store.save_alert(replace(STALE, resolved_at=NOW))
    assert not store.acknowledge_alert("stale:alpha", "ada", NOW)
    assert not store.acknowledge_alert("stale:beta", "ada", NOW)
    assert store.alerts()[0].acknowledged_by is None
