"""`navoracle run`: the service, until it is stopped. Without `--live` everything happens but the broadcast."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, cast

import typer

from navoracle.cli.dashboards import pages_of
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import print_json
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, Loaded, Runtime, load, runtime_of
from navoracle.service_manager import attend, manager_of_this_process

if TYPE_CHECKING:
    from navoracle.keeper.schedule import ScheduledClock
    from navoracle.store_port import Store


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
    from navoracle.telemetry.crash import install_crash_hooks

    loaded = load(context, config, database)
    install_crash_hooks()
    runtime = runtime_of(context)
    with _world(loaded, live=live) as world:
        asyncio.run(_run(loaded, world, runtime, live=live, as_json=as_json))
    return ExitCode.OK


@dataclass(frozen=True, slots=True)
class _World:
    """The database, the folder of event files, and that of state files where it is not the configuration's."""

    store: Store
    events_folder: Path
    state_folder: Path | None


@contextmanager
def _world(loaded: Loaded, *, live: bool) -> Iterator[_World]:
    """What the service writes to; all of it is thrown away after a rehearsal."""
    from navoracle.composition.rehearsals import copy_for_rehearsal
    from navoracle.composition.stores import open_store

    url = loaded.database.get_secret_value()
    if live:
        with open_store(url) as store:
            yield _World(store, loaded.config.service.events.folder, None)
        return
    with TemporaryDirectory(prefix="navoracle-") as folder:
        copy = copy_for_rehearsal(url, Path(folder))
        with open_store(copy) as store:
            yield _World(store, Path(folder) / "events", Path(folder) / "state")


async def _run(loaded: Loaded, world: _World, runtime: Runtime, *, live: bool, as_json: bool) -> None:
    from navoracle.composition.beginning import begin
    from navoracle.composition.service import open_service
    from navoracle.composition.service_view import HEARTBEAT_LIMIT

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    opened = open_service(
        loaded.config,
        clock=cast("ScheduledClock", runtime.clock),
        store=world.store,
        live=live,
        events_folder=world.events_folder,
        state_folder=world.state_folder,
        chains=runtime.chains,
        documents=loaded.path.parent,
        add_pages=pages_of(loaded.config),
    )
    async with opened as running:
        beginning = begin(running, loaded.config, runtime.clock.now(), live=live)
        if as_json:
            print_json(beginning.document())
        if (manager := manager_of_this_process()) is not None:

            def alive() -> bool:
                return runtime.clock.now() - running.observer.last_beat <= HEARTBEAT_LIMIT

            status = f"{'live' if live else 'rehearsal'}, {len(loaded.config.funds)} funds"
            running.service.accompany(partial(attend, manager, alive, status))
        try:
            await running.service.run(stop)
        finally:
            running.observer.stopped()
