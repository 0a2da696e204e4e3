"""Every error has its documented exit code."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from navoracle.cli.exit_codes import DESCRIPTION, ExitCode, exit_code_of
from navoracle.cli.main import run
from navoracle.domain import errors
from navoracle.domain.errors import NavoracleError


def subclasses(kind: type[NavoracleError]) -> list[type[NavoracleError]]:
    return [found for each in kind.__subclasses__() for found in (each, *subclasses(each))]


DOCUMENTED: dict[type[NavoracleError], int] = {
    errors.UsageError: 2,
    errors.GuardRefused: 3,
    errors.VerificationFailed: 3,
    errors.RequestRefused: 3,
    errors.ConfigurationError: 4,
    errors.StoreError: 4,
    errors.ChainError: 5,
    errors.ReadError: 5,
    errors.DomainError: 1,
}


@pytest.mark.parametrize("kind", subclasses(NavoracleError), ids=lambda kind: kind.__name__)
def test_exit_code__every_error__is_documented(kind: type[NavoracleError]) -> None:
    (expected,) = {code for base, code in DOCUMENTED.items() if issubclass(kind, base)}
    error = kind.__new__(kind)
    assert exit_code_of(error) == expected
    assert f"{expected} " in DESCRIPTION


def test_exit_codes__help__names_all_of_them() -> None:
    assert all(f" {code.value} " in f" {DESCRIPTION}" for code in ExitCode)


@pytest.mark.parametrize("as_json", [True, False])
def test_run__error_of_a_command__is_printed_once_and_coded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise errors.ChainError("the node is [down]", advice="Start it.")

    monkeypatch.setattr("navoracle.cli.status.database_of", refuse)
    assert run(["status", *(["--json"] if as_json else [])]) == 5
    captured = capsys.readouterr()
    if as_json:
        expected = {"error": {"code": "chain", "message": "the node is [down]", "advice": "Start it."}}
        assert json.loads(captured.out) == expected
        assert captured.err == ""
    else:
        assert captured.out == ""
        assert captured.err == "error: the node is [down]\nadvice: Start it.\n"


def test_console_script__wrong_usage__ends_the_process_with_its_code() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from navoracle.cli.main import main; main()", "nav", "--json", "--nonsense"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"
    assert done.stderr == ""
