"""Position readers (what a fund holds and owes) and supply readers (its shares outstanding)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from navoracle.positions.aave_v3 import AaveV3Position
from navoracle.positions.aave_v3_account import AaveV3Account
from navoracle.positions.attested import Attestation, AttestedPosition, sign_attestation
from navoracle.positions.compound_v3 import CompoundV3Position
from navoracle.positions.declared import (
    DeclaredAccrual,
    DeclaredAtCost,
    DeclaredMarginCall,
    DeclaredPosition,
)
from navoracle.positions.erc20 import Erc20Position
from navoracle.positions.erc4626 import Erc4626Position
from navoracle.positions.erc7540 import Erc7540Requests
from navoracle.positions.exchange import ExchangeBalancePosition
from navoracle.positions.exchange_margin import DeclaredMargin, ExchangeMargin
from navoracle.positions.exchange_perpetual import ExchangePerpetualPosition
from navoracle.positions.fund_vault import FundVaultPosition
from navoracle.positions.fund_vault_state import FundVaultState
from navoracle.positions.lido_withdrawals import LidoWithdrawals
from navoracle.positions.morpho_blue import MorphoBluePosition
from navoracle.positions.morpho_blue_account import MorphoBlueAccount
from navoracle.positions.native import NativePosition
from navoracle.positions.pendle import PendleLpPosition, PendleSyPosition, PendleYtPosition
from navoracle.positions.recorded_lending import RecordedLending
from navoracle.positions.rewards_aave import AaveRewards
from navoracle.positions.rewards_merkl import MerklRewards
from navoracle.positions.supply import Erc20Supply, FixedSupply
from navoracle.positions.susde_cooldown import SusdeCooldown
from navoracle.positions.uniswap_v3 import UniswapV3Position
from navoracle.positions.weeth_withdrawals import WeethWithdrawals

PositionModel = Annotated[
    Erc20Position
    | NativePosition
    | Erc4626Position
    | AaveV3Position
    | MorphoBluePosition
    | CompoundV3Position
    | Erc7540Requests
    | FundVaultPosition
    | LidoWithdrawals
    | SusdeCooldown
    | WeethWithdrawals
    | MerklRewards
    | AaveRewards
    | UniswapV3Position
    | PendleLpPosition
    | PendleYtPosition
    | PendleSyPosition
    | ExchangeBalancePosition
    | ExchangePerpetualPosition
    | AttestedPosition
    | RecordedLending
    | DeclaredPosition
    | DeclaredAtCost
    | DeclaredAccrual
    | DeclaredMarginCall,
    Field(discriminator="kind"),
]
"""Any position reader, told apart by `kind`."""

LendingModel = Annotated[AaveV3Account | MorphoBlueAccount, Field(discriminator="kind")]
"""Any reader of an account at a lender, told apart by `kind`."""

MarginModel = Annotated[ExchangeMargin | DeclaredMargin, Field(discriminator="kind")]
"""Any reader of an account at an exchange as its margin is judged by, told apart by `kind`."""

SupplyModel = Annotated[Erc20Supply | FixedSupply, Field(discriminator="kind")]
"""Any supply reader, told apart by `kind`."""

__all__ = [
    "AaveRewards",
    "AaveV3Account",
    "AaveV3Position",
    "Attestation",
    "AttestedPosition",
    "CompoundV3Position",
    "DeclaredAccrual",
    "DeclaredAtCost",
    "DeclaredMargin",
    "DeclaredMarginCall",
    "DeclaredPosition",
    "Erc20Position",
    "Erc20Supply",
    "Erc4626Position",
    "Erc7540Requests",
    "ExchangeBalancePosition",
    "ExchangeMargin",
    "ExchangePerpetualPosition",
    "FixedSupply",
    "FundVaultPosition",
    "FundVaultState",
    "LendingModel",
    "LidoWithdrawals",
    "MarginModel",
    "MerklRewards",
    "MorphoBlueAccount",
    "MorphoBluePosition",
    "NativePosition",
    "PendleLpPosition",
    "PendleSyPosition",
    "PendleYtPosition",
    "PositionModel",
    "RecordedLending",
    "SupplyModel",
    "SusdeCooldown",
    "UniswapV3Position",
    "WeethWithdrawals",
    "sign_attestation",
]
