"""The scoreboard of faults: plays every row and says what was survived.

    python -m tests.faults.scoreboard [--json] [--fast] [--repeat N] [ROW...]

Exits with 1 when a row failed. `--fast` plays the rows of every test run only, `--repeat` every row several times.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

from navoracle.drill.invariants import INVARIANTS
from tests.faults.rows import COUNT, TABLE

FOLDER = Path(__file__).parent
ROW_OF = re.compile(r"test_row(?:_(\d\d)__|\[(\d\d)__)")
SURVIVED, FAILED, NOT_PLAYED = "survived", "failed", "not played"


@dataclass
class Outcomes:
    """What became of each test of a row, and how long a row took."""

    results: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    seconds: dict[int, float] = field(default_factory=lambda: defaultdict(float))

    def read(self, report: Path) -> None:
        """Take in a report of pytest's (JUnit XML)."""
        for case in ElementTree.parse(report).iter("testcase"):
            nodeid = f"{case.get('classname', '').rsplit('.', 1)[-1]}.py::{case.get('name', '')}"
            number = row_of(nodeid)
            if number is None:
                continue
            kinds = {child.tag for child in case}
            failed = bool(kinds & {"failure", "error"})
            self.results[number][nodeid] = FAILED if failed else NOT_PLAYED if "skipped" in kinds else SURVIVED
            self.seconds[number] += float(case.get("time", "0"))


def row_of(nodeid: str) -> int | None:
    """The row that a test is of; None for any other test."""
    found = ROW_OF.search(nodeid)
    return None if found is None else int(found[1] or found[2])


def play(rows: frozenset[int], *, fast: bool, jobs: int) -> Outcomes:
    """Play rows, so many of them at a time."""
    outcomes = Outcomes()
    files = [str(path) for path in sorted(FOLDER.glob("test_rows_*.py"))]
    arguments = [*files, "-q", "-p", "no:cacheprovider", "-n", str(jobs), *(["-m", "not slow"] if fast else [])]
    if rows != frozenset(TABLE):
        arguments += ["-k", " or ".join(f"{number:02}__" for number in sorted(rows))]
    with TemporaryDirectory(prefix="navoracle-faults-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *arguments, f"--junitxml={report}"]
        subprocess.run(command, stdout=sys.stderr, check=False)
        outcomes.read(report)
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
                "tests": sorted(tests),
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
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="play so many rows at a time")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="play every row so many times")
    said = parser.parse_args()
    rows = frozenset(said.rows or range(1, COUNT + 1))
    if unknown := rows - set(TABLE):
        parser.error(f"there is no row {min(unknown)}")
    began, failed = time.monotonic(), 0
    for _ in range(said.repeat):
        found = document(rows, play(rows, fast=said.fast, jobs=said.jobs), time.monotonic() - began)
        failed += found["failed"]
        if said.json:
            print(json.dumps(found, indent=2))
        else:
            show(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
