"""Value and guard: positions and estimates in, one `FundFrame` per fund out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from navoracle.domain.errors import DomainError
from navoracle.domain.frame import (
    BlockStamp,
    Failure,
    FundFrame,
    FundPrior,
    NavStatus,
)
from navoracle.domain.guards import GuardInput, judge, unpriced_is_immaterial
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import Holding, Position, is_liability
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.units import Timestamp, Wad
from navoracle.domain.valuation import price_key
from navoracle.keeper.plan import FramePlan, FundPlan
from navoracle.keeper.pricing import Prices
from navoracle.keeper.session import Readings


@dataclass(frozen=True, slots=True)
class Valued:
    """A fund's valuation, or the reason why there is none."""

    fund: FundPlan
    valuation: FundValuation | None
    reason: str | None
    failures: tuple[Failure, ...]
    immaterial: tuple[str, ...]


def value(plan: FramePlan, readings: Readings, prices: Prices, now: Timestamp) -> tuple[Valued, ...]:
    """Value every fund of the plan."""
    return tuple(_value(fund, plan, readings, prices, now) for fund in plan.funds)


def _value(fund: FundPlan, plan: FramePlan, readings: Readings, prices: Prices, now: Timestamp) -> Valued:
    prior = plan.prior.funds.get(fund.fund, FundPrior())
    failures = tuple(
        failure for reader in (*fund.positions, fund.supply) if (failure := readings.failure(reader.id)) is not None
    )
    if failures:
        return Valued(fund, None, f"unread:{failures[0].reader}:{failures[0].code}", failures, ())
    positions: list[Position] = [position for reader in fund.positions for position in readings.values[reader.id]]
    shares: Wad = readings.values[fund.supply.id]
    try:
        priced = [position for position in positions if _estimate(position, prices).price is not None]
        unpriced = [position for position in positions if _estimate(position, prices).price is None]
        valuation = value_fund(
            priced, prices.estimates, shares=shares, fee_terms=fund.fees, fee_state=prior.fees, now=now
        )
    except DomainError as error:
        return Valued(fund, None, f"unvalued:{error.code}", (_failure(fund, error),), ())
    material = [position for position in unpriced if not _immaterial(position, prior, valuation, fund)]
    if material:
        worst = material[0]
        estimate = _estimate(worst, prices)
        return Valued(fund, None, f"unpriced:{worst.asset}:{estimate.reason}", (), ())
    return Valued(fund, valuation, None, (), tuple(position.id for position in unpriced))


def _failure(fund: FundPlan, error: DomainError) -> Failure:
    return Failure(fund.fund, error.code, error.message, error.advice)


def _estimate(position: Position, prices: Prices) -> PriceEstimate:
    asset, side = price_key(position)
    estimate = prices.estimates.get((asset, side))
    if estimate is None:
        raise DomainError(
            f"position {position.id}: its reader did not say that it needs {asset} on the {side} side",
            advice="Report this as a defect of the reader: `assets` must name everything that it may return.",
        )
    return estimate


def _immaterial(position: Position, prior: FundPrior, valuation: FundValuation, fund: FundPlan) -> bool:
    if is_liability(position) or not isinstance(position, Holding):
        return False
    last = next((known.value for known in prior.positions if known.position == position.id), None)
    return unpriced_is_immaterial(position.component, last, valuation.before.nav, fund.guards.immaterial_bps)


def guard(
    plan: FramePlan,
    readings: Readings,
    prices: Prices,
    values: Sequence[Valued],
    *,
    stamps: Sequence[BlockStamp],
    clock: Timestamp,
    now: Timestamp,
) -> tuple[FundFrame, ...]:
    """Hold every valued fund against its guards; a fund without a valuation is HALTED with its reason."""
    home = next((stamp for stamp in stamps if stamp.chain == plan.home_chain), None)
    return tuple(_guard(plan, readings, prices, valued, stamps, home, clock, now) for valued in values)


def _guard(
    plan: FramePlan,
    readings: Readings,
    prices: Prices,
    valued: Valued,
    stamps: Sequence[BlockStamp],
    home: BlockStamp | None,
    clock: Timestamp,
    now: Timestamp,
) -> FundFrame:
    fund = valued.fund
    own = plan.for_fund(fund.fund)
    failures = (*valued.failures, *_source_failures(own, readings))
    if valued.valuation is None:
        return FundFrame(fund.fund, NavStatus.HALTED, valued.reason, None, (), failures, valued.immaterial)
    keys = {(row.asset, "debt" if row.component.is_liability else "asset") for row in valued.valuation.positions}
    status, reason, verdicts = judge(
        GuardInput(
            valuation=valued.valuation,
            prior=plan.prior.funds.get(fund.fund, FundPrior()),
            policy=fund.guards,
            now=now,
            clock=clock,
            stamps=stamps,
            home=home,
            estimates=[estimate for key, estimate in prices.estimates.items() if key in keys],
            averages=prices.averages,
            rate_gaps=[gap for gap in prices.rate_gaps if gap.asset in own.assets],
            readers=frozenset(reader.id for reader in fund.positions),
            immaterial=valued.immaterial,
            failures=failures,
            shortcomings=_shortcomings(own, prices, failures),
        )
    )
    return FundFrame(fund.fund, status, reason, valued.valuation, verdicts, failures, valued.immaterial)


def _source_failures(own: FramePlan, readings: Readings) -> tuple[Failure, ...]:
    ids: list[str] = []
    for symbol in sorted(own.assets):
        asset = own.assets[symbol]
        ids += [source.id for source in asset.sources]
        ids += [rate.id for rate in (asset.derived, asset.native) if rate is not None]
    return tuple(failure for name in ids if (failure := readings.failure(name)) is not None)


def _shortcomings(own: FramePlan, prices: Prices, failures: Sequence[Failure]) -> tuple[str, ...]:
    """What a second frame lacks of "every configured source": failed readers and refused quotes."""
    keys = own.key_closure()
    refused = {
        f"{source} ({reason})"
        for key, estimate in prices.estimates.items()
        if key in keys
        for source, reason in estimate.excluded
    }
    return (*(f"{failure.reader} ({failure.code})" for failure in failures), *sorted(refused))
