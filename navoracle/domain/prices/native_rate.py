"""A protocol's own rate as a cross-check of the market price: it can alarm and halt, it never sets or moves a price."""

from __future__ import annotations

from dataclasses import dataclass, replace

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.prices.types import PriceEstimate, unavailable
from navoracle.domain.units import BPS, Rounding, Wad, exceeds_bps, mul_div


@dataclass(frozen=True, slots=True)
class NativeBandPolicy:
    """How far market and protocol rate may lie apart, in bps of the rate; both limits are inclusive.

    Raises:
        OutOfRange: not 0 <= native_band_bps <= native_halt_bps.
    """

    native_band_bps: int
    native_halt_bps: int

    def __post_init__(self) -> None:
        if not 0 <= self.native_band_bps <= self.native_halt_bps:
            raise OutOfRange(
                f"native band {self.native_band_bps} and halt {self.native_halt_bps} bps",
                advice="Set both to 0 or more, and the halt no lower than the band.",
            )


def apply_native_rate(estimate: PriceEstimate, rate_price: Wad, policy: NativeBandPolicy) -> PriceEstimate:
    """Return the estimate with its gap from the rate; UNAVAILABLE ("native_halt", no fallback) beyond the halt.

    Args:
        rate_price: the asset's price by the protocol's own rate, Wad in the unit of account.

    The gap is measured on the undecayed price, in either direction. Within the halt the price is left as it is; beyond
    the band `native_alarm` is set; an alarm that a base has passed on stays. An estimate without a price is returned
    unchanged.

    Raises:
        DomainError: the rate price is not positive.
    """
    if rate_price <= 0:
        raise DomainError(
            f"{estimate.asset}: the protocol rate gives the price {rate_price}",
            advice="Look at the protocol: a rate that is not positive cannot be compared with a market price.",
        )
    market = estimate.price if estimate.undecayed_price is None else estimate.undecayed_price
    if market is None:
        return estimate
    distance = abs(market - rate_price)
    magnitude = mul_div(distance, BPS, rate_price, Rounding.UP)
    gap = magnitude if market >= rate_price else -magnitude
    if exceeds_bps(distance, rate_price, policy.native_halt_bps):
        return unavailable(
            estimate.asset, "native_halt", excluded=estimate.excluded, votes=estimate.votes, native_gap_bps=gap
        )
    alarm = exceeds_bps(distance, rate_price, policy.native_band_bps)
    return replace(estimate, native_gap_bps=gap, native_alarm=estimate.native_alarm or alarm)
