"""Real processes on one database: they race, are paused beyond their leases, and lose their server on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from navoracle.storage import SqlStore
from navoracle.store_port import SlotState, TransactionState
from tests.postgres import PostgresServer
from tests.requirements import PROJECT
from tests.unit.storage.builders import (
    KEEPER,
    OTHER,
    OWNER,
    claim,
    content_of,
    empty_postgres_store,
    empty_sqlite_store,
    frame_of,
    lane_of,
    record,
)

KEEPERS = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without rows, of each kind."""
    return empty_sqlite_store(tmp_path / "navoracle.db") if request.param == "sqlite" else empty_postgres_store()


class Keeper:
    """A process of `keeper_process`."""

    def __init__(self, url: str, owner: str, *deed: object) -> None:
        command = [sys.executable, "-m", "tests.storage.keeper_process", url, owner, *map(str, deed)]
        self.process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hear(self) -> dict[str, Any]:
        """Its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the process ended with {self.process.wait()}; its errors are above"
        heard: dict[str, Any] = json.loads(line)
        return heard

    def go_on(self) -> None:
        """Let it go on from where it waits."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def rest(self) -> list[dict[str, Any]]:
        """All it says up to its end, which must be a good one."""
        assert self.process.stdout is not None
        said = [json.loads(line) for line in self.process.stdout]
        assert self.process.wait() == 0
        return said


@contextmanager
def keeper(url: str, owner: str, *deed: object) -> Iterator[Keeper]:
    """A process that does not outlive the block."""
    started = Keeper(url, owner, *deed)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()  # closes the pipes


@pytest.mark.slow
def test_claim_slot__four_processes_race_for_a_thousand_slots__each_is_claimed_once(url: str) -> None:
    with ExitStack() as stack:
        racers = [stack.enter_context(keeper(url, f"keeper {n}", "race", 20, 50)) for n in range(KEEPERS)]
        for racer in racers:
            racer.hear()
        for racer in racers:
            racer.go_on()
        claimed = {n: racer.rest() for n, racer in enumerate(racers)}
    won = Counter((line["fund"], line["at"]) for lines in claimed.values() for line in lines)
    assert len(won) == 1_000
    assert set(won.values()) == {1}
    assert {line["epoch"] for lines in claimed.values() for line in lines} == {1}
    assert sum(bool(lines) for lines in claimed.values()) > 1  # it was a race
    with SqlStore.open(url) as store:
        rows = {(row.fund, row.slot_time): row for row in store.slots()}
    assert len(rows) == 1_000
    for n, lines in claimed.items():
        for line in lines:
            row = rows[line["fund"], line["at"]]
            assert (row.owner, row.epoch, row.state, row.reason) == (
                f"keeper {n}",
                1,
                SlotState.SKIPPED,
                f"keeper {n}",
            )


def test_every_write__process_paused_beyond_its_leases__is_refused(url: str) -> None:
    with SqlStore.open(url) as store, keeper(url, OWNER, "hold", 1) as paused:
        record(store, frame_of("f1"))
        paused.hear()
        os.kill(paused.process.pid, signal.SIGSTOP)
        paused.go_on()
        deadline = time.monotonic() + 20
        while not store.abandoned_slots() or (lane := store.claim_lane("main", KEEPER, owner=OTHER, lease=600)) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        taken = claim(store, owner=OTHER, lease=600)
        assert (taken.epoch, lane.epoch) == (2, 2)
        before = content_of(store)
        os.kill(paused.process.pid, signal.SIGCONT)
        refused = paused.rest()
        assert len(refused) == 11
        assert {line["write"]: line["code"] for line in refused} == dict.fromkeys(
            [line["write"] for line in refused], "lease_lost"
        )
        assert all(line["advice"] for line in refused)
        assert content_of(store) == before


def test_claim__process_killed_while_it_holds__is_anothers_when_the_lease_is_over(url: str) -> None:
    with SqlStore.open(url) as store:
        with keeper(url, OWNER, "hold", 2) as killed:
            killed.hear()
            began = time.monotonic()
            killed.process.kill()
            killed.process.wait()
        assert store.claim_lane("main", KEEPER, owner=OTHER, lease=9) is None
        assert store.abandoned_slots() == ()
        while not store.abandoned_slots():
            assert time.monotonic() - began < 20
            time.sleep(0.05)
        assert claim(store, owner=OTHER).epoch == 2
        assert lane_of(store, owner=OTHER).epoch == 2
        (row,) = store.open_transactions("main", KEEPER)
        assert [attempt.signed.nonce for attempt in row.attempts] == [7]


@pytest.mark.slow
def test_stream_of_writes__server_crashes_again_and_again__nothing_is_lost_or_doubled() -> None:
    server = PostgresServer()
    count = 60
    try:
        server.start()
        with server.database() as name:
            SqlStore.open(server.url(name)).close()
            with ExitStack() as stack:
                writers = [
                    stack.enter_context(keeper(server.url(name), owner, "stream", count)) for owner in ("ada", "bob")
                ]
                heard: dict[int, list[dict[str, Any]]] = {0: [], 1: []}
                for crash in range(4):
                    for n, writer in enumerate(writers):
                        while not heard[n] or heard[n][-1].get("done") != 5 + 10 * crash:
                            heard[n].append(writer.hear())
                    server.stop()
                    time.sleep(0.1)
                    server.start()
                for n, writer in enumerate(writers):
                    heard[n] += writer.rest()
            for lines in heard.values():
                assert [line["done"] for line in lines if "done" in line] == list(range(count))
                assert any("failed" in line for line in lines)  # the crashes were felt
            with SqlStore.open(server.url(name)) as store:
                slots = store.slots()
                transactions = store.transactions()
            assert len(slots) == 2 * count
            assert {(row.state, row.reason) for row in slots} == {
                (SlotState.SKIPPED, f"{owner}{number}") for owner in ("ada", "bob") for number in range(count)
            }
            assert len(transactions) == 2 * count
            assert {row.state for row in transactions} == {TransactionState.CONFIRMED}
            assert {len(row.attempts) for row in transactions} == {1}
            for owner in ("ada", "bob"):
                of_owner = [row for row in transactions if row.intent.key.startswith(owner)]
                assert sorted(row.nonce for row in of_owner if row.nonce is not None) == list(range(count))
    finally:
        server.remove()
