"""`navoracle events`: whether the event files are as they were written, and events as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.export import Row, Subject, columns_of, rows_of, write_out
from navoracle.cli.output import console, count, error_document, plain, present, print_json, table
from navoracle.cli.runtime import (
    ConfigFile,
    DatabaseUrl,
    JsonFlag,
    database_if_any,
    database_of,
    load,
    runtime_of,
)
from navoracle.cli.status import time_of
from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.redaction import redact_database_url
from navoracle.telemetry.components import COMPONENTS
from navoracle.telemetry.event_folder import day_of, event_files, head_files

if TYPE_CHECKING:
    from navoracle.telemetry.event_comparison import Comparison
    from navoracle.telemetry.event_verification import ChainReport, Finding, FolderReport

_ADVICE = (
    "The database is the truth. Keep the folder as it is for whoever looks into this; move it away, and the keeper "
    "writes the events of its days anew when it is started again."
)

Found = TypeVar("Found")

group = typer.Typer(no_args_is_help=True, help="Verify and export the event log.")

Folder = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="The event files; else the configuration's.")
]


@dataclass(frozen=True, slots=True)
class _Verified:
    """What was verified; `database` and `comparison` are None where the files were not held against a database."""

    folder: Path
    database: str | None
    report: FolderReport
    comparison: Comparison | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that is wrong."""
        return self.report.findings + (() if self.comparison is None else self.comparison.findings)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="events")


@group.command("verify")
def verify(
    context: typer.Context,
    folder: Folder = None,
    files_only: Annotated[
        bool, typer.Option("--files-only", help="Follow the chains, and compare with no database.")
    ] = False,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Follow the hash chain of every component through all event files, and hold each line against the database.

    Names file and line of what was changed, removed, inserted, moved or torn, and events that no file has. Without a
    database, a chain that somebody made anew as a whole looks right. Ends with 3 when anything is wrong.
    """
    from navoracle.telemetry.event_verification import verify_folder

    if files_only and database is not None:
        raise UsageError("--files-only and --database exclude one another", advice="Leave one of them out.")
    keep_days = None
    if folder is None:
        section = load(context, config).config.service.events
        folder, keep_days = section.folder, section.keep_days
    _require_files(folder)
    url = None if files_only else _database(context, config, database)
    report = _read(folder, lambda: verify_folder(folder))
    now = runtime_of(context).clock.now()
    comparison = None if url is None else _compare(folder, url, keep_days, now)
    verified = _Verified(folder, None if url is None else redact_database_url(url), report, comparison)
    document = _document(verified)
    if verified.findings:
        first = verified.findings[0]
        message = f"{first.place}: {first.message}" if first.place else first.message
        document |= error_document("verification_failed", message, _ADVICE)
    present(document, lambda out: _show(out, verified), as_json=as_json)
    return ExitCode.GUARD if verified.findings else ExitCode.OK


@group.command("export")
def export(
    context: typer.Context,
    csv_file: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="A new file; standard output for -, or without it.")
    ] = None,
    component: Annotated[
        str | None, typer.Option("--component", metavar="NAME", help=f"One of {', '.join(COMPONENTS)}.")
    ] = None,
    fund: Annotated[str | None, typer.Option("--fund", metavar="FUND", help="Of one fund.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="Of one kind.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="From then on (UTC).")] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Up to and including then (UTC).")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="DIR", help="From these event files, without the database.")
    ] = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Write events as CSV, oldest first: from the database, or with --folder from event files.

    Lines of files that are not as they were written are left out and counted; the command then ends with 6.
    """
    from navoracle.composition.stores import open_existing_store

    if component is not None and component not in COMPONENTS:
        raise UsageError(f"there is no component {component}", advice=f"Name one of: {', '.join(COMPONENTS)}.")
    if folder is not None and database is not None:
        raise UsageError("--folder and --database exclude one another", advice="Export from one of them.")
    if as_json and csv_file == "-":
        raise UsageError("standard output takes one document", advice="Leave --csv - out, or name a file.")
    wanted: dict[str, object] = {"component": component, "fund": fund, "kind": kind}
    start = None if since is None else time_of(since)
    end = None if until is None else time_of(until)
    left_out = 0
    if folder is not None:
        _require_files(folder)
        chosen_folder = folder
        rows, left_out = _read(folder, lambda: _rows_of_files(chosen_folder))
        source = str(folder)
    else:
        url = database_of(context, config, database)
        source = redact_database_url(url)
        with open_existing_store(url) as store:
            rows = list(rows_of(store, Subject.EVENTS, fund=fund, kind=kind, since=start))
    rows = [row for row in rows if _fits(row, wanted, start, end)]
    file = None if csv_file in (None, "-") else Path(str(csv_file))
    if as_json and file is None:
        print_json({"source": source, "left_out": left_out, "events": rows})
    else:
        write_out(rows, columns_of(Subject.EVENTS), file)
    if as_json and file is not None:
        print_json({"source": source, "left_out": left_out, "file": str(file), "rows": len(rows)})
    elif file is not None:
        console(error=True).print(f"{count(len(rows), 'row')} in {file}", markup=False)
    if left_out and not as_json:
        console(error=True).print(
            f"{count(left_out, 'line')} left out: `navoracle events verify --folder {source}` names them", markup=False
        )
    return ExitCode.PARTLY if left_out else ExitCode.OK


def _database(context: typer.Context, config: Path | None, database: str | None) -> str | None:
    """The database to compare with: the one that is named must be there, the configuration's may be missing."""
    if database is not None:
        return database_of(context, config, database)
    return database_if_any(context, config, None)


def _compare(folder: Path, url: str, keep_days: int | None, now: Timestamp) -> Comparison:
    """Hold the files against the database: for the days that the service keeps, else from their oldest day on."""
    from navoracle.composition.stores import open_existing_store
    from navoracle.telemetry.event_comparison import compare

    files = event_files(folder)
    since = min((file.day for file in files), default=day_of(now))
    if keep_days is not None:
        since = day_of(now) - timedelta(days=keep_days)
    with open_existing_store(url) as store:
        rows = store.events()
    return _read(folder, lambda: compare(folder, rows, since=since, now=now))


def _rows_of_files(folder: Path) -> tuple[list[Row], int]:
    """The events of a folder in the order of their ids, and how many lines are no events as they were written."""
    from navoracle.telemetry.event_lines import found_lines

    rows, left_out = [], 0
    for line in found_lines(event_files(folder)):
        event = line.event()
        if event is None:
            left_out += 1
        else:
            rows.append(event)
    return sorted(rows, key=lambda row: int(row["id"])), left_out


def _fits(row: Row, wanted: Mapping[str, object], since: Timestamp | None, until: Timestamp | None) -> bool:
    named = all(value is None or row[name] == value for name, value in wanted.items())
    return named and (since is None or row["at"] >= since) and (until is None or row["at"] <= until)


def _require_files(folder: Path) -> None:
    if not event_files(folder) and not head_files(folder):
        raise UsageError(
            f"{folder} has no event files", advice="Name the folder of `service.events.folder`, or one of a replay."
        )


def _read(folder: Path, act: Callable[[], Found]) -> Found:
    try:
        return act()
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder}: {error.strerror or error}", advice="Let this user read the event files."
        ) from error


