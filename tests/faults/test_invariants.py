"""The invariants see what they are for: a rehearsal that went well is damaged in one place after another."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.anvil import binary
from navoracle.drill.expect import require_posted
from navoracle.drill.rehearsal import Rehearsal, rehearsing
from tests.faults.worlds import shape
from tests.requirements import needs_node

pytestmark = [needs_node, pytest.mark.slow]


@pytest.fixture
async def r(tmp_path: Path) -> AsyncIterator[Rehearsal]:
    async with rehearsing(binary(), shape(2), tmp_path) as stage:
        await stage.start()
        require_posted(await stage.slot(), stage.funds)
        require_posted(await stage.slot(), stage.funds)
        assert await stage.violations() == []
        yield stage


DAMAGES: dict[str, tuple[int, str]] = {
    "two_posts_of_a_slot": (
        1,
        "UPDATE frames SET slot_time = (SELECT min(slot_time) FROM frames WHERE stop_after IS NULL)",
    ),
    "a_hash_is_forgotten": (2, "DELETE FROM attempts WHERE id = (SELECT max(id) FROM attempts)"),
    "a_nonce_is_another": (3, "UPDATE attempts SET nonce = nonce + 7; UPDATE transactions SET nonce = nonce + 7"),
    "a_slot_never_ended": (
        4,
        "UPDATE slots SET state = 'claimed', owner = 'x', lease_until = 1, finished_at = NULL",
    ),
    "an_end_was_told_of_nobody": (
        4,
        "DELETE FROM events WHERE id = (SELECT max(id) FROM events WHERE kind = 'slot_posted')",
    ),
    "another_value_is_stored": (5, "UPDATE fund_frames SET price_per_share = '7' WHERE price_per_share IS NOT NULL"),
    "another_fee_is_stored": (6, "UPDATE transactions SET fee_paid = '7'"),
    "a_slot_ended_without_a_reason": (7, "UPDATE slots SET state = 'skipped', reason = NULL"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_invariants__the_ledger_is_damaged__the_invariant_is_named(r: Rehearsal, damage: str) -> None:
    invariant, statements = DAMAGES[damage]
    with sqlite3.connect(r.keeper.database) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.executescript(statements)
    database.close()
    assert invariant in {number for number, _ in await r.violations()}


async def test_invariants__an_event_file_is_torn__is_seen(r: Rehearsal) -> None:
    (path, *_) = sorted(r.folder.glob("*/events/*.jsonl"))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"id": 99999, "kind": "ha')
    found = [what for number, what in await r.violations() if number == 4]
    assert any("torn" in what for what in found)


async def test_invariants__an_event_is_written_twice__is_seen(r: Rehearsal) -> None:
    (path, *_) = sorted(r.folder.glob("*/events/*.jsonl"))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines, lines[0]]), encoding="utf-8")
    assert 4 in {number for number, _ in await r.violations()}


async def test_invariants__more_was_spent_than_allowed__is_seen(r: Rehearsal) -> None:
    r.budget = 1
    assert 6 in {number for number, _ in await r.violations()}


async def test_invariants__a_transaction_that_the_ledger_has_not__is_seen(r: Rehearsal) -> None:
    r.proxies[0].broadcast.append("0x" + "ab" * 32)
    assert 2 in {number for number, _ in await r.violations()}
