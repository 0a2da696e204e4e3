"""The shipped declarations of contracts, with addresses filled in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from navoracle.publishers.peers import GenericPeer
from tests.unit.addresses import address

FOLDER: Final = Path(__file__).parents[4] / "config" / "publishers"
NAMES: Final = ("centrifuge", "enzyme", "ondo", "superstate")


def example(name: str, values: Mapping[str, str], **changes: Any) -> GenericPeer:
    """The peer of `config/publishers/<name>.yaml`, with these environment variables and other settings."""
    (section,) = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["publishers"].values()
    filled = _filled(section, {"POSTER": address(0x99)} | dict(values))
    return GenericPeer.model_validate({"id": name} | filled | changes)


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return values[value[2:-1]] if isinstance(value, str) and value.startswith("${") else value
