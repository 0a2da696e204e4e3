"""Changing an overrides file: every change is validated before it is written, and written whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from navoracle.config.models import Config
from navoracle.config.overrides import (
    Overridden,
    is_in,
    overridden,
    parsed_overrides,
    place_of,
    read_overrides,
    take_out,
)
from navoracle.config.whole_file import written_beside
from navoracle.domain.errors import ConfigurationError, UsageError
from navoracle.domain.units import Timestamp

_PATHS: Final = "Paths are funds.NAME.gate.KEY and funds.NAME.risk.limits.KEY; `navoracle config schema` has the keys."
_NEVER: Final = Timestamp(2**62)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of an overrides file: its new content, and what counts by it."""

    content: bytes
    after: Overridden


def file_of(config: Config) -> Path:
    """The overrides file of a configuration. Raises ConfigurationError where it names none."""
    if config.service.overrides_file is None:
        raise ConfigurationError(
            "the configuration has no overrides file: the keeper would not read one",
            advice="Add `service: {overrides_file: overrides.yaml}`, and start the keeper anew.",
        )
    return config.service.overrides_file


def setting(
    config: Config, content: bytes, path: str, text: str, *, expires_at: Timestamp | None, now: Timestamp
) -> Edit:
    """Override one limit.

    Args:
        content: of the file as it is.
        text: the value as it is typed: `0.2`, `null`, `[posting]`. A decimal number needs no quotes here.
        expires_at: Unix seconds, after `now`; None where it lasts.

    Raises:
        UsageError: the path cannot be overridden, or the value is not valid there, now or when others have expired.
        ConfigurationError: the file is broken as it is.
    """
    name = str(file_of(config))
    place = place_of(path)
    if place is None:
        raise UsageError(f"{path} cannot be overridden", advice=_PATHS)
    overridden(config, content, name, now)
    funds, expires = parsed_overrides(content, name)
    inner = funds
    for step in (place[0], *place[1]):
        inner = inner.setdefault(step, {})
    expires = {known: at for known, at in expires.items() if known != path}
    ends = expires if expires_at is None else {**expires, path: expires_at}
    value = inner[place[2]] = _value(text)
    try:
        return _edit(config, funds, ends, now)
    except UsageError:
        if type(value) is not int:
            raise
    inner[place[2]] = text.strip()  # a decimal without a point: exact limits are text
    return _edit(config, funds, ends, now)


def clearing(config: Config, content: bytes, paths: tuple[str, ...], *, now: Timestamp) -> Edit:
    """End overrides.

    Raises:
        UsageError: one of them is not overridden, or what is left is not valid by itself.
        ConfigurationError: the file is broken as it is.
    """
    funds, expires = parsed_overrides(content, str(file_of(config)))
    for path in paths:
        if not is_in(funds, path):
            raise UsageError(f"{path} is not overridden", advice="`navoracle overrides show` lists what is.")
        take_out(funds, path)
    return _edit(config, funds, {path: at for path, at in expires.items() if path not in paths}, now)


def clearing_all(config: Config) -> Edit:
    """End all overrides, also those of a file that is broken."""
    return Edit(b"{}\n", Overridden(config, {}))


@contextmanager
def changing(file: Path) -> Iterator[bytes]:
    """Keep others from changing the file meanwhile; gives its content. Raises ConfigurationError."""
    try:
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigurationError(
            f"{file.parent}: cannot be opened: {error.strerror}", advice="Make the folder of the overrides file."
        ) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield read_overrides(file)
    finally:
        os.close(folder)


def write_overrides(file: Path, content: bytes) -> None:
    """Put new content in the file's place, whole and on the disk, with the rights of the old one.

    Raises:
        ConfigurationError: it cannot be written; the old file is as it was.
    """
    try:
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
        with written_beside(file, content, mode) as whole:
            whole.replace(file)
    except OSError as error:
        raise ConfigurationError(
            f"{file}: cannot be written: {error.strerror}", advice="Check the folder's owner and its free space."
        ) from error


def _edit(config: Config, funds: Mapping[str, Any], expires: Mapping[str, Timestamp], now: Timestamp) -> Edit:
    """The file of this content, sorted; what has expired is left out of it."""
    kept, lasting = _copied(funds), {path: int(at) for path, at in sorted(expires.items()) if at > now}
    for path in expires:
        if path not in lasting:
            take_out(kept, path)
    document = ({"funds": kept} if kept else {}) | ({"expires": lasting} if lasting else {})
    content = yaml.safe_dump(document, sort_keys=True, allow_unicode=True).encode()
    name = str(file_of(config))
    try:
        after = overridden(config, content, name, now)
        for at in (*sorted(set(lasting.values())), _NEVER):
            overridden(config, content, name, Timestamp(at))  # the keeper has to go on when these have expired
    except ConfigurationError as error:
        raise UsageError(error.message, advice=error.advice) from error
    return Edit(content, after)


def _copied(funds: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in funds.items()}


def _value(text: str) -> Any:
    """A value as it is typed; a number with a point stays text, because decimals are exact."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{text}: it is no value", advice="Write a number, a word, null or a [list].") from error
    return text.strip() if isinstance(found, float) else found
