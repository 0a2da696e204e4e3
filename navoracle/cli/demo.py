"""`navoracle demo`: three funds, a real registry on an embedded chain, and a day that has everything in it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.console import Console

from navoracle.cli.dashboard import DEFAULT_PORT
from navoracle.cli.dashboards import require_installed, settings_of
from navoracle.cli.output import console, count, present
from navoracle.cli.runtime import DatabaseUrl, JsonFlag
from navoracle.cli.timelines import (
    Ticker,
    exit_code,
    fresh_database,
    program,
    show_endings,
    show_exceptions,
    show_verification,
    ticking,
)
from navoracle.composition import open_fresh_store
from navoracle.config.service import DashboardSection
from navoracle.demo.run import START, DemoResult, demo_json, run_demo
from navoracle.demo.stage import NAV_AGE_LIMIT, Stage
from navoracle.demo.story import STORY_HOURS
from navoracle.domain.units import Timestamp
from navoracle.read_model import ReadModel
from navoracle.replay.state_files import require_empty_folder
from navoracle.store_port import Store
from navoracle.telemetry.logs import configure_logs

STEM: Final = "navoracle-demo"
LOCALHOST: Final = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=24 * 14, help=f"Simulated hours; the story takes {STORY_HOURS}.")
    ] = 24,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Serve the dashboard while it runs, and go on until it is stopped."),
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Of the dashboard.")] = DEFAULT_PORT,
    pace: Annotated[
        float, typer.Option("--pace", min=0.1, help="Seconds of a quarter of an hour once the story is over.")
    ] = 5.0,
    state_files: Annotated[
        Path | None,
        typer.Option("--state-files", metavar="FOLDER", help="Keep the state files of a demo that is served there."),
    ] = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Watch a keeper value three funds and post them to a real contract on an embedded chain, in accelerated time.

    A new database is left in this folder (or at --database) for `navoracle history` and `navoracle verify`.
    """
    if serve:
        require_installed()
    if state_files is not None:
        require_empty_folder(state_files)
    configure_logs("console", "warning")
    url = database or fresh_database(STEM)
    with (
        TemporaryDirectory(prefix="navoracle-") as scratch,
        open_fresh_store(url) as store,
        ticking(START, Timestamp(START + hours * 3_600), quiet=as_json) as ticker,
    ):
        shown = partial(_stage, state_files or Path(scratch), port, pace, told=not as_json) if serve else None
        result = asyncio.run(_play(hours, store, ticker, shown))
    present(demo_json(result, url), lambda out: _show(out, result, url), as_json=as_json)
    return exit_code(result.slots, result.verification)


async def _play(hours: int, store: Store, ticker: Ticker, shown: Callable[[], Stage] | None) -> DemoResult:
    return await run_demo(hours, store, ticker.slot, ticker.tell, None if shown is None else shown())


def _stage(folder: Path, port: int, pace: float, *, told: bool) -> Stage:
    """How the demo is watched; it ends with SIGINT or SIGTERM."""
    from navoracle.dashboard.standalone import serving_dashboard

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    settings = settings_of(DashboardSection(), LOCALHOST, NAV_AGE_LIMIT)

    @asynccontextmanager
    async def opened(model: ReadModel) -> AsyncIterator[None]:
        async with serving_dashboard(model, settings, LOCALHOST, port) as taken:
            where = f"http://{LOCALHOST}:{taken}/dashboard/"
            console(error=True).print(f"The dashboard is at {where}; Ctrl-C stops the demo.", soft_wrap=True)
            yield

    return Stage(folder, opened, stop, pace)


def _show(out: Console, result: DemoResult, url: str) -> None:
    out.print(f"[bold]{count(result.hours, 'hour')}[/] of simulated time, registry {result.registry}")
    out.print()
    show_endings(out, result.slots)
    out.print()
    show_exceptions(out, result.slots)
    out.print()
    show_verification(out, result.slots, result.verification)
    out.print()
    out.print("Look deeper:")
    out.print(f"  {program()} history levered-pt --database {url}")
    out.print(f"  {program()} verify --all --database {url}")
