"""The probes, in the order in which they are believed: what says more of itself comes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from navoracle.discovery.found import Found
from navoracle.discovery.mellow import mellow, mellow_feed, mellow_submitter, mellow_vault
from navoracle.discovery.midas import midas, midas_growth
from navoracle.discovery.registry import nav_registry
from navoracle.discovery.vaults import erc4626, fund_vault, lagoon, share_token
from navoracle.discovery.veda import veda, veda_teller
from navoracle.discovery.views import view
from navoracle.ports import Address, Read

PROBES: Final[Mapping[str, Callable[[Address], Read[Found]]]] = {
    "fund_vault": fund_vault,
    "nav_registry": nav_registry,
    "lagoon": lagoon,
    "veda": veda,
    "veda_teller": veda_teller,
    "mellow": mellow,
    "mellow_submitter": mellow_submitter,
    "mellow_vault": mellow_vault,
    "mellow_feed": mellow_feed,
    "midas_growth": midas_growth,
    "midas": midas,
    "erc4626": erc4626,
    "token": share_token,
}
"""Every kind of contract that a configuration can be written for."""

VAULTS: Final = ("fund_vault", "erc4626", "token")
"""What the vault of a registry's fund may be."""


def _ondo(contract: Address) -> Read[str]:
    yield from view(contract, "getPriceData()", "uint256", "uint256")
    yield from view(contract, "MIN_PRICE_UPDATE_WINDOW()", "uint256")
    return "ondo"


def _superstate(contract: Address) -> Read[str]:
    yield from view(contract, "maximumAcceptablePriceDelta()", "uint256")
    return "superstate"


def _enzyme(contract: Address) -> Read[str]:
    yield from view(contract, "getValueWithTimestamp()", "int256", "uint256")
    return "enzyme"


def _centrifuge(contract: Address) -> Read[str]:
    yield from view(contract, "shareClassManager()", "address")
    return "centrifuge"


ELSEWHERE: Final[Mapping[str, Callable[[Address], Read[str]]]] = {
    "ondo": _ondo,
    "superstate": _superstate,
    "enzyme": _enzyme,
    "centrifuge": _centrifuge,
}
"""Contracts whose setter is declared in full: each has an example, `config/publishers/<name>.yaml`, to copy instead."""
