"""`navoracle state`: one fund's files, all of one frame, with ages as of now; their schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.main import run
from navoracle.cli.runtime import Runtime
from navoracle.domain.units import Timestamp
from navoracle.state_files.documents import MODELS, documents_of
from navoracle.state_files.schemas import schema_of
from navoracle.state_files.writer import SetWriter
from navoracle.testing import FixedClock
from tests.unit.state_files.builders import FUND, NOW, facts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    writer = SetWriter(tmp_path / "state", fsync=False)
    writer.write(FUND, documents_of(facts()))
    writer.close()
    return tmp_path / "state"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run([*arguments, "--json"], Runtime(clock=FixedClock(Timestamp(NOW + 100))))
    return code, json.loads(capsys.readouterr().out)


def test_show__of_a_fund__has_every_file_with_live_ages(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = said(capsys, "state", "show", FUND, "--folder", str(folder))
    assert code == ExitCode.OK
    assert set(document["files"]) == set(MODELS)
    assert {each["age_s"] for each in document["files"].values()} == {100}
    assert document["files"]["nav_state.json"]["confirmed"]["age_s"] == 3_700
    assert document["files"]["nav.json"]["fx"]["age_s"] == 110


@pytest.mark.parametrize("name", ["nav", "nav.json"])
def test_show__of_one_file__has_it_alone(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    _, document = said(capsys, "state", "show", FUND, name, "--folder", str(folder))
    assert set(document["files"]) == {"nav.json"}


def test_show__without_json__lists_the_files_or_prints_the_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = Runtime(clock=FixedClock(Timestamp(NOW + 100)))
    assert run(["state", "show", FUND, "--folder", str(folder)], runtime) == ExitCode.OK
    listed = capsys.readouterr().out
    assert all(name in listed for name in MODELS)
    assert run(["state", "show", FUND, "risk", "--folder", str(folder)], runtime) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["risk_status"] == "critical"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("state", "show", "beta"), "there are no state files of beta"),
        (("state", "show", FUND, "other"), "there is no state file other"),
        (("state", "schema", "other"), "there is no state file other"),
    ],
)
def test_command__of_what_is_not_there__says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    more = ("--folder", str(folder)) if arguments[1] == "show" else ()
    code, document = said(capsys, *arguments, *more)
    assert code == ExitCode.USAGE
    assert message in document["error"]["message"]
    assert document["error"]["advice"]


def test_show__of_a_broken_file__is_an_error_with_advice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / FUND / "current" / "nav.json").write_text("{")
    code, document = said(capsys, "state", "show", FUND, "--folder", str(folder))
    assert code == ExitCode.USAGE
    assert "cannot be read" in document["error"]["message"]


@pytest.mark.parametrize("name", MODELS)
def test_schema__of_a_file__is_printed(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, document = said(capsys, "state", "schema", name)
    assert (code, document) == (ExitCode.OK, schema_of(name))
