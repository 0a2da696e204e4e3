"""Rules, runbooks, metrics and the dashboard name one another rightly: nothing points at what is not there."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
import yaml

from navoracle.config.alerts import AlertsSection
from navoracle.telemetry.alerts import RULES
from navoracle.telemetry.metrics import Metrics
from tests.requirements import PROJECT

OPS = PROJECT / "ops"
DOCS = PROJECT / "docs" / "operations"
KEEPERS_ALONE = frozenset({"ContractChanged", "OverridesBroken", "OverridesChanged"})
"""Rules of the keeper that no metric shows."""


def read(path: str) -> str:
    return (PROJECT / path).read_text(encoding="utf-8")


@cache
def metric_names() -> frozenset[str]:
    """Every sample that `/metrics` can show."""
    names = set()
    for family in Metrics("1", lambda: 0.0).registry.collect():
        names.add(family.name)
        names |= {f"{family.name}{end}" for end in ("_total", "_bucket", "_sum", "_count", "_info")}
    return frozenset(names)


@cache
def prometheus_rules() -> tuple[dict[str, Any], ...]:
    groups = yaml.safe_load(read("ops/prometheus/alerts.yml"))["groups"]
    return tuple(rule for group in groups for rule in group["rules"])


def anchors() -> set[str]:
    return {heading.lower() for heading in re.findall(r"^## (\w+)$", read("docs/operations/runbooks.md"), re.MULTILINE)}


def test_metrics__named_in_rules_and_dashboard__exist() -> None:
    text = (
        read("ops/prometheus/alerts.yml")
        + read("ops/grafana/dashboard.json")
        + read("ops/prometheus/tests/alerts_test.yml")
    )
    named = set(re.findall(r"\bnavoracle_[a-z_]+", text))
    assert len(named) > 30
    assert named <= metric_names()


def test_metrics__that_the_guide_names__exist() -> None:
    for page in DOCS.glob("*.md"):
        named = set(re.findall(r"\bnavoracle_[a-z_]+", page.read_text(encoding="utf-8")))
        assert named <= metric_names(), page


@pytest.mark.parametrize("rule", prometheus_rules(), ids=lambda rule: rule["alert"])
def test_rule__of_prometheus__says_how_grave_what_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("info", "warning", "critical")
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["description"].startswith("What to do: ")
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert (PROJECT / page).is_file()
    assert anchor == rule["alert"].lower()
    assert anchor in anchors()


def test_rules__of_keeper_and_prometheus__are_of_one_severity_and_cover_each_other() -> None:
    severities = {rule["alert"]: rule["labels"]["severity"] for rule in prometheus_rules()}
    for name, rule in RULES.items():
        if name in severities:
            assert severities[name] == rule.severity.value, name
    assert set(RULES) - set(severities) == KEEPERS_ALONE


def test_rule__of_prometheus__each_has_a_test_that_sees_it_fire() -> None:
    tested = {group.get("name") for group in yaml.safe_load(read("ops/prometheus/tests/alerts_test.yml"))["tests"]}
    assert {rule["alert"] for rule in prometheus_rules()} <= tested


@pytest.mark.parametrize("name", RULES)
def test_runbook__of_each_rule__says_what_it_means_what_to_look_at_and_what_to_do(name: str) -> None:
    text = read("docs/operations/runbooks.md")
    section = re.split(r"^## ", text.partition(f"\n## {name}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    for part in ("**Means**", "**Look at**", "**Do**"):
        assert part in section, f"{name}: {part}"


def test_runbooks__sections__belong_to_rules() -> None:
    known = {name.lower() for name in RULES} | {rule["alert"].lower() for rule in prometheus_rules()}
    assert anchors() == known


def test_alerts_page__rules__are_those_of_the_registry() -> None:
    rows = re.findall(
        r"^\| \[(\w+)\]\(runbooks\.md#(\w+)\) \| (.+?) \| (.+?) \| (.+?) \|$", read("docs/operations/alerts.md"), re.M
    )
    assert rows == [
        (
            rule.name,
            rule.name.lower(),
            rule.severity.value if rule.lasting else f"{rule.severity.value}, happens",
            rule.summary,
            rule.advice,
        )
        for rule in RULES.values()
    ]


def test_alerts_page__example__is_a_section_that_loads() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", read("docs/operations/alerts.md"), re.DOTALL)
    filled = re.sub(r"\$\{\w+\}", "json://localhost", example)
    section = AlertsSection.model_validate(yaml.safe_load(filled)["alerts"])
    assert [target.name for target in section.targets] == ["ops", "pager"]


def test_links__between_the_pages__lead_somewhere() -> None:
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            found = (page.parent / path) if path else page
            assert found.is_file(), f"{page.name}: {target}"
            if anchor and found.name == "runbooks.md":
                assert anchor in anchors(), f"{page.name}: {target}"


def test_dashboard__panels__have_a_title_a_query_and_a_place_of_their_own() -> None:
    dashboard = json.loads(read("ops/grafana/dashboard.json"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 30
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["targets"]
            assert all(target["expr"] and target["legendFormat"] for target in panel["targets"])


def test_provisioning__files__are_yaml_of_version_1() -> None:
    for path in (OPS / "grafana" / "provisioning").rglob("*.yml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["apiVersion"] == 1
