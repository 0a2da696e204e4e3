"""The views of a FundVault that are read here, encoded, and the types of their answers.

Source: `contracts/src/vault/IFundVaultExtension.sol` and `VaultTypes.sol`; a struct without dynamic parts is
answered as its fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from navoracle.abi import encode_call
from navoracle.domain.flows import VaultFlows
from navoracle.domain.units import Wad

SETTLEMENT: Final = encode_call("settlement()")
SETTLEMENT_TYPES: Final = ("uint256",) * 9 + ("bool",) * 3
DELIVERIES: Final = encode_call("deliveries()")
DELIVERIES_TYPES: Final = ("address[]", "uint256[]", "uint256[]")
FEE_TERMS: Final = encode_call("feeTerms()")
FEE_TERMS_TYPES: Final = ("uint64", "uint64", "uint64", "uint16") * 2
FEE_STATE: Final = encode_call("feeState()")
FLOW_TOTALS: Final = encode_call("flowTotals()")
FLOW_TOTALS_TYPES: Final = ("uint128",) * 8
ASSET_SCALE: Final = encode_call("assetScale()")

LIMITS: Final = encode_call("limits()")
LIMITS_TYPES: Final = ("uint128", "uint128", "uint96", "uint32", "uint16", "uint8")
ASSET: Final = encode_call("asset()")
REGISTRY: Final = encode_call("registry()")
FUND_ID: Final = encode_call("fundId()")
QUOTER: Final = encode_call("quoter()")
EPOCH_LENGTH: Final = encode_call("epochLength()")
KEEPER_ROLE: Final = encode_call("KEEPER_ROLE()")
HAS_ROLE: Final = "hasRole(bytes32,address)"
IDLE_OF: Final = "idleOf(address)"
CANCELLED_SINCE: Final = "cancelledSince(uint256,uint256)"
EPOCH_OF: Final = "epochOf(uint256)"
EPOCH_OF_TYPES: Final = ("uint128", "uint128", "uint128", "uint96", "bool", "bool")
PAYOUTS_OF: Final = "payoutsOf(uint256)"
PAYOUTS_OF_TYPES: Final = ("address[]", "uint256[]")
BREAKDOWN: Final = encode_call("breakdown()")
BREAKDOWN_TYPES: Final = ("uint104", "uint104", "uint48", "uint104", "uint104", "uint48", "uint104")
SETTLE: Final = "settle(uint256,uint104[5])"
GET_QUOTE: Final = "getQuote(uint256,address,address)"


def decode_flows(totals: Sequence[int], asset_scale: int) -> VaultFlows:
    """The decoded `flowTotals()`; dividends are counted in assets, whose raw unit is worth `asset_scale` (Wad)."""
    _, deposited, redeemed, minted, burned, fee_shares, _, dividends = totals
    return VaultFlows(
        deposited=Wad(deposited),
        redeemed=Wad(redeemed),
        dividends=Wad(dividends * asset_scale),
        minted=Wad(minted),
        burned=Wad(burned),
        fee_shares=Wad(fee_shares),
    )
