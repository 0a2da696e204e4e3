"""`navoracle run` under a service manager: the real command, its notification socket held by the test."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.sockets]

CONFIGURATION = """
service: { http: { port: 0 } }
recorded: { usdc: { file: usdc.csv } }
assets: { USDC: { min_sources: 1, sources: [{ kind: recorded, group: market, series: usdc, max_age: 360 }] } }
funds:
  shown:
    id: 1
    supply: { kind: fixed, shares: "1000" }
    positions: [{ kind: declared, id: usd, asset: USD, component: cash, amount: "1000" }]
"""


def test_run__under_systemd__says_ready_when_it_works_pings_and_says_when_it_stops(tmp_path: Path) -> None:
    (tmp_path / "navoracle.yaml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "usdc.csv").write_text("timestamp,price\n1700000000,1\n1700000060,1\n", encoding="utf-8")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        log = (tmp_path / "log").open("w")
        keeper = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", "from navoracle.cli.main import main; main()", "run"],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(PROJECT),
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "1000000",
            },
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            said = [manager.recv(4_096).decode() for _ in range(3)]
            keeper.send_signal(signal.SIGTERM)
            while said[-1] == "WATCHDOG=1":
                said.append(manager.recv(4_096).decode())
            ended = keeper.wait(60)
        finally:
            keeper.kill()
            keeper.wait()
            log.close()
    assert said[0] == "READY=1\nSTATUS=rehearsal, 1 funds"
    assert said[1:3] == ["WATCHDOG=1", "WATCHDOG=1"]
    assert said[-1] == "STOPPING=1"
    assert ended == 0
    (started,) = [line for line in (tmp_path / "log").read_text().splitlines() if "started" in line]
    for text in ("started as a rehearsal: nothing is sent; 1 fund; ", "next slot by 20"):
        assert text in started
    assert re.search(r"API and pages \(/dashboard/\) at http://127\.0\.0\.1:[1-9]\d*'$", started)
