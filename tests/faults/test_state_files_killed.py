"""State files are never torn or half new: their writer is killed at any moment, again and again, under readers' eyes.

NAVORACLE_KILLS says how many kills (20 unless it is set, 200 in `scripts/deep`), NAVORACLE_SEED which ones.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from navoracle.state_files.documents import MODELS
from navoracle.state_files.reader import read_set
from navoracle.state_files.writer import current_number, numbers_of
from tests.faults.state_writer import FUNDS
from tests.requirements import PROJECT

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("NAVORACLE_KILLS", "20"))
SEED = int(os.environ.get("NAVORACLE_SEED", "1"))


class Readers:
    """Threads that read all the time, one whole sets, one single paths, and keep what they found wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wrong: list[str] = []
        self.sets = 0
        self.paths = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._read_sets, self._read_paths)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read_sets(self) -> None:
        newest = dict.fromkeys(FUNDS, -1)
        while not self._stop.is_set():
            for fund in FUNDS:
                found = read(self.folder, fund)
                if isinstance(found, str):
                    self.wrong.append(found)
                elif found:
                    self.wrong += wrong_in(found)
                    number = frame_of(found["nav_state.json"])
                    if number < newest[fund]:
                        self.wrong.append(f"{fund}: frame {number} after {newest[fund]}")
                    newest[fund] = number
                    self.sets += 1

    def _read_paths(self) -> None:
        while not self._stop.is_set():
            for path in (*(self.folder / fund / name for fund in FUNDS for name in MODELS), self.folder / "index.json"):
                try:
                    json.loads(path.read_bytes())
                except FileNotFoundError:
                    continue
                except ValueError as error:
                    self.wrong.append(f"{path}: {error}")
                self.paths += 1


def read(folder: Path, fund: str) -> dict[str, Any] | str:
    try:
        return read_set(folder, fund)
    except (OSError, ValueError) as error:
        return f"{fund}: {error}"


def frame_of(document: dict[str, Any]) -> int:
    return int(document["frame"].removeprefix("f"))


def wrong_in(found: dict[str, Any]) -> list[str]:
    """What a set lacks, and whether its files are of one frame."""
    if set(found) != set(MODELS):
        return [f"only {sorted(found)}"]
    frames = {document["frame"] for document in found.values()}
    return [] if len(frames) == 1 else [f"files of {sorted(frames)} in one set"]


@contextmanager
def forking(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The process that forks writers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.state_writer", str(folder)],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_state_files__their_writer_killed_at_any_moment__are_whole_and_of_one_frame(tmp_path: Path) -> None:
    dice, folder = random.Random(SEED), tmp_path / "state"
    readers, torn, next_frame = Readers(folder), 0, 0
    with forking(folder) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        readers.start()
        try:
            for _ in range(KILLS):
                process.stdin.write(f"{next_frame}\n")
                process.stdin.flush()
                writer = int(process.stdout.readline())
                time.sleep(dice.uniform(0.02, 0.4))
                os.kill(writer, signal.SIGKILL)
                assert int(process.stdout.readline()) == -signal.SIGKILL, "the writer ended by itself"
                for fund in FUNDS:
                    found = read(folder, fund)
                    assert not isinstance(found, str), found
                    if not found:
                        continue
                    assert wrong_in(found) == []
                    series = [int(point["frame"][1:]) for point in found["nav_state.json"]["series"]]
                    assert series[-1] == frame_of(found["nav_state.json"])
                    assert series == sorted(set(series))
                    next_frame = max(next_frame, series[-1] + 1)
                    torn += numbers_of(folder / fund / ".sets")[-1] != current_number(folder / fund)
        finally:
            readers.stop()
    print(f"\nseed {SEED}, {KILLS} kills, {torn} within a set, {next_frame} frames; ", end="")
    print(f"{readers.sets} sets and {readers.paths} files read")
    assert readers.wrong == []
    assert next_frame > KILLS // 4
    assert readers.sets > KILLS
    assert readers.paths > KILLS
