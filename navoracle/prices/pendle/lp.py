"""Pendle LP tokens: the rate between a share of a market and the SY's accounting asset, by Pendle's own oracle."""

from __future__ import annotations

from typing import Final, Literal

from navoracle.abi import encode_call
from navoracle.domain.units import WAD, Rounding, Wad, mul_div
from navoracle.ports import Address, Call
from navoracle.prices.pendle.asset import PendleAssetRate
from navoracle.prices.pendle.market import Market
from navoracle.prices.pendle.standardized_yield import Pricing
from navoracle.readers import DECIMALS, check_decimals, resolved_decimals

LP_DECIMALS: Final = 18
"""Of every market, whatever its asset has."""

ORACLE_ROUNDING: Final = 4
"""How far (in 1e-18 of a raw unit per raw LP) the oracle's own truncations can lift a rate."""


class PendleLpRate(PendleAssetRate, frozen=True):
    """Whole units of the SY's accounting asset per whole LP token: `getLpToAssetRate`.

    The oracle relates raw units, so the rate is multiplied by 10**(18 - asset decimals): an LP token of a 6-decimal
    market is worth about 2e12 whole units, and nobody has a whole one. The oracle values what the pool would hold after
    a trade to its own rate, so reserves that were moved to the side are worth what they were before.

    A market must be seeded also after expiry, where an LP token is its part of PT and SY.
    """

    kind: Literal["pendle_lp"]

    def _base_calls(self) -> tuple[Call, ...]:
        return (*super()._base_calls(), Call(self.market, DECIMALS))

    def _check_base(self, answers: tuple[bytes, ...], pricing: tuple[Address, Pricing] | None) -> None:
        super()._check_base(answers, pricing)
        check_decimals(self, self.market, answers[1], LP_DECIMALS)

    def _check_market(self, market: Market) -> None:
        self._check_seeded(market)
        super()._check_market(market)

    def _rate_call(self, duration: int) -> Call:
        return Call(self.oracle, encode_call("getLpToAssetRate(address,uint32)", self.market, duration))

    def _scale(self, rate: int, rounding: Rounding) -> Wad:
        return Wad(mul_div(rate, 10**LP_DECIMALS, 10 ** resolved_decimals(self, self.decimals), rounding))

    def _ceiling(self, market: Market) -> int | None:
        """The reserves with every PT at par, per LP token: a trade to the oracle's rate never makes them worth more."""
        return mul_div(market.total_pt + market.total_asset, WAD, market.total_lp, Rounding.UP) + ORACLE_ROUNDING
