"""`navoracle check` of state files: a folder that can be written to, telemetry that is there; nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from navoracle.checks.findings import Finding, Level
from navoracle.checks.state_files import check_state_files
from navoracle.domain.units import Timestamp
from tests.unit.config.test_state_files import config

NOW = Timestamp(1_700_000_000)


def findings(folder: Path, **changes: Any) -> list[Finding]:
    return check_state_files(config(state_files={"folder": str(folder), **changes}), NOW)


def test_check__without_state_files__finds_nothing() -> None:
    assert check_state_files(config(), NOW) == []


def test_check__of_a_folder_that_is_not_there_yet__finds_nothing_and_makes_nothing(tmp_path: Path) -> None:
    assert findings(tmp_path / "a" / "b") == []
    assert list(tmp_path.iterdir()) == []


def test_check__of_a_file_in_the_way__is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "state"):
        (found,) = findings(folder)
        assert (found.level, found.place) == (Level.ERROR, "state_files.folder")
        assert "is not a folder" in found.message


def test_check__of_telemetry__warns_of_each_file_that_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "symbols.json").write_text(json.dumps({"updated_at": NOW - 10_000}))
    (tmp_path / "execution.json").write_text(json.dumps({"updated_at": NOW}))
    external = {
        "router": str(tmp_path / "{fund}.json"),
        "symbols": str(tmp_path / "symbols.json"),
        "execution": str(tmp_path / "execution.json"),
    }
    found = findings(tmp_path / "state", external=external)
    assert [(each.level, each.place, each.message) for each in found] == [
        (Level.WARNING, "state_files.external.router", f"{tmp_path}/one.json: no_file"),
        (Level.WARNING, "state_files.external.symbols", f"{tmp_path}/symbols.json: too_old"),
    ]
