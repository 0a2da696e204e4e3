"""Position readers (what a fund holds and owes) and supply readers (its shares outstanding)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from navoracle.positions.attested import Attestation, AttestedPosition, sign_attestation
from navoracle.positions.declared import (
    DeclaredAccrual,
    DeclaredAtCost,
    DeclaredMarginCall,
    DeclaredPosition,
)
from navoracle.positions.erc20 import Erc20Position
from navoracle.positions.erc4626 import Erc4626Position
from navoracle.positions.native import NativePosition
from navoracle.positions.supply import Erc20Supply, FixedSupply

PositionModel = Annotated[
    Erc20Position
    | NativePosition
    | Erc4626Position
    | AttestedPosition
    | DeclaredPosition
    | DeclaredAtCost
    | DeclaredAccrual
    | DeclaredMarginCall,
    Field(discriminator="kind"),
]
"""Any position reader, told apart by `kind`."""

SupplyModel = Annotated[Erc20Supply | FixedSupply, Field(discriminator="kind")]
"""Any supply reader, told apart by `kind`."""

__all__ = [
    "Attestation",
    "AttestedPosition",
    "DeclaredAccrual",
    "DeclaredAtCost",
    "DeclaredMarginCall",
    "DeclaredPosition",
    "Erc20Position",
    "Erc20Supply",
    "Erc4626Position",
    "FixedSupply",
    "NativePosition",
    "PositionModel",
    "SupplyModel",
    "sign_attestation",
]
