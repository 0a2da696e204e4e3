"""State files: whether their folder can be written to, and whether telemetry is where it should be."""

from __future__ import annotations

import os
from pathlib import Path

from navoracle.checks.findings import Finding, error, warning
from navoracle.config.models import Config
from navoracle.domain.units import Timestamp
from navoracle.state_files.external import PartName, of_fund, read_part


def check_state_files(config: Config, now: Timestamp) -> list[Finding]:
    """What stands in the way of the files; nothing is written."""
    section = config.state_files
    if section is None:
        return []
    findings = _check_folder(section.folder)
    said = section.external
    parts: tuple[tuple[PartName, Path | None], ...] = (
        ("router", said.router),
        ("symbols", said.symbols),
        ("execution", said.execution),
    )
    for name, path in parts:
        for fund in config.funds if path is not None and "{fund}" in str(path) else [next(iter(config.funds))]:
            if path is None:
                continue
            found = read_part(of_fund(path, fund), name, now, section.max_external_age)
            if not found.is_known:
                findings.append(
                    warning(
                        f"state_files.external.{name}",
                        f"{of_fund(path, fund)}: {found.reason}",
                        "Its KPIs are unknown until the file is there, is a JSON object, and is young enough.",
                    )
                )
    return findings


def _check_folder(folder: Path) -> list[Finding]:
    """Whether the folder, or the nearest one above it that there is, can be written to."""
    place, advice = "state_files.folder", "Name a folder that the keeper may write to."
    nearest = folder
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        return [error(place, f"{nearest} is not a folder", advice)]
    if not os.access(nearest, os.W_OK | os.X_OK):
        return [error(place, f"{nearest} cannot be written to", advice)]
    return []
