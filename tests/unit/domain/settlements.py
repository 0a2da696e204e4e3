"""A vault that is ready to settle, and a post that suits it, unless a test changes them."""

from __future__ import annotations

from dataclasses import replace

from navoracle.domain.settlement import Delivery, Post, SettlementState, VaultFeeTerms, VaultLimits
from navoracle.domain.units import Timestamp, Wad, to_wad

CLOSES = Timestamp(1_700_000_000)
LENGTH, DELAY = 86_400, 600
READY = Timestamp(CLOSES + DELAY)
SCALE = 10**12
"""Value of a raw unit of an asset of 6 decimals."""

TERMS = VaultFeeTerms(to_wad("0.02"), to_wad("0.2"), to_wad("0.001"), 100)
LIMITS = VaultLimits(min_share_price=to_wad("0.01"), tolerance_bps=50, min_confidence=80)


def state(**changes: object) -> SettlementState:
    """A million shares, no requests, fees taken just now."""
    ready = SettlementState(
        epoch=7,
        closes_at=CLOSES,
        settleable_at=READY,
        newer_than=Timestamp(CLOSES - LENGTH),
        epoch_length=LENGTH,
        deposit_assets=0,
        cancelled_assets=0,
        redeem_shares=Wad(0),
        supply=to_wad("1000000"),
        asset_scale=SCALE,
        high_water_mark=to_wad("1"),
        fee_clock=CLOSES,
        deliveries=(),
        terms=TERMS,
        limits=LIMITS,
    )
    return replace(ready, **changes)  # type: ignore[arg-type]


def post(nav: Wad | None = None, **changes: object) -> Post:
    """A million at 1.00 a share, valued as the epoch closed."""
    worth = to_wad("1000000") if nav is None else nav
    zero = Wad(0)
    served = Post(
        nav=worth,
        price_per_share=to_wad("1"),
        valuation_time=CLOSES,
        confidence=95,
        max_age=3_600,
        components=(worth, zero, zero, zero, zero),
    )
    return replace(served, **changes)  # type: ignore[arg-type]


def delivered(worth: str, token: str = "USD") -> Delivery:
    """Units of the asset worth so much."""
    value = to_wad(worth)
    return Delivery(token, value // SCALE, value)
