"""Where to look first: the fund that is worst, and the alerts that are its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from navoracle.domain.units import Timestamp
from navoracle.read_model.attention import fund_among
from navoracle.storage import SqlStore
from navoracle.store_port import AlertRow, Severity
from tests.unit.read_model.worlds import World, entry, facts, write_index
from tests.unit.storage.builders import NOW, empty_sqlite_store


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as store:
        yield World(store, tmp_path / "state")


def indexed(world: World, **entries: Any) -> None:
    assert world.folder is not None
    world.funds = {name: facts(name) for name in entries}
    write_index(world.folder, entries)


def alert(world: World, subject: str, severity: Severity, rule: str = "NavStale", by: str | None = None) -> None:
    at = Timestamp(NOW)
    world.store.save_alert(
        AlertRow(
            f"{rule}:{subject}", rule, subject, severity, "old", "Look.", at, at, 1, None, None,
            None if by is None else at, by, None,
        )
    )  # fmt: skip


def test_attention__funds_in_every_state__are_the_worst_first(world: World) -> None:
    indexed(
        world,
        alpha=entry(),
        beta=entry(status="estimated"),
        gamma=entry(held=True, risk_status="critical"),
        delta=entry(held=True),
        epsilon=entry(risk_status="warning"),
        zeta=entry(status="unknown"),
    )
    found = world.model().attention()
    assert [(row.fund, row.level) for row in found.items] == [
        ("gamma", "critical"), ("delta", "critical"), ("beta", "warning"), ("epsilon", "warning"), ("zeta", "warning"),
    ]  # fmt: skip
    assert (found.first, found.total) == ("gamma", 5)
    assert found.counts == {"live": 4, "estimated": 1, "unknown": 1}


def test_attention__critical_alert__comes_before_a_warning_and_is_its_funds_own(world: World) -> None:
    indexed(world, alpha=entry(status="estimated"), beta=entry())
    alert(world, "beta", Severity.CRITICAL)
    alert(world, "beta", Severity.WARNING, "PriceStale")
    alert(world, "main", Severity.WARNING, "SignerBalanceLow")
    found = world.model().attention()
    assert [(row.fund, row.alert) for row in found.items] == [("beta", "critical"), ("alpha", None)]
    assert [each.rule for each in found.own["beta"]] == ["NavStale", "PriceStale"]
    assert [each.rule for each in found.general] == ["SignerBalanceLow"]


def test_attention__alert_that_is_in_hand__comes_after_those_that_nobody_takes(world: World) -> None:
    indexed(world, alpha=entry())
    alert(world, "alpha", Severity.CRITICAL, "NavStale", by="Ann")
    alert(world, "alpha", Severity.WARNING, "PriceStale")
    assert [each.rule for each in world.model().attention().own["alpha"]] == ["PriceStale", "NavStale"]


def test_attention__information_alone__asks_for_none(world: World) -> None:
    indexed(world, alpha=entry(), beta=entry())
    alert(world, "beta", Severity.INFO)
    found = world.model().attention()
    assert (found.items, found.total, found.first) == ([], 0, "alpha")


def test_attention__more_than_the_limit__are_counted(world: World) -> None:
    indexed(world, **{f"fund-{number}": entry(status="halted") for number in range(5)})
    found = world.model().attention(limit=2)
    assert ([row.fund for row in found.items], found.total) == (["fund-0", "fund-1"], 5)


def test_attention__without_any_fund__has_no_first(world: World) -> None:
    assert world.model().attention().first is None
    assert world.model().newest_state() == (False, None)


def test_newest_state__funds_with_and_without_a_value__is_the_newest_time(world: World) -> None:
    indexed(world, alpha=entry(updated_at=NOW - 9), beta=entry(updated_at=None))
    assert world.model().newest_state() == (True, NOW - 9)


@pytest.mark.parametrize(
    ("subject", "fund"),
    [("a", "a"), ("fund:a", "a"), ("a:aave", "a"), ("a:b", "a:b"), ("USDC", None), ("", None), ("b:a", None)],
)
def test_fund_among__subject_of_an_alert__is_the_fund_that_it_names(subject: str, fund: str | None) -> None:
    assert fund_among(subject, {"a", "a:b"}) == fund
