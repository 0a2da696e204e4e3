"""`navoracle nav`: what funds are worth now. Nothing is recorded, nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from navoracle.cli.blocks import AtBlock, blocks_of
from navoracle.cli.documents import frame_document
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.explained import line_document, show_line
from navoracle.cli.output import error_document, present
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, Funds, JsonFlag, Loaded, Runtime, chosen, load, runtime_of
from navoracle.cli.tables import show_frame
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import UsageError
from navoracle.keeper.advice import advice_for

if TYPE_CHECKING:
    from navoracle.domain.frame import FundFrame, NavFrame
    from navoracle.keeper.explain import Line

WorldFile = Annotated[
    Path | None, typer.Option("--world", metavar="FILE", help="Value a recorded world instead, see `record`.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("nav")(nav)


def nav(
    context: typer.Context,
    funds: Funds = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print the tree down to the raw bytes.")] = False,
    at: AtBlock = None,
    world: WorldFile = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Value funds now, or at a past block, or in a recorded world: components, price per share, verdicts, prices.

    Records nothing and sends nothing. A past block starts from no state: no fees, no guards against an earlier NAV.
    Ends with 3 when a fund has no NAV that may be posted, with 6 when only some do.
    """
    from navoracle.cli.worlds import value_case
    from navoracle.composition.worlds import open_world
    from navoracle.config.overrides import with_overrides

    if world is not None:
        if at:
            raise UsageError("--at and --world exclude one another", advice="A recorded world has one block.")
        other = (
            None
            if config is None
            else with_overrides(load(context, config).config, runtime_of(context).clock.now()).config
        )
        case = asyncio.run(open_world(world, other))
        unit, frame = case.config.unit_of_account, asyncio.run(value_case(case, funds))
    else:
        loaded = load(context, config, database)
        names = chosen(loaded.config, funds)
        blocks = blocks_of(loaded.config, at)
        unit = loaded.config.unit_of_account
        frame = asyncio.run(value_now(loaded, names, runtime_of(context), blocks))
    trees = [explain_document(frame.evidence[part.fund]) for part in frame.funds] if explain else []
    stopped = [part for part in frame.funds if not part.postable]
    document = frame_document(frame)
    if stopped:
        document |= error_document("guard_refused", *_why(stopped))
    if explain:
        document["explained"] = [line_document(tree) for tree in trees]

    def show(out: Console) -> None:
        if not explain:
            show_frame(out, frame, unit)
        for tree in trees:
            show_line(out, tree)

    present(document, show, as_json=as_json)
    if not stopped:
        return ExitCode.OK
    return ExitCode.GUARD if len(stopped) == len(frame.funds) else ExitCode.PARTLY


async def value_now(
    loaded: Loaded, funds: Sequence[str], runtime: Runtime, blocks: Mapping[str, int] | None = None
) -> NavFrame:
    """Run one frame over the funds from the real state, or at past blocks from none, and keep nothing of it."""
    from navoracle.composition.stores import rehearsal_store
    from navoracle.composition.system import open_system
    from navoracle.keeper.frame import run_frame
    from navoracle.keeper.pinned import ports_at

    with rehearsal_store(loaded.database.get_secret_value()) as store:
        system = await open_system(
            loaded.config,
            clock=runtime.clock,
            store=None if blocks else store,
            chains=runtime.chains,
            documents=loaded.path.parent,
        )
        try:
            now = runtime.clock.now()
            plan = await system.planner.slot(funds, now, Cadence.HOURLY, publish=False, now=now)
            if not blocks:
                return await run_frame(plan, system.ports)
            ports = await ports_at(plan, system.ports, blocks)
            return await run_frame(replace(plan, slot_time=ports.clock.now()), ports)
        finally:
            await system.close()


def explain_document(evidence: bytes) -> Line:
    """The tree of one fund's evidence: what its readers were answered, and what follows from that."""
    from navoracle.composition.evidence_plans import plan_from_evidence
    from navoracle.keeper.explain import Explainer
    from navoracle.keeper.verify import recompute

    again = recompute(evidence, plan_from_evidence)
    explainer = Explainer(again.plan, again.collected.readings, again.prices, again.collected.now)
    return explainer.fund(again.found)


def _why(stopped: Sequence[FundFrame]) -> tuple[str, str]:
    """What is wrong with the funds that may not be posted, and what to do about the first."""
    message = "; ".join(f"{part.fund} is {part.status.value} ({part.reason})" for part in stopped)
    return message, advice_for(stopped[0])
