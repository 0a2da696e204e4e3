"""A configuration is written whole or not at all, and never over another one by chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.config.files import SCHEMA, write_configuration
from navoracle.domain.errors import UsageError


def test_write_configuration__file_that_came_into_being_meanwhile__is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("another's", encoding="utf-8")
    with pytest.raises(UsageError, match="is there already"):
        write_configuration(file, lambda schema: schema, force=False)
    assert file.read_text(encoding="utf-8") == "another's"
    assert list(tmp_path.iterdir()) == [file]
    assert write_configuration(file, lambda schema: schema, force=True) == tmp_path / SCHEMA
    assert file.read_text(encoding="utf-8") == f"./{SCHEMA}"
    assert {path.name for path in tmp_path.iterdir()} == {"mine.yaml", SCHEMA}
