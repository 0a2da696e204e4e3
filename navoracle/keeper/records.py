"""What a registry's record says of a fund, from its valuation."""

from __future__ import annotations

from navoracle.domain.frame import FundFrame
from navoracle.domain.nav import Breakdown, FundValuation
from navoracle.domain.units import Wad
from navoracle.keeper.plan import FundPlan
from navoracle.ports import FundPost


def fund_post(fund: FundPlan, found: FundFrame, valuation: FundValuation) -> FundPost:
    """What the record says of one fund: NAV_after, NAV_before / shares, and the components of NAV_after."""
    return FundPost(
        fund=found.fund,
        fund_id=fund.fund_id,
        nav=valuation.after.nav,
        price_per_share=valuation.price_per_share,
        confidence=valuation.confidence,
        estimated=valuation.estimated,
        components=record_components(valuation.after),
        nav_before=valuation.before.nav,
    )


def record_components(after: Breakdown) -> tuple[Wad, Wad, Wad, Wad, Wad]:
    """Cash, collateral, income and rewards, debt, other liabilities and fees (Wad, never negative).

    A loss on positions carried at cost is negative income; a record has no sign, so it counts among the liabilities and
    the five still add up to the NAV.
    """
    income = after.accrued_income + after.rewards
    other = after.pending_withdrawals + after.margin_calls + after.fees
    return (
        after.cash,
        after.collateral,
        Wad(max(0, income)),
        after.debt,
        Wad(other + max(0, -income)),
    )
