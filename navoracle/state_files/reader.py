"""Reading a fund's files: all of one set, whatever is written meanwhile."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from navoracle.domain.units import Timestamp
from navoracle.json_depth import require_shallow
from navoracle.state_files.names import CURRENT, INDEX, folder_name

MAX_BYTES: Final = 50_000_000
_TIMES: Final = ("updated_at", "valuation_time", "as_of")


def read_set(folder: Path, fund: str) -> dict[str, dict[str, Any]]:
    """Every file of the set that is in place, by name: all of one frame. Empty where the fund has none.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is no JSON object.
    """
    try:
        descriptor = os.open(folder / folder_name(fund) / CURRENT, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    try:
        names = os.listdir(descriptor)  # noqa: PTH208 - of the folder that is open, whatever its name means meanwhile
        return {name: _parsed(name, _bytes_of(name, descriptor)) for name in sorted(names)}
    finally:
        os.close(descriptor)


def read_index(folder: Path) -> dict[str, Any]:
    """The index; empty where there is none. Raises OSError, ValueError."""
    try:
        content = (folder / INDEX).read_bytes()
    except FileNotFoundError:
        return {}
    return _parsed(INDEX, content)


def with_live_ages(document: Mapping[str, Any], now: Timestamp) -> dict[str, Any]:
    """The document with every `age_s` as of `now`, wherever a time stands beside it."""
    return {key: _aged(value, now) for key, value in {**document, **_age_of(document, now)}.items()}


def _aged(value: Any, now: Timestamp) -> Any:
    if isinstance(value, Mapping):
        return with_live_ages(value, now)
    return [_aged(each, now) for each in value] if isinstance(value, list) else value


def _age_of(document: Mapping[str, Any], now: Timestamp) -> dict[str, int]:
    times = [at for name in _TIMES if isinstance(at := document.get(name), int)]
    return {"age_s": now - times[0]} if times and document.get("age_s") is not None else {}


def _bytes_of(name: str, folder: int) -> bytes:
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{name} has more than {MAX_BYTES} bytes")
    return content


def _parsed(name: str, content: bytes) -> dict[str, Any]:
    require_shallow(content)
    found = json.loads(content)
    if isinstance(found, dict):
        return found
    raise ValueError(f"{name} holds no JSON object")
