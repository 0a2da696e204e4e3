"""Rows as CSV or JSON lines, for spreadsheets and programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, TextIO

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


def write_rows(
    rows: Iterable[Mapping[str, Any]], columns: tuple[str, ...], stream: TextIO, *, lines: bool, header: bool = True
) -> None:
    """Write rows as JSON lines or as CSV, with a header unless it was written before."""
    if lines:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    table = csv.DictWriter(stream, columns, lineterminator="\n")
    if header:
        table.writeheader()
    for row in rows:
        table.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: object) -> object:
    """A value as a cell; text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA) and not value.lstrip("-").isdecimal():
        return f"'{value}"
    return value
