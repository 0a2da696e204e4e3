"""What holds for every test: hypothesis profiles, warnings that stay errors, and no sockets unless a test asks."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.requirements import missing_node

TESTS = Path(__file__).parent
CHAINLESS = frozenset({"unit", "property"})
LOOPBACK = ["127.0.0.1", "::1"]

# Busy machines make examples slow without anything being wrong: no deadline, no complaint about slow data.
SLOW_IS_FINE = [HealthCheck.too_slow]
settings.register_profile("ci", deadline=None, suppress_health_check=SLOW_IS_FINE, derandomize=True)
settings.register_profile("dev", deadline=None, suppress_health_check=SLOW_IS_FINE)
settings.register_profile("deep", deadline=None, suppress_health_check=SLOW_IS_FINE, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Block sockets but the loopback address of tests marked `sockets` or `node`; skip `node` where node is absent.

    Unix sockets stay open: asyncio's event loop wakes itself through a pair of them.
    """
    without_node = missing_node()
    folders = set()
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        folders.add(folder)
        wants_node = item.get_closest_marker("node") is not None
        wants_sockets = wants_node or item.get_closest_marker("sockets") is not None
        if wants_sockets and folder in CHAINLESS:
            raise pytest.UsageError(f"{item.nodeid}: tests/{folder} opens no sockets and starts no node")
        item.add_marker(pytest.mark.allow_hosts(LOOPBACK) if wants_sockets else pytest.mark.disable_socket)
        if wants_node and without_node is not None:
            item.add_marker(pytest.mark.skip(reason=without_node))
    if folders - CHAINLESS:
        keep_warnings_errors()


def keep_warnings_errors() -> None:
    """Keep eth-tester from resetting the process's warning filters whenever it picks its own backend."""
    from eth_tester import backends  # over a second to import: not where only chainless tests run

    choose = backends.get_chain_backend_class

    def choose_and_restore(backend_import_path: str | None = None) -> object:
        with warnings.catch_warnings():
            return choose(backend_import_path)

    pytest.MonkeyPatch().setattr(backends, "get_chain_backend_class", choose_and_restore)
