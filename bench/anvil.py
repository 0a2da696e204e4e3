"""A local node for benches and node tests: the npm package's own binary, started on a free port and stopped again."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NODE_MODULES = Path(__file__).resolve().parent.parent / "contracts" / "node_modules"
START_SECONDS = 20.0
_AGAIN = "Try again; if it stays so, remove contracts/node_modules and run scripts/setup."


class AnvilUnavailable(Exception):
    """The node packages are not installed, or the node did not start; `advice` says what to do."""

    def __init__(self, message: str, *, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


def binary() -> Path:
    """The npm package's binary (npm installs only this platform's); raises AnvilUnavailable where it is absent."""
    found = sorted(NODE_MODULES.glob("@foundry-rs/anvil-*/bin/anvil*"))
    if not found:
        raise AnvilUnavailable("anvil is not installed", advice="Run scripts/setup where node and npm are.")
    return found[0]


@contextmanager
def anvil(*arguments: str) -> Iterator[str]:
    """Run a node with the given extra arguments and yield its URL; the process is gone when the block ends."""
    port = _free_port()
    command = [str(binary()), "--silent", "--host", "127.0.0.1", "--port", str(port), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _wait(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            error = process.stderr.read().strip() if process.stderr else ""
            raise AnvilUnavailable(f"anvil ended with code {process.returncode}: {error}", advice=_AGAIN)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AnvilUnavailable(f"anvil did not listen on port {port} within {START_SECONDS:.0f} s", advice=_AGAIN)
