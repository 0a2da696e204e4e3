"""A local node: the anvil binary, started on a free port of the loopback address and stopped again."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import ClientError, ClientSession

from navoracle.domain.errors import ChainError, UsageError

START_SECONDS: Final = 20.0
_INSTALL: Final = (
    "Install Foundry (or the npm package @foundry-rs/anvil) so that `anvil` is on the PATH, or name it: --anvil FILE."
)


def find_anvil(named: Path | None = None) -> Path:
    """The anvil binary: the named one, or the one on the PATH. Raises UsageError where there is none."""
    if named is not None:
        if not named.is_file():
            raise UsageError(f"{named} is not there", advice=_INSTALL)
        return named
    found = shutil.which("anvil")
    if found is None:
        raise UsageError("anvil is not installed: a drill needs a local node", advice=_INSTALL)
    return Path(found)


AT_ONCE: Final = 64
"""Commands in one request: some carry the code of a contract."""


class LocalNode:
    """A running anvil for as long as its context lasts, and the way to ask it.

    Args:
        binary: the anvil binary itself; a wrapper that starts it would leave it running.
        arguments: its further options.
    """

    def __init__(self, binary: Path, *arguments: str) -> None:
        self._binary = binary
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._session: ClientSession | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        port = _free_port()
        command = [str(self._binary), "--silent", "--host", "127.0.0.1", "--port", str(port), *self._arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - the binary was found or named
        self.url = f"http://127.0.0.1:{port}"
        try:
            async with asyncio.timeout(START_SECONDS):
                while not _listens(port):
                    if self._process.poll() is not None:
                        raise ChainError(f"anvil ended with code {self._process.returncode}", advice=_INSTALL)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self._stop()
            raise ChainError(f"anvil did not listen within {START_SECONDS:.0f} s", advice="Try again.") from None
        self._session = ClientSession()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._stop()

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def rpc(self, method: str, *params: Any) -> Any:
        """Ask the node. Raises ChainError with its own words."""
        (found,) = await self.batch([(method, list(params))])
        return found

    async def batch(self, commands: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """Ask several things in few requests; answers in order. Raises ChainError when one of them fails."""
        found: list[Any] = []
        for start in range(0, len(commands), AT_ONCE):
            found += await self._batch(commands[start : start + AT_ONCE])
        return found

    async def _batch(self, commands: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        if self._session is None:
            raise ChainError("the node is not running", advice="Use it within its context.")
        body = [
            {"jsonrpc": "2.0", "id": number, "method": name, "params": given}
            for number, (name, given) in enumerate(commands)
        ]
        try:
            async with self._session.post(self.url, json=body) as response:
                answers = sorted(json.loads(await response.read()), key=lambda answer: int(answer["id"]))
        except (ClientError, OSError) as error:
            raise ChainError(f"the local node does not answer: {error}", advice="Try again.") from error
        for (name, _), answer in zip(commands, answers, strict=True):
            if "error" in answer:
                raise ChainError(f"{name}: {answer['error'].get('message')}", advice="Report this as a defect.")
        return [answer["result"] for answer in answers]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
