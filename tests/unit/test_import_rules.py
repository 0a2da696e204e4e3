"""The import rules of pyproject.toml hold, and each of them catches what it is there for."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.requirements import PROJECT

LINT = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True, no_logo=True))"


def lint(project: Path) -> subprocess.CompletedProcess[str]:
    # The working directory comes first in the import path, so the package that is judged is the one of `project`.
    return subprocess.run(
        [sys.executable, "-c", LINT], cwd=project, capture_output=True, text=True, check=False, env={"NO_COLOR": "1"}
    )


def modules() -> list[str]:
    """All modules to which the layers give a place, those that are not there yet included."""
    rules = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (rule["layers"] for rule in rules if rule["type"] == "layers")
    return [name.strip("()") for layer in layers for name in layer.replace("|", " ").replace(":", " ").split()]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """An empty navoracle of every module, under the project's own rules."""
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    for name in ["", *modules()]:
        package = tmp_path / "navoracle" / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    return tmp_path


def test_import_rules__project__are_kept() -> None:
    result = lint(PROJECT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ports", "from navoracle import domain"),
        ("prices", "from navoracle import abi, domain, ports, readers"),
        ("readers", "from navoracle import abi, domain, ports"),
        ("risk", "from navoracle import domain, ports"),
        ("keeper", "from navoracle import composition, domain, ports"),
        ("composition", "from navoracle import chain, keeper, positions, prices, publishers, storage"),
        ("replay", "from navoracle import composition, keeper, ports"),
        ("demo", "from navoracle import chain, composition"),
        ("cli", "from navoracle import composition, config, demo, domain, replay"),
        ("chain", "import asyncio, logging, os, time"),
    ],
)
def test_import_rules__allowed_import__are_kept(sample: Path, module: str, source: str) -> None:
    (sample / "navoracle" / module / "__init__.py").write_text(source, encoding="utf-8")
    result = lint(sample)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        *(("domain", name) for name in ("ports", "prices", "config", "storage", "risk")),
        *(
            ("domain", name)
            for name in ("web3", "sqlalchemy", "structlog", "logging", "time", "asyncio", "random", "os")
        ),
        ("ports", "prices"),
        ("ports", "chain"),
        ("readers", "prices"),
        ("abi", "readers"),
        *(("prices", name) for name in ("positions", "chain", "config", "keeper")),
        *(("positions", name) for name in ("prices", "chain", "config", "keeper")),
        ("risk", "chain"),
        ("chain", "storage"),
        ("storage", "publishers"),
        ("publishers", "chain"),
        ("telemetry", "storage"),
        *(("keeper", name) for name in ("prices", "positions", "chain", "storage", "publishers", "replay", "testing")),
        *(("replay", name) for name in ("prices", "positions", "chain", "storage", "publishers", "cli")),
        *(("cli", name) for name in ("chain", "storage")),
        ("composition", "cli"),
    ],
)
def test_import_rules__forbidden_import__are_broken(sample: Path, module: str, imported: str) -> None:
    source = f"import navoracle.{imported}" if imported in modules() else f"import {imported}"
    (sample / "navoracle" / module / "__init__.py").write_text(source, encoding="utf-8")
    result = lint(sample)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"navoracle.{module} " in result.stdout


def test_import_rules__module_without_a_place__are_broken(sample: Path) -> None:
    (sample / "navoracle" / "newcomer.py").touch()
    result = lint(sample)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "newcomer" in result.stdout
