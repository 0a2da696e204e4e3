"""A local node for benches and node tests: the npm package's own binary, started on a free port and stopped again."""

from __future__ import annotations

import platform
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NODE_MODULES = Path(__file__).resolve().parent.parent / "contracts" / "node_modules"
START_SECONDS = 20.0

_SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class AnvilUnavailable(Exception):
    """The node packages are not installed, or the node did not start; the message says what to do."""


def binary() -> Path:
    """The binary of this platform inside the npm package; raises AnvilUnavailable where it is absent."""
    system = _SYSTEMS.get(platform.system(), platform.system())
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    name = "anvil.exe" if system == "win32" else "anvil"
    path = NODE_MODULES / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / name
    if not path.is_file():
        raise AnvilUnavailable(f"anvil is not installed ({path} is absent): run `npm ci` in contracts/")
    return path


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
            raise AnvilUnavailable(f"anvil ended with code {process.returncode}: {error}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AnvilUnavailable(f"anvil did not listen on port {port} within {START_SECONDS:.0f} s")
