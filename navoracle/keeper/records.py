"""What a registry's record says of a fund, from its valuation."""

from __future__ import annotations

from collections.abc import Mapping

from navoracle.domain.frame import FundFrame
from navoracle.domain.nav import Breakdown, FundValuation
from navoracle.domain.prices import PriceEstimate, PriceStatus
from navoracle.domain.units import Wad
from navoracle.domain.valuation import PriceKey
from navoracle.keeper.plan import FundPlan
from navoracle.publisher_port import FundPost


def fund_post(
    fund: FundPlan, found: FundFrame, valuation: FundValuation, estimates: Mapping[PriceKey, PriceEstimate]
) -> FundPost:
    """What the record says of one fund: NAV_after, NAV_before / shares, and the components of NAV_after.

    With it go the prices of the assets that its contract counts in; where one of them is a fallback, so is the post.
    """
    # The unit of account is among the estimates, worth one by definition.
    counted = {symbol: estimates[symbol, "asset"] for symbol in fund.priced_in if (symbol, "asset") in estimates}
    return FundPost(
        fund=found.fund,
        fund_id=fund.fund_id,
        nav=valuation.after.nav,
        price_per_share=valuation.price_per_share,
        confidence=valuation.confidence,
        estimated=valuation.estimated or any(each.status is PriceStatus.ESTIMATED for each in counted.values()),
        components=record_components(valuation.after),
        nav_before=valuation.before.nav,
        prices={symbol: each.price for symbol, each in counted.items() if each.price is not None},
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
