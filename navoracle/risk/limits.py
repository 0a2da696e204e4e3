"""Limits of the fund as a whole: leverage, exposure, drawdown and the cost of funding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from navoracle.domain.errors import RiskCalculationFailed
from navoracle.domain.nav import FundValuation
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.margin_account import MarginAccount
from navoracle.domain.risk.policy import FundLimits
from navoracle.domain.risk.report import LimitRisk, MarginRisk
from navoracle.domain.units import WAD, Rounding, Wad, mul_div
from navoracle.risk.delta import status_of_part
from navoracle.risk.margin import asset_of, exposure_of
from navoracle.risk.marks import Marks, by_asset, own_rows

LEVERAGE: Final = "leverage"
EXPOSURE: Final = "exposure"
DRAWDOWN: Final = "drawdown"
FUNDING_COST: Final = "funding_cost"


def leverage_risk(
    limits: FundLimits, limit: Wad, valuation: FundValuation, accounts: Sequence[MarginAccount], marks: Marks
) -> LimitRisk:
    """Everything owned, as valued, and the notionals of perpetuals (rounded up), over the NAV.

    Raises:
        RiskCalculationFailed: a price is missing.
    """
    owned: int = sum(row.value for row in own_rows(valuation) if not row.component.is_liability)
    for account in accounts:
        owned += mul_div(exposure_of(account), marks.price(account.asset), WAD, Rounding.UP)
    return _over_nav(LEVERAGE, owned, valuation, limit, limits)


def exposure_risk(
    limits: FundLimits, limit: Wad, valuation: FundValuation, accounts: Sequence[MarginAccount], marks: Marks
) -> LimitRisk:
    """The asset to which the fund is exposed most, long or short, over the NAV.

    Holdings less debts of the asset, and the perpetuals that follow it. The unit of account itself is no exposure.

    Raises:
        RiskCalculationFailed: a price is missing, or it is not known which asset a perpetual follows.
    """
    net = {asset: value * WAD for asset, value in by_asset(own_rows(valuation)).items()}
    for account in accounts:
        for exposure in account.exposures:
            asset = asset_of(exposure)
            net[asset] = net.get(asset, 0) + exposure.size * marks.price(asset)
    net.pop(marks.unit, None)
    # Of equal exposures the first by name, so that the order of positions changes nothing.
    subject = min(net, key=lambda asset: (-abs(net[asset]), asset), default="")
    size = -(-abs(net[subject]) // WAD) if subject else 0
    return _over_nav(EXPOSURE, size, valuation, limit, limits, subject)


def drawdown_risk(limits: FundLimits, limit: Wad, drawdown: Wad | None) -> LimitRisk:
    """The fall of the price per share from its peak, as the fund's gate found it.

    Raises:
        RiskCalculationFailed: it is not known.
    """
    if drawdown is None:
        raise RiskCalculationFailed(
            "the drawdown is not known: the fund has no NAV or no peak",
            advice="Restore the valuation; the gate rebuilds a peak that is missing (`funds.NAME.gate`).",
        )
    status = status_of_part(drawdown, WAD, limit, limits.warning_part)
    return LimitRisk(DRAWDOWN, drawdown, limit, "", status)


def funding_risk(
    limits: FundLimits, limit: Wad, valuation: FundValuation, venues: Sequence[MarginRisk], marks: Marks
) -> LimitRisk:
    """What holding the perpetuals of all counted venues costs in a year, over the NAV; negative when it earns.

    Raises:
        RiskCalculationFailed: a price is missing.
    """
    cost = 0
    for venue in venues:
        if venue.funding_per_year is not None:
            cost += mul_div(venue.funding_per_year, marks.price(venue.asset), WAD, Rounding.UP)
    return _over_nav(FUNDING_COST, cost, valuation, limit, limits)


def _over_nav(
    name: str, figure: int, valuation: FundValuation, limit: Wad, limits: FundLimits, subject: str = ""
) -> LimitRisk:
    nav = valuation.before.nav
    if nav <= 0:
        return LimitRisk(name, None, limit, subject, RiskStatus.CRITICAL)
    value = Wad(mul_div(figure, WAD, nav, Rounding.UP))
    return LimitRisk(name, value, limit, subject, status_of_part(figure, nav, limit, limits.warning_part))