def _document(verified: _Verified) -> dict[str, Any]:
    return {
        "folder": str(verified.folder),
        "database": verified.database,
        "compared": None if verified.comparison is None else verified.comparison.compared,
        "chains": [
            {
                "component": chain.component,
                "files": list(chain.files),
                "lines": chain.lines,
                "begins": chain.begins,
                "is_whole": chain.is_whole,
                "end_checked": chain.has_head,
            }
            for chain in verified.report.chains
        ],
        "findings": [
            {"fault": found.fault.value, "file": found.file, "line": found.line, "message": found.message}
            for found in verified.findings
        ],
    }


def _show(out: Console, verified: _Verified) -> None:
    rows = table("component", "files", "lines", "from", "begins with", "end", right=("files", "lines"))
    for chain in verified.report.chains:
        rows.add_row(
            plain(chain.component),
            str(len(chain.files)),
            str(chain.lines),
            plain(chain.files[0] if chain.files else None),
            _begins(chain),
            "checked" if chain.has_head else "[yellow]not checked: no head[/]",
        )
    out.print(rows)
    for found in verified.findings:
        place = f"{plain(found.place)}: " if found.place else ""
        out.print(f"[red]{found.fault.value}[/] {place}{plain(found.message)}")
    if verified.comparison is None:
        out.print("[yellow]not compared with a database[/]: a chain that was made anew as a whole looks right")
    else:
        compared = count(verified.comparison.compared, "line")
        out.print(f"{compared} held against {plain(verified.database)}")
    lines = sum(chain.lines for chain in verified.report.chains)
    out.print(f"[bold]{count(lines, 'line')} looked at[/], {count(len(verified.findings), 'finding')}")
    if verified.findings:
        out.print(f"advice: {_ADVICE}")


def _begins(chain: ChainReport) -> str:
    if chain.begins is None:
        return "-"
    return "the first line" if chain.is_whole else "an anchor that is believed: older lines were deleted"
