"""The rows of a drill, each followed by the invariants: the service in this process, a real node, simulated time.

A test's name is `test_row[NN__fault__outcome]`; the scenarios are those of `navoracle drill`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from bench.anvil import binary
from navoracle.drill.catalogue import Row
from navoracle.drill.rows import catalogue
from navoracle.drill.run import play
from tests.faults.worlds import shape
from tests.requirements import needs_node

FAST: Final = frozenset({1, 2, 4, 6, 7, 11, 17, 20, 22, 25, 26, 28, 33, 40, 51, 63, 64})
"""Rows that every run plays; the others are played by `scripts/test --all`."""


def _marked(row: Row) -> object:
    marks = [] if row.number in FAST else [pytest.mark.slow]
    return pytest.param(row, id=row.name, marks=marks)


@needs_node
@pytest.mark.parametrize("row", [_marked(row) for _, rows in sorted(catalogue().items()) for row in rows])
async def test_row(row: Row, tmp_path: Path) -> None:
    result = await play(row, binary(), shape(2), tmp_path)
    assert result.failure is None
    assert result.violations == ()
