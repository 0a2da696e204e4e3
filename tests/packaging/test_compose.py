"""compose.yaml: what it mounts exists, no secret is in it, nothing is open to others, its example is valid."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from tests.requirements import PROJECT
from tests.unit.guide import filled

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
FOLDER = PROJECT / "packaging" / "compose"


def example() -> Config:
    text = (FOLDER / "navoracle" / "navoracle.yaml").read_text(encoding="utf-8")
    return parse_config(yaml.safe_load(filled(text)), "navoracle.yaml")


def mounts(service: str) -> list[tuple[str, str]]:
    """Sources and targets; a variable's default stands for it."""
    found = []
    for line in SERVICES[service]["volumes"]:
        source, rest = line.split(":/", 1)
        if source.startswith("${"):
            source = source.removeprefix("${").removesuffix("}").partition(":-")[2]
        found.append((source, "/" + rest))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_compose__what_a_service_mounts__is_there(service: str) -> None:
    for source, _ in mounts(service):
        if source.startswith("."):
            assert (PROJECT / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("service", SERVICES)
def test_compose__a_service__is_pinned_has_no_rights_and_is_open_to_this_machine_alone(service: str) -> None:
    said = SERVICES[service]
    assert not said["image"].endswith(":latest")
    assert ":" in said["image"]
    assert "no-new-privileges:true" in said["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in said.get("ports", ()))
    assert "privileged" not in said
    assert all(place.endswith(":ro") for source, place in mounts(service) if source.startswith("."))


def test_compose__keeper__runs_on_a_read_only_root_as_a_rehearsal() -> None:
    keeper = SERVICES["navoracle"]
    assert keeper["read_only"] is True
    assert keeper["cap_drop"] == ["ALL"]
    assert "--live" not in keeper["command"]
    assert keeper["tmpfs"]


def test_compose__secrets__come_from_the_environment_or_not_at_all() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name:
                assert value.startswith("${"), name
                assert ":?" in value, name


def test_compose__keepers_token__is_where_the_keeper_and_prometheus_read_it() -> None:
    prometheus = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    read = prometheus["scrape_configs"][0]["authorization"]["credentials_file"]
    assert str(example().service.http.token_file) == read == "/run/secrets/keeper_token"
    assert COMPOSE["secrets"] == {"keeper_token": {"environment": "KEEPER_TOKEN"}}
    for service in ("navoracle", "prometheus"):
        (secret,) = SERVICES[service]["secrets"]
        assert (secret["source"], secret["mode"]) == ("keeper_token", 0o400), "a token file is its owner's alone"


def test_compose__database__cannot_be_reached_from_outside() -> None:
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == ["inside"]
    assert "ports" not in SERVICES["postgres"]


def test_example__for_compose__listens_where_prometheus_asks_and_writes_where_it_may() -> None:
    config = example()
    assert config.service.http.host == "0.0.0.0"
    written = {target.split(":")[0] for source, target in mounts("navoracle") if source in COMPOSE["volumes"]}
    assert any(config.service.events.folder.is_relative_to(place) for place in written)
    prometheus = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = prometheus["scrape_configs"]
    assert job["job_name"] == "navoracle"
    assert job["static_configs"] == [{"targets": [f"navoracle:{config.service.http.port}"]}]
    assert prometheus["rule_files"] == ["alerts.yml"]


def test_example__prometheus_and_grafana__are_those_of_ops_but_for_addresses() -> None:
    ours = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    known = yaml.safe_load((PROJECT / "ops" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    ours["scrape_configs"][0]["static_configs"] = known["scrape_configs"][0]["static_configs"]
    del ours["scrape_configs"][0]["authorization"]
    assert ours == known
    source = yaml.safe_load((FOLDER / "grafana-datasource.yml").read_text(encoding="utf-8"))
    theirs = PROJECT / "ops" / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    known = yaml.safe_load(theirs.read_text(encoding="utf-8"))
    assert source["datasources"][0].pop("url") == "http://prometheus:9090"
    known["datasources"][0].pop("url")
    assert source == known


def test_grafana__dashboards__are_where_its_provider_looks() -> None:
    provider = PROJECT / "ops" / "grafana" / "provisioning" / "dashboards" / "navoracle.yml"
    said = yaml.safe_load(provider.read_text(encoding="utf-8"))
    path = said["providers"][0]["options"]["path"]
    assert any(target.startswith(f"{path}/") for _, target in mounts("grafana"))
