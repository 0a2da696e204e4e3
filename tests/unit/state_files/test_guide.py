"""The page about state files shows valid settings, names every file, and its way of reading works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from navoracle.config.loading import parse_config
from navoracle.state_files.documents import MODELS, documents_of
from navoracle.state_files.writer import SetWriter
from tests.requirements import PROJECT
from tests.unit.guide import around, sections
from tests.unit.state_files.builders import facts

TEXT = (PROJECT / "docs" / "state-files.md").read_text(encoding="utf-8")


def test_settings__of_the_page__are_valid() -> None:
    found = [snippet for section in sections("state-files") for snippet in section.snippets()]
    assert [set(snippet) for snippet in found] == [{"state_files"}, {"reporting", "assets"}]
    for snippet in found:
        config = parse_config(around(snippet, snippet), "guide")
        assert config.state_files is not None or config.reporting is not None


@pytest.mark.parametrize("name", MODELS)
def test_page__names_every_file(name: str) -> None:
    assert f"FOLDER/FUND/{name}" in TEXT


def test_reading__as_the_page_shows_it__gets_two_files_of_one_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SetWriter(tmp_path / "state").write("alpha", documents_of(facts()))
    monkeypatch.chdir(tmp_path)
    (snippet,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    found: dict[str, dict[str, object]] = {}
    exec(snippet, found)
    assert found["nav"]["frame"] == found["risk"]["frame"] == "f00d"


def test_source__of_the_range__is_named() -> None:
    assert "J. W. Wilder" in TEXT
