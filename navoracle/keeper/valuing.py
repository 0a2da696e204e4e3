"""Value: positions and estimates in, one valuation per fund out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from navoracle.domain.bridge import NavBridge, bridge, end_of
from navoracle.domain.concentrated_liquidity import holdings_at
from navoracle.domain.errors import DomainError
from navoracle.domain.failures import Failure
from navoracle.domain.guards import unpriced_is_immaterial
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import (
    ConcentratedLiquidity,
    Holding,
    MarginCall,
    Position,
    PositionReading,
    is_liability,
)
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.prior import FundPrior
from navoracle.domain.units import Rounding, Timestamp, Wad
from navoracle.domain.valuation import PriceKey, price_key
from navoracle.domain.vault import VaultState
from navoracle.keeper.plan import FramePlan, FundPlan
from navoracle.keeper.pricing import Prices
from navoracle.keeper.session import Readings
from navoracle.ports import Reader


@dataclass(frozen=True, slots=True)
class Valued:
    """A fund's valuation, or the reason why there is none."""

    fund: FundPlan
    valuation: FundValuation | None
    reason: str | None
    failures: tuple[Failure, ...]
    immaterial: tuple[str, ...]
    vault: VaultState | None = None
    bridge: NavBridge | None = None


def value(plan: FramePlan, readings: Readings, prices: Prices, now: Timestamp) -> tuple[Valued, ...]:
    """Value every fund of the plan."""
    return tuple(_value(fund, plan, readings, prices, now) for fund in plan.funds)


def _value(fund: FundPlan, plan: FramePlan, readings: Readings, prices: Prices, now: Timestamp) -> Valued:
    prior = plan.prior.funds.get(fund.fund, FundPrior())
    failures = tuple(failure for reader in _readers(fund) if (failure := readings.failure(reader.id)) is not None)
    if failures:
        return Valued(fund, None, f"unread:{failures[0].reader}:{failures[0].code}", failures, ())
    shares: Wad = readings.values[fund.supply.id]
    vault: VaultState | None = None if fund.vault is None else readings.values[fund.vault.id]
    terms, state = (fund.fees, prior.fees) if vault is None else (vault.terms, vault.fees)
    try:
        priced, unpriced = _split(fund, readings, prices)
        valuation = value_fund(priced, prices.estimates, shares=shares, fee_terms=terms, fee_state=state, now=now)
        last_valid = {(known.asset, known.side): known.last_valid.price for known in plan.prior.prices if unpriced}
        material = [
            position
            for position in unpriced
            if not _is_nothing(position)
            and not _immaterial(position, _at_last_prices(position, prices, last_valid), prior, valuation, fund)
        ]
        bridged = None
        if vault is not None and prior.posted is not None:
            bridged = bridge(prior.posted, end_of(valuation, vault.flows))
    except DomainError as error:
        return Valued(fund, None, f"unvalued:{error.code}", (_failure(fund, error),), ())
    if material:
        estimate = next(found for found in _estimates(material[0], prices) if found.price is None)
        return Valued(fund, None, f"unpriced:{estimate.asset}:{estimate.reason}", (), ())
    immaterial = tuple(name for position in unpriced for name in row_names(position))
    return Valued(fund, valuation, None, (), immaterial, vault, bridged)


def _readers(fund: FundPlan) -> tuple[Reader[Any], ...]:
    return (*fund.positions, fund.supply, *(() if fund.vault is None else (fund.vault,)))


def _failure(fund: FundPlan, error: DomainError) -> Failure:
    return Failure(fund.fund, error.code, error.message, error.advice)


def _split(fund: FundPlan, readings: Readings, prices: Prices) -> tuple[list[Position], list[PositionReading]]:
    """What has a price, liquidity in pools as holdings of its tokens; and what has none."""
    priced: list[Position] = []
    unpriced: list[PositionReading] = []
    for reader in fund.positions:
        position: PositionReading
        for position in readings.values[reader.id]:
            if isinstance(position, ConcentratedLiquidity):
                first, second = (_without_haircut(found) for found in _estimates(position, prices))
                if first is None or second is None:
                    unpriced.append(position)
                else:
                    priced += holdings_at(position, first, second)
            elif _estimate(position.id, price_key(position), prices).price is None:
                unpriced.append(position)
            else:
                priced.append(position)
    return priced, unpriced


def _without_haircut(estimate: PriceEstimate) -> Wad | None:
    """The price that a mixture of tokens follows: a haircut is no move of the market."""
    if estimate.price is None or estimate.undecayed_price is None:
        return estimate.price
    return estimate.undecayed_price


def _estimates(position: PositionReading, prices: Prices) -> tuple[PriceEstimate, ...]:
    if isinstance(position, ConcentratedLiquidity):
        return tuple(_estimate(position.id, (asset, "asset"), prices) for asset in position.assets)
    return (_estimate(position.id, price_key(position), prices),)


def _estimate(position: str, key: PriceKey, prices: Prices) -> PriceEstimate:
    estimate = prices.estimates.get(key)
    if estimate is None:
        asset, side = key
        raise DomainError(
            f"position {position}: its reader did not say that it needs {asset} on the {side} side",
            advice="Report this as a defect of the reader: `assets` must name everything that it may return.",
        )
    return estimate


def row_names(position: PositionReading) -> tuple[str, ...]:
    """The names under which a position stands in a valuation."""
    return position.holding_ids if isinstance(position, ConcentratedLiquidity) else (position.id,)


def _is_nothing(position: PositionReading) -> bool:
    """Whether it is an amount of zero, which is worth nothing at any price, owed or not."""
    if isinstance(position, Holding):
        return position.amount.value == 0
    if isinstance(position, MarginCall):
        return position.shortfall.value == 0
    if isinstance(position, ConcentratedLiquidity):
        return position.liquidity == 0 and not any(owed.value for owed in position.owed)
    return False


def _immaterial(
    position: PositionReading, now_worth: Wad | None, prior: FundPrior, valuation: FundValuation, fund: FundPlan
) -> bool:
    """Whether it was dust in the last frame, and what it holds now is dust at the last valid price as well."""
    if not isinstance(position, Holding | ConcentratedLiquidity):
        return False
    if isinstance(position, Holding) and is_liability(position):
        return False
    names = row_names(position)
    known = {row.position: row.value for row in prior.positions if row.position in names}
    if len(known) < len(names) or now_worth is None:
        return False
    last = Wad(max(sum(known.values()), now_worth))
    return unpriced_is_immaterial(position.component, last, valuation.before.nav, fund.guards.immaterial_bps)


def _at_last_prices(position: PositionReading, prices: Prices, last_valid: Mapping[tuple[str, str], Wad]) -> Wad | None:
    """What it holds now at the last valid prices (Wad, rounded up); None where one of them is not known."""
    if isinstance(position, Holding):
        price = last_valid.get(price_key(position))
        return None if price is None else position.amount.value_at(price, Rounding.UP)
    if not isinstance(position, ConcentratedLiquidity):
        return None
    first, second = (
        last_valid.get((found.asset, "asset")) if found.price is None else _without_haircut(found)
        for found in _estimates(position, prices)
    )
    if first is None or second is None:
        return None
    holdings = zip(holdings_at(position, first, second), (first, second), strict=True)
    return Wad(sum(holding.amount.value_at(price, Rounding.UP) for holding, price in holdings))
