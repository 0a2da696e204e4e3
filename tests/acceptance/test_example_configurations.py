"""Every file in config/ loads, is what its own schema says, and values funds on a real chain."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from navoracle.config.loading import load_config
from navoracle.config.schema import config_schema
from navoracle.demo.examples import example_configuration
from navoracle.demo.world import OPENING_NAV
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import to_wad
from tests.acceptance.worlds import Bench
from tests.requirements import PROJECT

EXAMPLES = sorted((PROJECT / "config").glob("*.yaml"))
FILES = sorted((PROJECT / "config").rglob("*.yaml"))
"""Those of publishers too; test_publisher_examples runs them beside doubles of their contracts."""
EXPECTED = {
    "one-fund.yaml": {"stable": to_wad("4000000")},  # it does not know of the fund's USDT
    "three-funds.yaml": dict(OPENING_NAV),
}


def test_examples__folder__holds_those_that_are_known() -> None:
    assert [path.name for path in EXAMPLES] == sorted(EXPECTED)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example__nav__values_every_fund(still: Bench, path: Path) -> None:
    result = still.cli("nav", "--json", config=path)
    assert result.code == 0, result.out
    found = {part["fund"]: int(part["nav_after"]) for part in result.json["funds"]}
    assert found == EXPECTED[path.name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_example__without_its_environment__names_the_first_missing_variable(path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"environment variable HOME_RPC is not set"):
        load_config(path, {})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_example__first_line__names_the_schema_beside_it(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    marker, _, schema = first.partition("$schema=")
    assert marker == "# yaml-language-server: "
    assert (path.parent / schema).is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_example__every_key__is_in_the_schema(path: Path) -> None:
    schema = config_schema()

    def check(value: object, kind: Any, place: str) -> None:
        chosen = next((each for each in _alternatives(kind, schema) if _fits(value, each)), None)
        assert chosen is not None, f"{place}: no alternative of the schema fits"
        if isinstance(value, dict):
            known = chosen.get("properties", {})
            others = next(iter(chosen.get("patternProperties", {}).values()), None)
            for key, item in value.items():
                inner = known.get(key, others)
                assert inner is not None, f"{place}.{key} is not in the schema"
                check(item, inner, f"{place}.{key}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                check(item, chosen["items"], f"{place}[{index}]")
        elif isinstance(value, str):
            assert re.search(chosen.get("pattern", ""), value), f"{place}: {value} is not as the schema says"

    check(yaml.safe_load(path.read_text(encoding="utf-8")), schema, path.name)


def _alternatives(kind: Any, schema: Any) -> list[Any]:
    if "$ref" in kind:
        return _alternatives(schema["$defs"][kind["$ref"].rsplit("/", 1)[-1]], schema)
    nested = kind.get("anyOf") or kind.get("oneOf")
    if nested is None:
        return [kind]
    return [found for part in nested for found in _alternatives(part, schema)]


def _fits(value: object, kind: Any) -> bool:
    """Whether a kind of the schema is that of the value; readers are told apart by `kind`."""
    if isinstance(value, dict):
        said = kind.get("properties", {}).get("kind", {})
        name = value.get("kind", said.get("default"))
        return bool(said.get("const", name) == name and set(kind.get("required", ())) <= set(value))
    expected = {list: "array", str: "string", int: "integer", bool: "boolean"}[type(value)]
    return bool(kind.get("type", expected) == expected)


def test_example_configuration__unknown_name__says_so() -> None:
    with pytest.raises(ConfigurationError, match="no example configuration"):
        example_configuration("nothing.yaml")
