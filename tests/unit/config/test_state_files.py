"""The settings of state files and of the reporting currency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from navoracle.config.loading import load_config, parse_config
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import to_wad


def config(**changes: Any) -> Config:
    said = {
        "recorded": {"zar": {"file": "zar.csv"}},
        "assets": {
            "ZAR": {
                "min_sources": 1,
                "sources": [{"kind": "recorded", "group": "market", "series": "zar", "max_age": 300}],
            },
        },
        "funds": {
            "one": {
                "id": 1,
                "supply": {"kind": "fixed", "shares": "1"},
                "positions": [{"kind": "declared", "id": "cash", "asset": "ZAR", "component": "cash", "amount": "1"}],
            }
        },
        **changes,
    }
    return parse_config(said, "test")


def test_state_files__unless_they_are_asked_for__are_not_written() -> None:
    assert config().state_files is None
    assert config().reporting is None


def test_paths__of_state_files__are_taken_from_the_configurations_folder(tmp_path: Path) -> None:
    file = tmp_path / "navoracle.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                **config().model_dump(mode="json", exclude_unset=True),
                "state_files": {
                    "folder": "state",
                    "external": {"router": "told/{fund}.json", "symbols": "/s.json"},
                },
            }
        )
    )
    found = load_config(file, {}).state_files
    assert found is not None
    assert found.folder == tmp_path / "state"
    assert found.external.router == tmp_path / "told/{fund}.json"
    assert found.external.symbols == Path("/s.json")
    assert found.external.execution is None


def test_reporting__of_a_currency__has_its_fallback_exactly() -> None:
    found = config(reporting={"currency": "ZAR", "asset": "ZAR", "fallback": "18.05"}).reporting
    assert found is not None
    assert found.fallback == to_wad("18.05")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reporting": {"currency": "ZAR", "asset": "EUR"}}, r"reporting\.asset: EUR is not among assets"),
        ({"reporting": {"currency": "ZAR", "asset": "USD"}}, r"reporting\.asset: USD is not among assets"),
        ({"reporting": {"currency": "ZAR", "asset": "ZAR", "fallback": "0"}}, r"reporting\.fallback"),
        ({"reporting": {"currency": "a b", "asset": "ZAR"}}, r"reporting\.currency"),
        ({"state_files": {}}, r"state_files\.folder"),
        ({"state_files": {"folder": "s", "history": 0}}, r"state_files\.history"),
        (
            {"state_files": {"folder": "s", "venues": {"one.other": "desk"}}},
            r"state_files\.venues\.one\.other: no fund has that position",
        ),
    ],
)
def test_setting__that_cannot_be__is_refused_with_its_path(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        config(**changes)


def test_venue__of_a_position__may_be_any_text() -> None:
    found = config(state_files={"folder": "s", "venues": {"one.cash": "The vault, desk 2"}}).state_files
    assert found is not None
    assert found.venues == {"one.cash": "The vault, desk 2"}
