"""`navoracle replay`: the same keeper over recorded prices and a test clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from navoracle.cli.export import COLUMNS, Subject, require_new, rows_of, write_out
from navoracle.cli.output import count, duration, moment, plain, present, table
from navoracle.cli.runtime import DatabaseUrl, JsonFlag, PlotFile
from navoracle.cli.timelines import (
    exit_code,
    fresh_database,
    program,
    show_endings,
    show_exceptions,
    show_verification,
    ticking,
)
from navoracle.cli.worlds import replay_worlds
from navoracle.composition import open_fresh_store
from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.pictures.files import check_picture_file, write_picture
from navoracle.pictures.slots import picture_of_replay
from navoracle.replay.engine import ReplayResult
from navoracle.replay.engine import replay as run_replay
from navoracle.replay.events import require_fresh_folder
from navoracle.replay.report import cadence_changes, series_json, slot_json, summary_json, write_csv
from navoracle.replay.setup import FUND, ReplayOptions, ReplaySetup, parse_price_file, prepare
from navoracle.replay.state_files import require_empty_folder
from navoracle.telemetry.logs import configure_logs

STEM = "navoracle-replay"

V = TypeVar("V")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    prices: Annotated[
        list[str] | None,
        typer.Option("--prices", metavar="ASSET:GROUP=FILE", help="A CSV series as one source; repeat it."),
    ] = None,
    world: Annotated[
        list[Path] | None,
        typer.Option("--world", metavar="FILE", help="A recorded world, see `record`; repeat it. Stands alone."),
    ] = None,
    hold: Annotated[
        list[str] | None,
        typer.Option("--hold", metavar="ASSET=AMOUNT", help="What the fund holds, in whole tokens."),
    ] = None,
    min_sources: Annotated[
        list[str] | None,
        typer.Option(
            "--min-sources", metavar="[ASSET=]N", help="Groups that a live price needs; 2, or 1 for one series."
        ),
    ] = None,
    max_age: Annotated[
        list[str] | None,
        typer.Option("--max-age", metavar="[ASSET:GROUP=]SECONDS", help="When a row is too old; its step + 300."),
    ] = None,
    step: Annotated[int | None, typer.Option("--step", min=1, help="Seconds between rows; found in each file.")] = None,
    start: Annotated[int | None, typer.Option("--start", min=1, help="Unix seconds; the first full hour.")] = None,
    end: Annotated[int | None, typer.Option("--end", min=1, help="Unix seconds; the last row.")] = None,
    chain: Annotated[
        str, typer.Option("--chain", metavar="embedded|none", help="Where posts go: an in-process chain, or nowhere.")
    ] = "embedded",
    sample_seconds: Annotated[
        int, typer.Option("--sample-seconds", min=1, max=3_600, help="How often the sampler looks at prices.")
    ] = 60,
    csv_file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Also write one row a slot.")] = None,
    plot: PlotFile = None,
    events_file: Annotated[
        Path | None, typer.Option("--events", metavar="FILE", help="Also write its events as CSV, at the end.")
    ] = None,
    events_folder: Annotated[
        Path | None, typer.Option("--events-folder", metavar="DIR", help="Write event files there while it runs.")
    ] = None,
    state_folder: Annotated[
        Path | None, typer.Option("--state-folder", metavar="DIR", help="Write state files there after every frame.")
    ] = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Run the keeper over recorded prices: sampler, cadence, guards, posting, evidence. Or run recorded worlds again.

    One fund holds the assets named: 1,000,000 tokens of a single one, or 1,000,000 of value of each at its first price,
    against as many shares. A close counts as known when its row's step ends. A new database is left in this folder.
    A recorded world gives the same evidence, byte for byte, or the command ends with 3 and names the funds.
    """
    configure_logs("console", "warning")
    if world:
        if prices:
            raise UsageError("--prices and --world exclude one another", advice="Replay the one, then the other.")
        if plot is not None:
            raise UsageError("--plot draws a replay of --prices", advice="Leave it out: a world is one frame.")
        if state_folder is not None:
            raise UsageError("state files are of a replay of --prices", advice="Leave it out: a world is one frame.")
        if events_file is not None or events_folder is not None:
            raise UsageError("events are of a replay of --prices", advice="Leave it out: a world is one frame.")
        return replay_worlds(world, as_json=as_json)
    if not prices:
        raise UsageError("there is nothing to replay", advice="Add --prices ASSET:GROUP=FILE, or --world FILE.")
    if plot is not None:
        check_picture_file(plot)
    if events_file is not None:
        require_new(events_file)
    if events_folder is not None:
        require_fresh_folder(events_folder)
    if state_folder is not None:
        require_empty_folder(state_folder)
    options = ReplayOptions(
        prices=tuple(map(parse_price_file, prices)),
        holdings={key: value for key, value in _pairs("--hold", hold, str) if key is not None},
        min_sources=dict(_pairs("--min-sources", min_sources, int)),
        max_age={None if key is None else key.replace(":", "-"): age for key, age in _pairs("--max-age", max_age, int)},
        step=step,
        start=None if start is None else Timestamp(start),
        end=None if end is None else Timestamp(end),
        chain=_chain(chain),
        sample_seconds=sample_seconds,
    )
    setup = prepare(options)
    url = database or fresh_database(STEM)
    with open_fresh_store(url) as store, ticking(setup.start, setup.end, quiet=as_json) as ticker:
        result = asyncio.run(
            run_replay(options, setup, store, ticker.slot, events_folder=events_folder, state_folder=state_folder)
        )
        if events_file is not None:
            write_out(rows_of(store, Subject.EVENTS), COLUMNS[Subject.EVENTS], events_file)
    if csv_file is not None:
        write_csv(result.slots, csv_file)
    if plot is not None:
        write_picture(picture_of_replay(FUND, result.slots), plot)
    document = {**_document(setup, result, url), "picture": None if plot is None else str(plot)}
    present(document, lambda out: _show(out, setup, result, url, plot), as_json=as_json)
    return exit_code(result.slots, result.verification)


