"""`navoracle record`: every raw answer of a live frame in one file, so that a case can be looked at without a node."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from navoracle.cli.config import config_document
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import count, moment, plain, present
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, Funds, JsonFlag, Loaded, Runtime, chosen, load, runtime_of
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import UsageError

if TYPE_CHECKING:
    from navoracle.domain.frame import NavFrame
    from navoracle.keeper.recording import Recorder


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("record")(record)


def record(
    context: typer.Context,
    funds: Funds = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the world.")] = Path("world.json"),
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Value funds now and write down every raw answer, with the configuration (without its secrets) and the prior.

    `navoracle nav --world FILE` values the file again, its --explain looks through it, and `navoracle replay --world
    FILE` checks that it still gives the same. Addresses and balances are in it; keys and passwords are not.
    """
    loaded = load(context, config, database)
    names = chosen(loaded.config, funds)
    recorder, frame, document = asyncio.run(_record(loaded, names, runtime_of(context)))
    try:
        out.write_bytes(document)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", advice="Name a file that can be written.") from error
    written = {
        "file": str(out),
        "bytes": len(document),
        "answers": len(recorder.answers),
        "now": frame.now,
        "funds": {part.fund: {"status": part.status.value, "reason": part.reason} for part in frame.funds},
    }

    def show(console: Console) -> None:
        console.print(
            f"{plain(out)}: {count(len(recorder.answers), 'answer')} of {moment(frame.now)}, {len(document)} bytes"
        )
        for part in frame.funds:
            console.print(
                f"  {plain(part.fund)}: {part.status.value}" + (f" ({plain(part.reason)})" if part.reason else "")
            )

    present(written, show, as_json=as_json)
    return ExitCode.OK


async def _record(loaded: Loaded, names: tuple[str, ...], runtime: Runtime) -> tuple[Recorder, NavFrame, bytes]:
    from navoracle.composition.plans import subject_of
    from navoracle.composition.resolving import resolve
    from navoracle.composition.stores import rehearsal_store
    from navoracle.composition.system import open_system
    from navoracle.keeper.frame import run_frame
    from navoracle.keeper.recording import Recorder

    recorder = Recorder()
    with rehearsal_store(loaded.database.get_secret_value()) as store:
        system = await open_system(
            loaded.config, clock=runtime.clock, store=store, chains=runtime.chains, documents=loaded.path.parent
        )
        try:
            now = runtime.clock.now()
            ports = await recorder.ports(system.ports)
            # Once more, listened to: what resolution reads belongs to the world too.
            chain_ids = {name: section.chain_id for name, section in system.config.chains.items()}
            await resolve(subject_of(system.config), ports.chains, ports.off_chain, now, chain_ids)
            plan = await system.planner.slot(names, now, Cadence.HOURLY, publish=False, now=now)
            frame = await run_frame(plan, ports)
        finally:
            await system.close()
    return recorder, frame, recorder.document(plan, frame, config_document(system.config, loaded.database))
