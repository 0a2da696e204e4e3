"""One position's value: an amount and a price in, its contribution to a component out."""

from __future__ import annotations

from typing import NamedTuple

from navoracle.domain.errors import DomainError
from navoracle.domain.income import accrued_income, unrealized_gain
from navoracle.domain.positions import Accrual, Component, Holding, HoldingAtCost, MarginCall, Position, is_liability
from navoracle.domain.prices import PriceEstimate, Side
from navoracle.domain.units import BPS, SCALES, Bps, RawAmount, Rounding, Timestamp, Wad

PriceKey = tuple[str, Side]
"""An asset, and the side on which its price is taken."""


class PositionValue(NamedTuple):
    """One position's contribution to one component.

    `value` (Wad) is a magnitude for liabilities and signed for income; `undecayed` is the value without the haircut of
    a fallback price. Assets and income are rounded down, liabilities up.
    """

    position: str
    component: Component
    asset: str
    amount: RawAmount
    price: Wad
    value: Wad
    undecayed: Wad
    confidence: Bps
    epoch: int | None


_record = PositionValue._make
"""Builds a record from its fields in order; the quickest way to one, for the hottest loop there is."""


def side_of(position: Position) -> Side:
    """The side on which the position's price is taken: a debt's rounds and decays upwards."""
    return "debt" if is_liability(position) else "asset"


def price_key(position: Position) -> PriceKey:
    """The estimate that the position needs."""
    return position.asset, side_of(position)


def value_position(position: Position, estimate: PriceEstimate, now: Timestamp) -> tuple[PositionValue, ...]:
    """Value one position (two rows for one carried at cost: its cost, and its gain as income).

    Raises:
        DomainError: the estimate has no price, or an accrual begins in the future.
    """
    price, undecayed = estimate.price, estimate.undecayed_price
    if price is None:
        raise DomainError(
            f"position {position.id}: {position.asset} has no price ({estimate.reason})",
            advice="Look at the sources of the asset; a fund is not valued without a price.",
        )
    confidence = estimate.confidence
    if position.confidence != BPS:
        confidence = Bps(confidence * position.confidence // BPS)
    if undecayed is None:
        undecayed = price
    if not isinstance(position, Holding):
        return _value_other(position, price, undecayed, confidence, now)
    amount, component = position.amount, position.component
    units, scale = amount.value, SCALES[amount.decimals]
    value = -(-units * price // scale) if component.is_liability else units * price // scale
    plain = value
    if undecayed != price:
        plain = -(-units * undecayed // scale) if component.is_liability else units * undecayed // scale
    return (_record((position.id, component, position.asset, amount, price, value, plain, confidence, position.epoch)),)


def _value_other(
    position: HoldingAtCost | Accrual | MarginCall, price: Wad, undecayed: Wad, confidence: Bps, now: Timestamp
) -> tuple[PositionValue, ...]:
    def row(component: Component, amount: RawAmount, at: Wad, value: int, plain: int) -> PositionValue:
        return PositionValue(
            position.id, component, position.asset, amount, at, Wad(value), Wad(plain), confidence, position.epoch
        )

    if isinstance(position, HoldingAtCost):
        amount, cost = position.amount, position.entry_price
        carried = amount.value_at(cost, Rounding.DOWN)
        gain, plain = unrealized_gain(amount, cost, price), unrealized_gain(amount, cost, undecayed)
        return (
            row(position.component, amount, cost, carried, carried),
            row(Component.ACCRUED_INCOME, amount, price, gain, plain),
        )
    if isinstance(position, Accrual):
        seconds = now - position.since
        if seconds < 0:
            raise DomainError(
                f"position {position.id} accrues from {position.since}, after the valuation time {now}",
                advice="Correct the start of the accrual.",
            )
        rounding = Rounding.UP if is_liability(position) else Rounding.DOWN
        accrued, plain = (
            accrued_income(position.amount, position.annual_rate, seconds, at, rounding) for at in (price, undecayed)
        )
        return (row(position.component, position.amount, price, accrued, plain),)
    shortfall = position.shortfall
    return (
        row(
            Component.MARGIN_CALLS,
            shortfall,
            price,
            shortfall.value_at(price, Rounding.UP),
            shortfall.value_at(undecayed, Rounding.UP),
        ),
    )
