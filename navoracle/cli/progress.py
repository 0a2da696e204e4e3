"""Progress of long work: a line on standard error, on a terminal alone; nothing else ever sees it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from navoracle.cli.output import console

T = TypeVar("T")


def shown(*, quiet: bool) -> bool:
    """Whether progress is shown: not where it is to be quiet, and not where standard error is no terminal."""
    return not quiet and sys.stderr.isatty()


class Tracker:
    """Counts items as they are worked off."""

    def __init__(self, progress: Progress, what: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total)

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """The items one by one."""
        for item in items:
            yield item
            self._progress.advance(self._task)


@contextmanager
def tracking(what: str, *, total: int | None, quiet: bool) -> Iterator[Tracker]:
    """Show a line that says how many items there were; it is gone at the end of the block, however that ends.

    Args:
        total: how many there will be, where that is known.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(error=True), transient=True, disable=not shown(quiet=quiet)) as progress:
        yield Tracker(progress, what, total)
