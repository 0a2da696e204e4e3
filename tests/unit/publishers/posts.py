"""Posts to publish."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from navoracle.domain.units import WAD, Bps, Wad
from navoracle.publisher_port import FundPost

ROOT = "0x" + "5a" * 32


def fund_post(fund_id: int = 1, pps: int = WAD, **changes: Any) -> FundPost:
    """A fund of 1,000,000 units: 900,000 collateral, 400,000 cash, 300,000 debt."""
    post = FundPost(
        fund=f"fund{fund_id}",
        fund_id=fund_id,
        nav=Wad(1_000_000 * WAD),
        price_per_share=Wad(pps),
        confidence=Bps(9_500),
        estimated=False,
        components=(Wad(400_000 * WAD), Wad(900_000 * WAD), Wad(0), Wad(300_000 * WAD), Wad(0)),
        nav_before=Wad(990_000 * WAD),
    )
    return replace(post, **changes)
