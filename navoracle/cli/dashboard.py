"""`navoracle dashboard`: the pages over a database and state files, without a keeper in the same process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from navoracle.cli.dashboards import require_installed, settings_of
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import print_json
from navoracle.cli.prompts import Prompts
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, configured_or_database, runtime_of
from navoracle.domain.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from navoracle.dashboard.attach import Settings
    from navoracle.read_model.model import ReadModel

DEFAULT_PORT: Final = 9188
STALE_SECONDS: Final = 7_200


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("dashboard")(dashboard)


def dashboard(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Where to listen; beyond this machine it needs a password.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0 takes a free one.")] = DEFAULT_PORT,
    state_files: Annotated[
        Path | None,
        typer.Option("--state-files", metavar="FOLDER", help="The state files' folder; else the configuration's."),
    ] = None,
    set_password: Annotated[
        Path | None,
        typer.Option("--set-password", metavar="FILE", help="Read a password, write its hash to FILE, and end."),
    ] = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Serve the dashboard over a database and state files until it is stopped; it notes who takes care of an alert.

    `navoracle run` serves the same pages itself, beside its health.
    """
    from navoracle.composition.read_model import stored_read_model
    from navoracle.composition.stores import open_existing_store
    from navoracle.config.service import DashboardSection

    require_installed()
    if set_password is not None:
        _write_password(set_password, as_json=as_json)
        return ExitCode.OK
    loaded, url = configured_or_database(context, config, database)
    said = DashboardSection() if loaded is None else loaded.config.service.dashboard
    stale_after = STALE_SECONDS if loaded is None else loaded.config.service.nav_age_limit
    settings = settings_of(said, host, stale_after)
    folder = state_files
    if folder is None and loaded is not None and loaded.config.state_files is not None:
        folder = loaded.config.state_files.folder
    with open_existing_store(url) as store:
        model = stored_read_model(
            None if loaded is None else loaded.config, store, runtime_of(context).clock, state_folder=folder
        )
        asyncio.run(_serve(model, settings, host, port, as_json=as_json))
    return ExitCode.OK


async def _serve(model: ReadModel, settings: Settings, host: str, port: int, *, as_json: bool) -> None:
    from navoracle.dashboard.standalone import serving_dashboard

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    async with serving_dashboard(model, settings, host, port) as taken:
        tell_address(host, taken, as_json=as_json)
        await stop.wait()


def tell_address(host: str, port: int, *, as_json: bool) -> None:
    """Say where the dashboard is."""
    shown = f"[{host}]" if ":" in host else host
    where = f"http://{shown}:{port}/dashboard/"
    if as_json:
        print_json({"dashboard": where})
    else:
        sys.stdout.write(f"The dashboard is at {where}\n")
    sys.stdout.flush()


def _write_password(file: Path, *, as_json: bool) -> None:
    """Ask for a password, or read it from standard input, and write its hash."""
    from navoracle.dashboard.access import hashed

    password = Prompts(enabled=True).secret("password") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    line = hashed(password)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"{file} exists", advice="Remove it first, or name another file.") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}", advice="Check its folder.") from error
    with os.fdopen(descriptor, "w") as out:
        out.write(f"{line}\n")
    if as_json:
        print_json({"password_file": str(file)})
    else:
        sys.stdout.write(f"Set `service.dashboard.password_file: {file}`.\n")
