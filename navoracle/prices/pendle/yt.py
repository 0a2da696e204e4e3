"""Pendle yield tokens: the rate between a YT and the SY's accounting asset, by Pendle's own oracle contract."""

from __future__ import annotations

from typing import ClassVar, Literal

from navoracle.abi import encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import WAD, Rounding, Wad
from navoracle.ports import Call
from navoracle.prices.pendle.asset import PendleAssetRate
from navoracle.prices.pendle.manipulation import LEAST_FACTOR
from navoracle.prices.pendle.market import Market
from navoracle.readers import ChecksumAddress


class PendleYtRate(PendleAssetRate, frozen=True):
    """Units of the SY's accounting asset per YT: `getYtToAssetRate`, what is left to par beside the PT.

    It is the price of the yield to come; what has accrued already is counted by the position pendle_yt. A PT can be
    pushed up to par, which leaves nothing for the YT: confidence is that of a spot rate that can be pushed anywhere.
    An expired YT has no rate: its yield has been paid or is due, and nothing is to come.

    Attributes:
        yt: the YT that the market names.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals", "sy_pricing")

    kind: Literal["pendle_yt"]
    yt: ChecksumAddress

    def _check_market(self, market: Market) -> None:
        if market.is_expired:
            raise SourceRefused(
                f"{self.id}: YT {self.yt} expired at {market.expiry}; no yield is to come, so it has no rate",
                advice="Claim what is due and remove the YT; the position pendle_yt still counts what is due.",
            )
        super()._check_market(market)

    def _manipulation(self, market: Market) -> Wad:
        return LEAST_FACTOR

    def _rate_call(self, duration: int) -> Call:
        return Call(self.oracle, encode_call("getYtToAssetRate(address,uint32)", self.market, duration))

    def _scale(self, rate: int, rounding: Rounding) -> Wad:
        return Wad(rate)

    def _ceiling(self, market: Market) -> int | None:
        return WAD
