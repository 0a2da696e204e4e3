"""Readers of tokens on the node, and sums over what they find: what leaves one balance must turn up in another."""

from __future__ import annotations

from typing import Any

from navoracle.ports import Address
from navoracle.positions import Erc20Position, Erc4626Position, NativePosition
from tests.protocols.chain import NAME, Chain


async def parts(chain: Chain, reader: Any) -> dict[str, int]:
    """Raw amounts by the part of the position."""
    return {holding.id.rpartition("/")[2]: holding.amount.value for holding in await chain.read(reader)}


async def total(chain: Chain, *readers: Any) -> int:
    """All that the readers find, in raw units of one asset."""
    return sum([amount for reader in readers for amount in (await parts(chain, reader)).values()])


def erc20(token: Address, holder: Address, **options: Any) -> Erc20Position:
    fields = {"kind": "erc20", "id": "balance", "asset": "A", "component": "cash", "chain": NAME}
    return Erc20Position.model_validate({**fields, "token": token, "holder": holder, **options})


def erc4626(vault: Address, token: Address, holder: Address, **options: Any) -> Erc4626Position:
    fields = {"kind": "erc4626", "id": "shares", "asset": "A", "component": "collateral", "chain": NAME}
    return Erc4626Position.model_validate({**fields, "vault": vault, "underlying": token, "holder": holder, **options})


def native(holder: Address) -> NativePosition:
    fields = {"kind": "native", "id": "coins", "asset": "ETH", "component": "cash", "chain": NAME}
    return NativePosition.model_validate({**fields, "holder": holder})
