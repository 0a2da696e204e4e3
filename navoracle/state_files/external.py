"""Telemetry of others, from files: what a router and an executor measured, merged into the KPIs.

A file holds one JSON object, or one under the name of its part ("router", "symbols", "execution"). Numbers are taken
exactly. A file that is missing, too old, too large or no JSON is not known, with its reason; it never stops anything.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Literal

from navoracle.domain.units import Timestamp
from navoracle.json_depth import require_shallow
from navoracle.redaction import redact_text

MAX_BYTES: Final = 1_000_000
MAX_ENTRIES: Final = 1_000
MAX_TEXT: Final = 200
MAX_DEPTH: Final = 4
PLACES: Final = 18
MAX_DIGITS: Final = 60

PartName = Literal["router", "symbols", "execution"]

_TIMES: Final = ("updated_at", "ts")
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class ExternalPart:
    """One file's content.

    Attributes:
        reason: why it is not known; empty where it is.
        updated_at: when it was written, by itself or by its file's time.
        values: numbers are decimal text; other text is shortened and has no secrets.
    """

    reason: str
    updated_at: Timestamp | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether its values count."""
        return not self.reason


_NO_FILE: Final = ExternalPart("not_configured")


@dataclass(frozen=True, slots=True)
class External:
    """All telemetry of others for one fund."""

    router: ExternalPart = _NO_FILE
    symbols: ExternalPart = _NO_FILE
    execution: ExternalPart = _NO_FILE


UNCONFIGURED: Final = External()


@dataclass(frozen=True, slots=True)
class ExternalFiles:
    """Where the files are; `{fund}` in a path stands for the fund's name.

    Attributes:
        max_age: seconds after which a file says nothing any more.
    """

    router: Path | None = None
    symbols: Path | None = None
    execution: Path | None = None
    max_age: int = 900

    def read(self, fund: str, now: Timestamp) -> External:
        """What the files say of a fund."""

        def part(name: PartName, path: Path | None) -> ExternalPart:
            return _NO_FILE if path is None else read_part(of_fund(path, fund), name, now, self.max_age)

        return External(part("router", self.router), part("symbols", self.symbols), part("execution", self.execution))


def of_fund(path: Path, fund: str) -> Path:
    """The path with the fund's name filled in; one that would lead elsewhere stays as it is, and is not found."""
    return path if "/" in fund or fund in (".", "..") else Path(str(path).replace("{fund}", fund))


def read_part(path: Path, name: PartName, now: Timestamp, max_age: int) -> ExternalPart:
    """One file's content, or why it is not known."""
    try:
        content, written = _read(path)
        require_shallow(content)
        # Numbers stay text until they are taken: a float would change their digits.
        found = json.loads(content, parse_float=_Number, parse_int=_Number, parse_constant=_refuse)
    except FileNotFoundError:
        return ExternalPart("no_file")
    except (OSError, ValueError) as error:
        return ExternalPart(f"unreadable: {redact_text(str(error))[:MAX_TEXT]}")
    if not isinstance(found, dict):
        return ExternalPart("unreadable: no JSON object")
    inner = found.get(name)
    at = _time_of(found) or (_time_of(inner) if isinstance(inner, dict) else None) or written
    if now - at > max_age:
        return ExternalPart("too_old", at)
    values = inner if isinstance(inner, dict) else found
    return ExternalPart("", at, _plain_object({key: each for key, each in values.items() if key not in _TIMES}, 0))


class _Number(str):
    """The digits of a number."""

    __slots__ = ()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _read(path: Path) -> tuple[bytes, Timestamp]:
    """The bytes of a file and its time. Raises OSError, ValueError."""
    # Without waiting: opening a pipe that nobody writes to would never return.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("no file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    return content, Timestamp(math.floor(status.st_mtime))


def _time_of(found: Mapping[str, Any]) -> Timestamp | None:
    for name in _TIMES:
        value = found.get(name)
        if isinstance(value, _Number):
            number = decimal_text(value)
            if number is not None and 0 < int(number.partition(".")[0] or 0) < 2**40:
                return Timestamp(int(number.partition(".")[0]))
    return None


def decimal_text(text: str) -> str | None:
    """A number as plain decimal text of at most 18 places, those beyond cut off; None of what is none, or too large."""
    if len(text) > MAX_DIGITS or _NUMBER.fullmatch(text) is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > MAX_DIGITS:
        return None
    sign, whole, places = "-" if number < 0 else "", *f"{number.copy_abs():f}".partition(".")[::2]
    places = places[:PLACES].rstrip("0")
    found = f"{whole}.{places}" if places else whole
    return found if found == "0" else sign + found


def _plain_object(found: Mapping[str, Any], depth: int) -> dict[str, Any]:
    kept = list(found.items())[:MAX_ENTRIES]
    return {
        redact_text(key)[:MAX_TEXT]: plain for key, value in kept if (plain := _plain(value, depth + 1)) is not None
    }


def _plain(value: Any, depth: int) -> Any:
    """The value as the files hold it; None of what is left out: null, lists, and what is nested too deep."""
    if isinstance(value, _Number):
        return decimal_text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return redact_text(value)[:MAX_TEXT]
    if isinstance(value, dict) and depth < MAX_DEPTH:
        return _plain_object(value, depth)
    return None
