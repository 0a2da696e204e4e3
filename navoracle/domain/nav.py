"""Valuation: positions and prices in, the components of the NAV out.

    gross = cash + collateral + accrued income + rewards - debt - pending withdrawals - margin calls
    NAV   = gross - fees payable

NAV_before leaves out the silo of queued deposits; NAV_after adds it, at the same prices of the same block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import add
from typing import NamedTuple

from navoracle.domain.errors import DomainError
from navoracle.domain.fees import FeesPayable, FeeState, FeeTerms, fees_payable
from navoracle.domain.positions import Component, Position
from navoracle.domain.prices import PriceEstimate, PriceStatus, Side
from navoracle.domain.shares import price_per_share, shares_for_delta
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.domain.valuation import PositionValue, PriceKey, value_position

_LIVE = PriceStatus.LIVE
_COMPONENTS = len(Component)


class Breakdown(NamedTuple):
    """The components of a NAV (Wad); liabilities are magnitudes."""

    cash: Wad
    collateral: Wad
    accrued_income: Wad
    rewards: Wad
    debt: Wad
    pending_withdrawals: Wad
    margin_calls: Wad
    fees: Wad

    @property
    def gross(self) -> Wad:
        """Assets and income less liabilities, before fees payable."""
        return Wad(
            self.cash
            + self.collateral
            + self.accrued_income
            + self.rewards
            - self.debt
            - self.pending_withdrawals
            - self.margin_calls
        )

    @property
    def nav(self) -> Wad:
        """Gross less fees payable; negative when the fund is insolvent."""
        return Wad(self.gross - self.fees)


class FundValuation(NamedTuple):
    """A fund's value at one block.

    `before` and `after` are NAV_before and NAV_after, `price_per_share` is NAV_before / shares rounded down (1e18 when
    there are none), `undecayed_nav` is NAV_before without haircuts, `estimated` says whether any price was a fallback.
    """

    positions: tuple[PositionValue, ...]
    before: Breakdown
    after: Breakdown
    fees: FeesPayable
    shares: Wad
    price_per_share: Wad
    confidence: Bps
    undecayed_nav: Wad
    estimated: bool

    @property
    def delta_nav(self) -> Wad:
        """NAV_after less NAV_before: what queued deposits bring."""
        return Wad(self.after.nav - self.before.nav)

    @property
    def shares_to_mint(self) -> Wad:
        """Shares that the queued deposits are worth, rounded down; zero when there are none."""
        if self.delta_nav <= 0:
            return Wad(0)
        return shares_for_delta(self.delta_nav, self.before.nav, self.shares)


def value_fund(
    positions: Sequence[Position],
    estimates: Mapping[PriceKey, PriceEstimate],
    *,
    shares: Wad,
    fee_terms: FeeTerms,
    fee_state: FeeState,
    now: Timestamp,
) -> FundValuation:
    """Value a fund: every position must have a priced estimate.

    Args:
        shares: shares outstanding, 1e18 scale.

    Raises:
        DomainError: a position's estimate is missing or has no price.
    """
    rows: list[PositionValue] = []
    estimated = False
    for position in positions:
        side: Side = "debt" if position.component.is_liability else "asset"
        estimate = estimates.get((position.asset, side))
        if estimate is None:
            raise DomainError(
                f"position {position.id}: {position.asset} was not priced on the {side} side",
                advice="Add the asset to the configuration's assets.",
            )
        rows += value_position(position, estimate, now)
        if estimate.status is not _LIVE:
            estimated = True
    return summarize(tuple(rows), estimated=estimated, shares=shares, fee_terms=fee_terms, fee_state=fee_state, now=now)


def summarize(
    rows: tuple[PositionValue, ...],
    *,
    estimated: bool,
    shares: Wad,
    fee_terms: FeeTerms,
    fee_state: FeeState,
    now: Timestamp,
) -> FundValuation:
    """Add valued positions up into NAV_before and NAV_after, with fees, price per share and confidence.

    Confidence is the mean of the positions' confidences weighted by absolute value, rounded down; 0 for a fund whose
    positions are all worth nothing (there is nothing to be confident of).
    """
    before = [0] * _COMPONENTS
    queued = [0] * _COMPONENTS
    haircut = weight = weighted = 0
    for _, component, _, _, _, value, undecayed, confidence, epoch in rows:
        size = value if value >= 0 else -value
        weight += size
        weighted += size * confidence
        if epoch is None:
            before[component.order] += value
            if undecayed != value:
                haircut += value - undecayed if component.is_liability else undecayed - value
        else:
            queued[component.order] += value
    gross = _breakdown(before, 0).gross
    fees = fees_payable(
        fee_terms,
        fee_state,
        gross=gross,
        shares=shares,
        pending_withdrawals=Wad(before[Component.PENDING_WITHDRAWALS.order]),
        now=now,
    )
    nav_before = _breakdown(before, fees.total)
    return FundValuation(
        positions=rows,
        before=nav_before,
        after=_breakdown(map(add, before, queued), fees.total) if any(queued) else nav_before,
        fees=fees,
        shares=shares,
        price_per_share=price_per_share(nav_before.nav, shares),
        confidence=Bps(weighted // weight) if weight else Bps(0),
        undecayed_nav=Wad(nav_before.nav + haircut),
        estimated=estimated,
    )


def _breakdown(totals: Iterable[int], fees: int) -> Breakdown:
    return Breakdown._make((*totals, fees))
