"""Laws of pages: put together they are the whole, in one order, each row once."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import UsageError
from navoracle.read_model.cursors import cursor_of, frame_key_of, number_of, slot_key_of
from navoracle.read_model.funds import FundColumn, FundsQuestion
from navoracle.read_model.model import ReadModel
from navoracle.read_model.records import OffsetPage
from navoracle.storage import SqlStore
from navoracle.store_port import Event, EventQuestion, Severity
from tests.unit.read_model.worlds import World, entry, facts, write_index
from tests.unit.storage.builders import NOW, empty_sqlite_store

COLUMNS = get_args(FundColumn)
figures = st.one_of(st.none(), st.integers(-5, 5).map(str))
lines = st.builds(
    lambda nav, risk, held, status, drawdown: entry(
        nav=nav, risk_status=risk, held=held, status=status, drawdown_pct=drawdown
    ),
    figures,
    st.sampled_from(["safe", "critical", "unknown"]),
    st.sampled_from([None, True, False]),
    st.sampled_from(["live", "halted"]),
    figures,
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with TemporaryDirectory() as folder, SqlStore.open(empty_sqlite_store(Path(folder) / "keeper.db")) as store:
        for number in range(23):
            kind = "even" if number % 2 == 0 else "odd"
            store.append_event(Event(NOW, kind, None, Severity.INFO, f"m{number}"))
        yield World(store, Path(folder) / "state")


def pages_of(model: ReadModel, ask: FundsQuestion, limit: int) -> Iterator[OffsetPage[object]]:
    offset: int | None = 0
    while offset is not None:
        page = model.funds(ask, offset=offset, limit=limit)
        yield page  # type: ignore[misc] # a page of rows is a page of objects
        offset = page.next


@given(
    entries=st.dictionaries(st.text("abcAB", min_size=1, max_size=4), lines, max_size=12),
    sort=st.sampled_from(COLUMNS),
    descending=st.booleans(),
    limit=st.integers(1, 13),
)
def test_funds__pages__concatenate_to_the_whole_sorted_and_stable(
    world: World, entries: dict[str, dict[str, object]], sort: FundColumn, descending: bool, limit: int
) -> None:
    assert world.folder is not None
    world.funds = {name: facts(name) for name in entries}
    write_index(world.folder, entries)
    model = world.model()
    ask = FundsQuestion(sort=sort, descending=descending)
    pages = list(pages_of(model, ask, limit))
    rows = [row for page in pages for row in page.items]
    assert rows == model.funds(ask, limit=500).items
    assert sorted(row.fund for row in rows) == sorted(entries)  # type: ignore[attr-defined]
    assert {page.total for page in pages} == {len(entries)}
    keys = [getattr(row, sort) for row in rows]
    if sort in ("nav", "drawdown"):
        keys = [None if key is None else int(key) for key in keys]
    elif sort == "risk_status":
        keys = [{"safe": 0, "critical": 3}.get(key) for key in keys]
    known = [key for key in keys if key is not None]
    assert keys[: len(known)] == known, "what is unknown comes last"
    assert known == sorted(known, reverse=descending)
    for one, two, first, second in zip(rows, rows[1:], keys, keys[1:], strict=False):
        if first == second and sort != "fund":
            assert one.fund < two.fund, "of one value by name"  # type: ignore[attr-defined]


@given(limit=st.integers(1, 30), kind=st.sampled_from([None, "odd", "even"]))
def test_events__pages__concatenate_to_the_whole(world: World, limit: int, kind: str | None) -> None:
    model, ask = world.model(), EventQuestion(kind=kind)
    found: list[int] = []
    cursor: str | None = None
    while True:
        page = model.events(ask, cursor=cursor, limit=limit)
        found += [row.id for row in page.items]
        cursor = page.next
        if cursor is None:
            break
        assert len(page.items) == limit
    assert found == [row.id for row in model.events(ask, limit=500).items]
    assert page.total == len(found) == len(set(found))


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.text(st.characters(exclude_categories=["C", "Z"])))
def test_cursor__of_a_key__gives_the_key_again(number: int, text: str) -> None:
    assert number_of(cursor_of(number)) == number
    assert slot_key_of(cursor_of(number, text)) == (number, text)
    assert frame_key_of(cursor_of(number, number, text, text)) == (number, number, text, text)


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1")), st.integers().map(str)))
def test_cursor__anything_else__is_refused_as_usage(text: str) -> None:
    for read in (number_of, slot_key_of, frame_key_of):
        try:
            found = read(text)
        except UsageError:
            continue
        assert cursor_of(*(found if isinstance(found, tuple) else (found,)))


@pytest.mark.parametrize("key", [[1.5], [True], [None], ["1"], [2**63], [], {"a": 1}, [1, "x"], [1, 2]])
def test_cursor__of_another_shape__is_refused_as_a_number(key: object) -> None:
    with pytest.raises(UsageError):
        number_of(urlsafe_b64encode(json.dumps(key).encode()).decode())
