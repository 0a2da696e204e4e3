"""How long the list of funds takes to answer: 10,000 funds against 100, in turn, in one run.

    python -m bench.funds_list [--json] [--runs N]

Asked is `GET /api/v1/funds` with a filter and a sort by NAV, a page of 50, through the whole application. "new" is the
first answer after the state files were written anew, "kept" one while they stay. Figures are processor time, the
fastest of the runs: another program on the machine only ever adds.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from fastapi.testclient import TestClient

from navoracle.storage import SqlStore
from navoracle.web_service import build_app
from tests.unit.read_model.worlds import World, entry, facts, write_index
from tests.unit.web_service.fakes import Keeper, Text

FEW: Final = 100
MANY: Final = 10_000
RUNS: Final = 5
LIMIT_MS: Final = 300
QUESTION: Final = {"text": "7", "sort": "nav", "descending": "true", "limit": "50"}


def measure(runs: int = RUNS) -> dict[str, Any]:
    """Milliseconds of an answer for each number of funds, and their ratios.

    Raises:
        RuntimeError: an answer is not what it must be.
    """
    with TemporaryDirectory() as folder:
        worlds = {number: _World(Path(folder) / str(number), number) for number in (FEW, MANY)}
        spent: dict[str, dict[int, list[float]]] = {kind: {FEW: [], MANY: []} for kind in ("new", "kept")}
        for _ in range(runs):
            for number, world in worlds.items():
                world.write()
                spent["new"][number].append(world.ask())
                spent["kept"][number].append(world.ask())
        for world in worlds.values():
            world.store.close()
    fastest = {kind: {str(number): round(min(each), 2) for number, each in by.items()} for kind, by in spent.items()}
    ratios = {kind: round(by[str(MANY)] / by[str(FEW)], 1) for kind, by in fastest.items()}
    return {"milliseconds": fastest, "ratio": ratios, "limit_milliseconds": LIMIT_MS}


class _World:
    """An application over the state files of so many funds."""

    def __init__(self, folder: Path, number: int) -> None:
        folder.mkdir()
        self.store = SqlStore.open(f"sqlite:///{folder}/keeper.db")
        self._files = folder / "state"
        self._entries = {f"fund-{each:05}": entry(nav=f"{each * 7919 % 10007}.5") for each in range(number)}
        self._matching = sum("7" in name for name in self._entries)
        world = World(self.store, self._files, {name: facts(name) for name in self._entries})
        app = build_app(Keeper(), None, Text(), (), model=world.model(), hosts=None)
        self._client = TestClient(app)
        self.write()
        self.ask()

    def write(self) -> None:
        write_index(self._files, self._entries)

    def ask(self) -> float:
        """Milliseconds of processor time of one answer."""
        began = time.process_time()
        answer = self._client.get("/api/v1/funds", params=QUESTION)
        took = (time.process_time() - began) * 1_000
        found = answer.json()
        if (
            answer.status_code != 200
            or found["total"] != self._matching
            or len(found["items"]) != min(50, found["total"])
        ):
            raise RuntimeError(f"the list of funds answered {answer.status_code}: {answer.text[:200]}")
        return took


def main(arguments: list[str]) -> int:
    """Measure and print; 1 when the many take longer than they may."""
    parser = ArgumentParser(prog="python -m bench.funds_list", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=RUNS)
    said = parser.parse_args(arguments)
    found = measure(said.runs)
    if said.json:
        print(json.dumps(found))
    else:
        for kind, by in found["milliseconds"].items():
            print(f"{kind:5} {by[str(MANY)]:8.2f} ms of {MANY:,} funds, {by[str(FEW)]:.2f} ms of {FEW}: "
                  f"{found['ratio'][kind]} times")  # fmt: skip
    return int(max(by[str(MANY)] for by in found["milliseconds"].values()) > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
