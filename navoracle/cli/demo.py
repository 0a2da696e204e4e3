"""`navoracle demo`: three funds, a real registry on an embedded chain, and a day that has everything in it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from navoracle.cli.output import count, present
from navoracle.cli.runtime import DatabaseUrl, JsonFlag
from navoracle.cli.timelines import (
    exit_code,
    fresh_database,
    program,
    show_endings,
    show_exceptions,
    show_verification,
    ticking,
)
from navoracle.composition import open_fresh_store
from navoracle.demo.run import START, DemoResult, demo_json, run_demo
from navoracle.demo.story import STORY_HOURS
from navoracle.domain.units import Timestamp
from navoracle.telemetry.logs import configure_logs

STEM = "navoracle-demo"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=24 * 14, help=f"Simulated hours; the story takes {STORY_HOURS}.")
    ] = 24,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Watch a keeper value three funds and post them to a real contract on an embedded chain, in accelerated time.

    A new database is left in this folder (or at --database) for `navoracle history` and `navoracle verify`.
    """
    configure_logs("console", "warning")
    url = database or fresh_database(STEM)
    with open_fresh_store(url) as store, ticking(START, Timestamp(START + hours * 3_600), quiet=as_json) as ticker:
        result = asyncio.run(run_demo(hours, store, ticker.slot, ticker.tell))
    present(demo_json(result, url), lambda out: _show(out, result, url), as_json=as_json)
    return exit_code(result.slots, result.verification)


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
