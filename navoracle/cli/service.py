"""`navoracle run`: the service, until it is stopped. Without `--live` everything happens but the broadcast."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, cast

import structlog
import typer

from navoracle import __version__
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import print_json
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, Loaded, Runtime, load, runtime_of
from navoracle.composition import copy_for_rehearsal, open_service, open_store
from navoracle.config.loading import config_hash
from navoracle.keeper.schedule import ScheduledClock
from navoracle.store_port import Store
from navoracle.telemetry.crash import install_crash_hooks


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    context: typer.Context,
    live: Annotated[bool, typer.Option("--live", help="Sign and send; a rehearsal without it.")] = False,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Run the keeper until it is stopped (SIGINT, SIGTERM): sampler, slots, transactions, requests, health and alerts.

    A rehearsal works on a copy of the database, which is thrown away at the end; nothing is signed or sent.
    """
    loaded = load(context, config, database)
    install_crash_hooks()
    runtime = runtime_of(context)
    with _world(loaded, live=live) as (store, events_folder):
        asyncio.run(_run(loaded, store, events_folder, runtime, live=live, as_json=as_json))
    return ExitCode.OK


@contextmanager
def _world(loaded: Loaded, *, live: bool) -> Iterator[tuple[Store, Path]]:
    """The database and the folder of event files; throw-away ones for a rehearsal."""
    url = loaded.database.get_secret_value()
    if live:
        with open_store(url) as store:
            yield store, loaded.config.service.events.folder
        return
    with TemporaryDirectory(prefix="navoracle-") as folder:
        copy = copy_for_rehearsal(url, Path(folder))
        with open_store(copy) as store:
            yield store, Path(folder) / "events"


async def _run(
    loaded: Loaded, store: Store, events_folder: Path, runtime: Runtime, *, live: bool, as_json: bool
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    opened = open_service(
        loaded.config,
        clock=cast("ScheduledClock", runtime.clock),
        store=store,
        live=live,
        events_folder=events_folder,
        chains=runtime.chains,
        documents=loaded.path.parent,
    )
    async with opened as running:
        _tell_start(loaded, running.port, live=live, as_json=as_json)
        running.observer.started(config_hash(loaded.config), live=live, version=__version__)
        try:
            await running.service.run(stop)
        finally:
            running.observer.stopped()


def _tell_start(loaded: Loaded, port: int | None, *, live: bool, as_json: bool) -> None:
    host = loaded.config.service.http.host
    where = None if port is None else f"http://{host}:{port}"
    structlog.get_logger("navoracle.run").info(
        "started", live=live, funds=len(loaded.config.funds), chains=len(loaded.config.chains), serves=where
    )
    if as_json:
        print_json({"version": __version__, "live": live, "funds": list(loaded.config.funds), "serves": where})
        sys.stdout.flush()
