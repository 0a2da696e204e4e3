"""Pendle principal tokens: the rate between a PT and what it is redeemed for, by Pendle's own oracle contract."""

from __future__ import annotations

from typing import ClassVar, Literal

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import WAD, Rounding, Wad, mul_div
from navoracle.ports import Address, Call
from navoracle.prices.pendle.asset import PendleAssetRate
from navoracle.prices.pendle.market import Market, PendleRate
from navoracle.prices.pendle.standardized_yield import YIELD_TOKEN, Pricing
from navoracle.readers import DECIMALS, Decimals, check_decimals, check_names, resolved_decimals


class PendlePtRate(PendleAssetRate, frozen=True):
    """Units of the SY's accounting asset per PT: `getPtToAssetRate`.

    PT and accounting asset have the same decimals by construction, so the rate holds for whole tokens as it is. It sees
    what the SY says of itself (insolvency), and nothing of what the market thinks of the accounting asset: the base's
    own price does.
    """

    kind: Literal["pendle_pt"]

    def _rate_call(self, duration: int) -> Call:
        return Call(self.oracle, encode_call("getPtToAssetRate(address,uint32)", self.market, duration))

    def _scale(self, rate: int, rounding: Rounding) -> Wad:
        return Wad(rate)

    def _ceiling(self, market: Market) -> int | None:
        return WAD


class PendlePtSyRate(PendleRate, frozen=True):
    """Whole yield tokens per whole PT: `getPtToSyRate`, the second way to the PT's price.

    Its failures go the other way than `PendlePtRate`'s (a gift to the SY's vault moves only this one), so it is the
    native rate to hold the first one against. `base_token` is the token that the SY's `pricingInfo()` names, or its
    `yieldToken()` where it has no such function. The SY must then be redeemed for exactly as many yield tokens: an SY
    over a rebasing token counts in shares of it, and its rate says nothing of the token's price.

    Attributes:
        sy_decimals: of the SY; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = (*PendleRate.resolved_fields, "sy_decimals")

    kind: Literal["pendle_pt_sy"]
    sy_decimals: Decimals | None = None

    def _base_calls(self) -> tuple[Call, ...]:
        return (Call(self.sy, YIELD_TOKEN), Call(self.sy, DECIMALS))

    def _check_base(self, answers: tuple[bytes, ...], pricing: tuple[Address, Pricing] | None) -> None:
        (token,) = decode_result(("address",), answers[0])
        if pricing is not None:
            token, rate = pricing
            if rate != "sy":
                raise SourceRefused(
                    f"{self.id}: one SY {self.sy} is not one {token}, as the SY itself says",
                    advice="Price this PT through the accounting asset: kind pendle_pt.",
                )
        check_names(self, f"the yield token of SY {self.sy}", self.base_token, Address(token))
        check_decimals(self, self.sy, answers[1], resolved_decimals(self, self.sy_decimals))

    def _unit_calls(self) -> tuple[Call, ...]:
        return (Call(self.sy, encode_call("previewRedeem(address,uint256)", self.base_token, self._one_sy)),)

    def _check_unit(self, answer: bytes) -> None:
        redeemed = decode_uint256(answer)
        if redeemed != self._one_sy:
            raise SourceRefused(
                f"{self.id}: one SY {self.sy} is redeemed for {redeemed} raw units of {self.base_token}, not for one "
                "whole token",
                advice="Price this PT through the accounting asset: kind pendle_pt.",
            )

    @property
    def _one_sy(self) -> int:
        """A whole SY in raw units, which are also those of its yield token."""
        return int(10 ** resolved_decimals(self, self.sy_decimals))

    def _rate_call(self, duration: int) -> Call:
        return Call(self.oracle, encode_call("getPtToSyRate(address,uint32)", self.market, duration))

    def _scale(self, rate: int, rounding: Rounding) -> Wad:
        pt, sy = resolved_decimals(self, self.decimals), resolved_decimals(self, self.sy_decimals)
        # raw SY per raw PT, to whole tokens: x 10**(PT decimals - SY decimals)
        return Wad(mul_div(rate, 10**pt, 10**sy, rounding))

    def _ceiling(self, market: Market) -> int | None:
        return None
