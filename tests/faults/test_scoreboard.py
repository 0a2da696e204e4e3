"""The table of faults is whole: every row has a test, and the scoreboard says what became of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from navoracle.drill.rows import catalogue
from tests.faults.rows import COUNT, TABLE
from tests.faults.scoreboard import FAILED, NOT_PLAYED, SURVIVED, Outcomes, document, row_of


def rows_with_tests() -> set[int]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_rows_*.py"))
    return {int(number) for number in re.findall(r"def test_row_(\d\d)__", text)} | set(catalogue())


def test_table__every_row__has_a_test_and_a_description() -> None:
    assert rows_with_tests() == set(TABLE) == set(range(1, COUNT + 1))
    assert all(row.fault and row.injection for row in TABLE.values())


@pytest.mark.parametrize(
    ("nodeid", "row"),
    [
        ("tests/faults/test_rows_killed.py::test_row_42__killed__x", 42),
        ("tests/faults/test_rows_rehearsed.py::test_row[07__gap__x]", 7),
        ("tests/faults/test_reads.py::test_frame__x__y", None),
    ],
)
def test_row_of__a_test__is_its_number(nodeid: str, row: int | None) -> None:
    assert row_of(nodeid) == row


def test_document__one_test_of_a_row_failed__the_row_failed() -> None:
    outcomes = Outcomes()
    outcomes.results[42].update(a=SURVIVED, b=FAILED)
    outcomes.results[43].update(c=SURVIVED)
    said = document(frozenset({42, 43, 44}), outcomes, 1.0)
    assert [row["result"] for row in said["rows"]] == [FAILED, SURVIVED, NOT_PLAYED]
    assert (said["survived"], said["failed"], said["not_played"]) == (1, 1, 1)
