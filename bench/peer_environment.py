"""An environment of their own for the clients that need web3 below 8, and a run of one of them in it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from bench.deployed import Deployed

PROJECT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = PROJECT / ".tools" / "bench-peers"
PINS: Final = Path(__file__).with_name("peers_on_web3_7.txt")
SCRIPT: Final = Path(__file__).with_name("peers_on_web3_7.py")
CLIENTS: Final = ("multicall", "dank_mids")

_UV: Final = PROJECT / ".tools" / "bin" / "uv"
_RUN_SECONDS: Final = 300
_SETTINGS: Final = {
    "GAS_LIMIT": "300000000",  # multicall.py: one call for everything, as the node allows it
    "DANKMIDS_USE_FULL_REQUEST": "1",  # anvil refuses requests that do not say which JSON-RPC they speak
    "TYPEDENVS_SHUTUP": "1",
}


class PeersUnavailable(Exception):
    """The environment could not be made, or the client failed in it."""


def python() -> Path:
    """The environment's interpreter; the environment is made when it is not there, or not as pinned.

    Raises:
        PeersUnavailable: uv is missing or cannot install the packages.
    """
    found = FOLDER / "bin" / "python"
    mark = FOLDER / f"pinned-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]}"
    if mark.is_file() and found.is_file():
        return found
    if not _UV.is_file():
        raise PeersUnavailable("uv is not installed: run scripts/setup")
    _uv("venv", "--quiet", "--clear", "--python", str(PROJECT / ".venv" / "bin" / "python"), str(FOLDER))
    _uv("pip", "install", "--quiet", "--python", str(found), "--requirement", str(PINS))
    mark.touch()
    return found


def measure(client: str, world: Deployed, runs: int) -> dict[str, Any]:
    """Let one client read all balances, once to warm up and then `runs` times.

    Raises:
        PeersUnavailable: it cannot be installed, fails, or reads other balances.
    """
    task = {
        "url": world.url,
        "client": client,
        "tokens": world.tokens,
        "reads": [[held.token, held.account] for held in world.balances],
        "runs": runs,
    }
    environment = {"PATH": os.environ["PATH"], "HOME": str(FOLDER), **_SETTINGS}
    # -P: the script's folder has modules of the same names as the packages that it imports.
    command = [str(python()), "-P", str(SCRIPT)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(task),
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise PeersUnavailable(f"{client} did not finish within {_RUN_SECONDS} s") from None
    if done.returncode != 0:
        raise PeersUnavailable(f"{client} failed: {done.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if found.pop("balances") != [held.amount for held in world.balances]:
        raise PeersUnavailable(f"{client} read other balances than there are")
    return found


def _uv(*arguments: str) -> None:
    done = subprocess.run([str(_UV), *arguments], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise PeersUnavailable(f"uv {arguments[0]} failed: {done.stderr.strip()[-500:]}")
