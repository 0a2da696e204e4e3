"""How far a post is from what the contract's own guard would hold, by the contract's arithmetic, to the unit.

The registry counts steps in tenths of a basis point of the price per share that it serves, rounded away from zero, one
by one and summed with sign over a UTC day. What is forecast here is what `NavGuard.sol` would compute.
"""

from __future__ import annotations

from typing import Final

from navoracle.domain.frame import GuardDistance
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import BPS, Rounding, Timestamp, Wad, divide, mul_div

UNITS_PER_BPS: Final = 10
UNITS: Final = BPS * UNITS_PER_BPS
"""The whole, in the contract's unit of a step."""

DAY: Final = 86_400


def contract_step(served: Wad, posted: Wad) -> int:
    """The step from one price per share to another (both Wad) in tenths of a basis point, rounded away from zero.

    Raises:
        DomainError: the served price is not positive.
    """
    rounding = Rounding.UP if posted > served else Rounding.DOWN
    return mul_div(posted, UNITS, served, rounding) - UNITS


def forecast(confirmed: ConfirmedNav | None, price_per_share: Wad, at: Timestamp) -> GuardDistance | None:
    """What a post of this price per share, valued at `at`, would use of the contract's band.

    None where nothing is served, the contract has no bounds, or the price is none that could be posted.
    """
    if confirmed is None or confirmed.bounds is None or confirmed.day_drift is None:
        return None
    if confirmed.price_per_share <= 0 or price_per_share <= 0:
        return None
    bounds = confirmed.bounds
    step = contract_step(confirmed.price_per_share, price_per_share)
    same_day = confirmed.valuation_time >= at - at % DAY
    day = step + (confirmed.day_drift if same_day else 0)
    step_limit = UNITS_PER_BPS * (bounds.up_bps if step >= 0 else bounds.down_bps)
    day_limit = UNITS_PER_BPS * bounds.day_bps
    by_day = abs(day) * step_limit > abs(step) * day_limit
    part, whole = (abs(day), day_limit) if by_day else (abs(step), step_limit)
    return GuardDistance(
        step=step,
        step_limit=step_limit,
        day=day,
        day_limit=day_limit,
        used_bps=divide(part * BPS, whole, Rounding.UP),
        binds="day" if by_day else "step",
    )


def sentence(distance: GuardDistance) -> str:
    """The forecast in words: "this post would use 83 % of the contract's band: ..."; per cent rounded up."""
    return (
        f"this post would use {-(-distance.used_bps // 100)} % of the contract's band: "
        f"a step of {_bps(distance.step)} bps of {_bps(distance.step_limit)}, "
        f"{_bps(distance.day)} bps of {_bps(distance.day_limit)} for the day"
    )


def _bps(units: int) -> str:
    """Tenths of a basis point as basis points, exactly."""
    whole, tenths = divmod(abs(units), UNITS_PER_BPS)
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{tenths}" if tenths else f"{sign}{whole}"
