"""Who and what there is in the demo's world: accounts, funds, and how the configuration asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from navoracle.domain.units import Wad, to_wad
from navoracle.ports import Address

OPERATOR: Final = 0
"""Deploys, administers, and does everything that is nobody else's."""
POSTER: Final = 1
RISK: Final = 2
GUARDIAN: Final = 3
MANAGER: Final = 4
FEE_RECIPIENT: Final = 6
ALICE: Final = 7
BOB: Final = 8
CUSTODIAN: Final = 9
"""Vouches for the gold."""

CHAIN: Final = "home"
FUNDS: Final[Mapping[str, int]] = {"stable": 1, "levered-pt": 2, "multi": 3}
"""The funds' ids on the registry."""

OPENING_NAV: Final[Mapping[str, Wad]] = {
    "stable": to_wad("5000000"),
    "levered-pt": to_wad("1500000"),
    "multi": to_wad("1000000"),
}
"""What each fund is worth at the beginning, and its shares: one unit of account a share."""


def holder_of(fund: str) -> Address:
    """The account that holds a fund's tokens; nobody has its key. Of `stable` it is the custodian of its vault."""
    return Address(to_checksum_address(keccak(text=f"holder of {fund}")[12:]))


def variable(name: str) -> str:
    """The name of a variable that stands for something called `name`."""
    return name.upper().replace("-", "_")
