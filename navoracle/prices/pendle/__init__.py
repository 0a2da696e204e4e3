"""Pendle: the rates of principal, yield, liquidity and standardized-yield tokens, by its own contracts."""

from __future__ import annotations

from navoracle.prices.pendle.lp import PendleLpRate
from navoracle.prices.pendle.pt import PendlePtRate, PendlePtSyRate
from navoracle.prices.pendle.standardized_yield import PendleSyRate
from navoracle.prices.pendle.yt import PendleYtRate

__all__ = ["PendleLpRate", "PendlePtRate", "PendlePtSyRate", "PendleSyRate", "PendleYtRate"]
