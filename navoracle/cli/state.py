"""`navoracle state`: a fund's state files with live ages, and their schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import duration, moment, plain, present, print_json, table
from navoracle.cli.runtime import ConfigFile, JsonFlag, chosen, load, runtime_of
from navoracle.domain.errors import ConfigurationError, UsageError
from navoracle.state_files.names import DOCUMENTS
from navoracle.state_files.reader import read_set, with_live_ages

group = typer.Typer(no_args_is_help=True, help="Show a fund's state files, or their schemas.")

Folder = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="The state files; else the configuration's.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="state")


@group.command("show")
def show(
    context: typer.Context,
    fund: Annotated[str, typer.Argument(metavar="FUND", help="A fund by its name.")],
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="One file, such as nav.json; else all.")] = None,
    folder: Folder = None,
    config: ConfigFile = None,
    as_json: JsonFlag = False,
) -> int:
    """Show a fund's state files, all of one frame, with ages as of now."""
    name = None if file is None else _file(file)
    where = folder
    if where is None:
        loaded = load(context, config)
        chosen(loaded.config, [fund])
        if loaded.config.state_files is None:
            raise ConfigurationError(
                "the configuration writes no state files",
                advice="Add `state_files: {folder: state}`, or name --folder.",
            )
        where = loaded.config.state_files.folder
    now = runtime_of(context).clock.now()
    try:
        found = {each: with_live_ages(document, now) for each, document in read_set(where, fund).items()}
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the state files of {fund} in {where} cannot be read: {error}", advice="Check the folder and its mode."
        ) from error
    if not found or (name is not None and name not in found):
        raise UsageError(
            f"there are no state files of {fund} in {where}",
            advice="They are written by `navoracle run --live` after the first frame.",
        )
    document: dict[str, Any] = {"folder": str(where), "fund": fund, "now": now}
    shown = found if name is None else {name: found[name]}
    document["files"] = shown
    present(document, lambda out: _show(out, shown, one=name is not None), as_json=as_json)
    return ExitCode.OK


@group.command("schema")
def schema(
    file: Annotated[str, typer.Argument(metavar="FILE", help=f"One of: {', '.join(DOCUMENTS)}.")],
    as_json: JsonFlag = False,
) -> int:
    """Print the JSON schema of a state file."""
    from navoracle.state_files.schemas import schema_of

    print_json(schema_of(_file(file)))
    return ExitCode.OK


def _file(name: str) -> str:
    """The name of a file, with its ending. Raises UsageError for one that there is not."""
    whole = name if name.endswith(".json") else f"{name}.json"
    if whole not in DOCUMENTS:
        raise UsageError(f"there is no state file {name}", advice=f"Name one of: {', '.join(DOCUMENTS)}.")
    return whole


def _show(out: Console, files: dict[str, dict[str, Any]], *, one: bool) -> None:
    if one:
        for document in files.values():
            out.print(json.dumps(document, indent=2, ensure_ascii=False), markup=False, soft_wrap=True)
        return
    shown = table("file", "frame", "status", "valued at", "age", "unknown", right=("age", "unknown"))
    for name, document in files.items():
        shown.add_row(
            name,
            plain(document["frame"]),
            plain(document["status"]),
            moment(document["updated_at"]),
            duration(document["age_s"]),
            str(len(document["unknown"])),
        )
    out.print(shown)
