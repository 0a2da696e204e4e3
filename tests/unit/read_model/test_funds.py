"""The list of funds: as the files say, filtered, sorted, paged; a fund without files by what the store knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from navoracle.domain.errors import StoreError
from navoracle.domain.frame import NavStatus
from navoracle.domain.units import WAD, Timestamp
from navoracle.read_model.funds import FundsQuestion
from navoracle.state_files.names import INDEX
from navoracle.storage import SqlStore
from navoracle.store_port import SlotOutcome, SlotState
from tests.unit.read_model.worlds import World, entry, facts, write_index
from tests.unit.storage.builders import NOW, claim, empty_sqlite_store, frame_of, fund_frame, record, valuation_of


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "keeper.db")) as store:
        yield World(store, tmp_path / "state")


def names(world: World, ask: FundsQuestion) -> list[str]:
    return [row.fund for row in world.model().funds(ask).items]


def indexed(world: World, **entries: Any) -> None:
    assert world.folder is not None
    world.funds = {name: facts(name, "base" if name == "beta" else "main") for name in entries}
    write_index(world.folder, entries)


def test_funds__with_state_files__are_the_index_with_money_as_integers(world: World) -> None:
    indexed(world, alpha=entry())
    (row,) = world.model().funds().items
    assert (row.fund, row.chain, row.status, row.frame) == ("alpha", "main", "live", "f00d")
    assert (row.nav, row.price_per_share, row.drawdown) == (
        str(10005 * WAD // 10),
        str(10005 * WAD // 10**4),
        str(WAD // 100),
    )
    assert (row.confidence_bps, row.risk_status, row.held, row.unknown) == (9_000, "safe", False, {})


def test_funds__figure_that_is_not_known__is_null_with_the_reason(world: World) -> None:
    indexed(world, alpha=entry(drawdown_pct=None, nav=None, unknown={"/drawdown_pct": "no_gate", "/nav": "no_price"}))
    (row,) = world.model().funds().items
    assert (row.drawdown, row.nav) == (None, None)
    assert row.unknown == {"/drawdown": "no_gate", "/nav": "no_price"}


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (FundsQuestion(), ["alpha", "beta", "gamma"]),
        (FundsQuestion(descending=True), ["gamma", "beta", "alpha"]),
        (FundsQuestion(text="ET"), ["beta"]),
        (FundsQuestion(text="quorum"), ["gamma"]),
        (FundsQuestion(text="base"), ["beta"]),
        (FundsQuestion(status="halted"), ["gamma"]),
        (FundsQuestion(risk_status="critical"), ["alpha"]),
        (FundsQuestion(chain="base"), ["beta"]),
        (FundsQuestion(sort="nav"), ["beta", "alpha", "gamma"]),
        (FundsQuestion(sort="nav", descending=True), ["alpha", "beta", "gamma"]),
        (FundsQuestion(sort="risk_status"), ["beta", "alpha", "gamma"]),
        (FundsQuestion(sort="risk_status", descending=True), ["alpha", "beta", "gamma"]),
        (FundsQuestion(sort="drawdown"), ["beta", "alpha", "gamma"]),
        (FundsQuestion(sort="updated_at", descending=True), ["gamma", "alpha", "beta"]),
        (FundsQuestion(sort="status"), ["gamma", "alpha", "beta"]),
        (FundsQuestion(sort="chain"), ["beta", "alpha", "gamma"]),
        (FundsQuestion(sort="held"), ["alpha", "beta", "gamma"]),
    ],
)
def test_funds__filtered_and_sorted__what_is_unknown_comes_last(
    world: World, ask: FundsQuestion, expected: list[str]
) -> None:
    nothing = {"nav": None, "drawdown_pct": None, "held": None, "risk_status": "unknown"}
    indexed(
        world,
        alpha=entry(nav="1000", risk_status="critical", drawdown_pct="0.2"),
        beta=entry(nav="999.999999999999999999", drawdown_pct="0.1", held=True),
        gamma=entry(status="halted", reason="no_quorum", updated_at=NOW + 9, **nothing),
    )
    assert names(world, ask) == expected


def test_funds__page__says_where_the_next_one_begins(world: World) -> None:
    indexed(world, **{f"f{number}": entry() for number in range(5)})
    model = world.model()
    page = model.funds(offset=2, limit=2)
    assert ([row.fund for row in page.items], page.total, page.next) == (["f2", "f3"], 5, 4)
    assert model.funds(offset=4, limit=2).next is None
    assert model.funds(offset=9, limit=2).items == []


def test_funds__index_that_was_replaced__is_read_anew(world: World) -> None:
    indexed(world, alpha=entry(nav="1"))
    model = world.model()
    assert model.funds().items[0].nav == str(WAD)
    indexed(world, alpha=entry(nav="22"))
    assert model.funds().items[0].nav == str(22 * WAD)
    assert model.fund_frames() == {"alpha": "f00d"}


@pytest.mark.parametrize("content", ["[", "[]", '{"funds": 7}', json.dumps({"funds": {"alpha": {"nav": "1"}}})])
def test_funds__index_that_is_damaged_or_of_another_version__counts_as_none(world: World, content: str) -> None:
    indexed(world, alpha=entry())
    assert world.folder is not None
    (world.folder / INDEX).write_text(content)
    (row,) = world.model().funds().items
    assert (row.status, row.nav, row.unknown["/nav"]) == ("unknown", None, "no slot has ended yet")


def test_funds__index_that_cannot_be_read__is_an_error_with_advice(world: World) -> None:
    assert world.folder is not None
    (world.folder / INDEX).mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be read"):
        world.model().funds()


def test_funds__without_state_files__are_what_the_newest_slots_found(world: World) -> None:
    world.folder = None
    world.funds = {name: facts(name) for name in ("alpha", "beta", "new")}
    valued = fund_frame("alpha", valuation_of({"x": 5}))
    record(world.store, frame_of("f1", valued, fund_frame("beta", None, NavStatus.HALTED, "no_quorum")))
    for fund, reason in (("alpha", None), ("beta", "no_quorum")):
        state = SlotState.POSTED if reason is None else SlotState.SKIPPED
        world.store.finish_slot(claim(world.store, fund), SlotOutcome(state, reason, "f1", None), Timestamp(NOW))
    alpha, beta, new = world.model().funds().items
    assert (alpha.nav, alpha.status, alpha.frame, alpha.updated_at) == (str(5 * WAD), "live", "f1", NOW)
    assert alpha.unknown == {"/drawdown": "no state files are configured", "/held": "no state files are configured"}
    assert (beta.nav, beta.status, beta.reason, beta.unknown["/nav"]) == (None, "halted", "no_quorum", "no_quorum")
    assert (new.nav, new.status, new.frame) == (None, "unknown", None)
    assert new.unknown["/nav"] == "no slot has ended yet"
    assert [row.fund for row in world.model().funds(FundsQuestion(sort="nav")).items] == ["alpha", "beta", "new"]


def test_funds__fund_that_is_no_longer_configured__stays_and_says_so(world: World) -> None:
    indexed(world, alpha=entry())
    world.funds = {}
    (row,) = world.model().funds().items
    assert (row.chain, row.unknown["/chain"]) == (None, "the fund is not configured")


def test_fund__of_which_nothing_is_known__is_none(world: World) -> None:
    model = world.model()
    assert (model.fund("nope"), model.fund_row("nope"), model.risk("nope"), model.fund_prices("nope")) == (None,) * 4
