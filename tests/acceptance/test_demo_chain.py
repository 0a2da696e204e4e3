"""The demo's chain as a newcomer uses it: the commands of the first minute, beside a demo that goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest

from navoracle.cli.main import run
from navoracle.domain.errors import StoreError
from navoracle.storage import SqlStore
from navoracle.store_port import SlotState

pytestmark = [pytest.mark.sockets, pytest.mark.slow]

NAVORACLE: Final = str(Path(sys.executable).with_name("navoracle"))
OVER: Final = "The story is over"
PATIENCE: Final = 240
CONFIRMATIONS: Final = 2
"""What `init` writes."""


@dataclass
class Newcomer:
    """A folder, a demo that runs in it, and what its environment file says."""

    folder: Path
    demo: subprocess.Popen[str]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        return (self.folder / "err").read_text()

    def run(self, *arguments: str) -> Any:
        """A command that is to succeed; its document."""
        done = subprocess.run(
            [NAVORACLE, *arguments, "--json"], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def key(self, role: str) -> str:
        return f"{self.environment['DEMO_KEYS']}/{role}.key"


def until(holds: Callable[[], bool], what: str, said: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}\n{said()}"
        time.sleep(0.2)


def head(url: str) -> int:
    """The newest block's number."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}).encode()
    asked = Request(url, body, {"content-type": "application/json"})
    with urlopen(asked, timeout=30) as answer:
        return int(json.load(answer)["result"], 16)


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        return subprocess.Popen([NAVORACLE, "demo", *arguments], cwd=folder, stdout=out, stderr=err, text=True)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """A newcomer whose demo has told its story and goes on in real time."""
    folder = tmp_path_factory.mktemp("newcomer")
    found = Newcomer(folder, started(folder, "--hours", "1", "--serve", "--port", "0", "--rpc", "0"))
    try:
        until(lambda: OVER in found.said or found.demo.poll() is not None, "the story is over", lambda: found.said)
        assert found.demo.poll() is None, found.said
        lines = (folder / "navoracle-demo.env").read_text().splitlines()
        pairs = [line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export ")]
        found.environment = {**os.environ, **dict(pairs)}
        yield found
    finally:
        found.demo.kill()
        found.demo.wait(30)


def test_first_minute__init_check_nav_deploy_run__posts_on_the_demos_chain(newcomer: Newcomer) -> None:
    said, folder = newcomer.environment, newcomer.folder
    feeds = [
        f"USDC:{group}={said[f'FEED_USDC_{group.upper()}']}@{heartbeat}"
        for group, heartbeat in (("chainlink", 86_400), ("redstone", 43_200), ("chronicle", 43_200))
    ]
    options = [part for feed in feeds for part in ("--feed", feed)]
    newcomer.run("init", said["USDC_VAULT"], "--rpc", said["RPC_URL"], *options, "--key-file", newcomer.key("keeper"))
    newcomer.run("check")
    (valued,) = newcomer.run("nav")["funds"]
    assert valued["status"] == "live"

    roles = [
        part
        for role in ("poster", "risk", "guardian", "manager")
        for part in (f"--{role}", said[f"DEMO_{'KEEPER' if role == 'poster' else role.upper()}"])
    ]
    deployed = newcomer.run("deploy", *roles, "--key-file", newcomer.key("risk"), "--live")
    granted = head(said["RPC_URL"])
    configuration = folder / "navoracle.yaml"
    text = configuration.read_text()
    assert '# registry: "0x..."' in text
    text = text.replace('# registry: "0x..."', f'registry: "{deployed["registry"]}"')
    configuration.write_text(f"{text}\nservice: {{ http: {{ port: 0 }} }}\n")

    rehearsal = subprocess.Popen(
        [NAVORACLE, "run", "--json"], cwd=folder, env=said, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert rehearsal.stdout is not None
    try:
        assert any('"live": false' in line for line in rehearsal.stdout)  # told once it serves
    finally:
        rehearsal.send_signal(signal.SIGINT)
        ended = rehearsal.wait(PATIENCE)
        rehearsal.stdout.close()
    assert ended == 0

    with (folder / "run.err").open("w") as err:
        keeper = subprocess.Popen([NAVORACLE, "run", "--live"], cwd=folder, env=said, stderr=err)
    try:
        until(lambda: (folder / "navoracle.db").exists(), "the keeper's database")
        until(lambda: head(said["RPC_URL"]) > granted + CONFIRMATIONS, "roles are read some blocks back")
        reason = ["--reason", "a first post", "--key-file", newcomer.key("manager"), "--to-database", "--live"]
        newcomer.run("emergency", "update", "vusdc", *reason)
        until(lambda: posted(folder / "navoracle.db", "vusdc"), "a post", (folder / "run.err").read_text)
    finally:
        keeper.send_signal(signal.SIGINT)
        assert keeper.wait(PATIENCE) == 0
    verified = newcomer.run("verify", "--rpc", said["RPC_URL"])
    assert verified["failed"] == []


def test_desk__guardians_requests__are_carried_out_by_the_demos_keeper(newcomer: Newcomer) -> None:
    database = newcomer.folder / "navoracle-demo.db"
    own = ["--config", newcomer.environment["DEMO_CONFIG"], "--database", f"sqlite:///{database}", "--live"]
    asked = [*own, "--reason", "tried by hand", "--to-database"]

    newcomer.run("emergency", "emergency_update", "stable", *asked, "--key-file", newcomer.key("guardian"))
    until(lambda: posted(database, "stable", "emergency"), "an EMERGENCY post", lambda: newcomer.said)

    newcomer.run("emergency", "hold", "multi", *asked, "--key-file", newcomer.key("guardian"))
    until(lambda: "FundHeld multi" in newcomer.said, "the hold is seen on the chain", lambda: newcomer.said)
    newcomer.run("emergency", "release", "multi", "--send", *own, "--key-file", newcomer.key("risk"))
    newcomer.run("emergency", "reset_breaker", "multi", *asked, "--key-file", newcomer.key("risk"))
    until(lambda: posted(database, "multi", "emergency"), "a post after the release", lambda: newcomer.said)


def test_demo__stopped_while_it_goes_on__ends_soon_with_its_summary(newcomer: Newcomer) -> None:
    newcomer.demo.send_signal(signal.SIGINT)  # the last test of this module: nothing is served after it

    assert newcomer.demo.wait(PATIENCE) == 0
    out = (newcomer.folder / "out").read_text()
    assert "equal what the contract says" in out
    assert "0 refused" in out


@pytest.mark.parametrize("served", [["--serve", "--port", "0"], []])
def test_demo__stopped_in_its_story__tells_what_was_played_and_ends_with_130(tmp_path: Path, served: list[str]) -> None:
    demo = started(tmp_path, *served)
    database = tmp_path / "navoracle-demo.db"
    until(lambda: database.exists() and posted(database, "multi"), "a slot", (tmp_path / "err").read_text)

    demo.send_signal(signal.SIGINT)

    assert demo.wait(PATIENCE) == 130
    out = (tmp_path / "out").read_text()
    assert out.startswith("stopped")
    assert re.search(r"multi +[1-9]", out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rpc", "0"], "--rpc goes with --serve"),
        (["--serve", "--rpc", "18545", "--port", "18545"], "--port and --rpc are the same"),
        (["--serve", "--port", "0", "--state-files", "full"], "full"),
    ],
)
def test_demo__wrong_options__are_refused_before_anything_is_begun(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()

    assert run(["demo", *arguments]) == 2

    assert message in capsys.readouterr().err
    assert not (tmp_path / "navoracle-demo.db").exists()


@pytest.mark.parametrize("option", ["--port", "--rpc"])
def test_demo__port_in_use__is_refused_with_the_option(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = {"--port": "0", "--rpc": "0", option: str(port)}
        assert run(["demo", "--serve", *(part for pair in said.items() for part in pair)]) == 2
    assert f"{option}: cannot listen at 127.0.0.1 port {port}" in capsys.readouterr().err
    assert not (tmp_path / "navoracle-demo.db").exists()


def test_demo__without_the_dashboard_installed__says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("navoracle.cli.dashboards.find_spec", lambda _name: None)
    assert run(["demo", "--serve"]) == 4
    assert "pip install 'navoracle[dashboard]'" in capsys.readouterr().err


def posted(database: Path, fund: str, cadence: str | None = None) -> bool:
    """Whether a slot of the fund, of that cadence, was posted."""
    try:
        store = SqlStore.open_existing(f"sqlite:///{database}")
    except StoreError:  # it is being made
        return False
    try:
        rows = store.slots(fund=fund)
    finally:
        store.close()
    return any(row.state is SlotState.POSTED and cadence in (None, row.cadence.value) for row in rows)
