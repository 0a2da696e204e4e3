"""The code in the guide is run as it stands there."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import PROJECT
from tests.unit.guide import read

PLACE = """
import navoracle.prices

navoracle.prices.__path__.append({folder!r})
"""
"""Makes the page's module importable where the page says that it belongs."""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", read(f"docs/{page}.md"), flags=re.DOTALL | re.MULTILINE)


def test_concepts__examples__give_what_the_page_says() -> None:
    page = str(PROJECT / "docs" / "concepts.md")
    found = doctest.testfile(page, module_relative=False, optionflags=doctest.REPORT_NDIFF, verbose=False)
    assert found.failed == 0
    assert found.attempted >= 20


def page_of_sources(folder: Path) -> Path:
    """The module and the test of "write a source", as files."""
    module, test = blocks("write-a-source", "python")
    (folder / "beacon.py").write_text(module, encoding="utf-8")
    (folder / "test_beacon.py").write_text(test, encoding="utf-8")
    (folder / "conftest.py").write_text(PLACE.format(folder=str(folder)), encoding="utf-8")
    return folder


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def pytest_of(folder: Path) -> subprocess.CompletedProcess[str]:
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "error"]
    return run(sys.executable, "-m", "pytest", *options, "test_beacon.py", folder=folder)


@pytest.mark.slow
def test_write_a_source__its_code__passes_the_spec(tmp_path: Path) -> None:
    ended = pytest_of(page_of_sources(tmp_path))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = re.search(r"(\d+) passed", ended.stdout)
    assert told is not None
    assert int(told.group(1)) == 3 + spec_tests()


@pytest.mark.slow
def test_write_a_source__a_defect_in_it__fails_the_spec(tmp_path: Path) -> None:
    folder = page_of_sources(tmp_path)
    module = folder / "beacon.py"
    text = module.read_text(encoding="utf-8")
    broken = text.replace("        check_decimals(self, self.feed, scale, decimals)\n", "")
    assert broken != text
    module.write_text(broken, encoding="utf-8")
    ended = pytest_of(folder)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "test_read__decimals_changed__are_refused" in ended.stdout


def spec_tests() -> int:
    from navoracle.testing import ReaderSpec

    return sum(name.startswith("test_") for name in vars(ReaderSpec))


def test_write_a_source__number_of_spec_tests__is_the_one_that_it_states() -> None:
    words = {10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen"}
    assert f"`ReaderSpec` brings {words[spec_tests()]} tests" in read("docs/write-a-source.md")


def test_write_a_source__its_code__is_as_the_project_wants_it(tmp_path: Path) -> None:
    folder = page_of_sources(tmp_path)
    (folder / "conftest.py").unlink()
    shutil.copy(PROJECT / "pyproject.toml", folder)
    ruff = str(Path(sys.executable).with_name("ruff"))
    if not Path(ruff).is_file():
        pytest.skip("ruff is not in this environment: run scripts/setup")
    for command in ("check", "format"):
        options = ["--no-cache", "--config", "lint.per-file-ignores={'test_*.py'=['S','PT011']}"]
        options += ["--config", "lint.isort.known-first-party=['navoracle']"]
        ended = run(ruff, command, *(["--check"] if command == "format" else []), *options, ".", folder=folder)
        assert ended.returncode == 0, ended.stdout + ended.stderr
