"""What the rates in an SY's accounting asset have in common."""

from __future__ import annotations

from navoracle.ports import Address, Call
from navoracle.prices.pendle.market import PendleRate
from navoracle.prices.pendle.standardized_yield import ASSET_INFO, Pricing, check_asset
from navoracle.readers import resolved_decimals


class PendleAssetRate(PendleRate, frozen=True):
    """A rate in units of the SY's accounting asset.

    `base_token` is what `assetInfo()` names; or, where the SY's `pricingInfo()` says to use the asset's rate, the token
    that it names there. An SY that says to use its own rate (one SY is one token) may still be read in its accounting
    asset: the two ways are held against one another.
    """

    def _base_calls(self) -> tuple[Call, ...]:
        return (Call(self.sy, ASSET_INFO),)

    def _check_base(self, answers: tuple[bytes, ...], pricing: tuple[Address, Pricing] | None) -> None:
        token = pricing[0] if pricing is not None and pricing[1] == "asset" else None
        check_asset(self, self.sy, self.base_token, resolved_decimals(self, self.decimals), answers[0], token)
