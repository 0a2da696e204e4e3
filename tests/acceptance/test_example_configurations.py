"""Every file in config/ loads, is what its own schema says, and values funds on a real chain."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.composition.plans import subject_of
from navoracle.composition.reach import reach
from navoracle.composition.resolving import resolve
from navoracle.config.loading import load_config
from navoracle.config.schema import config_schema
from navoracle.demo.examples import example_configuration
from navoracle.demo.world import OPENING_NAV
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.frame import NavFrame
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.units import to_wad
from navoracle.keeper.frame import FramePorts, run_frame
from navoracle.keeper.planner import Planner
from navoracle.keeper.verify import verify_document
from tests.acceptance.worlds import Bench, WorldClock, gross_values
from tests.requirements import PROJECT

EXAMPLES = sorted((PROJECT / "config").glob("*.yaml"))
FILES = sorted((PROJECT / "config").rglob("*.yaml"))
"""Those of publishers too, which test_publisher_examples runs beside doubles of their contracts, and those of replays,
which test_replay_configuration runs."""
EXPECTED = {
    "levered-fund.yaml": {"neutral": to_wad("230000")},  # 100 ETH at 3,000, 150,000 owed, 80,000 at an exchange
    "one-fund.yaml": {"stable": to_wad("4000000")},  # it does not know of the fund's USDT
    "reporting-fund.yaml": {"rand": to_wad("1000000")},
    "three-funds.yaml": dict(OPENING_NAV),
}


def test_examples__folder__holds_those_that_are_known() -> None:
    assert [path.name for path in EXAMPLES] == sorted(EXPECTED)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example__nav__values_every_fund(still: Bench, path: Path) -> None:
    result = still.cli("nav", "--json", config=path)
    assert result.code == 0, result.out
    assert gross_values(result.json) == EXPECTED[path.name]


async def frame_of(path: Path, still: Bench) -> NavFrame:
    """A frame of everything in a file, on the demo's world."""
    config, clock = load_config(path, still.world.environment), WorldClock(still.chain)
    reached = reach(config, clock=clock, chains=still.world.access())
    try:
        chains = {name: access.reader for name, access in reached.chains.items()}
        now = clock.now()
        subject = await resolve(subject_of(config), chains, reached.off_chain, now)
        planner = Planner(subject, None, {}, now=now)
        plan = await planner.slot(list(subject.funds), now, Cadence.HOURLY, publish=False, now=now)
        return await run_frame(plan, FramePorts(chains, reached.off_chain, clock, None, {}))
    finally:
        await reached.close()


def test_levered_fund__its_risks__are_all_known_and_within_their_limits(still: Bench) -> None:
    frame = asyncio.run(frame_of(PROJECT / "config" / "levered-fund.yaml", still))
    report = frame.funds[0].risk
    assert report is not None
    assert (report.failures, report.alerts, report.status) == ((), (), RiskStatus.SAFE)
    assert report.lending[0].account.loan_to_value == to_wad("0.5")
    assert report.worst_margin_ratio == to_wad("80000") * 10**18 // to_wad("300000")
    assert report.delta is not None
    assert report.delta.net_delta == 0
    assert [limit.name for limit in report.limits] == ["leverage", "exposure", "drawdown", "funding_cost"]
    assert verify_document(frame.evidence["neutral"], plan_from_evidence).fund == "neutral"


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name != "replay"], ids=lambda path: path.name)
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
            others = next(iter(chosen.get("patternProperties", {}).values()), chosen.get("additionalProperties"))
            for key, item in value.items():
                inner = known.get(key, others)
                assert isinstance(inner, dict), f"{place}.{key} is not in the schema"
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
    expected = {list: "array", str: "string", int: "integer", bool: "boolean", type(None): "null"}[type(value)]
    return bool(kind.get("type", expected) == expected)


def test_example_configuration__unknown_name__says_so() -> None:
    with pytest.raises(ConfigurationError, match="no example configuration"):
        example_configuration("nothing.yaml")
