"""Which hosts are this machine, and by which names a service may be called."""

from __future__ import annotations

import pytest

from navoracle.hosts import LOCAL_HOSTS, hosts_of, is_called_by, is_loopback


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.1", False), ("keeper.internal", False)],
)  # fmt: skip
def test_is_loopback__name_or_address__only_this_machines_own(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_hosts_of__every_interface__is_any_name(address: str) -> None:
    assert hosts_of(address) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1"])
def test_hosts_of__one_address__is_that_and_this_machines_own_names(address: str) -> None:
    assert hosts_of(address) == frozenset({"localhost", "127.0.0.1", "[::1]", address})


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("localhost:8080", True), ("[::1]", True), ("[::1]:8080", True), ("evil.example", False),
     ("evil.example:8080", False), ("localhost.evil.example", False), ("8080", False), ("", False)],
)  # fmt: skip
def test_is_called_by__host_header__is_known_with_its_port_or_without(host: str, expected: bool) -> None:
    assert is_called_by(host, LOCAL_HOSTS) is expected
