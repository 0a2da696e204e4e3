"""`navoracle overrides`: limits that differ from the configuration for a while, in the file that the keeper reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import moment, plain, present, table
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, Loaded, load, runtime_of, who_is_it
from navoracle.domain.errors import StoreError, UsageError
from navoracle.domain.units import Timestamp
from navoracle.store_port import Event, Severity

if TYPE_CHECKING:
    from navoracle.config.overrides import Overridden

group = typer.Typer(no_args_is_help=True, help="Show, set and clear limits that are overridden while the keeper runs.")

By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does it; else who is logged in.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for those who read the log.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="overrides")


@group.command("show")
def show(context: typer.Context, config: ConfigFile = None, as_json: JsonFlag = False) -> int:
    """Show what is overridden, instead of what, and until when."""
    from navoracle.config.override_edits import file_of
    from navoracle.config.overrides import with_overrides

    loaded, now = load(context, config), runtime_of(context).clock.now()
    file, found = file_of(loaded.config), with_overrides(loaded.config, now)
    document = {"file": str(file), "overrides": dict(found.said), "expired": list(found.expired)}
    present(document, lambda out: _show(out, found), as_json=as_json)
    return ExitCode.OK


@group.command("set")
def set_override(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="As in funds.NAME.gate.max_drawdown.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="As in a configuration: 0.2, null, [posting].")],
    reason: Reason,
    hours: Annotated[int | None, typer.Option("--hours", min=1, help="For so many hours.")] = None,
    lasting: Annotated[bool, typer.Option("--lasting", help="Until it is cleared.")] = False,
    by: By = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Override a limit, for some hours or until it is cleared. A running keeper takes it with its next frame.

    The whole file is validated before it is written; comments in it are lost.
    """
    from navoracle.config.override_edits import changing, file_of, setting, write_overrides

    if (hours is None) is not lasting:
        raise UsageError("say how long it counts", advice="Add --hours N, or --lasting until it is cleared.")
    who, loaded, now = who_is_it(by), load(context, config, database), runtime_of(context).clock.now()
    ends = None if hours is None else Timestamp(now + 3_600 * hours)
    file = file_of(loaded.config)
    with changing(file) as content:
        edit = setting(loaded.config, content, path, value, expires_at=ends, now=now)
        write_overrides(file, edit.content)
    said = edit.after.said[path]
    until = "until it is cleared" if ends is None else f"until {moment(ends)}"
    message = f"{path} is {_text(said['value'])} instead of {_text(said['instead_of'])}, {until}"
    recorded = _record(loaded, "overrides_set", {path: said}, message, who, reason, now)
    _present(edit.after, {path: said}, message, loaded, recorded=recorded, as_json=as_json)
    return ExitCode.OK


@group.command("clear")
def clear(
    context: typer.Context,
    reason: Reason,
    paths: Annotated[list[str] | None, typer.Argument(metavar="PATH", help="As `overrides show` has them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, also of a broken file.")] = False,
    by: By = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """End overrides: from the keeper's next frame on the configuration counts again."""
    from navoracle.config.override_edits import changing, clearing, clearing_all, file_of, write_overrides

    if bool(paths) == everything:
        raise UsageError("name paths, or --all", advice="`navoracle overrides show` lists what is overridden.")
    who, loaded, now = who_is_it(by), load(context, config, database), runtime_of(context).clock.now()
    file, named = file_of(loaded.config), tuple(dict.fromkeys(paths or ()))
    with changing(file) as content:
        edit = clearing_all(loaded.config) if everything else clearing(loaded.config, content, named, now=now)
        write_overrides(file, edit.content)
    message = f"{', '.join(named) or 'every limit'} is as the configuration says"
    recorded = _record(loaded, "overrides_cleared", dict.fromkeys(named), message, who, reason, now)
    _present(edit.after, dict.fromkeys(named), message, loaded, recorded=recorded, as_json=as_json)
    return ExitCode.OK


def _record(
    loaded: Loaded, kind: str, changed: Mapping[str, Any], message: str, who: str, reason: str, now: Timestamp
) -> bool:
    """Note who changed what and why; False where there is no database yet. Raises StoreError."""
    from navoracle.composition.stores import open_existing_store, store_exists
    from navoracle.config.override_edits import file_of

    url = loaded.database.get_secret_value()
    if not store_exists(url):
        return False
    data = {"file": str(file_of(loaded.config)), "by": who, "reason": reason, "changed": dict(changed)}
    try:
        with open_existing_store(url) as store:
            store.append_event(Event(now, kind, None, Severity.WARNING, f"{message}, by {who}: {reason}", data=data))
    except StoreError as error:
        raise StoreError(
            f"{message}: the file is written, but who did it could not be recorded: {error.message}",
            advice=error.advice,
        ) from error
    return True


def _present(
    after: Overridden, changed: Mapping[str, Any], message: str, loaded: Loaded, *, recorded: bool, as_json: bool
) -> None:
    document = {
        "file": str(loaded.config.service.overrides_file),
        "changed": dict(changed),
        "overrides": dict(after.said),
        "recorded": recorded,
    }

    def show_change(out: Console) -> None:
        out.print(plain(message))
        if not recorded:
            out.print("[yellow]nobody is noted down[/]: there is no database yet")

    present(document, show_change, as_json=as_json)


def _show(out: Console, found: Overridden) -> None:
    if not found.said:
        out.print("Nothing is overridden.")
    else:
        shown = table("limit", "counts", "instead of", "until")
        for path, each in found.said.items():
            ends = each["expires_at"]
            until = "cleared" if ends is None else moment(ends)
            shown.add_row(plain(path), plain(_text(each["value"])), plain(_text(each["instead_of"])), until)
        out.print(shown)
    for path in found.expired:
        out.print(f"expired: {plain(path)}")


def _text(value: Any) -> str:
    """A value as a configuration has it."""
    if value is None:
        return "null"
    return f"[{', '.join(map(str, value))}]" if isinstance(value, (list, tuple)) else str(value)
