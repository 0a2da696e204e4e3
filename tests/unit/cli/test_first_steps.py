"""What a person meets first: completion, examples, progress on a terminal alone, no colours where none are wanted."""

from __future__ import annotations

import io
import re
import shlex
from itertools import chain
from pathlib import Path

import pytest
import structlog
import typer
from rich.console import Console

from navoracle.cli.commands import COMMANDS, app_of
from navoracle.cli.examples import EXAMPLES, commands_of, example
from navoracle.cli.main import app, run
from navoracle.cli.output import console
from navoracle.cli.progress import tracking
from navoracle.cli.prompts import Prompts
from navoracle.cli.timelines import ticking
from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.telemetry.logs import configure_logs


class Terminal(io.StringIO):
    """What a terminal is to a program."""

    def isatty(self) -> bool:
        return True


# ---- help


def test_help__every_command__says_what_it_does_and_has_an_example() -> None:
    known = dict(chain.from_iterable(commands_of(app_of(command.module)) for command in COMMANDS.values()))
    assert set(EXAMPLES) == set(known)
    for name, command in known.items():
        assert command.epilog == f"Example: {example(name)}"
        assert command.callback is not None
        first = (command.callback.__doc__ or "").strip().splitlines()[0]
        assert first.endswith("."), name


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_example__of_a_command__is_a_command_line_that_parses(name: str) -> None:
    _, *arguments = shlex.split(example(name))
    command = typer.main.get_command(app)
    context = command.make_context("navoracle", [], resilient_parsing=True)
    for part in name.split(" "):
        _, found, _ = command.resolve_command(context, [part])  # type: ignore[attr-defined]
        assert found is not None
        command, arguments = found, arguments[1:]
    command.make_context(name, list(arguments), parent=context)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_help__of_a_command__shows_its_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(" "), "--help"]) == 0
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert f"Example: {example(name)}" in shown


# ---- completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion__shell__is_given_a_script(
    shell: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    with pytest.raises(SystemExit, match=r"^0$"):
        run(["--show-completion", shell])
    assert "_NAVORACLE_COMPLETE" in capfd.readouterr().out


def test_completion__half_a_word__is_completed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_NAVORACLE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "navoracle de")
    monkeypatch.setenv("COMP_CWORD", "1")
    with pytest.raises(SystemExit):
        run([])
    assert set(capfd.readouterr().out.split()) == {"demo", "deploy", "deploy-feeds"}


# ---- progress


def work(*, quiet: bool) -> list[int]:
    with tracking("working", total=3, quiet=quiet) as tracker:
        return list(tracker.each([1, 2, 3]))


def test_tracking__terminal__shows_a_line_on_standard_error_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    assert work(quiet=False) == [1, 2, 3]
    assert "working" in screen.getvalue()
    assert "3/3" in screen.getvalue()
    assert capsys.readouterr().out == ""


def test_tracking__no_terminal_or_quiet__shows_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert work(quiet=False) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    assert work(quiet=True) == [1, 2, 3]
    assert screen.getvalue() == ""


def refuse(item: int) -> None:
    raise UsageError(f"{item} is refused", advice="")


def test_tracking__error__takes_the_line_away_and_gives_the_cursor_back(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with pytest.raises(UsageError), tracking("working", total=2, quiet=False) as tracker:
        list(map(refuse, tracker.each([1, 2])))
    assert screen.getvalue().rstrip().endswith(("\x1b[?25h", "\x1b[2K"))
    assert screen.getvalue().count("\x1b[?25l") == screen.getvalue().count("\x1b[?25h") > 0


def test_ticking__no_terminal__leaves_what_is_told_and_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with ticking(Timestamp(0), Timestamp(10), quiet=False) as ticker:
        ticker.tell(Timestamp(5), "a feed fails")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "1970-01-01 00:00:05Z  a feed fails\n")


# ---- colours


@pytest.mark.parametrize(("value", "coloured"), [(None, True), ("1", False)])
def test_colours__terminal__are_there_unless_no_color_is_set(
    value: str | None, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    console(error=True).print("[red]bad[/]")
    assert ("\x1b[31m" in screen.getvalue()) is coloured
    configure_logs("console", "info", screen)
    structlog.get_logger("test").warning("something", advice="look")
    assert ("\x1b[" in screen.getvalue()) is coloured


def test_colours__no_terminal__are_never_there(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("[red]bad[/]")
    console(error=True).print("[red]bad[/]")
    assert capsys.readouterr() == ("bad\n", "bad\n")
    assert isinstance(console(), Console)


# ---- prompts


def test_prompts__not_enabled__ask_nothing_and_name_the_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("never read\n"))
    ask = Prompts(enabled=False)
    assert ask.optional("anything") == ""
    with pytest.raises(UsageError, match="--rpc is missing"):
        ask.required("--rpc", "a node")


def test_source__of_the_commands__asks_in_one_place_alone() -> None:
    folder = Path(__file__).parents[3] / "navoracle"
    asking = re.compile(r"\binput\(|\bprompt\(|\bconfirm\(|getpass\.getpass|prompt=")
    found = {path.name for path in folder.rglob("*.py") if asking.search(path.read_text(encoding="utf-8"))}
    assert found == {"prompts.py"}
