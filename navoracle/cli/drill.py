"""`navoracle drill`: the faults that a keeper has to survive, played on the configured funds, limits and lanes."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import console, count, plain, present, table
from navoracle.cli.runtime import ConfigFile, JsonFlag, load
from navoracle.domain.errors import UsageError

if TYPE_CHECKING:
    from navoracle.drill.catalogue import Row
    from navoracle.drill.run import Result
    from navoracle.drill.shape import Shape

SURVIVED: Final = "[green]survived[/green]"
FAILED: Final = "[bold red]failed[/bold red]"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("drill")(drill)


def drill(
    context: typer.Context,
    row: Annotated[
        list[int] | None, typer.Option("--row", metavar="N", help="A row by number; all unless said.")
    ] = None,
    chain: Annotated[
        str | None, typer.Option("--chain", metavar="NAME", help="Whose funds, where several have.")
    ] = None,
    anvil: Annotated[Path | None, typer.Option("--anvil", metavar="FILE", help="The node; else anvil on PATH.")] = None,
    config: ConfigFile = None,
    as_json: JsonFlag = False,
) -> int:
    """Play the faults of a keeper's life against this configuration, on a local node, in simulated time.

    Funds, limits, cadence and lanes are the configured ones; prices, holdings, nodes, registry and keys are made up.
    Nothing configured is asked, signed for or told. Ends with 3 when a fault was not survived.
    """
    import structlog

    from navoracle.drill.node import find_anvil
    from navoracle.drill.run import play_all
    from navoracle.drill.shape import shape_of

    loaded = load(context, config)
    binary = find_anvil(anvil)
    shape = shape_of(loaded.config, chain)
    rows = chosen_rows(row)
    # What a drill brings about is no news to anybody: the scorecard says it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    progress = None if as_json or not sys.stderr.isatty() else console(error=True)
    results = asyncio.run(play_all(rows, binary, shape, loaded.config, lambda each: _tick(progress, each)))
    document = drill_json(shape, results)
    present(document, lambda out: _show(out, shape, results), as_json=as_json)
    return ExitCode.OK if all(result.survived for result in results) else ExitCode.GUARD


def chosen_rows(numbers: list[int] | None) -> list[Row]:
    """The named rows, or all. Raises UsageError for one that a drill does not have."""
    from navoracle.drill.rows import catalogue

    rows = catalogue()
    for number in numbers or ():
        if number not in rows:
            raise UsageError(
                f"a drill has no row {number}", advice=f"It has {', '.join(str(known) for known in sorted(rows))}."
            )
    return [each for number in sorted(numbers or rows) for each in rows[number]]


def drill_json(shape: Shape, results: tuple[Result, ...]) -> dict[str, Any]:
    """The scorecard as plain JSON."""
    from navoracle.drill.invariants import INVARIANTS

    return {
        "chain": shape.chain,
        "funds": list(shape.funds),
        "survived": sum(result.survived for result in results),
        "failed": sum(not result.survived for result in results),
        "invariants": {str(number): text for number, text in INVARIANTS.items()},
        "rows": [
            {
                "row": result.row.number,
                "fault": result.row.fault,
                "injection": result.row.injection,
                "survived": result.survived,
                "failure": result.failure,
                "violations": [{"invariant": number, "what": what} for number, what in result.violations],
                "milliseconds": round(result.seconds * 1000),
            }
            for result in results
        ],
    }


def _tick(out: Console | None, result: Result) -> None:
    if out is not None:
        out.print(f"{'ok    ' if result.survived else 'FAILED'} row {result.row.number}: {plain(result.row.fault)}")


def _show(out: Console, shape: Shape, results: tuple[Result, ...]) -> None:
    from navoracle.drill.invariants import INVARIANTS

    card = table("row", "fault", "brought about by", "outcome", right=("row",))
    for result in results:
        said = SURVIVED
        if not result.survived:
            broken = [result.failure] if result.failure else []
            broken += [f"invariant {number}: {what}" for number, what in result.violations]
            said = f"{FAILED}: {plain('; '.join(broken))}"
        card.add_row(str(result.row.number), plain(result.row.fault), plain(result.row.injection), said)
    out.print(card)
    out.print()
    survived = sum(result.survived for result in results)
    out.print(
        f"{count(len(shape.funds), 'fund')} on {plain(shape.chain)}: {survived} of "
        f"{count(len(results), 'fault')} survived, each with {len(INVARIANTS)} invariants checked after it"
    )
