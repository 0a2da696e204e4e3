"""`navoracle demo`: three funds, a real registry on an embedded chain, and a day that has everything in it."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from navoracle.cli.dashboard import DEFAULT_PORT
from navoracle.cli.dashboards import pages_of, require_installed
from navoracle.cli.demo_steps import show_desk, show_steps
from navoracle.cli.exit_codes import INTERRUPTED
from navoracle.cli.output import console, count, plain, present
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
from navoracle.domain.errors import ConfigurationError, UsageError
from navoracle.domain.units import Timestamp

if TYPE_CHECKING:
    from navoracle.demo.handout import Handout
    from navoracle.demo.run import DemoResult
    from navoracle.demo.stage import Stage
    from navoracle.store_port import Store

STEM: Final = "navoracle-demo"
LOCALHOST: Final = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=24 * 14, help="Simulated hours; a day shows the whole story.")
    ] = 24,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Serve the dashboard while it runs, and go on until it is stopped."),
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Of the dashboard; 0 takes a free one.")] = (
        DEFAULT_PORT
    ),
    rpc: Annotated[
        int | None,
        typer.Option(
            "--rpc",
            metavar="PORT",
            min=0,
            max=65_535,
            help="With --serve: serve the chain as a node, too, and go on in real time once the story is over.",
        ),
    ] = None,
    pace: Annotated[
        float,
        typer.Option("--pace", min=0.1, help="Seconds of a quarter of an hour once the story is over, without --rpc."),
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
    from navoracle.composition.stores import open_fresh_store
    from navoracle.demo.run import demo_json, start_of
    from navoracle.replay.state_files import require_empty_folder
    from navoracle.telemetry.logs import configure_logs

    if rpc is not None and not serve:
        raise UsageError("--rpc goes with --serve", advice="Add --serve: the chain is there as long as it is served.")
    if serve:
        require_installed()
        _require_free(port, "--port")
    if rpc is not None:
        _require_free(rpc, "--rpc")
        if rpc == port != 0:
            raise UsageError("--port and --rpc are the same", advice="Give the dashboard and the node a port each.")
    if state_files is not None:
        require_empty_folder(state_files)
    configure_logs("console", "critical")
    url = database or fresh_database(STEM)
    start = start_of(hours, until_present=rpc is not None)
    with (
        TemporaryDirectory(prefix="navoracle-") as scratch,
        open_fresh_store(url) as store,
        ticking(start, Timestamp(start + hours * 3_600), quiet=as_json) as ticker,
        _service_log(_log_of(url) if serve else None),
    ):
        stage = _stage(state_files or Path(scratch), url, port, rpc, pace, ticker) if serve else None
        result = asyncio.run(_play(hours, start, store, ticker, stage))
    present(demo_json(result, url), lambda out: _show(out, result, url), as_json=as_json)
    return INTERRUPTED if result.stopped else exit_code(result.slots, result.verification)


@contextmanager
def _service_log(file: Path | None) -> Iterator[None]:
    """Let the service log to a file while the block runs, so that the terminal shows the story alone.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    from navoracle.telemetry.logs import configure_logs

    if file is None:
        yield
        return
    try:
        log = file.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be written: {error.strerror}", advice="Start the demo in a folder of your own."
        ) from error
    with log:
        configure_logs("console", "info", log)
        try:
            yield
        finally:
            configure_logs("console", "critical")


async def _play(hours: int, start: Timestamp, store: Store, ticker: Ticker, stage: Stage | None) -> DemoResult:
    """Play it; SIGINT and SIGTERM end it in order, and at once when they come again."""
    from navoracle.demo.run import run_demo

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ended(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, ended, each)
    return await run_demo(hours, store, ticker.slot, ticker.tell, stage, start=start, stop=stop)


def _stage(folder: Path, url: str, port: int, rpc: int | None, pace: float, ticker: Ticker) -> Stage:
    """How the demo is watched, and what is said of it on standard error."""
    from navoracle.demo.stage import Stage

    told = console(error=True)

    def opened(taken: int | None, handout: Handout) -> None:
        told.print(f"The dashboard is at http://{LOCALHOST}:{taken}/dashboard/; Ctrl-C stops the demo.", soft_wrap=True)
        told.print(f"What the keeper logs is in {plain(_log_of(url))}.", soft_wrap=True)
        if handout.rpc is not None:
            told.print(
                f"The chain is at {handout.rpc}; it has the present time once the story is over.", soft_wrap=True
            )

    def over(handout: Handout) -> None:
        ticker.end()
        if handout.rpc is None:
            show_desk(told, handout)
        else:
            show_steps(told, handout, url)

    return Stage(folder, port, rpc, pace, _files_of(url), pages_of, opened, over)


def _files_of(url: str) -> Path:
    """Path and stem of the files beside a database; in this folder where it is no file."""
    kind, _, file = url.partition(":///")
    return Path(file).with_suffix("") if kind == "sqlite" and file else Path(STEM)


def _log_of(url: str) -> Path:
    """Where the service of a demo that is served logs."""
    files = _files_of(url)
    return files.with_name(f"{files.name}.log")


def _require_free(port: int, option: str) -> None:
    """Refuse a port that is taken, before anything is begun. Raises UsageError."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOCALHOST, port))
    except OSError as error:
        raise UsageError(
            f"{option}: cannot listen at {LOCALHOST} port {port}: {error.strerror}",
            advice="Name another port, or 0 for a free one; another demo or keeper may have this one.",
        ) from error


def _show(out: Console, result: DemoResult, url: str) -> None:
    if result.stopped:
        out.print("[yellow]stopped[/] in the middle of its story; frames were not verified")
    out.print(f"[bold]{count(result.hours, 'hour')}[/] of simulated time, registry {result.registry}")
    out.print()
    show_endings(out, result.slots)
    out.print()
    show_exceptions(out, result.slots)
    out.print()
    if not result.stopped:
        show_verification(out, result.slots, result.verification)
        out.print()
    out.print("Look deeper:")
    out.print(f"  {program()} history levered-pt --database {url}")
    out.print(f"  {program()} verify --all --database {url}")
