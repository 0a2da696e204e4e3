"""Worlds for the fault tests: a few funds on a node of their own, built in a tenth of a second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bench.anvil import binary
from navoracle.domain.units import to_wad
from navoracle.drill.node import LocalNode
from navoracle.drill.shape import AssetShape, FundShape, Holding, Shape
from navoracle.drill.world import World
from navoracle.registry_port import GuardBounds

HOUR_BEGINS: Final = 1_799_996_400
"""A full hour of 2027."""

START: Final = HOUR_BEGINS - 60
CHAIN: Final = "local"
CHAIN_ID: Final = 31_337
GROUPS: Final = ("chainlink", "redstone", "chronicle")
NODE_ARGUMENTS: Final = (
    "--slots-in-an-epoch",
    "2",
    "--block-base-fee-per-gas",
    "1000000000",
    "--chain-id",
    str(CHAIN_ID),
)


def shape(funds: int = 2) -> Shape:
    """Funds `fund-1` onwards, each half in USDC and half in ETH, two million in all and one unit a share."""
    assets = {"USDC": AssetShape(GROUPS, {}, to_wad("1")), "ETH": AssetShape(GROUPS, {}, to_wad("2000"))}
    holdings = (
        Holding("usdc", "USDC", "cash", to_wad("1000000")),
        Holding("eth", "ETH", "collateral", to_wad("500")),
    )
    return Shape(
        CHAIN,
        CHAIN_ID,
        assets,
        {f"fund-{number}": FundShape(number, holdings, {}) for number in range(1, funds + 1)},
    )


@asynccontextmanager
async def world_of(funds: int = 2, *, start: int = START, bounds: GuardBounds | None = None) -> AsyncIterator[World]:
    """A world whose newest block is of `start`; blocks are made only when it is told so."""
    async with LocalNode(binary(), "--timestamp", str(start - 7_200), *NODE_ARGUMENTS) as node:
        yield await World.build(node, shape(funds), start, bounds)
