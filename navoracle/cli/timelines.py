"""What `demo` and `replay` share: a fresh database, a progress line, and the table of how slots ended."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import console, count, moment, money, percent, plain, table
from navoracle.cli.progress import shown
from navoracle.domain.units import Timestamp

if TYPE_CHECKING:
    from rich.progress import Progress

    from navoracle.replay.engine import Verification
    from navoracle.replay.report import SlotReport

_STYLES = {"posted": "green", "held": "yellow", "skipped": "yellow", "failed": "red"}


def fresh_database(stem: str) -> str:
    """The URL of a database file of this name in this folder that does not exist yet; nothing is ever overwritten."""
    number, path = 1, Path(f"{stem}.db")
    while path.exists():
        number += 1
        path = Path(f"{stem}-{number}.db")
    return f"sqlite:///{path}"


def program() -> str:
    """How this command line is called from here: by its name where the shell finds it, else by its file."""
    if shutil.which("navoracle") is not None:
        return "navoracle"
    return os.path.relpath(sys.argv[0])


class Ticker:
    """A progress line on standard error: how far the simulated time is, and what was said last."""

    def __init__(self, progress: Progress, start: Timestamp, end: Timestamp) -> None:
        self._progress = progress
        self._start = start
        self._task = progress.add_task("starting", total=max(1, end - start))

    def slot(self, at: Timestamp, slot: SlotReport) -> None:
        """A slot ended."""
        style = _STYLES.get(slot.state, "red")
        self._progress.update(
            self._task,
            completed=at - self._start,
            description=f"{moment(at)} {plain(slot.fund)} [{style}]{slot.state}[/]",
        )

    def tell(self, at: Timestamp, what: str) -> None:
        """Something happened in the world: a line that stays."""
        self._progress.console.print(f"{moment(at)}  {plain(what)}")

    def end(self) -> None:
        """Take the line away: what follows takes no measurable time."""
        self._progress.stop()


@contextmanager
def ticking(start: Timestamp, end: Timestamp, *, quiet: bool) -> Iterator[Ticker]:
    """Show a progress line while the block runs; nothing when `quiet`."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns,
        console=Console(quiet=True) if quiet else console(error=True),
        transient=True,
        disable=not shown(quiet=quiet),
    ) as progress:
        yield Ticker(progress, start, end)


def show_endings(out: Console, slots: Sequence[SlotReport]) -> None:
    """Draw, by fund, how the slots ended, then every slot that was not posted live."""
    rows = table(
        "fund", "slots", "posted", "held", "skipped", "failed", "lowest price per share", "last", right=("slots",)
    )
    for fund in sorted({slot.fund for slot in slots}):
        own = [slot for slot in slots if slot.fund == fund]
        posted = [slot.price_per_share for slot in own if slot.state == "posted" and slot.price_per_share is not None]
        counts = [str(sum(slot.state == state for slot in own)) for state in ("posted", "held", "skipped", "failed")]
        rows.add_row(
            plain(fund),
            str(len(own)),
            *counts,
            money(min(posted, default=None), 6),
            money(posted[-1] if posted else None, 6),
        )
    out.print(rows)


def show_exceptions(out: Console, slots: Sequence[SlotReport], *, most: int = 40) -> None:
    """Draw every slot that was not an ordinary live post."""
    unusual = [slot for slot in slots if slot.state != "posted" or slot.status != "live"]
    if not unusual:
        return
    rows = table("time", "fund", "cadence", "ended", "why", "NAV", "price per share", "confidence", right=("NAV",))
    for slot in unusual[:most]:
        style = _STYLES.get(slot.state, "red")
        why = slot.reason if slot.reason is not None else slot.status
        rows.add_row(
            moment(slot.time),
            plain(slot.fund),
            slot.cadence,
            f"[{style}]{slot.state}[/]",
            plain(why if slot.status in ("live", "none", "halted", why) else f"{why} ({slot.status})"),
            money(slot.nav),
            money(slot.price_per_share, 6),
            percent(slot.confidence),
        )
    out.print(rows)
    if len(unusual) > most:
        out.print(f"and {len(unusual) - most} more; --json has them all")


def show_verification(out: Console, slots: Sequence[SlotReport], verification: Verification) -> None:
    """Say what was proved of the run."""
    posted = [slot for slot in slots if slot.agrees is not None]
    agreeing = sum(slot.agrees is True for slot in posted)
    if posted:
        out.print(f"{agreeing} of {count(len(posted), 'posted NAV')} equal what the contract says, to the wei")
    out.print(
        f"{count(verification.accepted, 'fund frame')} recomputed from evidence, {len(verification.rejected)} refused"
    )
    for problem in verification.rejected[:5]:
        out.print(f"[red]refused[/] {plain(problem)}")


def exit_code(slots: Sequence[SlotReport], verification: Verification) -> ExitCode:
    """0, or 3 when evidence was refused or a contract disagrees with what was posted."""
    wrong = bool(verification.rejected) or any(slot.agrees is False for slot in slots)
    return ExitCode.GUARD if wrong else ExitCode.OK
