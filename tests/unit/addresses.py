"""Addresses for tests: one per number, checksummed."""

from __future__ import annotations

from eth_utils.address import to_checksum_address

from navoracle.ports import Address


def address(number: int) -> Address:
    """The address of 20 times the byte `number` (1 to 255)."""
    return Address(to_checksum_address(bytes([number]) * 20))
