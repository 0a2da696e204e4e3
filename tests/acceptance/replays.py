"""Replays through the command line, in the test's own process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from navoracle.cli.main import run


def replay(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> dict[str, Any]:
    """Run `navoracle replay --json` with a database in `folder`; the document, with the exit code as `exit_code`."""
    database = f"sqlite:///{folder / 'replay.db'}"
    code = run(["replay", *arguments, "--database", database, "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    document["exit_code"] = code
    return document


def write_series(path: Path, rows: Sequence[tuple[int, str]]) -> Path:
    """Write a CSV of `timestamp,price`."""
    path.write_text("timestamp,price\n" + "".join(f"{time},{price}\n" for time, price in rows))
    return path
