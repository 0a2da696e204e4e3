"""A fund's state files and the index of all funds, as they are in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final

from pydantic import ValidationError

from navoracle.domain.errors import StoreError
from navoracle.read_model.records import Record
from navoracle.state_files.documents import ADAPTERS
from navoracle.state_files.documents.index import is_entry
from navoracle.state_files.documents.kpis import KpisDocument
from navoracle.state_files.documents.nav import NavDocument
from navoracle.state_files.documents.nav_state import NavStateDocument
from navoracle.state_files.documents.positions import PositionsDocument
from navoracle.state_files.documents.risk import RiskDocument
from navoracle.state_files.documents.synced_state import SyncedStateDocument
from navoracle.state_files.names import INDEX
from navoracle.state_files.reader import read_index, read_set

NOT_CONFIGURED: Final = "no state files are configured"
NOT_WRITTEN: Final = "the fund has no state files yet"
OTHER_VERSION: Final = "the file is damaged, or of another version"


class Documents(Record):
    """The state files of a fund, all of one frame; money in them is decimal text, see the guide's state files."""

    nav_state: NavStateDocument | None
    nav: NavDocument | None
    synced_state: SyncedStateDocument | None
    risk: RiskDocument | None
    kpis: KpisDocument | None
    positions: PositionsDocument | None
    unknown: dict[str, str]
    """Why a document is null, by its JSON pointer."""


def reason_of(documents: Documents, name: str) -> str:
    """Why a document is null, with the remedy where there is one."""
    why = documents.unknown.get(f"/{name}", "")
    return f"{why}: name a folder in `state_files.folder`" if why == NOT_CONFIGURED else why


def documents_of(folder: Path | None, fund: str) -> Documents:
    """The files of a fund. Raises StoreError when they cannot be read."""
    why = NOT_CONFIGURED if folder is None else NOT_WRITTEN
    try:
        found: Mapping[str, dict[str, Any]] = {} if folder is None else read_set(folder, fund)
    except OSError as error:
        raise _unreadable(error) from error
    except ValueError:
        found, why = {}, OTHER_VERSION
    made: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    for file, adapter in ADAPTERS.items():
        name = file.removesuffix(".json")
        made[name] = None
        if file not in found:
            unknown[f"/{name}"] = why
            continue
        try:
            made[name] = adapter.validate_python(found[file])
        except ValidationError:
            unknown[f"/{name}"] = OTHER_VERSION
    return Documents(**made, unknown=unknown)


class Index:
    """The index, read again when it was replaced. Any thread may ask."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._entries: Mapping[str, Mapping[str, Any]] = {}

    def entries(self) -> Mapping[str, Mapping[str, Any]]:
        """Every fund's line, by name. Raises StoreError when it cannot be read."""
        if self._folder is None:
            return {}
        with self._lock:
            seen = self.version()
            if seen is None or seen != self._seen:
                self._entries = self._read(self._folder)
                self._seen = seen
            return self._entries

    def version(self) -> tuple[int, int, int] | None:
        """Another one whenever the index was replaced; None where there is none. Raises StoreError."""
        if self._folder is None:
            return None
        try:
            found = (self._folder / INDEX).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(error) from error
        return found.st_mtime_ns, found.st_ino, found.st_size

    @staticmethod
    def _read(folder: Path) -> Mapping[str, Mapping[str, Any]]:
        try:
            funds = read_index(folder).get("funds", {})
        except OSError as error:
            raise _unreadable(error) from error
        except ValueError:
            return {}
        return {name: entry for name, entry in funds.items() if is_entry(entry)} if isinstance(funds, dict) else {}


def _unreadable(error: OSError) -> StoreError:
    return StoreError(
        f"the state files cannot be read: {error.strerror or error}",
        advice="Look at the folder that `state_files.folder` names, and at its permissions.",
    )
