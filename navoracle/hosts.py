"""Hosts: which of them is this machine, and by which names a service that listens somewhere may be called."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names under which a page in somebody's browser cannot reach a service by a name of its own."""

_ALL_INTERFACES: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - to be recognised, not bound to


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def hosts_of(address: str) -> frozenset[str] | None:
    """The names of what listens at an address; None for any, where it listens on every interface."""
    return None if address in _ALL_INTERFACES else LOCAL_HOSTS | {address}


def is_called_by(host: str, names: Collection[str]) -> bool:
    """Whether a `Host` header is one of the names, with its port or without it."""
    return host in names or host.rpartition(":")[0] in names
