"""A `navoracle demo` in a process of its own, as a newcomer starts it, and the commands beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector

NAVORACLE: Final = str(Path(sys.executable).with_name("navoracle"))
OVER: Final = "The story is over"
GROUPS: Final = {"chainlink": 86_400, "redstone": 43_200, "chronicle": 43_200}
"""Feeds of USDC and their heartbeats in seconds, as the demo prints them."""

CONFIRMATIONS: Final = 2
"""Blocks behind the newest one at which the demo's configuration reads, and that which `init` writes."""

PATIENCE: Final = 240
"""Seconds for anything that a machine which does other things as well may take."""


@dataclass(frozen=True)
class DemoProcess:
    """A demo that has told its story and goes on in real time, its chain as a node."""

    folder: Path
    process: subprocess.Popen[str]

    @property
    def said(self) -> str:
        """What it has told so far."""
        return (self.folder / "err").read_text()

    @property
    def logged(self) -> str:
        """What its keeper has logged so far."""
        return (self.folder / "navoracle-demo.log").read_text()

    @property
    def database(self) -> Path:
        """The demo's own."""
        return self.folder / "navoracle-demo.db"

    @property
    def environment(self) -> dict[str, str]:
        """This process's variables, and those of the file that the demo wrote."""
        lines = (self.folder / "navoracle-demo.env").read_text().splitlines()
        pairs = [line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export ")]
        return {**os.environ, **dict(pairs)}

    @property
    def node(self) -> Node:
        """The demo's chain."""
        return Node(self.environment["RPC_URL"])

    @property
    def own(self) -> list[str]:
        """The options by which a command speaks to the demo's own keeper."""
        return ["--config", self.environment["DEMO_CONFIG"], "--database", f"sqlite:///{self.database}", "--live"]

    def key(self, role: str) -> str:
        """The file of a role's key."""
        return f"{self.environment['DEMO_KEYS']}/{role}.key"

    def run(self, *arguments: str, folder: Path | None = None) -> Any:
        """A command that is to succeed; its document."""
        done = subprocess.run(
            [NAVORACLE, *arguments, "--json"],
            cwd=folder or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def init(self, folder: Path) -> None:
        """Write a newcomer's first configuration: a vault of the demo's chain, with a key that has no role yet."""
        said = self.environment
        feeds = [f"USDC:{group}={said[f'FEED_USDC_{group.upper()}']}@{seconds}" for group, seconds in GROUPS.items()]
        options = [part for feed in feeds for part in ("--feed", feed)]
        asked = [said["USDC_VAULT"], "--rpc", said["RPC_URL"], *options, "--key-file", self.key("keeper")]
        self.run("init", *asked, folder=folder)

    def deploy(self, folder: Path, *options: str, port: int) -> str:
        """Deploy a registry for that configuration, whose service is to listen at a port; the registry's address."""
        holders = {role: self.environment[f"DEMO_{role.upper()}"] for role in ("risk", "guardian", "manager")}
        holders["poster"] = self.environment["DEMO_KEEPER"]
        roles = [part for role, address in holders.items() for part in (f"--{role}", address)]
        found = self.run("deploy", *roles, *options, "--key-file", self.key("risk"), "--live", folder=folder)
        configuration, registry = folder / "navoracle.yaml", str(found["registry"])
        text = configuration.read_text()
        assert '# registry: "0x..."' in text
        text = text.replace('# registry: "0x..."', f'registry: "{registry}"')
        configuration.write_text(f"{text}\nservice: {{ http: {{ port: {port} }} }}\n")
        return registry

    def ask(self, action: str, fund: str, role: str) -> None:
        """Give the demo's keeper a request signed in a role."""
        signed = ["--key-file", self.key(role), "--reason", "tried by hand", "--to-database"]
        self.run("emergency", action, fund, *signed, *self.own)


@dataclass(frozen=True)
class Node:
    """The demo's chain, asked by nothing of navoracle's."""

    url: str

    def head(self) -> int:
        """The newest block's number."""
        return int(self._ask("eth_blockNumber"), 16)

    def block_at(self, timestamp: int) -> str:
        """The newest block of a time that is one's, as a tag."""
        for number in range(self.head(), 0, -1):
            block = self._ask("eth_getBlockByNumber", hex(number), False)
            if int(block["timestamp"], 16) == timestamp:
                return str(block["number"])
        raise LookupError(f"no block has the time {timestamp}")

    def balance(self, holder: str, block: str = "latest") -> int:
        """The chain's own coin that somebody has, in wei."""
        return int(self._ask("eth_getBalance", holder, block), 16)

    def call(self, to: str, signature: str, returns: str, *values: Any, block: str = "latest") -> tuple[Any, ...]:
        """What a function answers: `call(token, "balanceOf(address)", "uint256", holder)`."""
        kinds = [kind for kind in signature[signature.index("(") + 1 : -1].split(",") if kind]
        data = function_signature_to_4byte_selector(signature) + encode(kinds, values)
        answer = self._ask("eth_call", {"to": to, "data": "0x" + data.hex()}, block)
        return tuple(decode(returns.split(","), bytes.fromhex(answer[2:])))

    def _ask(self, method: str, *parameters: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        with urlopen(Request(self.url, body, {"content-type": "application/json"}), timeout=30) as answer:
            found = json.load(answer)
        assert "error" not in found, found
        return found["result"]


def until_final(node: Node) -> None:
    """Wait until what the chain says now is what a keeper reads, some blocks behind the newest."""
    seen = node.head()
    until(lambda: node.head() > seen + CONFIRMATIONS, "it is read some blocks back")


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A demo that begins in a folder; what it tells goes into files `out` and `err` there."""
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        return subprocess.Popen([NAVORACLE, "demo", *arguments], cwd=folder, stdout=out, stderr=err, text=True)


@contextmanager
def going_on(folder: Path, *arguments: str) -> Iterator[DemoProcess]:
    """A demo whose chain is served, once its story is over; it is killed at the end."""
    demo = DemoProcess(folder, started(folder, "--serve", "--rpc", "0", *arguments))
    try:
        until(lambda: OVER in demo.said or demo.process.poll() is not None, "the story is over", lambda: demo.said)
        assert demo.process.poll() is None, demo.said
        yield demo
    finally:
        demo.process.kill()
        demo.process.wait(30)


def until(holds: Callable[[], bool], what: str, said: Callable[[], str] = lambda: "") -> None:
    """Wait until something holds; `said` is told when it does not."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}\n{said()}"
        time.sleep(0.2)
