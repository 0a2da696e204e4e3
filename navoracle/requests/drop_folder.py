"""A folder into which signed requests are dropped: every *.json is taken once, by one keeper, and shows its end.

    a.json                      waits
    a.json.TOKEN.working        a keeper has it
    a.json.taken                it was queued
    a.json.refused              it was not; a.json.refused.reason says why

A keeper has a file once it has renamed it. A file that could not be verified now (no node, no database) goes back and
is tried again; so does one whose keeper died.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from navoracle.domain.errors import ChainError, ConfigurationError, RequestRefused, StoreError
from navoracle.domain.units import Timestamp
from navoracle.ports import Clock
from navoracle.requests.desk import RequestDesk
from navoracle.requests.document import LARGEST_DOCUMENT, SignedRequest

FILES_AT_ONCE: Final = 50
STALE_AFTER: Final = 120
"""Seconds after which a file that a keeper has, and does not settle, is tried again."""

_WORKING: Final = re.compile(r"(?P<name>.+\.json)\.[0-9a-f]{16}\.working")
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A file that this keeper has: its name, where it is meanwhile, and its content or why it is not read."""

    name: str
    path: Path
    content: bytes
    problem: str | None


class DropFolder:
    """Hands the files of a folder to the desk. Links are not followed, and nothing large or special is read.

    Args:
        folder: made by the operator; whoever may write to it may drop a request, and its signature decides.
    """

    def __init__(self, folder: Path, desk: RequestDesk, clock: Clock) -> None:
        self._folder = folder
        self._desk = desk
        self._clock = clock
        self._since: dict[str, Timestamp] = {}

    async def poll(self) -> int:
        """Take what is there; the number of files that were settled.

        Raises:
            ConfigurationError: the folder cannot be read or written.
            ChainError, StoreError: a request could not be verified or kept now; its file is tried again.
        """
        settled = 0
        failure: ChainError | StoreError | None = None
        for claimed in await asyncio.to_thread(self._claim, self._clock.now()):
            try:
                await self._settle(claimed)
                settled += 1
            except (ChainError, StoreError) as error:
                # The files after it may be of another chain.
                failure = failure or error
                await asyncio.to_thread(self._give_back, claimed)
        if failure is not None:
            raise failure
        return settled

    async def _settle(self, claimed: _Claimed) -> None:
        try:
            if claimed.problem is not None:
                raise RequestRefused("malformed", f"{claimed.name}: {claimed.problem}", advice="Drop a plain file.")
            await self._desk.receive(claimed.content, f"drop folder: {claimed.name}")
        except RequestRefused as refusal:
            await asyncio.to_thread(self._finish, claimed, "refused", refusal)
        else:
            await asyncio.to_thread(self._finish, claimed, "taken", None)

    def _claim(self, now: Timestamp) -> list[_Claimed]:
        try:
            self._recover(now)
            names = sorted(entry.name for entry in os.scandir(self._folder) if _waits(entry.name))
        except OSError as error:
            raise _unusable(self._folder, error) from error
        claimed = []
        for name in names[:FILES_AT_ONCE]:
            path = self._folder / f"{name}.{secrets.token_hex(8)}.working"
            try:
                (self._folder / name).rename(path)
            except FileNotFoundError:
                continue  # another keeper has it
            except OSError as error:
                raise _unusable(self._folder, error) from error
            claimed.append(_Claimed(name, path, *_content(path)))
        return claimed

    def _recover(self, now: Timestamp) -> None:
        """Give back files whose keeper does not settle them."""
        working = {entry.name for entry in os.scandir(self._folder) if _WORKING.fullmatch(entry.name)}
        self._since = {name: self._since.get(name, now) for name in working}
        for name, since in self._since.items():
            found = _WORKING.fullmatch(name)
            if found is not None and now - since >= STALE_AFTER:
                self._give_back(_Claimed(found["name"], self._folder / name, b"", None))

    def _give_back(self, claimed: _Claimed) -> None:
        target = self._folder / claimed.name
        if os.path.lexists(target):
            target = target.with_name(f"{target.stem}-{secrets.token_hex(4)}.json")
        _rename(claimed.path, target)

    def _finish(self, claimed: _Claimed, suffix: str, refusal: RequestRefused | None) -> None:
        target = self._folder / f"{claimed.name}.{suffix}"
        if os.path.lexists(target) or os.path.lexists(_reason_of(target)):
            target = self._folder / f"{claimed.name}.{secrets.token_hex(8)}.{suffix}"
        if refusal is not None:
            document = {"reason": refusal.reason, "message": refusal.message, "advice": refusal.advice}
            try:
                _write_new(_reason_of(target), json.dumps(document, indent=2).encode() + b"\n")
            except OSError as error:
                raise _unusable(self._folder, error) from error
        _rename(claimed.path, target)


def drop_document(folder: Path, signed: SignedRequest) -> Path:
    """Put a signed request into a drop folder, whole or not at all; returns where it waits.

    Raises:
        ConfigurationError: the folder cannot be written, or the same request waits there already.
    """
    request = signed.request
    path = folder / f"{request.fund}-{request.action.value}-{request.id[2:14]}.json"
    unfinished = folder / f".{path.name}.{secrets.token_hex(4)}"
    try:
        _write_new(unfinished, signed.document() + b"\n")
        try:
            os.link(unfinished, path)
        finally:
            unfinished.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}", advice="Name the keeper's drop folder, and check its mode."
        ) from error
    return path


def _waits(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


def _content(path: Path) -> tuple[bytes, str | None]:
    """What is in a file, or why it is not read."""
    try:
        with os.fdopen(os.open(path, _READ), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return b"", "it is not a plain file"
            return file.read(LARGEST_DOCUMENT + 2), None  # one more than is taken: the desk says that it is too large
    except OSError as error:
        return b"", f"it cannot be read: {error.strerror}"


def _rename(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except FileNotFoundError:
        return  # another keeper took it for abandoned
    except OSError as error:
        raise _unusable(path.parent, error) from error


def _reason_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.reason")


def _unusable(folder: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"drop folder {folder} cannot be used: {error.strerror}",
        advice="Make the folder, and let the keeper read and write it; or remove `drop_folder`.",
    )


def _write_new(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
