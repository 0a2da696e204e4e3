"""Prometheus' own tool accepts the rules, and its tests of them pass."""

from __future__ import annotations

import subprocess
from functools import cache

import pytest

from tests.requirements import PROJECT

NOT_HERE = 69
"""How `scripts/promtool` ends where the tool is not to be had."""

pytestmark = pytest.mark.slow  # the first run fetches the tool


@cache
def missing() -> str | None:
    """Why promtool cannot be run here; None when it can."""
    ended = promtool("--version")
    return ended.stderr.strip() if ended.returncode == NOT_HERE else None


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROJECT / "scripts" / "promtool", *arguments], capture_output=True, text=True, check=False, cwd=PROJECT
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "ops/prometheus/alerts.yml"),
        ("check", "config", "ops/prometheus/prometheus.yml"),
        ("test", "rules", "ops/prometheus/tests/alerts_test.yml"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_promtool__rules_of_this_repository__are_accepted(arguments: tuple[str, ...]) -> None:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    ended = promtool(*arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "SUCCESS" in ended.stdout + ended.stderr


def test_promtool__metrics_that_the_keeper_shows__follow_its_conventions() -> None:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    from navoracle.telemetry.metrics import Metrics

    metrics = Metrics("1", lambda: 0.0, process=False)
    metrics.announce(["usd"], ["main"])
    ended = subprocess.run(
        [PROJECT / "scripts" / "promtool", "check", "metrics"],
        input=metrics.render().decode(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
