"""A process that writes state files as fast as it can until it is killed: `python -m tests.faults.state_writer FOLDER`.

For each line of standard input (the number of the first frame) it forks a writer and prints its process id: imports
take longer than the life of a writer.
"""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path

from navoracle.domain.units import Timestamp
from navoracle.state_files.facts import FundView
from navoracle.state_files.state_files import StateFiles
from navoracle.state_files.writer import SetWriter
from tests.unit.state_files.builders import NOW, VIEW, frame, part

FUNDS = ("alpha", "beta")


def write(folder: Path, first: int) -> None:
    """Write frames without an end."""
    views = {fund: FundView(fund, VIEW.unit, VIEW.places, VIEW.gate, VIEW.reporting) for fund in FUNDS}
    files = StateFiles(
        SetWriter(folder, fsync=first % 2 == 0),
        now=lambda: Timestamp(NOW + 10**6),
        view_of=views.get,
        served={},
        history=200,
    )
    for number in count(first):
        files.hear(frame(*(part(fund=fund) for fund in FUNDS), name=f"f{number}", at=NOW + number))
        files.write()
        if files.trouble is not None:
            raise SystemExit(files.trouble)


def main() -> None:
    """Fork writers until standard input ends."""
    folder = Path(sys.argv[1])
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            write(folder, int(line))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
