"""Net delta: how far the fund's exposure to one asset has drifted from where it should be."""

from __future__ import annotations

from collections.abc import Sequence

from navoracle.domain.nav import FundValuation
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.margin_account import MarginAccount
from navoracle.domain.risk.policy import DeltaLimits
from navoracle.domain.risk.report import DeltaRisk
from navoracle.domain.units import WAD, Rounding, Wad, divide, mul_div
from navoracle.risk.margin import asset_of
from navoracle.risk.marks import Marks, own_rows, signed


def delta_risk(
    limits: DeltaLimits, valuation: FundValuation, accounts: Sequence[MarginAccount], marks: Marks
) -> DeltaRisk:
    """The net delta in whole units, its drift from the target, and the drift as a part of the fund's equity.

    Each holding and debt of an asset that moves with the unit counts value / price of the unit; a perpetual counts
    size x price of its asset / price of the unit. The sum is divided once, rounded down. Equity is NAV_before in units.

    Raises:
        RiskCalculationFailed: a price is missing, or it is not known which asset a perpetual follows.
    """
    moves_with = frozenset(limits.assets)
    value = sum(signed(row) for row in own_rows(valuation) if row.asset in moves_with) * WAD
    for account in accounts:
        for exposure in account.exposures:
            # Asked of every exposure: one that follows an unknown asset may be the hedge itself.
            asset = asset_of(exposure)
            if asset in moves_with:
                value += exposure.size * marks.price(asset)
    price = marks.price(limits.unit)
    net = Wad(divide(value, price, Rounding.DOWN))
    return judge_delta(limits, net, Wad(mul_div(valuation.before.nav, WAD, price, Rounding.DOWN)))


def judge_delta(limits: DeltaLimits, net_delta: Wad, equity: Wad) -> DeltaRisk:
    """Hold a net delta against the limits; both figures in whole units (Wad), compared exactly."""
    drift = Wad(net_delta - limits.target)
    return DeltaRisk(
        unit=limits.unit,
        net_delta=net_delta,
        target=limits.target,
        drift=drift,
        equity=equity,
        drift_part=Wad(mul_div(abs(drift), WAD, equity, Rounding.UP)) if equity > 0 else None,
        limit=limits.limit,
        status=_status(limits, drift, equity),
    )


def _status(limits: DeltaLimits, drift: int, equity: int) -> RiskStatus:
    if equity <= 0:
        return RiskStatus.CRITICAL if drift else RiskStatus.SAFE
    return status_of_part(abs(drift), equity, limits.limit, limits.warning_part)


def status_of_part(numerator: int, denominator: int, limit: Wad, warning_part: Wad) -> RiskStatus:
    """CRITICAL above the limit, WARNING above `warning_part` of it; numerator / denominator is compared exactly."""
    scaled = numerator * WAD
    if scaled > limit * denominator:
        return RiskStatus.CRITICAL
    return RiskStatus.WARNING if scaled * WAD > limit * warning_part * denominator else RiskStatus.SAFE
