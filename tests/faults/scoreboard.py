"""The scoreboard of faults: plays every row and says what was survived.

    python -m tests.faults.scoreboard [--json] [--fast] [--repeat N] [ROW...]

Exits with 1 when a row failed. `--fast` plays the rows of every test run only, `--repeat` every row several times.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from navoracle.drill.invariants import INVARIANTS
from tests.faults.rows import COUNT, TABLE

FOLDER = Path(__file__).parent
ROW_OF = re.compile(r"test_row(?:_(\d\d)__|\[(\d\d)__)")
SURVIVED, FAILED, NOT_PLAYED = "survived", "failed", "not played"


@dataclass
class Outcomes:
    """A pytest plugin that keeps what became of each test of a row."""

    results: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    seconds: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    wanted: frozenset[int] = frozenset()

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is no row, or not a wanted one."""
        kept = [item for item in items if (number := row_of(item.nodeid)) and number in self.wanted]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of a test's phases."""
        number = row_of(report.nodeid)
        if number is None:
            return
        self.seconds[number] += report.duration
        if report.when == "call" or report.outcome != "passed":
            worst = {"passed": SURVIVED, "failed": FAILED, "skipped": NOT_PLAYED}[report.outcome]
            if self.results[number].get(report.nodeid) != FAILED:
                self.results[number][report.nodeid] = worst


def row_of(nodeid: str) -> int | None:
    """The row that a test is of; None for any other test."""
    found = ROW_OF.search(nodeid)
    return None if found is None else int(found[1] or found[2])


def play(rows: frozenset[int], *, fast: bool) -> Outcomes:
    """Play rows."""
    outcomes = Outcomes(wanted=rows)
    arguments = [str(FOLDER), "-q", "-p", "no:cacheprovider", *(["-m", "not slow"] if fast else [])]
    with contextlib.redirect_stdout(sys.stderr):
        pytest.main(arguments, plugins=[outcomes])
    return outcomes


def document(rows: frozenset[int], outcomes: Outcomes, seconds: float) -> dict[str, Any]:
    """What came of it, as plain JSON."""
    found = []
    for number in sorted(rows):
        tests = outcomes.results.get(number, {})
        results = set(tests.values())
        result = FAILED if FAILED in results else SURVIVED if results == {SURVIVED} else NOT_PLAYED
        found.append(
            {
                "row": number,
                "fault": TABLE[number].fault,
                "injection": TABLE[number].injection,
                "note": TABLE[number].note,
                "result": result,
                "invariants": sorted(INVARIANTS) if tests else [],
                "tests": [nodeid.removeprefix("tests/faults/") for nodeid in tests],
                "seconds": round(outcomes.seconds.get(number, 0.0), 1),
            }
        )
    count = {result: sum(row["result"] == result for row in found) for result in (SURVIVED, FAILED, NOT_PLAYED)}
    return {
        "rows": found,
        "invariants": {str(number): text for number, text in INVARIANTS.items()},
        "needs_several_machines": [],
        "survived": count[SURVIVED],
        "failed": count[FAILED],
        "not_played": count[NOT_PLAYED],
        "seconds": round(seconds, 1),
    }


def show(said: dict[str, Any]) -> None:
    """Print it for people."""
    table = Table("row", "fault", "injection", "tests", "result")
    styles = {SURVIVED: "green", FAILED: "bold red", NOT_PLAYED: "yellow"}
    for row in said["rows"]:
        result = f"[{styles[row['result']]}]{row['result']}[/]"
        table.add_row(str(row["row"]), row["fault"], row["injection"], str(len(row["tests"])), result)
    console = Console()
    console.print(table)
    for number, text in said["invariants"].items():
        console.print(f"after every row: {number}. {text}")
    for row in said["rows"]:
        if row["note"]:
            console.print(f"row {row['row']}: {row['note']}")
    counted = f"{said['survived']} survived, {said['failed']} failed, {said['not_played']} not played"
    console.print(f"{len(said['rows'])} rows: {counted}, in {said['seconds']} s. None needs several machines.")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="scripts/faults", description="Plays the rows of the table of faults.")
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help="rows by number; all when none is named")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--fast", action="store_true", help="only what every test run plays")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="play every row so many times")
    said = parser.parse_args()
    rows = frozenset(said.rows or range(1, COUNT + 1))
    if unknown := rows - set(TABLE):
        parser.error(f"there is no row {min(unknown)}")
    began, failed = time.monotonic(), 0
    for _ in range(said.repeat):
        found = document(rows, play(rows, fast=said.fast), time.monotonic() - began)
        failed += found["failed"]
        if said.json:
            print(json.dumps(found, indent=2))
        else:
            show(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
