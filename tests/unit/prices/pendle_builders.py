"""Pendle's contracts as answers: one market, its tokens and its oracle, and the rates that read them."""

from __future__ import annotations

from typing import Any

from navoracle.ports import Address
from navoracle.prices import PendleLpRate, PendlePtRate, PendlePtSyRate, PendleSyRate, PendleYtRate
from navoracle.prices.pendle.market import STATE_TYPES
from navoracle.prices.pendle.standardized_yield import ASSET_INFO_TYPES
from navoracle.testing import FakeChain, block_stamp, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
ORACLE, MARKET, PT, SY, YT, USDE, SUSDE, FACTORY = (address(number) for number in range(1, 9))
TREASURY = address(9)
SPOT, AVERAGE = 950_000_000_000_000_000, 950_100_000_000_000_000
LP_SPOT, LP_AVERAGE = 1_950_000_000_000_000_000, 1_950_195_000_000_000_000
SUPPLY = 10**24
FLAT = 10**23
"""A curve that no trade moves by a basis point."""
RATES = ("getPtToAssetRate", "getPtToSyRate", "getYtToAssetRate", "getLpToAssetRate")


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "id": "pt-rate",
        "chain": "local",
        "base": "USDe",
        "oracle": ORACLE,
        "market": MARKET,
        "pt": PT,
        "sy": SY,
        "base_token": USDE,
        "decimals": 18,
        "yt": YT,
        "sy_pricing": "sy",
        **changes,
    }


def rate(**changes: Any) -> PendlePtRate:
    return PendlePtRate.model_validate({"kind": "pendle_pt", **fields(**changes)})


def sy_rate(**changes: Any) -> PendlePtSyRate:
    own = {"kind": "pendle_pt_sy", "base": "sUSDe", "base_token": SUSDE, "sy_decimals": 18}
    return PendlePtSyRate.model_validate(fields(**{**own, **changes}))


def lp_rate(**changes: Any) -> PendleLpRate:
    return PendleLpRate.model_validate({"kind": "pendle_lp", **fields(**changes)})


def yt_rate(**changes: Any) -> PendleYtRate:
    return PendleYtRate.model_validate({"kind": "pendle_yt", **fields(**changes)})


def token_rate(**changes: Any) -> PendleSyRate:
    own = {"kind": "pendle_sy", "id": "sy", "chain": "local", "base": "USDe", "sy": SY, "base_token": USDE}
    return PendleSyRate.model_validate({**own, "decimals": 18, "asset_decimals": 18, **changes})


def world(spot: int = SPOT, average: int = AVERAGE, *, expiry: int = NOW + 86_400 * 90) -> FakeChain:
    """A market whose SY says that one SY is one sUSDe, and counts in USDe."""
    chain = FakeChain(block_stamp(NOW))
    tokens(chain)
    seed(chain, expiry=expiry)
    for token in (PT, SY, YT, MARKET):
        chain.put(token, "decimals()", (), ("uint8",), 18)
    asset_info(chain)
    pricing_info(chain, SUSDE, strictly_equal=True)
    chain.put(SY, "yieldToken()", (), ("address",), SUSDE)
    preview_redeem(chain)
    indexes(chain)
    oracle_state(chain)
    chain.put(FACTORY, "isValidMarket(address)", (MARKET,), ("bool",), True)
    for name in RATES:
        rates(chain, name, spot, average)
    return chain


def rates(chain: FakeChain, name: str, spot: int, average: int) -> FakeChain:
    chain.put(ORACLE, f"{name}(address,uint32)", (MARKET, 0), ("uint256",), spot)
    chain.put(ORACLE, f"{name}(address,uint32)", (MARKET, 900), ("uint256",), average)
    return chain


def tokens(chain: FakeChain, *, sy: Address = SY, pt: Address = PT, yt: Address = YT) -> FakeChain:
    chain.put(MARKET, "readTokens()", (), ("address", "address", "address"), sy, pt, yt)
    return chain


def seed(
    chain: FakeChain,
    total_pt: int = 10**24,
    total_sy: int = 10**24,
    ln_rate: int = 10**17,
    supply: int = SUPPLY,
    *,
    scalar: int = FLAT,
    expiry: int = NOW + 86_400 * 90,
) -> FakeChain:
    values = (total_pt, total_sy, supply, TREASURY, scalar, expiry, 0, 0, ln_rate)
    chain.put(MARKET, "readState(address)", ("0x" + "00" * 20,), STATE_TYPES, *values)
    return chain


def asset_info(chain: FakeChain, asset: Address = USDE, decimals: int = 18, *, kind: int = 0) -> FakeChain:
    chain.put(SY, "assetInfo()", (), ASSET_INFO_TYPES, kind, asset, decimals)
    return chain


def pricing_info(chain: FakeChain, token: Address, *, strictly_equal: bool) -> FakeChain:
    chain.put(SY, "pricingInfo()", (), ("address", "bool"), token, strictly_equal)
    return chain


def preview_redeem(chain: FakeChain, tokens: int = 10**18) -> FakeChain:
    """What one whole SY is redeemed for, in raw yield tokens."""
    chain.put(SY, "previewRedeem(address,uint256)", (SUSDE, 10**18), ("uint256",), tokens)
    return chain


def indexes(chain: FakeChain, sy: int = 10**18, stored: int = 10**18) -> FakeChain:
    chain.put(SY, "exchangeRate()", (), ("uint256",), sy)
    chain.put(YT, "pyIndexStored()", (), ("uint256",), stored)
    return chain


def oracle_state(chain: FakeChain, *, increase: bool = False, oldest: bool = True) -> FakeChain:
    types = ("bool", "uint16", "bool")
    chain.put(ORACLE, "getOracleState(address,uint32)", (MARKET, 900), types, increase, 61, oldest)
    return chain
