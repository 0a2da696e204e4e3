"""Pendle: liquidity, yield and standardized-yield tokens with what is due on them; a PT is an ERC-20 balance."""

from __future__ import annotations

from navoracle.positions.pendle.lp import PendleLpPosition
from navoracle.positions.pendle.rewards import PendleReward
from navoracle.positions.pendle.sy import PendleSyPosition
from navoracle.positions.pendle.yt import PendleYtPosition

__all__ = ["PendleLpPosition", "PendleReward", "PendleSyPosition", "PendleYtPosition"]
