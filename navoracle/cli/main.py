"""The entry point: the commands put together, and every error turned into a message and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from navoracle import __version__
from navoracle.cli.commands import CommandTable, add_commands
from navoracle.cli.exit_codes import DESCRIPTION, ExitCode, exit_code_of
from navoracle.cli.output import error_document, error_of, print_error, print_json
from navoracle.cli.runtime import Runtime, runtime_of
from navoracle.domain.errors import NavoracleError
from navoracle.telemetry.crash import install_crash_hooks

app = typer.Typer(
    name="navoracle",
    cls=CommandTable,
    help="Values vaults, guards their NAV, posts it on chain and keeps the evidence.",
    epilog=DESCRIPTION,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
add_commands(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"navoracle {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    log_format: Annotated[
        str | None, typer.Option(metavar="console|json", help="Of the log on standard error.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(metavar="debug|info|warning|error", help="Of the log.")] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Values vaults, guards their NAV, posts it on chain and keeps the evidence."""
    context.obj = runtime_of(context).with_logs(log_format, log_level)


def run(arguments: Sequence[str], runtime: Runtime | None = None) -> int:
    """Run a command line and return its exit code; errors are printed.

    What is no NavoracleError is a defect and leaves with its traceback; standard output holds nothing then.
    """
    as_json = "--json" in arguments
    try:
        command = typer.main.get_command(app)
        code = command.main(list(arguments), prog_name="navoracle", standalone_mode=False, obj=runtime or Runtime())
    except NavoracleError as error:
        if as_json:
            print_json(error_of(error))
        else:
            print_error(error.message, error.advice)
        return exit_code_of(error)
    except typer.TyperException as error:
        _usage(error, as_json=as_json)
        return ExitCode.USAGE
    except (typer.Abort, KeyboardInterrupt):
        return 130
    return int(code or 0)


def _usage(error: typer.TyperException, *, as_json: bool) -> None:
    where = getattr(getattr(error, "ctx", None), "command_path", None) or "navoracle"
    message, advice = error.format_message(), f"See `{where} --help`."
    if as_json:
        print_json(error_document("usage", message, advice))
    elif type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{message}\n")
    else:
        print_error(message, advice)


def main() -> None:
    """The console script."""
    install_crash_hooks()
    sys.exit(run(sys.argv[1:]))
