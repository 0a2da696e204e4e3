"""A unit test cannot reach the network, and asynchronous tests run all the same."""

from __future__ import annotations

import asyncio
import socket

import pytest
from pytest_socket import SocketBlockedError


def test_socket__opened_in_a_unit_test__is_refused() -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def test_name_lookup__in_a_unit_test__is_refused() -> None:
    with pytest.raises(SocketBlockedError):
        socket.getaddrinfo("localhost", 80)


async def test_asynchronous_test__without_sockets__runs() -> None:
    assert await asyncio.wait_for(asyncio.sleep(0, result=7), timeout=5) == 7
