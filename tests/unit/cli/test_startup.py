"""What a command line imports: help and refusals nothing heavy, a command nothing that it does not use.

Each test asks a process of its own, because this one has everything imported.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
import typer

from navoracle.cli import commands
from navoracle.cli.commands import COMMANDS, app_of, loaded
from navoracle.cli.examples import EXAMPLES
from navoracle.composition.stores import open_store
from tests.unit.config.test_overrides import written

HEAVY: Final = frozenset(
    {
        "aiohttp", "alembic", "apprise", "eth_abi", "eth_account", "eth_tester", "fastapi", "matplotlib", "nicegui",
        "py_ecc", "sqlalchemy", "uvicorn", "web3",
    }
)  # fmt: skip
"""Packages that take a tenth of a second or more to import, or bring others that do."""

REPORT: Final = """
import json, sys
from navoracle.cli.main import run
codes = []
for arguments in json.loads(sys.argv[1]):
    try:
        codes.append(run(arguments))
    except SystemExit as ended:  # completion ends the process
        codes.append(ended.code)
sys.stderr.write("\\n" + json.dumps({"codes": codes, "modules": sorted(sys.modules)}))
"""


def modules_after(
    command_lines: Sequence[Sequence[str]], codes: Sequence[int], environment: Mapping[str, str] | None = None
) -> frozenset[str]:
    """The modules that a process has imported after those command lines, which end with those codes."""
    ended = subprocess.run(
        [sys.executable, "-c", REPORT, json.dumps(command_lines)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **(environment or {})},
    )
    report = json.loads(ended.stderr.splitlines()[-1])
    assert report["codes"] == list(codes)
    return frozenset(report["modules"])


def packages(modules: frozenset[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def command_modules() -> set[str]:
    """The modules of the command line that add commands, found in their sources."""
    folder = Path(commands.__file__).parent
    return {
        file.stem
        for file in folder.glob("*.py")
        if any(
            isinstance(node, ast.FunctionDef) and node.name == "register"
            for node in ast.parse(file.read_text(encoding="utf-8")).body
        )
    }


# ---- the table of commands


def test_table__modules__are_all_that_add_commands() -> None:
    assert {command.module for command in COMMANDS.values()} == command_modules()


def test_table__names__are_all_that_the_modules_add() -> None:
    for module in command_modules():
        added = set(typer.main.get_group(app_of(module)).commands)
        assert added == {name for name, command in COMMANDS.items() if command.module == module}


@pytest.mark.parametrize("name", COMMANDS)
def test_table__summary__is_the_first_paragraph_of_the_commands_own_help(name: str) -> None:
    paragraph, _, _ = loaded(name).help.partition("\n\n")
    assert COMMANDS[name].summary == " ".join(paragraph.split())


# ---- what a command line loads


def test_root__help_version_and_refusals__import_no_command_and_nothing_heavy() -> None:
    modules = modules_after([["--help"], ["--version"], ["no-such-command"], ["--no-such-option"]], [0, 0, 2, 2])
    assert not packages(modules) & HEAVY
    assert not modules & {f"navoracle.cli.{name}" for name in command_modules()}


def test_completion__of_a_command__imports_no_command_and_nothing_heavy() -> None:
    typed = {"_NAVORACLE_COMPLETE": "complete_bash", "COMP_WORDS": "navoracle de", "COMP_CWORD": "1"}
    modules = modules_after([[]], [0], typed)
    assert not packages(modules) & HEAVY
    assert not modules & {f"navoracle.cli.{name}" for name in command_modules()}


def test_completion__of_an_option__imports_nothing_heavy() -> None:
    typed = {"_NAVORACLE_COMPLETE": "complete_bash", "COMP_WORDS": "navoracle run --l", "COMP_CWORD": "2"}
    modules = modules_after([[]], [0], typed)
    assert "navoracle.cli.service" in modules
    assert not packages(modules) & HEAVY


def test_help__of_every_command__imports_nothing_heavy() -> None:
    modules = modules_after([[*name.split(), "--help"] for name in EXAMPLES], [0] * len(EXAMPLES))
    assert {f"navoracle.cli.{name}" for name in command_modules()} <= modules
    assert not packages(modules) & HEAVY


def test_usage_error__of_every_command__imports_nothing_heavy() -> None:
    modules = modules_after([[*name.split(), "--no-such-option"] for name in EXAMPLES], [2] * len(EXAMPLES))
    assert not packages(modules) & HEAVY


def test_status_and_history__database__import_the_store_and_no_chain_or_web_service(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'navoracle.db'}"
    with open_store(url):
        pass
    modules = modules_after([["status", "--database", url], ["history", "--database", url]], [0, 0])
    assert packages(modules) & HEAVY == {"sqlalchemy", "alembic"}


def test_config_show__file__imports_no_store_chain_or_web_service(tmp_path: Path) -> None:
    written(tmp_path)
    modules = modules_after([["config", "show", "--config", str(tmp_path / "navoracle.yaml")]], [0])
    assert packages(modules) & HEAVY == {"eth_abi"}
