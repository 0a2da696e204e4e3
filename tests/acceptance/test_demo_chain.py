"""The demo's chain as a newcomer uses it: the commands of the first minute, beside a demo that goes on."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from navoracle.cli.main import run
from navoracle.domain.errors import StoreError
from navoracle.storage import SqlStore
from navoracle.store_port import SlotState
from tests.demo_process import NAVORACLE, PATIENCE, DemoProcess, going_on, started, until, until_final

pytestmark = [pytest.mark.sockets, pytest.mark.slow]


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    """A newcomer whose demo has told its story and goes on in real time."""
    with going_on(tmp_path_factory.mktemp("newcomer"), "--hours", "1", "--port", "0") as found:
        yield found


def test_first_minute__init_check_nav_deploy_run__posts_on_the_demos_chain(newcomer: DemoProcess) -> None:
    said, folder = newcomer.environment, newcomer.folder
    newcomer.init(folder)
    newcomer.run("check")
    (valued,) = newcomer.run("nav")["funds"]
    assert valued["status"] == "live"

    newcomer.deploy(folder, port=0)

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
        until_final(newcomer.node)  # the roles too
        reason = ["--reason", "a first post", "--key-file", newcomer.key("manager"), "--to-database", "--live"]
        newcomer.run("emergency", "update", "vusdc", *reason)
        until(lambda: posted(folder / "navoracle.db", "vusdc"), "a post", (folder / "run.err").read_text)
    finally:
        keeper.send_signal(signal.SIGINT)
        assert keeper.wait(PATIENCE) == 0
    verified = newcomer.run("verify", "--rpc", said["RPC_URL"])
    assert verified["failed"] == []


def test_desk__guardians_requests__are_carried_out_by_the_demos_keeper(newcomer: DemoProcess) -> None:
    database = newcomer.database

    newcomer.ask("emergency_update", "stable", "guardian")
    until(lambda: posted(database, "stable", "emergency"), "an EMERGENCY post", lambda: newcomer.said)

    newcomer.ask("hold", "multi", "guardian")
    until(lambda: "FundHeld multi" in newcomer.logged, "the hold is seen on the chain", lambda: newcomer.logged)
    until_final(newcomer.node)
    newcomer.run("emergency", "release", "multi", "--send", "--key-file", newcomer.key("risk"), *newcomer.own)
    newcomer.ask("reset_breaker", "multi", "risk")
    until(lambda: posted(database, "multi", "emergency"), "a post after the release", lambda: newcomer.said)


def test_demo__served__tells_the_story_in_the_terminal_and_logs_to_a_file(newcomer: DemoProcess) -> None:
    said = newcomer.said.splitlines()
    assert re.fullmatch(r"The dashboard is at http://127\.0\.0\.1:\d+/dashboard/; Ctrl-C stops the demo\.", said[0])
    assert said[1] == "What the keeper logs is in navoracle-demo.log."
    assert [line for line in said if re.search(r"\[(info|warning|error)", line)] == []
    first, *_ = newcomer.logged.splitlines()
    assert re.search(
        r"navoracle \S+ started live; 3 funds on home; next slot by .*; API and pages \(/dashboard/\) at http://127\.0\.0\.1:[1-9]",
        first,
    )
    assert "\x1b" not in newcomer.logged


def test_demo__stopped_while_it_goes_on__ends_soon_with_its_summary(newcomer: DemoProcess) -> None:
    newcomer.process.send_signal(signal.SIGINT)  # the last test of this module: nothing is served after it

    assert newcomer.process.wait(PATIENCE) == 0
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
