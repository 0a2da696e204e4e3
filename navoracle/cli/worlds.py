"""Recorded worlds on the command line: valued again by the code and configuration of now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from navoracle.cli.documents import fund_document
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import error_document, money, plain, present, table
from navoracle.cli.progress import tracking
from navoracle.composition.worlds import RecordedCase, open_world
from navoracle.domain.errors import UsageError
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.keeper.evidence import evidence_hash
from navoracle.keeper.frame import run_frame


@dataclass(frozen=True, slots=True)
class Rerun:
    """One fund of one recorded world, valued again, and whether its evidence is what it was."""

    file: Path
    part: FundFrame
    evidence: bytes
    same: bool


async def value_case(case: RecordedCase, funds: Sequence[str] | None = None) -> NavFrame:
    """Run a recorded world's frame again, over all of its funds or those that are named. Raises UsageError."""
    known = tuple(fund.fund for fund in case.plan.funds)
    for name in funds or ():
        if name not in known:
            raise UsageError(f"the recorded world holds no fund {name}", advice=f"It holds: {', '.join(known)}.")
    wanted = tuple(fund for fund in case.plan.funds if not funds or fund.fund in funds)
    return await run_frame(replace(case.plan, funds=wanted), case.ports)


def replay_worlds(files: Sequence[Path], *, as_json: bool) -> int:
    """Run every recorded world again and compare its evidence; ends with 3 where one differs."""
    with tracking("replaying", total=len(files), quiet=as_json) as tracker:
        found = [rerun for file in tracker.each(files) for rerun in asyncio.run(_rerun(file))]
    differing = [rerun for rerun in found if not rerun.same]
    document: dict[str, Any] = {
        "worlds": [
            {"file": str(rerun.file), "same": rerun.same, **fund_document(rerun.part, rerun.evidence)}
            for rerun in found
        ]
    }
    if differing:
        names = ", ".join(f"{rerun.part.fund} of {rerun.file}" for rerun in differing)
        document |= error_document(
            "verification_failed",
            f"another result than recorded: {names}",
            "Look with `navoracle nav --world FILE --explain`; another version of navoracle alone makes a difference.",
        )
    present(document, lambda out: _show(out, found), as_json=as_json)
    return ExitCode.GUARD if differing else ExitCode.OK


async def _rerun(file: Path) -> list[Rerun]:
    case = await open_world(file)
    frame = await value_case(case)
    return [
        Rerun(
            file,
            part,
            frame.evidence[part.fund],
            case.recorded.get(part.fund) == "0x" + evidence_hash(frame.evidence[part.fund]).hex(),
        )
        for part in frame.funds
    ]


def _show(out: Console, found: Sequence[Rerun]) -> None:
    rows = table("world", "fund", "status", "NAV", "price per share", "evidence", right=("NAV", "price per share"))
    for rerun in found:
        valuation = rerun.part.valuation
        rows.add_row(
            plain(rerun.file),
            plain(rerun.part.fund),
            rerun.part.status.value + (f" ({plain(rerun.part.reason)})" if rerun.part.reason else ""),
            money(None if valuation is None else valuation.after.nav),
            money(None if valuation is None else valuation.price_per_share, 6),
            "[green]same[/]" if rerun.same else "[red]differs[/]",
        )
    out.print(rows)
