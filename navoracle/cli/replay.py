"""`navoracle replay`: the same keeper over recorded prices and a test clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from navoracle.cli.runtime import DatabaseUrl, JsonFlag, PlotFile
from navoracle.cli.timelines import exit_code, fresh_database, ticking
from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp

V = TypeVar("V")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    prices: Annotated[
        list[str] | None,
        typer.Option("--prices", metavar="ASSET:GROUP=FILE", help="A CSV series as one source; repeat it."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="A whole configuration of recorded series. Stands alone."),
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
        int | None,
        typer.Option(
            "--sample-seconds", min=1, max=3_600, help="How often the sampler looks; the configuration's, or 60."
        ),
    ] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Also write one row a slot.")] = None,
    risk_file: Annotated[
        Path | None, typer.Option("--risk", metavar="FILE", help="Also write one row a look at risk, with --config.")
    ] = None,
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

    With --prices one fund holds the assets named: 1,000,000 tokens of a single one, or 1,000,000 of value of each at
    its first price, against as many shares. With --config everything is as the file says, risk monitors and gates
    included; what it reads must be recorded or declared. A close counts as known when its row's step ends. A new
    database is left in this folder. A recorded world gives the same evidence, byte for byte, or the command ends with 3
    and names the funds.
    """
    from navoracle.cli.replay_config import replay_file
    from navoracle.cli.replay_outputs import STEM, Outputs, Told
    from navoracle.cli.worlds import replay_worlds
    from navoracle.composition.stores import open_fresh_store
    from navoracle.replay.engine import replay as run_replay
    from navoracle.replay.setup import FUND, ReplayOptions, parse_price_file, prepare
    from navoracle.telemetry.logs import configure_logs

    configure_logs("console", "warning")
    if len([form for form in (prices, config, world) if form]) != 1:
        raise UsageError(
            "a replay is of --prices, of a --config, or of a --world",
            advice="Give one of --prices ASSET:GROUP=FILE, --config FILE and --world FILE; repeat the first and last.",
        )
    own = {"--hold": hold, "--min-sources": min_sources, "--max-age": max_age, "--step": step}
    if world:
        files = {"--csv": csv_file, "--events": events_file, "--events-folder": events_folder}
        _refuse({"--plot": plot, "--state-folder": state_folder, "--risk": risk_file, **files}, "a world is one frame")
        return replay_worlds(world, as_json=as_json)
    where = Outputs(csv_file, risk_file, plot, events_file, events_folder, state_folder)
    where.check()
    first, last = (None if at is None else Timestamp(at) for at in (start, end))
    if config is not None:
        _refuse(own, "the configuration says it")
        return replay_file(
            config,
            start=first,
            end=last,
            chain=_chain(chain),
            sample_seconds=sample_seconds,
            where=where,
            database=database,
            as_json=as_json,
        )
    _refuse({"--risk": risk_file}, "the fund of --prices has no risk monitor")
    options = ReplayOptions(
        prices=tuple(map(parse_price_file, prices or ())),
        holdings={key: value for key, value in _pairs("--hold", hold, str) if key is not None},
        min_sources=dict(_pairs("--min-sources", min_sources, int)),
        max_age={None if key is None else key.replace(":", "-"): age for key, age in _pairs("--max-age", max_age, int)},
        step=step,
        start=first,
        end=last,
        chain=_chain(chain),
        sample_seconds=60 if sample_seconds is None else sample_seconds,
    )
    setup = prepare(options)
    url = database or fresh_database(STEM)
    with open_fresh_store(url) as store, ticking(setup.start, setup.end, quiet=as_json) as ticker:
        result = asyncio.run(
            run_replay(options, setup, store, ticker.slot, events_folder=events_folder, state_folder=state_folder)
        )
        where.write_events(store)
    where.write_slots(FUND, result.slots)
    told = Told(setup.start, setup.end, setup.series, setup.warnings, url, plot)
    told.present(result, {"holdings": dict(setup.amounts), "shares": setup.shares}, as_json=as_json)
    return exit_code(result.slots, result.verification)


def _refuse(options: Mapping[str, object], why: str) -> None:
    for option, value in options.items():
        if value is not None and value != []:
            raise UsageError(f"{option} has no place here: {why}", advice="Leave it out.")


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
