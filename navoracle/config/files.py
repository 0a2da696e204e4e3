"""Writing a configuration file, whole or not at all, with the schema that editors check it by beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from navoracle.config.schema import config_schema
from navoracle.config.whole_file import written_beside
from navoracle.domain.errors import UsageError

SCHEMA: Final = "navoracle.schema.json"


def write_configuration(path: Path, text: Callable[[str], str], *, force: bool) -> Path:
    """Write a configuration and its schema; returns where the schema is.

    A schema that is there already is only written over with `force`.

    Args:
        text: the configuration's text, by the name of the schema from the file's own folder.

    Raises:
        UsageError: the file is there and not to be written over, or cannot be written.
    """
    schema = path.parent / SCHEMA
    _write(path, text(f"./{SCHEMA}"), force=force)
    if force or not schema.exists():
        _write(schema, json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n", force=True)
    return schema


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        with written_beside(path, text.encode(), 0o644) as whole:
            if force:
                whole.replace(path)
            else:
                # Fails where the file came into being meanwhile; a rename would take its place.
                path.hardlink_to(whole)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", advice="Write another file, or add --force.") from error
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", advice="Name a file in a folder that is there and yours."
        ) from error
