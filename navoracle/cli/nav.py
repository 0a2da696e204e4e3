"""`navoracle nav`: what funds are worth now. Nothing is recorded, nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import typer

from navoracle.cli.documents import frame_document
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import error_document, present
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, Funds, JsonFlag, Loaded, Runtime, chosen, load, runtime_of
from navoracle.cli.tables import show_frame
from navoracle.composition import open_system, rehearsal_store
from navoracle.domain.cadence import Cadence
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.keeper.advice import advice_for
from navoracle.keeper.frame import run_frame


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("nav")(nav)


def nav(
    context: typer.Context,
    funds: Funds = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Value funds now: components before and after queued deposits, price per share, verdicts, prices.

    Records nothing and sends nothing. Ends with 3 when a fund has no NAV that may be posted, with 6 when only some do.
    """
    loaded = load(context, config, database)
    names = chosen(loaded.config, funds)
    frame = asyncio.run(value_now(loaded, names, runtime_of(context)))
    stopped = [part for part in frame.funds if not part.postable]
    document = frame_document(frame)
    if stopped:
        document |= error_document("guard_refused", *_why(stopped))
    present(document, lambda out: show_frame(out, frame, loaded.config.unit_of_account), as_json=as_json)
    if not stopped:
        return ExitCode.OK
    return ExitCode.GUARD if len(stopped) == len(frame.funds) else ExitCode.PARTLY


async def value_now(loaded: Loaded, funds: Sequence[str], runtime: Runtime) -> NavFrame:
    """Run one frame over the funds from the real state, and keep nothing of it."""
    with rehearsal_store(loaded.database.get_secret_value()) as store:
        system = await open_system(
            loaded.config, clock=runtime.clock, store=store, chains=runtime.chains, documents=loaded.path.parent
        )
        try:
            now = runtime.clock.now()
            plan = await system.planner.slot(funds, now, Cadence.HOURLY, publish=False, now=now)
            return await run_frame(plan, system.ports)
        finally:
            await system.close()


def _why(stopped: Sequence[FundFrame]) -> tuple[str, str]:
    """What is wrong with the funds that may not be posted, and what to do about the first."""
    message = "; ".join(f"{part.fund} is {part.status.value} ({part.reason})" for part in stopped)
    return message, advice_for(stopped[0])
