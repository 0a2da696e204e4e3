"""Where the service of a demo that is served logs: into a file beside the database, and not on the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from navoracle.cli.demo import _log_of, _service_log
from navoracle.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///navoracle-demo.db", "navoracle-demo.log"),
        ("sqlite:///navoracle-demo-2.db", "navoracle-demo-2.log"),
        ("sqlite:////tmp/my.demo.db", "/tmp/my.demo.log"),
        ("postgresql+psycopg://keeper@db/navoracle", "navoracle-demo.log"),
    ],
)
def test_log__of_a_demo__lies_beside_its_database_under_the_same_name(url: str, file: str) -> None:
    assert _log_of(url) == Path(file)


def test_log__while_the_demo_runs__takes_what_is_said_and_keeps_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "demo.log"
    file.write_text("before\n")
    with _service_log(file):
        structlog.get_logger("keeper").info("slot_posted", fund="stable")
        assert "slot_posted" in file.read_text()  # who follows the file sees it at once
    structlog.get_logger("keeper").error("afterwards")
    first, said = file.read_text().splitlines()
    assert first == "before"
    assert "fund=stable" in said
    assert capsys.readouterr() == ("", "")


def test_log__file_that_cannot_be_written__is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written: Is a directory"), _service_log(tmp_path):
        pass
