"""Playing rows, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from navoracle.config.models import Config
from navoracle.domain.errors import NavoracleError
from navoracle.drill.catalogue import Row
from navoracle.drill.expect import RowFailed
from navoracle.drill.rehearsal import rehearsing
from navoracle.drill.shape import Shape
from navoracle.registry_port import GuardBounds


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row: why it failed (None when it was survived), and which invariants did not hold after it."""

    row: Row
    failure: str | None
    violations: tuple[tuple[int, str], ...]
    seconds: float

    @property
    def survived(self) -> bool:
        """Whether the fault was survived, invariants included."""
        return self.failure is None and not self.violations


async def play(row: Row, binary: Path, shape: Shape, folder: Path, config: Config | None = None) -> Result:
    """Play one row in a world of its own, and check every invariant after it.

    Raises:
        UsageError: there is no node to play it on.
    """
    began = time.monotonic()
    bounds = None if row.bounds is None else GuardBounds(row.bounds[0], row.bounds[0], row.bounds[1])
    failure: str | None = None
    found: list[tuple[int, str]] = []
    rehearsal = rehearsing(
        binary, shape, folder, config=config, chain=row.chain, transactions=row.transactions, bounds=bounds
    )
    async with rehearsal as stage:
        try:
            if row.started:
                await stage.start()
            await row.play(stage)
        except RowFailed as failed:
            failure = str(failed)
        except NavoracleError as error:
            failure = f"{type(error).__name__}: {error.message}"
        if stage.keepers:
            found = await stage.violations()
    return Result(row, failure, tuple(found), time.monotonic() - began)


async def play_all(
    rows: Iterable[Row], binary: Path, shape: Shape, config: Config | None, tell: Callable[[Result], None]
) -> tuple[Result, ...]:
    """Play rows one after another, each in a folder of its own that is thrown away; `tell` hears of each."""
    results = []
    for row in rows:
        with TemporaryDirectory(prefix="navoracle-drill-") as folder:
            results.append(await play(row, binary, shape, Path(folder), config))
        tell(results[-1])
    return tuple(results)