def _chain(text: str) -> Any:
    if text not in ("embedded", "none"):
        raise UsageError(
            f"--chain {text!r} is neither embedded nor none", advice="Use --chain embedded or --chain none."
        )
    return text


def _pairs(option: str, texts: list[str] | None, kind: Callable[[str], V]) -> list[tuple[str | None, V]]:
    """Parse `KEY=VALUE` or a bare `VALUE`, whose key is None. Raises UsageError."""
    pairs: list[tuple[str | None, V]] = []
    for text in texts or []:
        key, equals, value = text.rpartition("=")
        if option == "--hold" and not equals:
            raise UsageError(f"{option} {text!r} is not ASSET=AMOUNT", advice="For example: --hold USDC=1000000")
        try:
            pairs.append((key if equals else None, kind(value)))
        except ValueError:
            raise UsageError(f"{option} {text!r} is not a number", advice="See `navoracle replay --help`.") from None
    return pairs


def _warnings(setup: ReplaySetup, result: ReplayResult) -> list[str]:
    troubles = {"event": result.event_trouble, "state": result.state_trouble}
    return [
        *setup.warnings,
        *(f"the {kind} files are not whole: {trouble}" for kind, trouble in troubles.items() if trouble is not None),
    ]


def _document(setup: ReplaySetup, result: ReplayResult, url: str) -> dict[str, Any]:
    return {
        "start": setup.start,
        "end": setup.end,
        "holdings": dict(setup.amounts),
        "shares": setup.shares,
        "registry": result.registry,
        "database": url,
        "warnings": _warnings(setup, result),
        "series": [series_json(name, series) for name, series in setup.series.items()],
        "funds": summary_json(result.slots),
        "slots": [slot_json(slot) for slot in result.slots],
        "verified": {"accepted": result.verification.accepted, "rejected": list(result.verification.rejected)},
    }


def _show(out: Console, setup: ReplaySetup, result: ReplayResult, url: str, plot: Path | None) -> None:
    for warning in _warnings(setup, result):
        out.print(f"[yellow]warning[/] {plain(warning)}")
    rows = table("series", "rows", "step", "from", "to", "gaps", "longest gap", right=("rows", "gaps"))
    for name, series in setup.series.items():
        gaps = series.gaps()
        rows.add_row(
            plain(name),
            str(len(series.times)),
            duration(series.step),
            moment(series.start),
            moment(series.end),
            str(len(gaps)),
            duration(max((gap.seconds for gap in gaps), default=None)),
        )
    out.print(rows)
    out.print()
    show_endings(out, result.slots)
    changes = cadence_changes(result.slots)
    if len(changes) > 1:
        out.print("cadence: " + ", ".join(f"{change['cadence']} from {moment(change['time'])}" for change in changes))
    out.print()
    show_exceptions(out, result.slots)
    out.print()
    show_verification(out, result.slots, result.verification)
    out.print(
        f"{count(len(result.slots), 'slot')} in {plain(url)}; "
        f"look deeper with `{program()} history --database {plain(url)}`"
    )
    if plot is not None:
        out.print(f"picture in {plain(plot)}")
